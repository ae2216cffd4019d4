package frame

import "encoding/binary"

// MaxHeader is the length of the longest header: 2 bytes, 8 of extended length, 4 of masking key.
const MaxHeader = 14

// MaxControl is the greatest length of a control frame's payload (RFC 6455, section 5.5).
const MaxControl = 125

// The reserved bits as they stand in Header.RSV.
const (
	RSV1 byte = 0x4
	RSV2 byte = 0x2
	RSV3 byte = 0x1
)

// Header is a frame header (RFC 6455, section 5.2). It holds what was on the wire, legal or not; Check judges it.
type Header struct {
	FIN    bool
	RSV    byte // RSV1|RSV2|RSV3
	Opcode Opcode
	Masked bool
	Key    [4]byte // the masking key when Masked
	Length uint64  // of the payload, in bytes
	// Extended is how many bytes of extended length were on the wire: 0, 2 or 8. AppendHeader ignores it.
	Extended uint8
}

// Minimal reports whether the length was written in the fewest bytes possible, as section 5.2 demands.
func (h Header) Minimal() bool { return h.Extended == extended(h.Length) }

// Parse reads a header from the beginning of b. n is the header's length; n == 0 means that b ends before the
// header does. Every sequence of bytes is a header of some kind, so there is no error: see Check.
func Parse(b []byte) (h Header, n int) {
	if len(b) < 2 {
		return Header{}, 0
	}
	h.FIN = b[0]&0x80 != 0
	h.RSV = b[0] >> 4 & 0x7
	h.Opcode = Opcode(b[0] & 0xF)
	h.Masked = b[1]&0x80 != 0
	n = 2
	switch short := b[1] & 0x7F; short {
	case 126:
		if len(b) < 4 {
			return Header{}, 0
		}
		h.Length, h.Extended, n = uint64(binary.BigEndian.Uint16(b[2:])), 2, 4
	case 127:
		if len(b) < 10 {
			return Header{}, 0
		}
		h.Length, h.Extended, n = binary.BigEndian.Uint64(b[2:]), 8, 10
	default:
		h.Length = uint64(short)
	}
	if h.Masked {
		if len(b) < n+4 {
			return Header{}, 0
		}
		h.Key = [4]byte(b[n:])
		n += 4
	}
	return h, n
}

// AppendHeader appends h to dst with the shortest encoding of its length.
func AppendHeader(dst []byte, h Header) []byte {
	first := h.RSV<<4 | byte(h.Opcode)&0xF
	if h.FIN {
		first |= 0x80
	}
	var mask byte
	if h.Masked {
		mask = 0x80
	}
	switch extended(h.Length) {
	case 0:
		dst = append(dst, first, mask|byte(h.Length))
	case 2:
		dst = append(dst, first, mask|126)
		dst = binary.BigEndian.AppendUint16(dst, uint16(h.Length))
	default:
		dst = append(dst, first, mask|127)
		dst = binary.BigEndian.AppendUint64(dst, h.Length)
	}
	if h.Masked {
		dst = append(dst, h.Key[:]...)
	}
	return dst
}

func extended(length uint64) uint8 {
	switch {
	case length <= 125:
		return 0
	case length <= 0xFFFF:
		return 2
	}
	return 8
}
