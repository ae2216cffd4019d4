package webservercore

import (
	"strings"
	"testing"
)

func TestMatchesPath(t *testing.T) {
	isFile := func(p string) bool { return p == "/a/index.php" || p == "/app.js" }
	for _, c := range []struct {
		pattern, path, want string // "" for no match
	}{
		{"*", "/", "/"}, {"*", "/a/b.c", "/a/b.c"}, {"*", "*", "*"},
		{"*.php", "/index.php", "/index.php"}, {"*.php", "/a/INDEX.PHP", "/a/INDEX.PHP"}, {"*.php", "/index.php5", ""}, {"*.php", "/php", ""}, {"*.php", "/.php", "/.php"},
		{"*.php", "/a/index.php/news/1", "/a/index.php"}, {"*.php", "/b/index.php/news", ""}, {"*.php", "/a/index.php/x.php", "/a/index.php/x.php"},
		{"app.js", "/app.js", "/app.js"}, {"app.js", "/sub/app.js", "/sub/app.js"}, {"app.js", "/myapp.js", ""}, {"app.js", "/app.js/debug", "/app.js"},
		{"src/app.js", "/x/src/app.js", "/x/src/app.js"}, {"src/app.js", "/app.js", ""},
		{"api/*", "/api/values", "/api/values"}, {"api/*", "/x/api/values", "/x/api/values"}, {"api/*", "/apis/values", ""}, {"api/*", "/api", ""},
		{"/api/*", "/api/values", "/api/values"}, {"/api/*", "/x/api/values", ""},
		{"*.asp,*.aspx", "/a.aspx", "/a.aspx"}, {"*.asp, *.aspx", "/a.aspx", "/a.aspx"}, {",", "/a", ""}, {" ", "/a", ""},
		{"*.", "/api/values", "/api/values"}, {"*.", "/", ""}, {"*.", "/a/", ""}, {"*.", "/a.b", ""}, {"*.", "/a.b/c", "/a.b/c"},
		{"*a*b*", "/xaxbx", "/xaxbx"}, {"a*", "/b/ac", "/b/ac"}, {"Trace.axd", "/trace.AXD", "/trace.AXD"},
	} {
		if got, ok := matchesPath(c.pattern, c.path, isFile); got != c.want || ok != (c.want != "") {
			t.Errorf("%q with %q: %q %v, want %q", c.pattern, c.path, got, ok, c.want)
		}
	}
}

func TestMatchesVerb(t *testing.T) {
	for _, c := range []struct {
		verbs, method string
		want          bool
	}{
		{"*", "GET", true}, {"GET,HEAD, POST", "POST", true}, {"GET", "get", false}, {"", "GET", false}, {"GET,*", "PUT", true}, {"G*", "GET", false},
	} {
		if got := matchesVerb(c.verbs, c.method); got != c.want {
			t.Errorf("%q with %q: %v", c.verbs, c.method, got)
		}
	}
}

// FuzzGlob compares the matcher with the obvious one.
func FuzzGlob(f *testing.F) {
	f.Add("*.php", "index.php")
	f.Add("a*b*c", "aXbYc")
	f.Add("**", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 12 || len(s) > 12 {
			return
		}
		if got, want := glob(pattern, s), slow(pattern, s); got != want {
			t.Errorf("%q with %q: %v, want %v", pattern, s, got, want)
		}
		if resource, ok := matchesPath(pattern, "/"+s, nil); ok && resource != "/"+s {
			t.Errorf("%q with %q names %q", pattern, s, resource)
		}
	})
}

func slow(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	if pattern[0] == '*' {
		return slow(pattern[1:], s) || s != "" && slow(pattern, s[1:])
	}
	return s != "" && lower(pattern[0]) == lower(s[0]) && slow(pattern[1:], s[1:])
}

func TestGlobIsNotSlow(t *testing.T) {
	// A matcher that goes back to every star would not come to an end with this.
	if glob(strings.Repeat("a*", 2000)+"b", strings.Repeat("a", 4000)) {
		t.Error("it fits")
	}
}
