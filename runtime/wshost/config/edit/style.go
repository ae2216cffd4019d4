package edit

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// style is how a file is written. It is taken from the file as it was read: what is taken out may be the only example.
type style struct {
	lineEnd   string // what most of its lines have
	unit      string // see commonUnit
	selfClose string // see commonSelfClose
	quote     byte   // see commonQuote
}

func (d *Document) styleOf() style {
	return style{d.commonLineEnd(), d.commonUnit(), d.commonSelfClose(), d.commonQuote()}
}

func (d *Document) commonLineEnd() string {
	if crlf := bytes.Count(d.src, []byte("\r\n")); 2*crlf > bytes.Count(d.src, []byte("\n")) {
		return "\r\n"
	}
	return "\n"
}

// indent returns the white space before an offset on its line, false when something else stands there, too.
func (d *Document) indent(off int) (string, bool) {
	line := off - len(bytes.TrimRight(d.src[:off], " \t"))
	start := off - line
	if start > 0 && d.src[start-1] != '\n' {
		return "", false
	}
	return string(d.src[start:off]), true
}

// commonUnit returns what one level of nesting adds to the indentation: what most elements add to that of the element around
// them.
func (d *Document) commonUnit() string {
	counts := map[string]int{}
	best, most := "  ", 0
	var count func(n *node)
	count = func(n *node) {
		outer, ok := d.indent(n.start)
		for _, k := range n.kids {
			inner, own := d.indent(k.start)
			if more, deeper := strings.CutPrefix(inner, outer); ok && own && deeper && more != "" {
				if counts[more]++; counts[more] > most {
					best, most = more, counts[more]
				}
			}
			count(k)
		}
	}
	count(d.root)
	return best
}

// commonSelfClose returns how the file ends an element without content: " />" or "/>".
func (d *Document) commonSelfClose() string {
	with, without := 0, 0
	d.root.each(func(n *node) {
		if n.close >= 0 {
			return
		}
		if strings.IndexByte(" \t\r\n", d.src[n.open-3]) >= 0 {
			with++
		} else {
			without++
		}
	})
	if without > with {
		return "/>"
	}
	return " />"
}

// quote returns the quotation mark of an element: that of its last attribute, else that of the file.
func (d *Document) quote(n *node) byte {
	if len(n.attrs) > 0 {
		return d.src[n.attrs[len(n.attrs)-1].valStop]
	}
	return d.style.quote
}

// commonQuote returns the quotation mark that the file has more of.
func (d *Document) commonQuote() byte {
	single, double := 0, 0
	d.root.each(func(n *node) {
		for _, a := range n.attrs {
			if d.src[a.valStop] == '\'' {
				single++
			} else {
				double++
			}
		}
	})
	if single > double {
		return '\''
	}
	return '"'
}

func (n *node) each(visit func(*node)) {
	visit(n)
	for _, k := range n.kids {
		k.each(visit)
	}
}

// escape writes a value for an attribute between quotation marks. It refuses what XML cannot hold at all.
func escape(value string, quote byte) (string, error) {
	if !utf8.ValidString(value) {
		return "", fmt.Errorf("the value %q is not UTF-8", value)
	}
	var b strings.Builder
	for _, r := range value {
		switch {
		case r == '&':
			b.WriteString("&amp;")
		case r == '<':
			b.WriteString("&lt;")
		case r == '"' && quote == '"':
			b.WriteString("&quot;")
		case r == '\'' && quote == '\'':
			b.WriteString("&apos;")
		case r == '\t' || r == '\n' || r == '\r': // a parser makes plain spaces of them (XML 1.0, section 3.3.3)
			fmt.Fprintf(&b, "&#x%X;", r)
		case r < ' ', r == 0xFFFE, r == 0xFFFF: // XML 1.0, section 2.2
			return "", fmt.Errorf("the value %q holds a character that XML does not allow", value)
		default:
			b.WriteRune(r)
		}
	}
	return b.String(), nil
}

// checkName refuses what is no plain name of an element or attribute, before it can become markup.
func checkName(name string) error {
	letter := func(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' }
	ok := name != "" && letter(name[0])
	for i := range len(name) {
		ok = ok && (letter(name[i]) || name[i] >= '0' && name[i] <= '9' || strings.IndexByte(".-:", name[i]) >= 0)
	}
	if !ok {
		return fmt.Errorf("%q is no name of an element or attribute", name)
	}
	return nil
}
