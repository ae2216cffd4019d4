package wshost

import (
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

func TestCleanURL(t *testing.T) {
	tests := []struct{ in, want string }{ // want "" means refused
		{"/", "/"},
		{"/a/b", "/a/b"},
		{"/a//b", "/a/b"},
		{"//evil.example/x", "/evil.example/x"},
		{"/a/./b/", "/a/b/"},
		{"/a/b/.", "/a/b/"},
		{"/a/b/..", "/a/"},
		{"/a/../b", "/b"},
		{"/a/..", "/"},
		{"/..", ""},
		{"/a/../..", ""},
		{"/a/../../a/b", ""},
		{"/%2e%2e/x", ""},
		{"/a/%2e%2e/x", "/x"},
		{"/a%2f..%2f..%2fx", ""},
		{"/%252e%252e/x", "/%2e%2e/x"}, // decoded once: a name like any other
		{"/a%2fb", "/a/b"},
		{"/..\\x", ""},
		{"/a%5cb", ""},
		{"/a%00.txt", ""},
		{"/a%0a", ""},
		{"/a%7f", ""},
		{"/name./x", "/name./x"},
		{"/.../x", "/.../x"},
		{"/web.config.", "/web.config."},
		{"/caf%c3%a9", "/café"},
		{"/a%ff", "/a\xff"},
	}
	for _, tt := range tests {
		u, err := url.ParseRequestURI(tt.in)
		if err != nil {
			t.Fatalf("%s: %v", tt.in, err)
		}
		r, refused := cleanURL(&http.Request{Method: "GET", URL: u})
		switch {
		case refused != nil && tt.want != "":
			t.Errorf("%s: refused: %v", tt.in, refused)
		case refused != nil && refused.Status != http.StatusBadRequest:
			t.Errorf("%s: status %d, want 400", tt.in, refused.Status)
		case refused == nil && r.URL.Path != tt.want:
			t.Errorf("%s: path %q, want %q", tt.in, r.URL.Path, tt.want)
		}
	}
}

func TestCleanURLKeepsTheEncodingOfACleanPath(t *testing.T) {
	u, err := url.ParseRequestURI("/a%2Fb?q=%2e%2e")
	if err != nil {
		t.Fatal(err)
	}
	r, refused := cleanURL(&http.Request{Method: "GET", URL: u})
	if refused != nil || r.URL.EscapedPath() != "/a%2Fb" || r.URL.RawQuery != "q=%2e%2e" {
		t.Errorf("%v %q, want the path as it was written", refused, r.URL)
	}
}

func TestCleanURLSpecialTargets(t *testing.T) {
	tests := []struct {
		method, target, want string
		status               int
	}{
		{"OPTIONS", "*", "*", 0},
		{"GET", "*", "", http.StatusBadRequest},
		{"CONNECT", "", "", http.StatusMethodNotAllowed},
		{"GET", "http://example.com", "/", 0},
		{"GET", "http://example.com/a/../b", "/b", 0},
	}
	for _, tt := range tests {
		u := &url.URL{Path: tt.target}
		if strings.HasPrefix(tt.target, "http") {
			u, _ = url.Parse(tt.target)
		}
		r, refused := cleanURL(&http.Request{Method: tt.method, URL: u})
		if refused == nil && (tt.status != 0 || r.URL.Path != tt.want) || refused != nil && refused.Status != tt.status {
			t.Errorf("%s %s: %v, path %q", tt.method, tt.target, refused, r.URL.Path)
		}
	}
}

func FuzzCleanURL(f *testing.F) {
	for _, s := range []string{"/", "/a/../b", "/%2e%2e/%2e%2e/etc/passwd", "/a%2f..%2fb/", "/%5c..%5c", "/.%00./", "*", "//x", "/a/./b/..//"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		r, refused := cleanURL(&http.Request{Method: "GET", URL: u})
		if refused != nil {
			return
		}
		p := r.URL.Path
		if strings.ContainsAny(p, "\x00\\\r\n") || !strings.HasPrefix(p, "/") || path.Clean(p) != strings.TrimSuffix(p, "/") && p != "/" {
			t.Fatalf("%q became %q", target, p)
		}
		again, refused := cleanURL(r)
		if refused != nil || again.URL.Path != p {
			t.Fatalf("%q is not stable: %q", p, again.URL.Path)
		}
	})
}

func TestSegments(t *testing.T) {
	for p, want := range map[string]uint32{"/": 0, "/a": 1, "/a/": 1, "/a/b": 2, "/a/b/c/": 3} {
		if got := segments(p); got != want {
			t.Errorf("%s has %d segments, want %d", p, got, want)
		}
	}
}
