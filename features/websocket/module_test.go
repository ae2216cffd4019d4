package websocket

import (
	"net/http"
	"testing"
	"time"
)

func TestIntends(t *testing.T) {
	for _, c := range []struct {
		method string
		header http.Header
		want   bool
	}{
		{"GET", http.Header{"Upgrade": {"websocket"}}, true},
		{"GET", http.Header{"Upgrade": {"h2c, WebSocket"}}, true},
		{"GET", http.Header{"Upgrade": {"h2c", " websocket "}}, true},
		{"POST", http.Header{"Upgrade": {"websocket"}}, true},
		{"GET", http.Header{}, false},
		{"GET", http.Header{"Upgrade": {"websockets"}}, false},
		{"GET", http.Header{"Upgrade": {"websoc\u212aet"}}, false},
		{"GET", http.Header{"Connection": {"websocket"}}, false},
		{"CONNECT", http.Header{":protocol": {"websocket"}}, true},
		{"CONNECT", http.Header{":protocol": {"webtransport"}}, false},
		{"GET", http.Header{":protocol": {"websocket"}}, false},
	} {
		major := 1
		if c.method == http.MethodConnect {
			major = 2
		}
		if got := intends(&http.Request{Method: c.method, ProtoMajor: major, Header: c.header}); got != c.want {
			t.Errorf("%s %v: %v", c.method, c.header, got)
		}
	}
}

func TestCheckPath(t *testing.T) {
	for path, ok := range map[string]bool{"/": true, "/echo": true, "/a b/ü": true, "": false, "echo": false, "/a?b": false, "/a#b": false,
		"/a/": true, "/a//b": false, "//": false, "//a": false, "/a/./b": false, "/a/..": false, "/a/../b": false, "/..a/b.": true} {
		if err := checkPath(path); (err == nil) != ok {
			t.Errorf("%q: %v", path, err)
		}
	}
}

func TestNotices(t *testing.T) {
	var n notices
	start := time.Unix(1000, 0)
	for _, c := range []struct {
		after   time.Duration
		skipped int
		ok      bool
	}{
		{0, 0, true}, {0, 0, false}, {noticeEvery - 1, 0, false}, {noticeEvery, 2, true}, {noticeEvery + 1, 0, false}, {3 * noticeEvery, 1, true},
	} {
		if skipped, ok := n.due(start.Add(c.after)); skipped != c.skipped || ok != c.ok {
			t.Errorf("after %v: %d %v, want %d %v", c.after, skipped, ok, c.skipped, c.ok)
		}
	}
}
