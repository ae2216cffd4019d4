//go:build race

package target

// underRace is true when the race detector slows the tests down about tenfold.
const underRace = true
