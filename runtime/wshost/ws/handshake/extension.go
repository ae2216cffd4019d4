package handshake

import (
	"errors"
	"strings"
)

// Extension is one element of Sec-WebSocket-Extensions (RFC 6455, section 9.1).
type Extension struct {
	Name   string
	Params []Param
}

// Param is a parameter of an extension.
type Param struct {
	Name  string
	Value string // unquoted; always a token when HasValue
	// HasValue tells "name=value" from a bare "name".
	HasValue bool
}

// Bounds of what is read; a header beyond them is refused like a malformed one. An honest client sends one or two
// offers with up to four parameters.
const (
	maxExtensions   = 16
	maxParams       = 16
	maxSubprotocols = 64
)

// ErrExtensions means a Sec-WebSocket-Extensions header that does not follow the grammar of RFC 6455, section 9.1.
var ErrExtensions = errors.New("malformed Sec-WebSocket-Extensions header")

// ParseExtensions reads the values of all Sec-WebSocket-Extensions headers as one list. It reads each byte once.
func ParseExtensions(values []string) ([]Extension, error) {
	var list []Extension
	for _, v := range values {
		p := parser{v}
		found := false
		for {
			p.space()
			if p.take(',') {
				continue // an empty element: RFC 9110, section 5.6.1.2
			}
			if p.rest == "" {
				break
			}
			ext, ok := p.extension()
			if !ok || len(list) == maxExtensions {
				return nil, ErrExtensions
			}
			list, found = append(list, ext), true
			p.space()
			if p.rest != "" && p.rest[0] != ',' {
				return nil, ErrExtensions
			}
		}
		if !found {
			return nil, ErrExtensions
		}
	}
	return list, nil
}

// FormatExtensions writes a list in the form that ParseExtensions reads.
func FormatExtensions(list []Extension) string {
	var b strings.Builder
	for i, e := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(e.Name)
		for _, p := range e.Params {
			b.WriteString("; " + p.Name)
			if p.HasValue {
				b.WriteString("=" + p.Value)
			}
		}
	}
	return b.String()
}

type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t") }

func (p *parser) take(b byte) bool {
	if p.rest == "" || p.rest[0] != b {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *parser) token() string {
	n := 0
	for n < len(p.rest) && tokenByte(p.rest[n]) {
		n++
	}
	t := p.rest[:n]
	p.rest = p.rest[n:]
	return t
}

func (p *parser) extension() (e Extension, ok bool) {
	if e.Name = p.token(); e.Name == "" {
		return e, false
	}
	for {
		p.space()
		if !p.take(';') {
			return e, true
		}
		p.space()
		var q Param
		if q.Name = p.token(); q.Name == "" || len(e.Params) == maxParams {
			return e, false
		}
		p.space()
		if p.take('=') {
			p.space()
			q.HasValue = true
			if q.Value, ok = p.value(); !ok {
				return e, false
			}
		}
		e.Params = append(e.Params, q)
	}
}

// value reads a token or a quoted string whose content, unescaped, is a token.
func (p *parser) value() (string, bool) {
	if !p.take('"') {
		t := p.token()
		return t, t != ""
	}
	var b strings.Builder
	for i := 0; i < len(p.rest); i++ {
		switch c := p.rest[i]; c {
		case '"':
			p.rest = p.rest[i+1:]
			return b.String(), isToken(b.String())
		case '\\':
			if i++; i < len(p.rest) {
				b.WriteByte(p.rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", false
}
