package load

import (
	"math"
	"math/bits"
	"time"
)

// hist counts durations in classes 1/32 of a power of two wide, so a quantile is at most 3 % too large.
type hist struct {
	n     uint64
	class [64 * 32]uint64
}

// add counts a duration n times.
func (h *hist) add(d time.Duration, n int) {
	h.n += uint64(n)
	h.class[classOf(uint64(max(d, 0)))] += uint64(n)
}

// quantile returns the duration that the part q of all counted ones do not exceed, 0 when none was counted.
func (h *hist) quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.n)))
	var seen uint64
	for c, n := range h.class {
		seen += n
		if n > 0 && seen >= rank {
			return time.Duration(topOf(c))
		}
	}
	return 0
}

// classOf returns the class of a value: values below 32 have one each, others one for each five bits after the first.
func classOf(v uint64) int {
	if v < 32 {
		return int(v)
	}
	shift := bits.Len64(v) - 6
	return (shift+1)*32 + int(v>>shift) - 32
}

// topOf returns the largest value of a class.
func topOf(c int) uint64 {
	if c < 32 {
		return uint64(c)
	}
	shift := c/32 - 1
	return (uint64(c%32)+33)<<shift - 1
}
