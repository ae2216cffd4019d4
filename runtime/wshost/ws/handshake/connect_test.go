package handshake

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// connect is a request as the HTTP/2 server of net/http makes it of an extended CONNECT.
func connect() *http.Request {
	return &http.Request{
		Method: "CONNECT", Proto: "HTTP/2.0", ProtoMajor: 2, Host: "server.example.com", RequestURI: "/chat",
		URL: &url.URL{Path: "/chat"}, Body: http.NoBody, ContentLength: -1,
		Header: http.Header{":protocol": {"websocket"}, "Sec-Websocket-Version": {"13"}},
	}
}

func TestCheckConnect(t *testing.T) {
	set := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for _, c := range []struct {
		name   string
		edit   func(*http.Request)
		status int // 0: accepted
		header string
	}{
		{"correct", func(*http.Request) {}, 0, ""},
		{"case of the protocol", set(":protocol", "WebSocket"), 0, ""},
		{"with a key", set("Sec-Websocket-Key", "x"), 0, ""},
		{"own origin", set("Origin", "https://server.example.com"), 0, ""},
		{"GET", func(r *http.Request) { r.Method = "GET" }, 405, "Allow: CONNECT"},
		{"HTTP/1.1", func(r *http.Request) { r.ProtoMajor, r.ProtoMinor = 1, 1 }, 400, ""},
		{"HTTP/3", func(r *http.Request) { r.ProtoMajor = 3 }, 400, ""},
		{"no protocol", func(r *http.Request) { delete(r.Header, ":protocol") }, 400, ""},
		{"two protocols", set(":protocol", "websocket", "websocket"), 400, ""},
		{"other protocol", set(":protocol", "connect-udp"), 501, ""},
		{"protocol with a Kelvin sign", set(":protocol", "websoc\u212aet"), 501, ""},
		{"no authority", func(r *http.Request) { r.Host = "" }, 400, ""},
		{"path *", func(r *http.Request) { r.URL = &url.URL{Path: "*"} }, 400, ""},
		{"no URL", func(r *http.Request) { r.URL = nil }, 400, ""},
		{"Connection", set("Connection", "Upgrade"), 400, ""},
		{"Upgrade", set("Upgrade", "websocket"), 400, ""},
		{"no version", func(r *http.Request) { delete(r.Header, "Sec-Websocket-Version") }, 400, "Sec-Websocket-Version: 13"},
		{"version 8", set("Sec-Websocket-Version", "8"), 400, "Sec-Websocket-Version: 13"},
		{"two versions", set("Sec-Websocket-Version", "13", "13"), 400, ""},
		{"length", func(r *http.Request) { r.ContentLength = 5 }, 400, ""},
		{"ended stream", func(r *http.Request) { r.ContentLength = 0 }, 400, ""},
		{"foreign origin", set("Origin", "https://evil.example"), 403, ""},
		{"two origins", set("Origin", "https://server.example.com", "https://server.example.com"), 400, ""},
		{"subprotocol twice", set("Sec-Websocket-Protocol", "a, a"), 400, ""},
		{"malformed extensions", set("Sec-Websocket-Extensions", "x;"), 400, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := connect()
			c.edit(r)
			resp, err := CheckConnect(r, Options{})
			if c.status == 0 {
				if err != nil || resp.Accept != "" || !WantedConnect(r) {
					t.Fatalf("CheckConnect = %+v, %v", resp, err)
				}
				return
			}
			var refusal *Error
			if !errors.As(err, &refusal) || refusal.Status != c.status || resp != nil {
				t.Fatalf("CheckConnect = %+v, %v, want status %d", resp, err, c.status)
			}
			w := httptest.NewRecorder()
			w.Header().Set("Connection", "keep-alive")
			(&Response{Subprotocol: "a", Extensions: []Extension{{Name: "x"}}}).SetHeader(w.Header())
			refusal.Send(w)
			var head bytes.Buffer
			_ = w.Result().Header.Write(&head)
			if w.Code != c.status || strings.Contains(head.String(), "Connection:") ||
				strings.Contains(head.String(), "Protocol:") || strings.Contains(head.String(), "Extensions:") || !strings.Contains(head.String(), c.header) {
				t.Errorf("refused with %d and %q", w.Code, head.String())
			}
		})
	}
}

