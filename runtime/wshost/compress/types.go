package compress

import (
	"slices"
	"strings"
)

// Types says which media types are compressed. Entries are "text/html", "text/*", "*/*", or any other pattern with
// stars; one with parameters, "application/json; charset=utf-8", concerns exactly that Content-Type.
//
// The entry that says most decides, whatever the order in the file: one without a star, then the one with the most
// letters. So "text/*" wins over "*/*", which the list of IIS ends with, and an entry that a web.config adds behind it
// counts. Of two entries for the same pattern the later one counts. A type that no entry matches is not compressed.
type Types struct {
	exact    map[string]bool
	patterns []pattern // the longest first
}

type pattern struct {
	text    string
	enabled bool
}

// newTypes makes the index of a list.
func newTypes(entries []mimeType) *Types {
	t := &Types{exact: make(map[string]bool, len(entries))}
	for _, e := range entries {
		text := tidy(e.Type)
		if !strings.Contains(text, "*") {
			t.exact[text] = e.Enabled
			continue
		}
		t.patterns = slices.DeleteFunc(t.patterns, func(p pattern) bool { return p.text == text })
		t.patterns = append(t.patterns, pattern{text, e.Enabled})
	}
	slices.SortStableFunc(t.patterns, func(a, b pattern) int { return literal(b.text) - literal(a.text) })
	return t
}

func literal(p string) int { return len(p) - strings.Count(p, "*") }

// Match reports whether a Content-Type is to be compressed.
func (t *Types) Match(contentType string) bool {
	whole := tidy(contentType)
	if on, ok := t.exact[whole]; ok {
		return on
	}
	bare, _, _ := strings.Cut(whole, ";")
	if on, ok := t.exact[bare]; ok {
		return on
	}
	for _, p := range t.patterns {
		if glob(p.text, bare) {
			return p.enabled
		}
	}
	return false
}

// tidy returns a media type in lower case without spaces around its parts, in which "A/B; C=d" and "a/b;c=d" are one.
func tidy(s string) string {
	if s = strings.ToLower(trim(s)); !strings.ContainsAny(s, " \t") {
		return s
	}
	parts := strings.Split(s, ";")
	for i := range parts {
		parts[i] = trim(parts[i])
	}
	return strings.Join(parts, ";")
}

// glob matches a pattern in which a star stands for anything. It goes back to the last star only, so that its time is
// bounded by the product of the lengths.
func glob(pattern, s string) bool {
	p, star, mark := 0, -1, 0
	for i := 0; i < len(s); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
