package ws

import (
	"encoding/binary"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// utf8State validates UTF-8 that arrives in pieces and fails at the first byte that no continuation can mend
// (RFC 6455, section 8.1). The zero value stands between two characters.
type utf8State struct {
	need   uint8 // continuation bytes still to come
	lo, hi uint8 // what the next of them must lie between; it differs from 80..BF after E0, ED, F0 and F4
}

// feed reports whether p may follow what was fed before.
func (s *utf8State) feed(p []byte) bool {
	for i := 0; i < len(p); {
		if s.need > 0 {
			if p[i] < s.lo || p[i] > s.hi {
				return false
			}
			s.need, s.lo, s.hi = s.need-1, 0x80, 0xBF
			i++
			continue
		}
		for len(p)-i >= 8 && binary.LittleEndian.Uint64(p[i:])&0x8080808080808080 == 0 {
			i += 8
		}
		for i < len(p) && p[i] < 0x80 {
			i++
		}
		if i < len(p) {
			if !s.lead(p[i]) {
				return false
			}
			i++
		}
	}
	return true
}

// lead begins a character of several bytes. The bounds are those of RFC 3629, section 4: they leave out overlong
// forms, surrogates and what lies beyond U+10FFFF.
func (s *utf8State) lead(b byte) bool {
	s.lo, s.hi = 0x80, 0xBF
	switch {
	case b < 0xC2 || b > 0xF4:
		return false
	case b < 0xE0:
		s.need = 1
	case b < 0xF0:
		s.need = 2
		if b == 0xE0 {
			s.lo = 0xA0
		} else if b == 0xED {
			s.hi = 0x9F
		}
	default:
		s.need = 3
		if b == 0xF0 {
			s.lo = 0x90
		} else if b == 0xF4 {
			s.hi = 0x8F
		}
	}
	return true
}

// whole reports whether the text may end here.
func (s *utf8State) whole() bool { return s.need == 0 }

// take feeds p, and asks for the end of a character when p is the last piece of a text.
func (s *utf8State) take(p []byte, last bool) error {
	if !s.feed(p) {
		return failure(frame.InvalidPayload, "text is not valid UTF-8")
	}
	if last && !s.whole() {
		return failure(frame.InvalidPayload, "text ends within a character")
	}
	return nil
}
