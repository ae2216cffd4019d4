package config

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 returns the source of a file as UTF-8 without byte order mark, and whether it was UTF-16, which every reader of
// XML understands (XML 1.0, section 4.3.3) and which Windows editors write. A UTF-16 file without a mark is told by its
// first character (appendix F). Places in it count in the bytes of the UTF-8 form.
func toUTF8(file string, src []byte) (text []byte, wide bool, err *Error) {
	is := func(prefix string) bool { return bytes.HasPrefix(src, []byte(prefix)) }
	fault := func(message string) *Error {
		return &Error{Pos: Pos{File: file, Line: 1, Column: 1}, HResult: HResultMalformed, Message: message, Hint: "save the file as UTF-8"}
	}
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case is("\x00\x00\xfe\xff"), is("\xff\xfe\x00\x00"), is("\x00\x00\x00<"), is("<\x00\x00\x00"):
		return nil, false, fault("the file is saved as UTF-32")
	case is("\xff\xfe"):
		src = src[2:]
	case is("\xfe\xff"):
		src, order = src[2:], binary.BigEndian
	case is("<\x00"):
	case is("\x00<"):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), false, nil
	}
	if len(src)%2 != 0 {
		return nil, true, fault("the file is saved as UTF-16 and ends within a character")
	}
	text = make([]byte, 0, len(src))
	for i := 0; i < len(src); i += 2 {
		r := rune(order.Uint16(src[i:]))
		if utf16.IsSurrogate(r) {
			second := rune(utf8.RuneError)
			if i+4 <= len(src) {
				second = rune(order.Uint16(src[i+2:]))
			}
			if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
				return nil, true, fault("the file is saved as UTF-16 and holds half a character")
			}
			i += 2
		}
		text = utf8.AppendRune(text, r)
	}
	return text, true, nil
}
