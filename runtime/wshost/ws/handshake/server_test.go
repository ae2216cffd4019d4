package handshake

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const good = "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

// read parses a request as net/http does.
func read(t testing.TB, raw string) *http.Request {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw + "\r\n")))
	if err != nil {
		t.Fatalf("%q: %v", raw, err)
	}
	return r
}

func TestCheck(t *testing.T) {
	edit := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the request", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, c := range []struct {
		name, raw string
		status    int // 0: accepted
		header    string
	}{
		{"correct", good, 0, ""},
		{"case of tokens", edit("Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: WebSocket\r\nConnection: keep-alive, UPGRADE"), 0, ""},
		{"tokens over two fields", edit("Connection: Upgrade", "Connection: keep-alive\r\nConnection: ,upgrade,"), 0, ""},
		{"empty body", good + "Content-Length: 0\r\n", 0, ""},
		{"POST", edit("GET", "POST"), 405, "Allow: GET"},
		{"HEAD", edit("GET", "HEAD"), 405, "Allow: GET"},
		{"HTTP/1.0", edit("HTTP/1.1", "HTTP/1.0"), 400, ""},
		{"no Host", edit("Host: server.example.com\r\n", ""), 400, ""},
		{"no Upgrade", edit("Upgrade: websocket\r\n", ""), 426, "Sec-Websocket-Version: 13"},
		{"Upgrade to another protocol", edit("Upgrade: websocket", "Upgrade: h2c"), 426, "Upgrade: websocket"},
		{"Upgrade to a longer word", edit("Upgrade: websocket", "Upgrade: websockets"), 426, ""},
		{"Upgrade with a Kelvin sign", edit("Upgrade: websocket", "Upgrade: websoc\u212aet"), 426, ""},
		{"Upgrade with a long s", edit("Upgrade: websocket", "Upgrade: web\u017focket"), 426, ""},
		{"no Connection", edit("Connection: Upgrade\r\n", ""), 400, ""},
		{"Connection without Upgrade", edit("Connection: Upgrade", "Connection: keep-alive, xupgrade"), 400, ""},
		{"no version", edit("Sec-WebSocket-Version: 13\r\n", ""), 426, "Sec-Websocket-Version: 13"},
		{"version 8", edit("Version: 13", "Version: 8"), 426, "Sec-Websocket-Version: 13"},
		{"version 013", edit("Version: 13", "Version: 013"), 426, ""},
		{"two versions", good + "Sec-WebSocket-Version: 13\r\n", 400, ""},
		{"body", good + "Content-Length: 5\r\n", 400, ""},
		{"chunked body", good + "Transfer-Encoding: chunked\r\n", 400, ""},
		{"no key", edit("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", ""), 400, ""},
		{"two keys", good + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400, ""},
		{"key of 15 bytes", edit("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j"), 400, ""},
		{"key of 17 bytes", edit("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE="), 400, ""},
		{"key that is not base64", edit("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZ!=="), 400, ""},
		{"key with loose bits", edit("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR=="), 400, ""},
		{"key of 16 characters", edit("dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAA"), 400, ""},
		{"subprotocol that is no token", good + "Sec-WebSocket-Protocol: a b\r\n", 400, ""},
		{"subprotocol twice", good + "Sec-WebSocket-Protocol: a, a\r\n", 400, ""},
		{"subprotocol twice over two fields", good + "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", 400, ""},
		{"empty subprotocol", good + "Sec-WebSocket-Protocol: \r\n", 400, ""},
		{"64 subprotocols", good + "Sec-WebSocket-Protocol: " + names(64) + "\r\n", 0, ""},
		{"65 subprotocols", good + "Sec-WebSocket-Protocol: " + names(65) + "\r\n", 400, ""},
		{"extensions", good + "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n", 0, ""},
		{"malformed extensions", good + "Sec-WebSocket-Extensions: permessage-deflate;\r\n", 400, ""},
		{"foreign origin", good + "Origin: https://evil.example\r\n", 403, ""},
		{"two origins", good + "Origin: http://server.example.com\r\nOrigin: http://server.example.com\r\n", 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, err := Check(read(t, c.raw), Options{})
			if c.status == 0 {
				if err != nil || resp.Accept != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
					t.Fatalf("Check = %+v, %v", resp, err)
				}
				return
			}
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Status != c.status || resp != nil {
				t.Fatalf("Check = %+v, %v, want status %d", resp, err, c.status)
			}
			w := httptest.NewRecorder()
			refusal.Send(w)
			var head bytes.Buffer
			w.Result().Header.Write(&head)
			if w.Code != c.status || !strings.Contains(head.String(), "Connection: close\r\n") || !strings.Contains(head.String(), c.header) {
				t.Errorf("refused with %d and %q", w.Code, head.String())
			}
		})
	}
}

