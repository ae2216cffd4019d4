package urlrewrite

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxProgram is how many instructions a pattern may compile to.
const maxProgram = 10000

// A pattern is what a text is tested against.
type pattern struct {
	written string
	search  *search // nil for an exact match, and for anything
	looks   []look  // what must hold as well
	exact   bool
	any     bool // <match> was left out: every text matches, as a whole
	fold    bool
}

// captures are the groups of a match: the whole match first.
type captures []string

// get returns a group, "" when there is none.
func (c captures) get(n int) string {
	if n < len(c) {
		return c[n]
	}
	return ""
}

// newPattern compiles a pattern in one of the three syntaxes.
func newPattern(written, form string, ignoreCase bool) (pattern, error) {
	p := pattern{written: written, fold: ignoreCase}
	expr := ""
	switch form {
	case syntaxExact:
		p.exact = true
		return p, nil
	case syntaxWildcard:
		expr = wildcard(written)
	default:
		rest, looks := splitLooks(written)
		var err error
		if expr, err = translate(rest); err != nil {
			return p, fmt.Errorf("the regular expression %q cannot be used: %w", written, err)
		}
		for _, l := range looks {
			one, err := l.compile(ignoreCase)
			if err != nil {
				return p, fmt.Errorf("the regular expression %q cannot be used: %w", written, err)
			}
			p.looks = append(p.looks, one)
		}
	}
	if ignoreCase {
		expr = "(?i)" + expr
	}
	var err error
	if p.search, err = newSearch(expr, false); err != nil {
		return p, fmt.Errorf("the regular expression %q cannot be read: %s", written, problem(err))
	}
	return p, nil
}

// problem says what is wrong with an expression. What was compiled is a translation, so that no part of it is quoted.
func problem(err error) string {
	var wrong *syntax.Error
	if errors.As(err, &wrong) {
		return string(wrong.Code)
	}
	return err.Error()
}

// wildcard translates the syntax in which an asterisk stands for any text and is captured, a question mark for one
// character. Such a pattern matches the whole text.
func wildcard(written string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for _, c := range written {
		switch c {
		case '*':
			b.WriteString(`(.*?)`)
		case '?':
			b.WriteString(`.`)
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	return b.String()
}

// match returns the groups of the first match.
func (p *pattern) match(s string, b *budget) (captures, bool, error) {
	switch {
	case p.any:
		return captures{s}, true, nil
	case p.exact && (s == p.written || p.fold && strings.EqualFold(s, p.written)):
		return captures{s}, true, nil
	case p.exact:
		return nil, false, nil
	}
	at, err := p.search.from(s, 0, b)
	if at == nil || err != nil {
		return nil, false, err
	}
	for i := range p.looks {
		if ok, err := p.looks[i].holds(s, b); !ok || err != nil {
			return nil, false, err
		}
	}
	return groupsAt(s, at), true, nil
}
