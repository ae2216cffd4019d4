package config

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
)

// charset accepts any declared encoding: the file has been turned into UTF-8, or what it declares cannot be read and was
// refused. One that is declared and cannot be read is no matter for a file of ASCII alone, except that UTF-16 is not ASCII.
func (p *parser) charset(label string, in io.Reader) (io.Reader, error) {
	if p.saved != UTF8 && p.saved != UTF16 && strings.HasPrefix(strings.ToLower(label), "utf-16") {
		return nil, fmt.Errorf("encoding %q", label)
	}
	return in, nil
}

// scan reads the name and the places of the attributes from the start tag at n.start; src ends with the tag. The
// values come from the decoder, in the same order. It returns what is wrong with the tag, if anything, and where:
// encoding/xml lets doubled attributes and missing white space pass.
func (n *node) scan(src []byte, values []xml.Attr) (problem string, off int) {
	i := n.start + 1
	j := i + bytes.IndexAny(src[i:], " \t\r\n/>")
	n.name = string(src[i:j])
	if len(values) > maxAttributes {
		return fmt.Sprintf("<%s> has more than %d attributes", n.name, maxAttributes), n.start
	}
	for k := range values {
		i = skipSpace(src, j)
		if i == j {
			return fmt.Sprintf("<%s>: white space is missing before an attribute", n.name), i
		}
		j = i + bytes.IndexAny(src[i:], " \t\r\n=")
		a := attr{name: string(src[i:j]), value: values[k].Value, start: i}
		i = skipSpace(src, j)
		i = skipSpace(src, i+1) // the equals sign
		a.valStart = i + 1
		a.valStop = a.valStart + bytes.IndexByte(src[a.valStart:], src[i])
		j = a.valStop + 1
		a.value = normalize(a.value, src[a.valStart:a.valStop])
		if _, double := n.attr(a.name); double {
			return fmt.Sprintf("<%s> has the attribute %q twice", n.name, a.name), a.start
		}
		if a.name != "xmlns" && !strings.HasPrefix(a.name, "xmlns:") {
			n.attrs = append(n.attrs, a)
		}
	}
	return "", 0
}

// normalize makes the line breaks and tabs that a value is written with blanks (XML 1.0, section 3.3.3), which
// encoding/xml leaves out; long values such as a Content-Security-Policy are written over several lines. A value that
// holds character references as well is left alone, because the control characters that they name are to stay.
func normalize(value string, written []byte) string {
	if !bytes.ContainsAny(written, "\t\r\n") || bytes.Contains(written, []byte("&#")) {
		return value
	}
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\r", " ", "\t", " ").Replace(value)
}

func skipSpace(src []byte, i int) int {
	for i < len(src) && (src[i] == ' ' || src[i] == '\t' || src[i] == '\r' || src[i] == '\n') {
		i++
	}
	return i
}
