package urlrewrite

import "testing"

func TestNeedles(t *testing.T) {
	for _, c := range []struct {
		expr  string
		text  string
		place needlePlace
		fold  bool
	}{
		{`^blog/([0-9]+)$`, "blog/", atStart, false},
		{`(?i)^Blog/(.*)`, "blog/", atStart, true},
		{`(?i)^(.*)\.PHP$`, ".php", atEnd, true},
		{`(.+)/amp/?$`, "/amp", anywhere, false},
		{`index`, "index", anywhere, false},
		{`^exact$`, "exact", atStart, false},
		{`a|b`, "", anywhere, false},
		{`(blog)?/x`, "/x", anywhere, false},
		{`^(?:blog)?x`, "x", anywhere, false},
		{`(?m)^line`, "line", anywhere, false},
		{`(?m)line$`, "line", anywhere, false},
		{`^straße`, "", anywhere, false},
		{`.*`, "", anywhere, false},
		{``, "", anywhere, false},
	} {
		s, err := newSearch(c.expr, false)
		if err != nil || s.needle != (needle{c.text, c.fold, c.place}) {
			t.Errorf("%s: %+v, %v", c.expr, s, err)
		}
	}
}

// FuzzNeedle holds a needle to its promise: whatever an expression matches has it.
func FuzzNeedle(f *testing.F) {
	for _, seed := range [][2]string{
		{`^blog/([0-9]+)$`, "blog/7"}, {`(?i)^blog/(.*)`, "BLOG/x"}, {`(?i)^k`, "\u212a"}, {`(?i)s$`, "\u017f"}, {`(?i)x(.*)kss`, "xx\u212aS\u017f"},
		{`(?i)(.*)\.php$`, "a.PHP"}, {`\.php$`, ".ph"}, {`a(?i)b`, "aB"}, {`(?i)ß`, "ẞ"}, {`(?s)^a.b$`, "a\nb"}, {`^\xff`, "\xff"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, expr, s string) {
		found, err := newSearch(expr, false)
		if err != nil {
			return
		}
		if found.re.MatchString(s) && !found.needle.in(s) {
			t.Errorf("%q matches %q without its needle %+v", expr, s, found.needle)
		}
	})
}
