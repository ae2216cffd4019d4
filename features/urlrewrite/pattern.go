package urlrewrite

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxProgram is how many instructions a pattern may compile to. Matching takes time in proportion to their number and to
// the length of the text.
const maxProgram = 10000

// A pattern is what a text is tested against.
type pattern struct {
	written string
	re      *regexp.Regexp // nil for an exact match, and for anything
	looks   []look         // what must hold as well
	exact   bool
	any     bool // <match> was left out: every text matches, as a whole
	fold    bool
	needle  needle
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
	re, found, err := compileExpression(expr)
	if err != nil {
		return p, fmt.Errorf("the regular expression %q cannot be read: %s", written, problem(err))
	}
	p.re, p.needle = re, found
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

// compileExpression compiles an expression that is not too large to be matched in time, and finds its needle.
func compileExpression(expr string) (*regexp.Regexp, needle, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, needle{}, err
	}
	found := findNeedle(parsed)
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, needle{}, err
	}
	if n := len(program.Inst); n > maxProgram {
		return nil, needle{}, fmt.Errorf("it is too large: %d instructions of at most %d", n, maxProgram)
	}
	re, err := regexp.Compile(expr)
	return re, found, err
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
func (p *pattern) match(s string) (captures, bool) {
	switch {
	case p.any:
		return captures{s}, true
	case p.exact && (s == p.written || p.fold && strings.EqualFold(s, p.written)):
		return captures{s}, true
	case p.exact, !p.needle.in(s):
		return nil, false
	}
	for i := range p.looks {
		if !p.looks[i].holds(s) {
			return nil, false
		}
	}
	at := p.re.FindStringSubmatchIndex(s)
	if at == nil {
		return nil, false
	}
	c := make(captures, len(at)/2)
	for i := range c {
		if at[2*i] >= 0 {
			c[i] = s[at[2*i]:at[2*i+1]]
		}
	}
	return c, true
}
