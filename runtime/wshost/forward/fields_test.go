package forward_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
)

// TestFields looks at the header that an application gets, and at the one that comes back.
func TestFields(t *testing.T) {
	a := newApplication(t, says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"+
		"Proxy-Authenticate: Basic\r\nX-Kept: 1\r\nServer: app\r\n\r\nok"))
	f := newFront(t, a.l.Addr().String(), nil)
	f.Start()
	got := exchange(t, f, "GET /a%2Fb;c?x=1;y=%zz&z HTTP/1.1\r\nHost: www.example.com\r\nConnection: close, X-Mine, TE\r\nX-Mine: 1\r\nKeep-Alive: 1\r\n"+
		"TE: trailers, deflate\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nUpgrade: h2c\r\nHTTP2-Settings: AAA\r\n"+
		"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 192.0.2.2\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Proto: evil\r\nForwarded: for=evil\r\n"+
		"X_Forwarded_For: evil\r\nx_forwarded-proto: evil\r\nContent_Length: 99\r\nMy_Own: 1\r\nAuthorization: Basic eA==\r\n"+
		"Sec-WebSocket-Key: x\r\n\r\n")
	if status(got) != "200" || !strings.Contains(got, "X-Kept: 1") || !strings.Contains(got, "Server: app") {
		t.Errorf("answer %q", got)
	}
	// Content-Type is the application's to say, not this server's to guess.
	for _, gone := range []string{"X-Hop", "Keep-Alive", "Proxy-", "Content-Type"} {
		if strings.Contains(got, gone) {
			t.Errorf("%s in the answer %q", gone, got)
		}
	}
	saw := a.saw()
	if !strings.HasPrefix(saw, "GET /a%2Fb;c?x=1;y=%zz&z HTTP/1.1\r\nHost: www.example.com\r\n") {
		t.Errorf("request line and host of %q", saw)
	}
	for _, there := range []string{
		"\r\nX-Forwarded-For: 192.0.2.1, 192.0.2.2, 127.0.0.1\r\n", "\r\nX-Forwarded-Host: www.example.com\r\n", "\r\nX-Forwarded-Proto: http\r\n",
		"\r\nMy_own: 1\r\n", "\r\nAuthorization: Basic eA==\r\n", "\r\nTe: trailers\r\n", "\r\nConnection: TE\r\n",
	} {
		if !strings.Contains(saw, there) {
			t.Errorf("no %q in %q", there, saw)
		}
	}
	for _, gone := range []string{"evil", "X-Mine", "Keep-Alive", "Proxy-", "Upgrade", "Http2", "Sec-W", "Content", "User-Agent", "Accept-Encoding"} {
		if strings.Contains(saw, gone) {
			t.Errorf("%s in %q", gone, saw)
		}
	}
}

// TestFieldsOfTheConfiguration has a rule's fields stay as they are, and those that it takes out stay out.
func TestFieldsOfTheConfiguration(t *testing.T) {
	a := newApplication(t, says(ok))
	f := newFront(t, a.l.Addr().String(), func(o *forward.Options) {
		o.Host = "inside"
		o.Prepare = func(out, in *http.Request) { out.URL.Path, out.URL.RawPath = "/moved"+in.URL.Path, "" }
	})
	f.set = []string{"X-Forwarded-Proto", "X-Forwarded-Host"}
	f.Start()
	exchange(t, f, "GET /x HTTP/1.1\r\nHost: www.example.com\r\nConnection: close\r\nX-Forwarded-Proto: https\r\n\r\n")
	saw := a.saw()
	if !strings.HasPrefix(saw, "GET /moved/x HTTP/1.1\r\nHost: inside\r\n") || !strings.Contains(saw, "X-Forwarded-Proto: https\r\n") || strings.Contains(saw, "X-Forwarded-Host") {
		t.Errorf("%q", saw)
	}
}

