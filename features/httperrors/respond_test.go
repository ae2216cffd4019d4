package httperrors

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestLocal(t *testing.T) {
	for _, c := range []struct {
		remote, field string
		want          bool
	}{
		{"127.0.0.1:1", "", true}, {"127.9.9.9:1", "", true}, {"[::1]:1", "", true}, {"[::ffff:127.0.0.1]:1", "", true},
		{"192.0.2.1:1", "", false}, {"[2001:db8::1]:1", "", false}, {"", "", false}, {"@", "", false},
		{"127.0.0.1:1", "X-Forwarded-For", false}, {"127.0.0.1:1", "Forwarded", false}, {"127.0.0.1:1", "X-Real-Ip", false}, {"127.0.0.1:1", "Via", false},
		{"127.0.0.1:1", "X-Forwarded-Anything", false}, {"127.0.0.1:1", "True-Client-Ip", false}, {"127.0.0.1:1", "X-Other", true},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{}}
		if c.field != "" {
			r.Header.Set(c.field, "127.0.0.1")
		}
		if got := local(r); got != c.want {
			t.Errorf("%q %s: %v", c.remote, c.field, got)
		}
	}
}

func TestMatch(t *testing.T) {
	c := errorsConfig{DefaultPath: "default", DefaultMode: respondRedirect, Entries: []entry{
		{Status: 404, SubStatus: -1, Path: "any", Mode: respondFile}, {Status: 404, SubStatus: 3, Path: "mime", Mode: respondFile}, {Status: 500, SubStatus: 19, Path: "config", Mode: respondFile},
	}}
	for _, w := range []struct {
		status, sub int
		path        string
	}{
		{404, 0, "any"}, {404, 3, "mime"}, {404, 8, "any"}, {500, 19, "config"}, {500, 0, "default"}, {403, 14, "default"},
	} {
		if e, ok := c.match(w.status, w.sub); !ok || e.Path != w.path || (e.Path == "default") != (e.Mode == respondRedirect) {
			t.Errorf("%d.%d: %+v %v, want %q", w.status, w.sub, e, ok, w.path)
		}
	}
	c.DefaultPath = ""
	if e, ok := c.match(403, 14); ok {
		t.Errorf("403.14: %+v", e)
	}
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		e        entry
		language string
		want     []string
	}{
		{entry{Path: `errors\404.htm`}, "de", []string{"errors/404.htm"}},
		{entry{Prefix: "lang", Path: "404.htm"}, "", []string{"lang/en-US/404.htm", "lang/404.htm"}},
		{entry{Prefix: "lang", Path: "404.htm"}, "de-AT, de;q=0.5", []string{"lang/de-AT/404.htm", "lang/de/404.htm", "lang/en-US/404.htm", "lang/404.htm"}},
		{entry{Prefix: "lang", Path: "404.htm"}, "en-US, en", []string{"lang/en-US/404.htm", "lang/en/404.htm", "lang/404.htm"}},
		{entry{Prefix: `a\b`, Path: `c\404.htm`}, "fr", []string{"a/b/fr/c/404.htm", "a/b/en-US/c/404.htm", "a/b/c/404.htm"}},
		{entry{Prefix: "lang", Path: "404.htm"}, "../.., a/b, *, ü", []string{"lang/en-US/404.htm", "lang/404.htm"}},
	} {
		if got := candidates(c.e, []string{c.language}); !slices.Equal(got, c.want) {
			t.Errorf("%+v %q: %q, want %q", c.e, c.language, got, c.want)
		}
	}
	for field, want := range map[string]string{
		"": "", "de": "de", "fr;q=0.5, de": "de fr", "fr;q=0, de;q=0.1": "de", "de-at": "de-at de-AT de", "zh-hant-tw": "zh-hant-tw zh-Hant-TW zh-hant zh-Hant zh",
		"de-CH, de;q=0.9, fr": "de-CH de fr", "DE": "DE de", "de; Q = 0.3,fr;q=x": "fr de", "a,b,c,d,e,f,g,h,i,j": "a b c d e f g h",
		strings.Repeat("a-b-c-d-e-f-g-h-i,", 3) + "-,--": "a-b-c-d-e-f-g-h-i a-b-c-d-e-f-g-h a-b-c-d-e-f-g a-b-c-d-e-f a-b-c-d-e a-b-c-d a-b-c a-b a",
	} {
		if got := strings.Join(languages(field), " "); got != want {
			t.Errorf("%q: %q, want %q", field, got, want)
		}
	}
	var many []string
	for i := range 30 {
		many = append(many, fmt.Sprintf("x%d-aa-bb-cc-dd", i))
	}
	if got := languages(strings.Join(many, ",")); len(got) != maxFolders {
		t.Errorf("%d folders are tried", len(got))
	}
}

func TestOwnName(t *testing.T) {
	for host, want := range map[string]bool{
		"": true, "localhost": true, "LOCALHOST:80": true, "127.0.0.1": true, "127.3.2.1:80": true, "[::1]": true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"server": true, "server.": true, "a.localhost": true, "shop.local:8080": true, "a.b.test": true, "nas.home.arpa": true,
		"www.example.com": false, "www.example.com:80": false, "local.com": false, "a.testing": false, "notlocal": true, "a.notlocal": false,
		"192.0.2.1": false, "192.168.1.1:80": false, "10.0.0.1": false, "[2001:db8::1]:80": false, "[::]": false, "0.0.0.0": false, "127.0.0.1.example.com": false,
	} {
		if got := ownName(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// FuzzLanguages: whatever a client sends, what comes out are names of folders and not too many.
func FuzzLanguages(f *testing.F) {
	for _, s := range []string{"de-AT, de;q=0.5", "../..", "a;q=;b", "-,--,-a-", "*;q=0.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		got := languages(field)
		if len(got) > maxFolders {
			t.Errorf("%d folders", len(got))
		}
		for i, tag := range got {
			if !isTag(tag) || slices.Contains(got[:i], tag) {
				t.Errorf("%q gives %q", field, got)
			}
		}
	})
}

// FuzzPageURL: a page is a URL of the site, and one that needs no cleaning any more.
func FuzzPageURL(f *testing.F) {
	for _, s := range []string{"/a.html", `\a\b.html`, "/a/../../b", "//host/x", "/%2e%2e/%2f", "/a?b=c#d", "/%00", "http://a/", "/a\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, written string) {
		u, problem := pageURL(written)
		if problem != "" {
			return
		}
		if !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || u.Host != "" || strings.ContainsAny(u.Path, "\x00\\") ||
			strings.Contains(u.Path+"/", "/../") {
			t.Errorf("%q gives %+v", written, u)
		}
	})
}
