package handshake

import (
	"bufio"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
)

func TestOfferCheck(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	const good = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	for _, c := range []struct {
		name, old, new string
		chosen         string
		ok             bool
	}{
		{"correct", "", "", "", true},
		{"case", "Upgrade: websocket\r\nConnection: Upgrade", "Upgrade: WebSocket\r\nConnection: upgrade", "", true},
		{"subprotocol", "\r\nConnection", "\r\nSec-WebSocket-Protocol: b\r\nConnection", "b", true},
		{"status 200", "101 Switching Protocols", "200 OK", "", false},
		{"redirect", "101 Switching Protocols", "302 Found\r\nLocation: ws://other.example/", "", false},
		{"HTTP/1.0", "HTTP/1.1", "HTTP/1.0", "", false},
		{"no Upgrade", "Upgrade: websocket\r\n", "", "", false},
		{"other Upgrade", "Upgrade: websocket", "Upgrade: h2c", "", false},
		{"Upgrade with a Kelvin sign", "Upgrade: websocket", "Upgrade: websoc\u212aet", "", false},
		{"no Connection", "Connection: Upgrade\r\n", "", "", false},
		{"no Accept", "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", "", "", false},
		{"wrong Accept", "s3pP", "S3pP", "", false},
		{"two Accepts", "\r\nConnection", "\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nConnection", "", false},
		{"subprotocol not asked for", "\r\nConnection", "\r\nSec-WebSocket-Protocol: z\r\nConnection", "", false},
		{"two subprotocols", "\r\nConnection", "\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\nConnection", "", false},
		{"extension", "\r\nConnection", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\nConnection", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw := strings.Replace(good, c.old, c.new, 1) + "\r\n"
			resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
			if err != nil {
				t.Fatal(err)
			}
			chosen := ""
			answer, err := Offer{Key: key, Subprotocols: []string{"a", "b"}}.Check(resp)
			if err == nil {
				chosen = answer.Subprotocol
			}
			var he *Error
			if (err == nil) != c.ok || chosen != c.chosen || err != nil && !errors.As(err, &he) {
				t.Errorf("%q: %q, %v", raw, chosen, err)
			}
		})
	}
}

