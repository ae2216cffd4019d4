package urlrewrite

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// A needle is ASCII text that every match of an expression has in it: nearly all rules of a site do not match a request,
// and looking for the text tells so in a fraction of the time.
type needle struct {
	text  string // in lower case with fold; "" when the expression has none
	fold  bool
	place needlePlace
}

// needlePlace is where in the tested text a needle must be.
type needlePlace uint8

const (
	anywhere needlePlace = iota
	atStart
	atEnd
)

// findNeedle returns the needle of an expression: what it begins with, what it ends with, or else the longest text in it.
func findNeedle(re *syntax.Regexp) needle {
	parts := []*syntax.Regexp{re}
	if re.Op == syntax.OpConcat {
		parts = re.Sub
	}
	best := needle{}
	for i, p := range parts {
		n := literal(p)
		switch {
		case n.text == "":
			continue
		case i > 0 && parts[i-1].Op == syntax.OpBeginText:
			n.place = atStart
			return n
		case i+1 < len(parts) && parts[i+1].Op == syntax.OpEndText:
			n.place = atEnd
			return n
		case len(n.text) > len(best.text):
			best = n
		}
	}
	return best
}

// literal returns the text that an expression consists of, if it does and the text is ASCII.
func literal(re *syntax.Regexp) needle {
	if re.Op != syntax.OpLiteral {
		return needle{}
	}
	for _, r := range re.Rune {
		if r >= utf8.RuneSelf {
			return needle{}
		}
	}
	n := needle{text: string(re.Rune), fold: re.Flags&syntax.FoldCase != 0}
	if n.fold {
		n.text = strings.ToLower(n.text)
	}
	return n
}

// in reports whether the needle is in a text. Without regard to case some characters beyond ASCII are letters of it (the
// Kelvin sign is a K): where one is met the answer is yes, for the expression to decide.
func (n *needle) in(s string) bool {
	switch {
	case n.text == "":
		return true
	case n.place == atStart:
		return n.at(s, 0)
	case n.place == atEnd:
		return n.endOf(s)
	case !n.fold:
		return strings.Contains(s, n.text)
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf || n.at(s, i) {
			return true
		}
	}
	return false
}

// at reports whether the needle begins at a place.
func (n *needle) at(s string, at int) bool {
	for i := range len(n.text) {
		if at+i == len(s) {
			return false
		}
		if c := s[at+i]; c >= utf8.RuneSelf {
			return n.fold
		} else if !n.same(c, n.text[i]) {
			return false
		}
	}
	return true
}

// endOf reports whether a text ends with the needle.
func (n *needle) endOf(s string) bool {
	for i := 1; i <= len(n.text); i++ {
		if i > len(s) {
			return false
		}
		if c := s[len(s)-i]; c >= utf8.RuneSelf {
			return n.fold
		} else if !n.same(c, n.text[len(n.text)-i]) {
			return false
		}
	}
	return true
}

// same reports whether a character is that of the needle.
func (n *needle) same(c, want byte) bool {
	if n.fold && 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c == want
}
