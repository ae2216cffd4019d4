package config

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Charset is a character encoding that a configuration file is saved in.
type Charset string

// The encodings that are read. A file in another one is refused, unless there is nothing but ASCII in it.
const (
	UTF8        Charset = "utf-8"
	UTF16       Charset = "utf-16"
	Windows1252 Charset = "windows-1252"
	Latin1      Charset = "iso-8859-1"
	ASCII       Charset = "us-ascii"
	Unread      Charset = ""
)

// utf8Mark is the byte order mark of UTF-8.
const utf8Mark = "\xef\xbb\xbf"

// CharsetOf returns the encoding of a configuration file: by its first bytes, else by its XML declaration, else UTF-8 (XML
// 1.0, appendix F).
func CharsetOf(src []byte) Charset {
	switch {
	case bytes.HasPrefix(src, []byte(utf8Mark)):
		return UTF8
	case isWide(src):
		return UTF16
	}
	return charsetNamed(declaredEncoding(src))
}

// isWide reports whether a file is UTF-16.
func isWide(src []byte) bool {
	for _, mark := range [...]string{"\xff\xfe", "\xfe\xff", "<\x00", "\x00<"} {
		if bytes.HasPrefix(src, []byte(mark)) {
			return true
		}
	}
	return false
}

// charsetNamed returns the encoding of a name (IANA, Character Sets); UTF-8 for none.
func charsetNamed(label string) Charset {
	switch strings.ToLower(label) {
	case "", "utf-8", "utf8":
		return UTF8
	case "windows-1252", "cp1252", "cswindows1252":
		return Windows1252
	case "iso-8859-1", "iso_8859-1", "iso8859-1", "latin1", "l1", "ibm819", "cp819":
		return Latin1
	case "us-ascii", "ascii", "iso646-us", "ansi_x3.4-1968":
		return ASCII
	}
	return Unread
}

// declaredEncoding returns the encoding that the XML declaration names, "" for none.
func declaredEncoding(src []byte) string {
	if !bytes.HasPrefix(src, []byte("<?xml")) {
		return ""
	}
	end := bytes.Index(src[:min(len(src), maxDeclaration)], []byte("?>"))
	if end < 0 {
		return ""
	}
	_, rest, found := strings.Cut(string(src[:end]), "encoding")
	rest = strings.TrimLeft(rest, " \t\r\n")
	if !found || !strings.HasPrefix(rest, "=") {
		return ""
	}
	rest = strings.TrimLeft(rest[1:], " \t\r\n")
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return ""
	}
	label, _, _ := strings.Cut(rest[1:], rest[:1])
	return label
}

// maxDeclaration is how long an XML declaration may be that is looked at.
const maxDeclaration = 1024

// Decode returns a text as UTF-8. It returns the offset of the first byte that is none of the encoding, -1 for none.
func (c Charset) Decode(text []byte) (decoded []byte, bad int) {
	if c == UTF8 || c == UTF16 || !hasHigh(text) {
		return text, -1
	}
	decoded = make([]byte, 0, len(text)+len(text)/8)
	for i, b := range text {
		switch {
		case b < utf8.RuneSelf:
			decoded = append(decoded, b)
		case c == Windows1252:
			decoded = utf8.AppendRune(decoded, windows1252(b))
		case c == Latin1:
			decoded = utf8.AppendRune(decoded, rune(b))
		default:
			return nil, i
		}
	}
	return decoded, -1
}

// Encode is the reverse of Decode. A character that the encoding does not have becomes a reference to it (XML 1.0, section
// 4.1), which an attribute value may hold.
func (c Charset) Encode(text []byte) []byte {
	if c == UTF8 || c == UTF16 || !hasHigh(text) {
		return text
	}
	encoded := make([]byte, 0, len(text))
	for _, r := range string(text) {
		if b, ok := c.byteOf(r); ok {
			encoded = append(encoded, b)
		} else {
			encoded = fmt.Appendf(encoded, "&#%d;", r)
		}
	}
	return encoded
}

func (c Charset) byteOf(r rune) (byte, bool) {
	if r < utf8.RuneSelf {
		return byte(r), true
	}
	if c == Latin1 && r <= 0xff {
		return byte(r), true
	}
	for b := utf8.RuneSelf; c == Windows1252 && b <= 0xff; b++ {
		if windows1252(byte(b)) == r {
			return byte(b), true
		}
	}
	return 0, false
}

// windows1252 returns the character of a byte that is not ASCII. The five bytes without one stand for a control character,
// as Windows has it.
func windows1252(b byte) rune {
	if b >= 0xa0 {
		return rune(b)
	}
	return [...]rune{
		'€', 0x81, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', 0x8d, 'Ž', 0x8f,
		0x90, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', 0x9d, 'ž', 'Ÿ',
	}[b-0x80]
}

func hasHigh(text []byte) bool {
	return bytes.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) >= 0
}
