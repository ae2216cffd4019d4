package urlrewrite

import (
	"fmt"
	"html"
	"net/url"
	"strings"
)

// maxExpanded is the longest text that a template may give, in bytes. Rules feed one another, and each may double what
// it is given; the limit is twice the longest URL that HTTP.sys takes (16 KiB).
const maxExpanded = 32 << 10

// A scope is what the references of a template stand for while a rule is looked at.
type scope struct {
	*subject
	rule      captures
	condition captures
	maps      *mapsConfig
}

// expand returns the text of a template.
func (c *scope) expand(t *template) (string, error) { return c.join(t.parts, false) }

// expandURL returns the text of a template that is a URL. What comes out of the decoded path of the request is escaped
// where it would end the path, so that a "%3F" of the client does not become the beginning of a query string.
func (c *scope) expandURL(t *template) (string, error) { return c.join(t.parts, true) }

func (c *scope) join(parts []part, escape bool) (string, error) {
	if len(parts) == 1 && parts[0].kind == partLiteral {
		return parts[0].text, nil
	}
	var b strings.Builder
	for i := range parts {
		s, err := c.value(&parts[i], escape)
		if err != nil {
			return "", err
		}
		if b.Len()+len(s) > maxExpanded {
			return "", fmt.Errorf("the text becomes longer than %d bytes", maxExpanded)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func (c *scope) value(p *part, escape bool) (string, error) {
	plain := func(s string) string { return s }
	if escape {
		plain = escapeReserved
	}
	switch p.kind {
	case partLiteral:
		return p.text, nil
	case partRule:
		return plain(c.rule.get(p.n)), nil
	case partCondition:
		return c.condition.get(p.n), nil
	case partVariable:
		s := c.variable(p.text)
		if isPathVariable(p.text) {
			s = plain(s)
		}
		return s, nil
	}
	arg, err := c.join(p.arg, false)
	if err != nil {
		return "", err
	}
	switch p.kind {
	case partLower:
		return strings.ToLower(arg), nil
	case partEncode:
		return strings.ReplaceAll(url.QueryEscape(arg), "+", "%20"), nil
	case partDecode:
		return unescape(arg), nil
	case partHTML:
		return html.EscapeString(arg), nil
	}
	return c.maps.find(p.text, arg)
}

// escapeReserved escapes what ends a path, and the percent sign, in a decoded path.
func escapeReserved(s string) string {
	if !strings.ContainsAny(s, "%?#") {
		return s
	}
	return strings.NewReplacer("%", "%25", "?", "%3F", "#", "%23").Replace(s)
}

// unescape replaces every %XX and leaves what is not one as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && isEscape(s[i:]) {
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
			continue
		}
		b = append(b, s[i])
	}
	return string(b)
}

// isEscape reports whether s begins with %XX.
func isEscape(s string) bool { return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2]) }

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
