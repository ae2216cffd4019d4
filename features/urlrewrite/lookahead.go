package urlrewrite

import (
	"errors"
	"strings"
)

// A look is a look-ahead of a pattern, as an expression of its own that the text must or must not match.
type look struct {
	search  *search
	negated bool
	inside  bool // it is asked at every character, not at the beginning
}

// holds reports whether the text passes.
func (l *look) holds(s string, b *budget) (bool, error) {
	at, err := l.search.from(s, 0, b)
	if !l.inside {
		return (at != nil) != l.negated, err
	}
	return at == nil || at[0] >= len(s), err // behind the last character nothing is asked any more
}

// A lookExpr is a look-ahead as it is written.
type lookExpr struct {
	prefix, body    string
	negated, inside bool
}

// splitLooks takes out of an expression the look-aheads that can be asked apart from it, in linear time and with the same
// meaning: those behind "^" and characters of a fixed number, as in "^(?!api/)(.*)$", and the one of "^((?!api).)*$". Those
// are what real files hold. A group in a look-ahead stays as an empty one, so that the others keep their numbers. Every
// other look-ahead is left where it is, to be refused.
func splitLooks(expr string) (rest string, looks []lookExpr) {
	if body, open, ok := tempered(expr); ok {
		return "^" + open + groups(body) + ".)*$", []lookExpr{{body: body, negated: true, inside: true}}
	}
	if !strings.HasPrefix(expr, "^") || alternates(expr) {
		return expr, nil
	}
	var out, prefix strings.Builder
	out.WriteByte('^')
	i := 1
	for i < len(expr) {
		ahead := strings.HasPrefix(expr[i:], "(?!") || strings.HasPrefix(expr[i:], "(?=")
		end := atom(expr, i)
		if end == i || end < len(expr) && strings.IndexByte("*+?{", expr[end]) >= 0 || expr[i] == '(' && !ahead {
			break
		}
		if !ahead {
			out.WriteString(expr[i:end])
			prefix.WriteString(expr[i:end])
			i = end
			continue
		}
		l := lookExpr{prefix: prefix.String(), body: expr[i+3 : end-1], negated: expr[i+2] == '!'}
		if !l.negated && groups(l.body) != "" {
			break // what it captures would be lost
		}
		looks = append(looks, l)
		out.WriteString(groups(l.body))
		i = end
	}
	return out.String() + expr[i:], looks
}

// tempered recognizes "^((?!body).)*$", which holds for a text without the body in it.
func tempered(expr string) (body, open string, ok bool) {
	for _, open := range [...]string{"(", "(?:"} {
		inner, ok := strings.CutPrefix(expr, "^"+open+"(?!")
		if !ok {
			continue
		}
		start := len(expr) - len(inner) - 3
		if end := atom(expr, start); end > start && expr[end:] == ".)*$" {
			return expr[start+3 : end-1], open, true
		}
	}
	return "", "", false
}

// atom returns the end of the character, class or group at i; i itself when there is none.
func atom(expr string, i int) int {
	switch expr[i] {
	case '*', '+', '?', '{', '|', ')', '$', '^':
		return i
	case '\\':
		return min(i+2, len(expr))
	case '[':
		for j := i + 1; j < len(expr); j++ {
			switch {
			case expr[j] == '\\':
				j++
			case expr[j] == ']' && j > i+1:
				return j + 1
			}
		}
		return i
	case '(':
		depth := 0
		for j := i; j < len(expr); {
			switch expr[j] {
			case '(':
				depth++
				j++
			case ')':
				if depth--; depth == 0 {
					return j + 1
				}
				j++
			case '\\', '[':
				next := atom(expr, j)
				if next == j {
					return i
				}
				j = next
			default:
				j++
			}
		}
		return i
	}
	return i + 1
}

// alternates reports whether an expression has an alternative that is in no group.
func alternates(expr string) bool {
	for i := 0; i < len(expr); {
		if expr[i] == '|' {
			return true
		}
		i = max(atom(expr, i), i+1)
	}
	return false
}

// groups returns an empty group for every one that captures in an expression.
func groups(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		switch expr[i] {
		case '\\', '[':
			i = max(atom(expr, i), i+1) - 1
		case '(':
			if rest := expr[i+1:]; !strings.HasPrefix(rest, "?") || strings.HasPrefix(rest, "?<") && !strings.HasPrefix(rest, "?<=") && !strings.HasPrefix(rest, "?<!") {
				b.WriteString("()")
			}
		}
	}
	return b.String()
}

// compile returns the look-ahead ready for use.
func (l lookExpr) compile(ignoreCase bool) (look, error) {
	expr := "(?:" + l.body + ")"
	if !l.inside {
		expr = "^" + l.prefix + expr
	}
	expr, err := translate(expr)
	if err != nil {
		return look{}, err
	}
	if ignoreCase {
		expr = "(?i)" + expr
	}
	s, err := newSearch(expr, false)
	if err != nil {
		return look{}, errors.New(problem(err))
	}
	return look{s, l.negated, l.inside}, nil
}
