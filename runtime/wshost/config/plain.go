package config

import "bytes"

// blank is the white space of XML (XML 1.0, section 2.3).
const blank = " \t\r\n"

// maxPlain is how many bytes are shown of a place that was not understood.
const maxPlain = 16

// plain returns how many bytes at a fault may be shown although they were not understood: signs outside of any element,
// such as the dashes or the back-tick that a file begins or ends with, those that a torn comment or a merge left
// behind, and an XML declaration. They are what is looked for, and hold no secret.
func (p *parser) plain(off int) int {
	src := p.doc.src[min(off, len(p.doc.src)):]
	if n := declaration(src); n > 0 {
		return n
	}
	signs := 0
	for signs < min(len(src), maxPlain) && isSign(src[signs]) {
		signs++
	}
	last := p.doc.src[min(p.last, len(p.doc.src)):]
	switch {
	case len(p.stack) == 0, bytes.HasPrefix(last, []byte("<!--")):
	case off == p.last && signs > 1 && src[0] == '<' && src[1] != '/':
	default:
		return 0
	}
	return len(bytes.TrimRight(src[:signs], blank))
}

// isSign reports whether a byte is a sign of ASCII, or a blank.
func isSign(c byte) bool {
	switch {
	case c == ' ':
		return true
	case c < ' ', c >= 0x7f:
		return false
	}
	return !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
}

// declaration returns the length of the XML declaration that src begins with, 0 when it is none: one with anything but
// letters, digits and the signs of versions and encodings in it may be something else.
func declaration(src []byte) int {
	end := bytes.Index(src, []byte("?>"))
	if end < 0 || end > 120 || !bytes.EqualFold(src[:5], []byte("<?xml")) {
		return 0
	}
	for part := range bytes.FieldsSeq(src[5:end]) {
		name, value, ok := bytes.Cut(part, []byte("="))
		switch string(name) {
		case "version", "encoding", "standalone":
		default:
			return 0
		}
		if !ok || len(value) < 2 || len(value) > 24 || len(bytes.Trim(value[1:len(value)-1], nameBytes)) > 0 {
			return 0
		}
	}
	return end + 2
}
