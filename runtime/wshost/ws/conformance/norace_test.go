//go:build !race

package conformance

// underRace is true when the race detector slows the tests down about tenfold.
const underRace = false
