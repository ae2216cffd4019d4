package httplogging

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// TestDetachedRequestsAreLoggedTheSame holds the line of a request of which only a part was kept against that of the
// whole one.
func TestDetachedRequestsAreLoggedTheSame(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "http://example.com/chat?room=1", nil)
	r.RemoteAddr = "192.0.2.1:4711"
	r.Header = http.Header{"User-Agent": {"some browser"}, "Cookie": {"a=1", "b=2"}, "Referer": {"http://example.com/"}, "X-Other": {"x"}}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 80}))
	for _, columns := range [][]field{fields(), choose(nil), choose([]string{"Date", "Method"})} {
		x := &record{
			r: r, q: &module.Request{SiteID: 3, Start: time.Unix(0, 0), User: "u"}, stem: "/chat", query: "room=1",
			computer: "c", end: time.Unix(1, 0), stamp: &stamp{date: "d", time: "t"},
		}
		whole := string(line(nil, columns, x))
		x.r = keep(r, columns)
		if got := string(line(nil, columns, x)); got != whole {
			t.Errorf("kept: %s, whole: %s", got, whole)
		}
		if len(x.r.Header["X-Other"]) > 0 || x.r.URL != nil {
			t.Error("more is kept than is logged")
		}
	}
	if kept := keep(r, choose(nil)); len(kept.Header["Cookie"]) > 0 {
		t.Error("a cookie that is not logged is kept")
	}
}
