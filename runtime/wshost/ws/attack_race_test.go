//go:build race

package ws_test

// underRace is true when the race detector slows the tests down about tenfold.
const underRace = true
