package httperrors

import (
	"net/http"
	"slices"
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
		{"127.0.0.1:1", "X-Other", true},
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
		{404, -1, "", "any", respondFile}, {404, 3, "", "mime", respondFile}, {500, 19, "", "config", respondFile},
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
		{entry{Prefix: "lang", Path: "404.htm"}, "../.., a/b, *, ü", []string{"lang/en-US/404.htm", "lang/404.htm"}},
	} {
		if got := candidates(c.e, c.language); !slices.Equal(got, c.want) {
			t.Errorf("%+v %q: %q, want %q", c.e, c.language, got, c.want)
		}
	}
	if got := languages("a,b,c,d,e,f,g,h,i,j"); len(got) != 8 {
		t.Errorf("%d languages are tried", len(got))
	}
}
