package handshake

import (
	"bufio"
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// FuzzExtensions: what parses is made of tokens and means the same when written and read again.
func FuzzExtensions(f *testing.F) {
	for _, seed := range []string{"", "x", "a; b=c, d; e", `x; a="q\uoted"`, "permessage-deflate; client_max_window_bits=15; server_no_context_takeover", ",,x;y=\"", strings.Repeat("x;", 40)} {
		f.Add(seed, "")
		f.Add(seed, "y")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		list, err := ParseExtensions([]string{a, b})
		if err != nil {
			if !errors.Is(err, ErrExtensions) || list != nil {
				t.Fatalf("%q %q: %v, %v", a, b, list, err)
			}
			return
		}
		for _, e := range list {
			ok := isToken(e.Name)
			for _, p := range e.Params {
				ok = ok && isToken(p.Name) && p.HasValue == isToken(p.Value)
			}
			if !ok {
				t.Fatalf("%q %q: %+v", a, b, e)
			}
		}
		again, err := ParseExtensions([]string{FormatExtensions(list)})
		if err != nil || !reflect.DeepEqual(again, list) {
			t.Fatalf("%+v became %+v, %v", list, again, err)
		}
	})
}

// FuzzRequest: no request makes the server's check panic; what it accepts has what RFC 6455, section 4.2.1 asks for,
// and what it refuses is refused with a status, "Connection: close", and nothing of the request repeated.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(good + "\r\n"))
	f.Add([]byte(good + "Origin: http://server.example.com\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Extensions: x; y=1\r\n\r\n"))
	f.Add([]byte(strings.Replace(good, "13", "8", 1) + "\r\n"))
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		resp, err := Check(r, Options{Subprotocols: []string{"a"}})
		if err == nil {
			if r.Method != "GET" || !hasToken(r.Header["Upgrade"], "websocket") || !hasToken(r.Header["Connection"], "upgrade") ||
				r.Header.Get("Sec-WebSocket-Version") != "13" || resp.Accept != AcceptKey(r.Header.Get("Sec-WebSocket-Key")) || r.ContentLength != 0 {
				t.Fatalf("%q is accepted", b)
			}
			return
		}
		var refusal *Error
		if !errors.As(err, &refusal) {
			t.Fatalf("%q: %v", b, err)
		}
		w := httptest.NewRecorder()
		refusal.Send(w)
		switch w.Code {
		case 400, 403, 405, 426:
		default:
			t.Fatalf("%q is refused with %d", b, w.Code)
		}
		if w.Header().Get("Connection") != "close" || w.Code == 426 && w.Header().Get("Sec-WebSocket-Version") != "13" {
			t.Fatalf("%q is refused with %v", b, w.Header())
		}
	})
}
