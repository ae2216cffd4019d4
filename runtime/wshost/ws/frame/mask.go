package frame

import (
	"encoding/binary"
	"math/bits"
)

// Mask applies the masking algorithm of RFC 6455, section 5.3, to b in place. pos is the offset of b within the
// frame's payload, so that a payload may be masked piece by piece. Masking twice restores b.
func Mask(key [4]byte, pos uint64, b []byte) {
	k32 := bits.RotateLeft32(binary.LittleEndian.Uint32(key[:]), -8*int(pos&3))
	k := uint64(k32) | uint64(k32)<<32
	b = b[maskVector(b, k):]
	for len(b) >= 32 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^k)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^k)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^k)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^k)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= byte(k >> (8 * i))
	}
}
