package frame

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// vectorFrom is the length in bytes from which the vector unit pays.
const vectorFrom = 512

//go:noescape
func xorAVX2(p *byte, n int, key uint64)

// maskVector masks as much of b as the processor's vectors take, and returns how much: a multiple of 8.
func maskVector(b []byte, key uint64) int {
	if len(b) < vectorFrom || !cpu.X86.HasAVX2 {
		return 0
	}
	n := len(b) &^ 127
	xorAVX2(unsafe.SliceData(b), n, key)
	return n
}
