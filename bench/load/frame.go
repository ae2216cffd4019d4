package load

import "encoding/binary"

// Opcodes and bits of RFC 6455, section 5.2, and RSV1 as RFC 7692, section 6 uses it.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	finBit   = 0x80
	rsv1Bit  = 0x40
	maskBit  = 0x80
)

// appendHeader appends a final frame's header without a masking key. first is opcode and RSV bits, mask is maskBit
// or 0.
func appendHeader(dst []byte, first, mask byte, size int) []byte {
	dst = append(dst, finBit|first)
	switch {
	case size < 126:
		return append(dst, mask|byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, mask|126), uint16(size))
	default:
		return binary.BigEndian.AppendUint64(append(dst, mask|127), uint64(size))
	}
}

// appendClient appends a masked final frame.
func appendClient(dst []byte, first byte, key [4]byte, payload []byte) []byte {
	dst = append(appendHeader(dst, first, maskBit, len(payload)), key[:]...)
	for i, b := range payload {
		dst = append(dst, b^key[i&3])
	}
	return dst
}

// appendServer appends an unmasked final frame.
func appendServer(dst []byte, first byte, payload []byte) []byte {
	return append(appendHeader(dst, first, 0, len(payload)), payload...)
}
