package httpredirection

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	q := request{path: "/old/a b/x.htm", suffix: "/a b/x.htm", query: "n=1&m=2"}
	root := request{path: "/old", suffix: ""}
	for _, c := range []struct {
		name   string
		config redirectConfig
		q      request
		want   string // "" for none
	}{
		{"suffix and query", redirectConfig{Destination: "/new"}, q, "/new/a%20b/x.htm?n=1&m=2"},
		{"behind a slash", redirectConfig{Destination: "/new/"}, q, "/new/a%20b/x.htm?n=1&m=2"},
		{"before a query", redirectConfig{Destination: "/new?x=1"}, q, "/new/a%20b/x.htm?x=1"},
		{"before a fragment", redirectConfig{Destination: "/new#f"}, request{suffix: "/y"}, "/new/y#f"},
		{"nothing to append", redirectConfig{Destination: "/new"}, root, "/new"},
		{"a slash to append", redirectConfig{Destination: "/new"}, request{path: "/old/", suffix: "/"}, "/new/"},
		{"exact", redirectConfig{Destination: "/new", Exact: true}, q, "/new"},
		{"all variables", redirectConfig{Destination: "/n?v=$V&s=$S&f=$F&p=$P"}, q, "/n?v=/old/a%20b/x.htm&s=/a%20b/x.htm&f=x.htm&p=n=1&m=2"},
		{"in lower case", redirectConfig{Destination: "http://h$s$q"}, q, "http://h/a%20b/x.htm?n=1&m=2"},
		{"no query", redirectConfig{Destination: "/n$Q"}, root, "/n"},
		{"no variable", redirectConfig{Destination: "/a$/$X$$", Exact: true}, root, "/a$/$X$$"},
		{"a capture without wildcard", redirectConfig{Destination: "/a$0", Exact: true}, root, "/a$0"},
		{"no other host", redirectConfig{Destination: "$V"}, request{path: "//evil.example/x"}, "/evil.example/x"},
		{"a suffix at the beginning", redirectConfig{Destination: "$S"}, request{suffix: "//evil.example/x"}, "/evil.example/x"},
		{"a scheme at the beginning", redirectConfig{Destination: "$F"}, request{path: "/http:"}, "/http:"},
		{"a query at the beginning", redirectConfig{Destination: "$P"}, request{query: "http://evil.example"}, "/http://evil.example"},
		{"no doubled slash", redirectConfig{Destination: "http://h/$S"}, q, "http://h/a%20b/x.htm"},
		{"except", redirectConfig{Destination: "!"}, q, ""},
		{"empty", redirectConfig{}, q, ""},
		{"wildcard", redirectConfig{Wildcards: []wildcard{{"*/x.*", "/n$0.$1"}}}, q, "/n/a%20b.htm"},
		{"the first that fits", redirectConfig{Wildcards: []wildcard{{"*.asp", "/1"}, {"*.htm", "/2"}, {"*", "/3"}}}, q, "/2"},
		{"an exception", redirectConfig{Destination: "/n", Wildcards: []wildcard{{"*.HTM", "!"}}}, q, ""},
		{"none fits", redirectConfig{Destination: "/n", Exact: true, Wildcards: []wildcard{{"*.asp", "/1"}}}, q, "/n"},
		{"a missing capture", redirectConfig{Wildcards: []wildcard{{"*", "/n$5"}}}, q, "/n"},
		{"without its slash", redirectConfig{Wildcards: []wildcard{{"a b/*", "/n/$0"}}}, q, "/n/x.htm"},
		{"child", redirectConfig{Destination: "/n", ChildOnly: true}, request{suffix: "/x.htm"}, "/n/x.htm"},
		{"no child", redirectConfig{Destination: "/n", ChildOnly: true}, q, ""},
		{"the folder itself", redirectConfig{Destination: "/n", ChildOnly: true}, request{suffix: "/"}, "/n/"},
		{"line breaks", redirectConfig{Destination: "/n"}, request{suffix: "/a\r\nX: y", query: "b\r\nX: y\"<>"}, "/n/a%0D%0AX:%20y?b%0D%0AX:%20y%22%3C%3E"},
	} {
		if got, ok := c.config.target(c.q); got != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q %v, want %q", c.name, got, ok, c.want)
		}
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       []string // nil for no match
	}{
		{"", "", []string{}}, {"", "a", nil}, {"a", "A", []string{}}, {"a", "ab", nil}, {"*", "", []string{""}}, {"*", "ab", []string{"ab"}},
		{"a*", "abc", []string{"bc"}}, {"*c", "abc", []string{"ab"}}, {"a*c", "abc", []string{"b"}}, {"a*a", "a", nil}, {"*b*", "abc", []string{"a", "c"}},
		{"*b*b", "abcb", []string{"a", "c"}}, {"*b*b", "ab", nil}, {"**", "ab", []string{"", "ab"}},
	} {
		got, ok := glob(c.pattern, c.s)
		if ok != (c.want != nil) || ok && !slices.Equal(got, c.want) {
			t.Errorf("%q with %q: %q %v, want %q", c.pattern, c.s, got, ok, c.want)
		}
	}
}

// FuzzTarget looks for a request that ends the header field, or that leads to a host which the destination does not name.
func FuzzTarget(f *testing.F) {
	f.Add("/new", "/old/x", "/x", "a=1", "*.x", "/n$0")
	f.Add("$V", "//evil.example", "/", "\r\n", "*", "$0")
	f.Add("$S$Q", "/\\evil", "/a", "?", "", "!")
	f.Add("/n$F", "/x/..", "/x", "<b>", "a*b*", "/$1$2")
	f.Add("$F", "/http:", "/http:", "http://evil.example", "*", "$P")
	variables := regexp.MustCompile(`^(\$[VSFPQ0-9])+$`)
	f.Fuzz(func(t *testing.T, destination, path, suffix, query, pattern, other string) {
		if checkDestination(destination) != nil || checkTarget(other) != nil || !strings.HasPrefix(path, "/") || suffix != "" && !strings.HasPrefix(suffix, "/") {
			return
		}
		for _, c := range []redirectConfig{{Destination: destination}, {Destination: destination, Exact: true}, {Wildcards: []wildcard{{pattern, other}}}} {
			target, ok := c.target(request{path, suffix, query})
			if !ok {
				continue
			}
			if strings.ContainsFunc(target, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>\`, r) }) {
				t.Errorf("%+v: %q", c, target)
			}
			u, err := url.Parse(target)
			if own := variables.MatchString(destination) && c.Destination != "" || variables.MatchString(other) && c.Destination == ""; own && (strings.HasPrefix(target, "//") || err == nil && (u.Host != "" || u.Scheme != "")) {
				t.Errorf("%+v leads elsewhere: %q", c, target)
			}
		}
	})
}
