package urlrewrite

import (
	"slices"
	"strings"
	"testing"
)

// TestLookAhead holds look-aheads to what ECMAScript makes of them (ECMA-262, section 22.2.2): want are the groups, nil
// for no match.
func TestLookAhead(t *testing.T) {
	for _, c := range []struct {
		expr, text string
		want       []string
	}{
		{"^(?!api/)(.*)$", "users", []string{"users", "users"}},
		{"^(?!api/)(.*)$", "api/users", nil},
		{"^(?!api/)(.*)$", "API/users", nil},
		{"^(?!api/)(.*)$", "api", []string{"api", "api"}},
		{"^(?!(api|docs)/)(.*)$", "docs/a", nil},
		{"^(?!(api|docs)/)(.*)$", "a/docs/a", []string{"a/docs/a", "", "a/docs/a"}},
		{"^(?!.*(.bundle.js|.png)).*$", "a/main.bundle.js", nil},
		{"^(?!.*(.bundle.js|.png)).*$", "a/main", []string{"a/main", ""}},
		{`^/(?!api\b)(?!doc[s)]x)(.+)`, "/docs", []string{"/docs", "docs"}},
		{`^/(?!api\b)(?!doc[s)])(.+)`, "/doc)", nil},
		{`^/(?!api\b)(.+)`, "/api/x", nil},
		{`^/(?!api\b)(.+)`, "x/api", nil},
		{`^[^/](?!a)(.)$`, "ab", []string{"ab", "b"}},
		{`^[^/](?!a)(.)$`, "aa", nil},
		{`^(?=.*\d)([a-z0-9]+)$`, "abc1", []string{"abc1", "abc1"}},
		{`^(?=.*\d)([a-z0-9]+)$`, "abc", nil},
		{`^(?!www\.)(.*)$`, "www.example.com", nil},
		{`^(?!$)`, "", nil},
		{`^(?!$)`, "x", []string{""}},
		{`^((?!admin).)*$`, "users/7", []string{"users/7", "7"}},
		{`^((?!admin).)*$`, "my/Admin/7", nil},
		{`^((?!admin).)*$`, "", []string{"", ""}},
		{`^(?:(?!a|(b)).)*$`, "xyz", []string{"xyz", ""}},
		{`^(?:(?!a|(b)).)*$`, "xyb", nil},
		{`^((?!$).)*$`, "abc", []string{"abc", "c"}},
	} {
		p, err := newPattern(c.expr, syntaxECMAScript, true)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		got, ok, err := p.match(c.text, &budget{})
		if err != nil || ok != (c.want != nil) || ok && !slices.Equal([]string(got), c.want) {
			t.Errorf("%s with %q: %q, %v, want %q", c.expr, c.text, got, err, c.want)
		}
	}
}

// TestLookAheadRefused holds that what cannot be asked apart is refused rather than asked wrongly.
func TestLookAheadRefused(t *testing.T) {
	for _, expr := range []string{
		"(?!api).*", "^/?(?!api)(.*)$", "^a*(?!api)", "^(?!a)|b", "^(.*)(?!api)$", "^(?!api)*x", "^(?=(a))b", `^(?!a(?=b))x`, "(?<!a)b$", "^(?<=a)b", "^(?!a",
		"^((?!a).)+$", "^a{2}(?!b)", "^(?:a|bc)(?!d)", "^((?!(?<!x)a).)*$",
	} {
		if p, err := newPattern(expr, syntaxECMAScript, true); err == nil {
			t.Errorf("%s is accepted: %v, %d look-aheads", expr, p.search, len(p.looks))
		} else if !strings.Contains(err.Error(), "cannot be") {
			t.Errorf("%s: %v", expr, err)
		}
	}
}