func names(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = "p" + strings.Repeat("x", i)
	}
	return strings.Join(list, ", ")
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct {
		host, origin string
		tls          bool
		allowed      []string
		ok           bool
	}{
		{"a.example", "", false, nil, true},
		{"a.example", "http://a.example", false, nil, true},
		{"a.example", "HTTP://A.EXAMPLE", false, nil, true},
		{"a.example", "http://a.example:80", false, nil, true},
		{"a.example:80", "http://a.example", false, nil, true},
		{"a.example:8080", "http://a.example:8080", false, nil, true},
		{"a.example:8080", "http://a.example", false, nil, false},
		{"a.example", "https://a.example", false, nil, true}, // TLS ended in front
		{"a.example", "https://a.example", true, nil, true},
		{"a.example", "http://a.example", true, nil, false},
		{"[::1]:8080", "http://[::1]:8080", false, nil, true},
		{"[::1]", "http://[::1]:80", false, nil, true},
		{"a.example", "http://b.example", false, nil, false},
		{"a.example", "http://a.example.evil.example", false, nil, false},
		{"a.example", "http://a.example@evil.example", false, nil, false},
		{"a.example", "http://evil@a.example", false, nil, false},
		{"a.example", "http://a.example/", false, nil, false},
		{"a.example", "http://a.example?", false, nil, false},
		{"a.example", "http://a.example#", false, nil, false},
		{"a.example", "a.example", false, nil, false},
		{"a.example", "null", false, nil, false},
		{"a.example", "", false, nil, true},
		{"a.example", "null", false, []string{"null"}, true},
		{"a.example", "https://b.example", false, []string{"https://b.example"}, true},
		{"a.example", "https://b.example:443", false, []string{"https://b.example"}, true},
		{"a.example", "http://b.example", false, []string{"https://b.example"}, false},
		{"a.example", "https://c.example", false, []string{"https://b.example"}, false},
		{"a.example", "https://any.example", false, []string{"*"}, true},
		{"localhost", "capacitor://localhost", false, nil, false},
		{"a.example:8080", "ftp://a.example:8080", false, nil, false},
		{"localhost", "capacitor://localhost", false, []string{"capacitor://localhost"}, true},
		{"k.example", "http://\u212a.example", false, nil, false},
		{"a.example", "http://\u212a.example", false, []string{"http://k.example"}, false},
		{"a.example", "chrome-extension://abc", false, []string{"chrome-extension://abc"}, true},
	} {
		r := read(t, good)
		r.Host = c.host
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.tls {
			r.TLS = &tls.ConnectionState{}
		}
		_, err := Check(r, Options{Origins: c.allowed})
		var refusal *Error
		if ok := err == nil; ok != c.ok || !ok && (!errors.As(err, &refusal) || refusal.Status != http.StatusForbidden) {
			t.Errorf("origin %q at %q (TLS %v, allowed %q): %v", c.origin, c.host, c.tls, c.allowed, err)
		}
	}
}

func TestSubprotocolChoice(t *testing.T) {
	for _, c := range []struct{ asked, want string }{
		{"", ""}, {"x", ""}, {"b", "b"}, {"b, a", "a"}, {"x,,b", "b"}, {"A", ""},
	} {
		raw := good
		if c.asked != "" {
			raw += "Sec-WebSocket-Protocol: " + c.asked + "\r\n"
		}
		resp, err := Check(read(t, raw), Options{Subprotocols: []string{"a", "b"}})
		if err != nil || resp.Subprotocol != c.want {
			t.Errorf("asked %q: %+v, %v", c.asked, resp, err)
		}
	}
}

func TestResponseWrite(t *testing.T) {
	resp := &Response{Accept: "key", Subprotocol: "chat", Extensions: []Extension{{Name: "x", Params: []Param{{Name: "n", Value: "1", HasValue: true}}}, {Name: "y"}}}
	var b bytes.Buffer
	extra := http.Header{"Set-Cookie": {"a=b", "c=d"}, "Content-Length": {"7"}, "Connection": {"close"}, "X-Bad": {"x\r\nY: z"}, "sec-websocket-accept": {"mine"}, "Sec-Websocket-Extensions": {"z"}}
	if err := resp.Write(&b, extra); err != nil {
		t.Fatal(err)
	}
	want := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: key\r\n" +
		"Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: x; n=1, y\r\nSet-Cookie: a=b\r\nSet-Cookie: c=d\r\nX-Bad: x  Y: z\r\n\r\n"
	if b.String() != want {
		t.Errorf("got %q\nwant %q", b.String(), want)
	}
}