func TestWantedConnect(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"GET":            func(r *http.Request) { r.Method = "GET" },
		"HTTP/1.1":       func(r *http.Request) { r.ProtoMajor = 1 },
		"plain CONNECT":  func(r *http.Request) { delete(r.Header, ":protocol") },
		"other protocol": func(r *http.Request) { r.Header[":protocol"] = []string{"connect-udp"} },
	} {
		r := connect()
		edit(r)
		if WantedConnect(r) {
			t.Errorf("%s is taken for a WebSocket", name)
		}
	}
	if r := connect(); !WantedConnect(r) || Wanted(r) {
		t.Error("an extended CONNECT is not taken for one, or for an upgrade of HTTP/1.1")
	}
}

func TestConnectAnswer(t *testing.T) {
	r := connect()
	r.Header["Sec-Websocket-Protocol"] = []string{"b, a"}
	r.Header["Sec-Websocket-Extensions"] = []string{"x; n=1, y"}
	resp, err := CheckConnect(r, Options{Subprotocols: []string{"a", "b"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := FormatExtensions(resp.Offered); got != "x; n=1, y" || resp.Extensions != nil {
		t.Errorf("offered %q, accepted %v", got, resp.Extensions)
	}
	resp.Extensions = resp.Offered[:1]
	h := http.Header{"Set-Cookie": {"a=b"}, "Content-Length": {"7"}, "connection": {"close"}, "Sec-Websocket-Accept": {"x"}, "Sec-Websocket-Protocol": {"z"}}
	resp.SetHeader(h)
	want := http.Header{"Set-Cookie": {"a=b"}, "Sec-Websocket-Protocol": {"a"}, "Sec-Websocket-Extensions": {"x; n=1"}}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %v", h)
	}
	h = http.Header{"Sec-Websocket-Extensions": {"x"}}
	if (&Response{}).SetHeader(h); len(h) > 0 {
		t.Errorf("got %v", h)
	}
}

// FuzzConnect: no header makes the check of an extended CONNECT panic; what it accepts has what RFC 8441, section 5,
// asks for and names nothing that was not asked for, and a refusal leaves the connection alone.
func FuzzConnect(f *testing.F) {
	f.Add("websocket", "13", "server.example.com", "/", "", "", "", int64(-1))
	f.Add("WebSocket", "13", "a", "/x", "http://a", "a, b", "x; y=1", int64(-1))
	f.Add("connect-udp", "8", "", "*", "null", ",", ";", int64(0))
	f.Fuzz(func(t *testing.T, protocol, version, host, path, origin, subprotocols, extensions string, length int64) {
		r := connect()
		r.Host, r.URL.Path, r.ContentLength = host, path, length
		for name, value := range map[string]string{
			":protocol": protocol, "Sec-Websocket-Version": version, "Origin": origin,
			"Sec-Websocket-Protocol": subprotocols, "Sec-Websocket-Extensions": extensions,
		} {
			if delete(r.Header, name); value != "" {
				r.Header[name] = []string{value}
			}
		}
		resp, err := CheckConnect(r, Options{Subprotocols: []string{"a"}})
		if err == nil {
			if !equalFold(protocol, "websocket") || version != "13" || host == "" || path[0] != '/' || length != -1 ||
				resp.Subprotocol == "a" && !hasToken([]string{subprotocols}, "a") || !WantedConnect(r) {
				t.Fatalf("%+v is accepted with %+v", r, resp)
			}
			return
		}
		var refusal *Error
		if !errors.As(err, &refusal) || !refusal.Shared {
			t.Fatalf("%+v: %v", r, err)
		}
		w := httptest.NewRecorder()
		refusal.Send(w)
		switch w.Code {
		case 400, 403, 501:
		default:
			t.Fatalf("%+v is refused with %d", r, w.Code)
		}
		if len(w.Header()["Connection"]) > 0 || len(w.Header()["Upgrade"]) > 0 {
			t.Fatalf("%+v is refused with %v", r, w.Header())
		}
	})
}
