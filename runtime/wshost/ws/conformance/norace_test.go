//go:build !race

package conformance

// UnderRace is true when the race detector slows the tests down about tenfold.
const UnderRace = false
