package config

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// toUTF8 returns the source of a file as UTF-8 without byte order mark, and the encoding that it was saved in. UTF-16 is
// what every reader of XML understands (XML 1.0, section 4.3.3) and what Windows editors write; without a mark it is told by
// its first character (appendix F). Places in the file count in the bytes of the UTF-8 form.
func toUTF8(file string, src []byte) (text []byte, saved Charset, err *Error) {
	is := func(prefix string) bool { return bytes.HasPrefix(src, []byte(prefix)) }
	fault := func(message string) *Error {
		return &Error{Pos: Pos{File: file, Line: 1, Column: 1}, HResult: HResultMalformed, Message: message, Hint: "save the file as UTF-8"}
	}
	if is("\x00\x00\xfe\xff") || is("\xff\xfe\x00\x00") || is("\x00\x00\x00<") || is("<\x00\x00\x00") {
		return nil, Unread, fault("the file is saved as UTF-32")
	}
	saved = CharsetOf(src)
	if saved != UTF16 {
		text, bad := saved.Decode(bytes.TrimPrefix(src, []byte(utf8Mark)))
		if bad >= 0 {
			at := newDocument(file, src, nil).pos(bad)
			return nil, saved, undeclared(at, declaredEncoding(src))
		}
		return text, saved, nil
	}
	var order binary.ByteOrder = binary.LittleEndian
	if is("\xfe\xff") || is("\x00<") {
		order = binary.BigEndian
	}
	if is("\xfe\xff") || is("\xff\xfe") {
		src = src[2:]
	}
	if len(src)%2 != 0 {
		return nil, saved, fault("the file is saved as UTF-16 and ends within a character")
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
				return nil, saved, fault("the file is saved as UTF-16 and holds half a character")
			}
			i += 2
		}
		text = utf8.AppendRune(text, r)
	}
	return text, saved, nil
}

// undeclared returns the error of a file that holds what its declared encoding has not, or that declares one which is not
// read here.
func undeclared(at Pos, label string) *Error {
	e := &Error{Pos: at, HResult: HResultMalformed, Hint: `save the file as UTF-8 and declare nothing else: <?xml version="1.0" encoding="utf-8"?>`}
	switch label = clip(strings.ToValidUTF8(label, "?")); {
	case charsetNamed(label) == ASCII:
		e.Message = fmt.Sprintf("the file declares the encoding %q, and there is a character that this does not have", label)
		e.Hint = `declare the encoding that the file is saved in (encoding="windows-1252", encoding="iso-8859-1"), or save it as UTF-8`
	case strings.HasPrefix(strings.ToLower(label), "utf-16"):
		e.Message = fmt.Sprintf("the file declares the encoding %q and is not saved in it", label)
		e.Hint = `write encoding="utf-8" into its first line, and save it as UTF-8`
	default:
		e.Message = fmt.Sprintf("the file declares the encoding %q, which cannot be read here", label)
	}
	return e
}