// TestNothingIsSmuggled sends what two servers could read differently. What the application gets is one request, or none.
func TestNothingIsSmuggled(t *testing.T) {
	const hidden = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
	const post = "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	for _, c := range []struct {
		name, request, status, sees string
	}{
		{"two lengths", post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "400", ""},
		{"a list of lengths", post + "Content-Length: 1, 2\r\n\r\nab", "400", ""},
		{"signed length", post + "Content-Length: +2\r\n\r\nab", "400", ""},
		{"equal lengths", post + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nab", "200", "\r\nContent-Length: 2\r\n"},
		{"length and chunks", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, "200", ""},
		{"chunks and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2\r\nab\r\n0\r\n\r\n", "200", "\r\nTransfer-Encoding: chunked\r\n"},
		{"another coding", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "501", ""},
		{"two codings", post + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", "501", ""},
		{"coding twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "501", ""},
		{"vertical tab before the coding", post + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n", "400", ""},
		{"space before the colon", post + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "400", ""},
		{"folded first line", "GET /a HTTP/1.1\r\n Host: x\r\n\r\n", "400", ""},
		{"folded field", "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-A: 1\r\n X-B: 2\r\n\r\n", "200", "\r\nX-A: 1 X-B: 2\r\n"},
		{"carriage return in a field", "GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\rX-B: 2\r\n\r\n", "400", ""},
		{"null in a field", "GET /a HTTP/1.1\r\nHost: x\r\nX-A: 1\x00\r\n\r\n", "400", ""},
		{"bad chunk size", post + "Transfer-Encoding: chunked\r\n\r\n0x2\r\nab\r\n0\r\n\r\n", "502", "*"},
		{"line feed in a chunk size", post + "Transfer-Encoding: chunked\r\n\r\n2\nab\r\n0\r\n\r\n", "502", "*"},
		{"two hosts", "GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400", ""},
		{"no host", "GET /a HTTP/1.1\r\n\r\n", "400", ""},
		{"absolute form", "GET http://other.example/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200", "GET /a HTTP/1.1\r\nHost: other.example\r\n"},
		{"user in the absolute form", "GET http://u:p@other.example/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "200", "GET /a HTTP/1.1\r\nHost: other.example\r\n"},
		{"connect", "CONNECT inside:22 HTTP/1.1\r\nHost: inside:22\r\nConnection: close\r\n\r\n", "405", ""},
		{"body of GET", "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 35\r\n\r\n" + hidden, "200", "\r\nContent-Length: 35\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newApplication(t, says(ok))
			f := newFront(t, a.l.Addr().String(), nil)
			f.Start()
			got := exchange(t, f, c.request)
			saw := a.saw()
			if status(got) != c.status || c.sees != "*" && !strings.Contains(saw, c.sees) {
				t.Errorf("answered %q; the application saw %q", got, saw)
			}
			if c.status[0] == '4' && saw != "" || strings.Count(saw, "HTTP/1.1\r\n") > 1 && c.name != "body of GET" {
				t.Errorf("the application saw %q", saw)
			}
			if strings.Contains(saw, "Transfer-Encoding") && strings.Contains(saw, "Content-Length") {
				t.Errorf("two lengths for the application: %q", saw)
			}
			if strings.Count(got, "HTTP/1.1 ") > 1 {
				t.Errorf("more than one answer: %q", got)
			}
		})
	}
}

// TestAnswersThatAreNotHTTP has clients get a failure for what could be read in two ways, or not at all.
func TestAnswersThatAreNotHTTP(t *testing.T) {
	large := func(n int) string {
		return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Large: " + strings.Repeat("x", n) + "\r\nConnection: close\r\n\r\nok"
	}
	for _, c := range []struct {
		name, answer, status string
		win32                uint32
	}{
		{"nothing", "", "502", 12152},
		{"no HTTP", "hello\r\n\r\n", "502", 12152},
		{"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "502", 12152},
		{"another coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab", "502", 12152},
		{"switching without being asked", "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", "502", 12152},
		{"header of 512 KiB", large(512 << 10), "200", 0},
		{"header of 2 MiB", large(2 << 20), "502", 12152},
		{"no content", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", "204", 0},
		{"not modified, with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", "304", 0},
		{"until the end", "HTTP/1.0 200 OK\r\n\r\nok", "200", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newApplication(t, says(c.answer))
			f := newFront(t, a.l.Addr().String(), nil)
			f.Start()
			got := exchange(t, f, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			if status(got) != c.status {
				t.Errorf("answered %.300q", got)
			}
			if c.win32 == 0 {
				return
			}
			if e := <-f.failed; e.SubStatus != 3 || e.Win32 != c.win32 || e.Module != "TestModule" {
				t.Errorf("%+v", e)
			}
		})
	}
}