func TestOfferSetHeader(t *testing.T) {
	h := http.Header{"Origin": {"http://a.example"}}
	if err := (Offer{Key: NewKey([16]byte([]byte("the sample nonce"))), Subprotocols: []string{"a", "b"}}).SetHeader(h); err != nil {
		t.Fatal(err)
	}
	want := http.Header{
		"Origin": {"http://a.example"}, "Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-WebSocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Sec-WebSocket-Version": {"13"}, "Sec-WebSocket-Protocol": {"a, b"},
	}
	if !reflect.DeepEqual(h, want) {
		t.Errorf("got %v", h)
	}
	for name, c := range map[string]struct {
		h         http.Header
		protocols []string
	}{
		"own key":        {http.Header{"Sec-Websocket-Key": {"x"}}, nil},
		"own connection": {http.Header{"connection": {"x"}}, nil},
		"no token":       {http.Header{}, []string{"a,b"}},
		"twice":          {http.Header{}, []string{"a", "a"}},
	} {
		if err := (Offer{Key: "key", Subprotocols: c.protocols}).SetHeader(c.h); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestOfferExtensions(t *testing.T) {
	deflate := Extension{Name: "permessage-deflate", Params: []Param{{Name: "client_max_window_bits"}, {Name: "server_max_window_bits", Value: "10", HasValue: true}}}
	many := func(n int) []Extension { return make([]Extension, n) }
	h := http.Header{}
	if err := (Offer{Key: "key", Extensions: []Extension{deflate, {Name: "x"}}}).SetHeader(h); err != nil {
		t.Fatal(err)
	}
	var head strings.Builder
	if _ = h.Write(&head); !strings.Contains(head.String(), "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; server_max_window_bits=10, x\r\n") {
		t.Errorf("offered %q", head.String())
	}
	named := func(list []Extension) []Extension {
		for i := range list {
			list[i].Name = "x"
		}
		return list
	}
	params := func(n int) []Extension {
		e := Extension{Name: "x"}
		for range n {
			e.Params = append(e.Params, Param{Name: "a"})
		}
		return []Extension{e}
	}
	for _, c := range []struct {
		name string
		list []Extension
		ok   bool
	}{
		{"none", nil, true},
		{"16", named(many(16)), true},
		{"17", named(many(17)), false},
		{"16 parameters", params(16), true},
		{"17 parameters", params(17), false},
		{"no name", many(1), false},
		{"name with a line end", []Extension{{Name: "x\r\nA: b"}}, false},
		{"parameter with a comma", []Extension{{Name: "x", Params: []Param{{Name: "a,b"}}}}, false},
		{"empty value", []Extension{{Name: "x", Params: []Param{{Name: "a", HasValue: true}}}}, false},
	} {
		h := http.Header{}
		err := Offer{Key: "key", Extensions: c.list}.SetHeader(h)
		if (err == nil) != c.ok || err != nil && len(h) > 0 {
			t.Errorf("%s: %v, header %v", c.name, err, h)
		}
	}
}

func TestCheckExtensions(t *testing.T) {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	offer := Offer{Key: key, Extensions: []Extension{{Name: "x", Params: []Param{{Name: "n"}}}, {Name: "x"}, {Name: "y"}}}
	for _, c := range []struct {
		lines string
		want  string // "!" for an error
	}{
		{"", ""},
		{"Sec-WebSocket-Extensions: x\r\n", "x"},
		{"Sec-WebSocket-Extensions: x; n=\"5\"; m\r\n", "x; n=5; m"},
		{"Sec-WebSocket-Extensions: y, x\r\n", "y, x"},
		{"Sec-WebSocket-Extensions: y\r\nSec-WebSocket-Extensions: x\r\n", "y, x"},
		{"Sec-WebSocket-Extensions: z\r\n", "!"},
		{"Sec-WebSocket-Extensions: x, z\r\n", "!"},
		{"Sec-WebSocket-Extensions: X\r\n", "!"},
		{"Sec-WebSocket-Extensions: x, x\r\n", "!"},
		{"Sec-WebSocket-Extensions: x;\r\n", "!"},
		{"Sec-WebSocket-Extensions: \r\n", "!"},
	} {
		raw := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" + c.lines + "\r\n"
		resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
		if err != nil {
			t.Fatal(err)
		}
		got := "!"
		answer, err := offer.Check(resp)
		if err == nil {
			got = FormatExtensions(answer.Extensions)
		}
		var he *Error
		if got != c.want || err != nil && !errors.As(err, &he) {
			t.Errorf("%q: %q, %v", c.lines, got, err)
		}
	}
}

func TestParseExtensions(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want string // as FormatExtensions writes it; "!" for an error
	}{
		{nil, ""},
		{[]string{"foo"}, "foo"},
		{[]string{"foo, bar; baz=2"}, "foo, bar; baz=2"},
		{[]string{"foo", "bar; baz"}, "foo, bar; baz"},
		{[]string{"deflate-stream, mux; max-channels=4; flow-control"}, "deflate-stream, mux; max-channels=4; flow-control"},
		{[]string{"x ;\ta = \"1\" ; b"}, "x; a=1; b"},
		{[]string{`x; a="1\2"`}, "x; a=12"},
		{[]string{",x,,y,"}, "x, y"},
		{[]string{""}, "!"}, {[]string{","}, "!"}, {[]string{"x;"}, "!"}, {[]string{"x;;a"}, "!"}, {[]string{"x; =1"}, "!"},
		{[]string{"x; a="}, "!"}, {[]string{`x; a=""`}, "!"}, {[]string{`x; a="1`}, "!"}, {[]string{`x; a="1\`}, "!"},
		{[]string{`x; a="1 2"`}, "!"}, {[]string{`x; a="1,2"`}, "!"}, {[]string{"x y"}, "!"}, {[]string{"x; a b"}, "!"},
		{[]string{"x\x00"}, "!"}, {[]string{"x", ""}, "!"}, {[]string{"\u00e9"}, "!"},
		{[]string{strings.Repeat("x,", maxExtensions)}, strings.TrimSuffix(strings.Repeat("x, ", maxExtensions), ", ")},
		{[]string{strings.Repeat("x,", maxExtensions+1)}, "!"},
		{[]string{"x" + strings.Repeat("; a", maxParams)}, "x" + strings.Repeat("; a", maxParams)},
		{[]string{"x" + strings.Repeat("; a", maxParams+1)}, "!"},
	} {
		list, err := ParseExtensions(c.in)
		got := FormatExtensions(list)
		if err != nil {
			got = "!"
		}
		if got != c.want {
			t.Errorf("ParseExtensions(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}
