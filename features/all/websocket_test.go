package all_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// offer is a correct opening handshake for a path (RFC 6455, section 1.3), with what is to be different in it.
func offer(path string, change ...string) string {
	head := "GET " + path + ` HTTP/1.1
Host: localhost
Connection: Upgrade
Upgrade: websocket
Sec-WebSocket-Version: 13
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==`
	return strings.NewReplacer(change...).Replace(head)
}

func (h *testHost) dial(path string) *ws.Conn {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	c, _, err := ws.Dial(ctx, "ws://"+h.addr+path, nil)
	if err != nil {
		h.t.Fatalf("dial %s: %v", path, err)
	}
	h.t.Cleanup(func() { _ = c.Close(frame.NormalClosure, "") })
	return c
}

// echo sends a message and expects it back.
func echo(t *testing.T, c *ws.Conn, op frame.Opcode, message string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := c.Write(ctx, op, []byte(message)); err != nil {
		t.Fatal(err)
	}
	got, payload, err := c.Read(ctx)
	if err != nil || got != op || string(payload) != message {
		t.Fatalf("got %v, %d bytes, %v; want %v, %d bytes", got, len(payload), err, op, len(message))
	}
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func TestEcho(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	c := h.dial("/echo?room=1")
	echo(t, c, frame.Text, "grüße")
	echo(t, c, frame.Binary, "\x00\xff")
	echo(t, c, frame.Text, "")
	echo(t, c, frame.Binary, strings.Repeat("x", 1<<20))
	if n := h.server.Status().Sockets["websocket"]; n != 1 {
		t.Errorf("the registry knows %d sockets", n)
	}
	if err := c.Close(frame.NormalClosure, "done"); err != nil {
		t.Error(err)
	}
	eventually(t, "the socket leaves the registry", func() bool { return h.server.Status().Sockets["websocket"] == 0 })
	lines, _ := h.accessLog()
	if len(lines) != 1 || !strings.Contains(lines[0], " GET /echo room=1 ") || !strings.Contains(lines[0], " 101 0 0 ") {
		t.Errorf("a socket is one line with 101:\n%s", strings.Join(lines, "\n"))
	}
}

func TestEchoOnTheProbeSite(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "websocket"))
	addr, done, err := h.server.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	h.addr = addr
	echo(t, h.dial("/echo"), frame.Text, "probe")
}

func TestHandshakesThatFail(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	for _, c := range []struct {
		name, request string
		status        int
		logged        string // status and sub-status
	}{
		{"no key", offer("/echo", "Key: dGhlIHNhbXBsZSBub25jZQ==", "Nothing: 1"), 400, " 400 11 "},
		{"a short key", offer("/echo", "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ="), 400, " 400 11 "},
		{"no upgrade in Connection", offer("/echo", "Connection: Upgrade", "Connection: keep-alive"), 400, " 400 11 "},
		{"another version", offer("/echo", "Version: 13", "Version: 8"), 426, " 426 0 "},
		{"another origin", offer("/echo", "Connection: Upgrade", "Connection: Upgrade\nOrigin: http://evil.example"), 403, " 403 0 "},
		{"another method", offer("/echo", "GET ", "POST "), 405, " 405 0 "},
		{"no endpoint", offer("/nothing"), 404, " 404 0 "},
		{"an ordinary request", "GET /echo HTTP/1.1", 426, " 426 0 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := h.ask(c.request, "")
			if a.status != c.status {
				t.Errorf("%d, want %d: %s", a.status, c.status, a.body)
			}
			if strings.Contains(c.request, "Upgrade: ") && !a.closes {
				t.Errorf("a refused upgrade keeps the connection: %v", a.header)
			}
		})
	}
	a := h.get("/echo")
	if a.header.Get("Upgrade") != "websocket" || a.header.Get("Sec-WebSocket-Version") != "13" {
		t.Errorf("426 does not name the protocol: %v", a.header)
	}
	lines, _ := h.accessLog()
	for i, want := range []string{" 400 11 ", " 400 11 ", " 400 11 ", " 426 0 ", " 403 0 ", " 405 0 ", " 404 0 ", " 426 0 "} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d does not hold %q in\n%s", i, want, strings.Join(lines, "\n"))
		}
	}
}

func TestSwitchedOff(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("echo", "the file in place of the endpoint")
	h.webConfig("\n" + `<staticContent><mimeMap fileExtension="." mimeType="text/plain" /></staticContent>` + "\n" + `<webSocket enabled="false"/>`)
	a := h.ask(offer("/echo"), "")
	if a.status != 200 || !strings.Contains(a.body, "the file") || !a.closes {
		t.Errorf("the handshake is not an ordinary GET: %+v", a)
	}
	want := filepath.Join(h.home, "sites/default/web.config") + ":3"
	if !strings.Contains(h.log.String(), want) {
		t.Errorf("the log does not say that %s switched it off:\n%s", want, h.log)
	}
	h.webConfig(`<webSocketEndpoints><clear /></webSocketEndpoints>`)
	if a := h.ask(offer("/echo"), ""); a.status != 404 {
		t.Errorf("an endpoint that is taken out answers %d", a.status)
	}
	h.webConfig(`<webSocketEndpoints><add path="/chat/own" type="echo" /></webSocketEndpoints>`)
	echo(t, h.dial("/chat/own"), frame.Text, "x")
}

func TestNotInstalled(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors"))
	a := h.ask(offer("/iisstart.htm"), "")
	if a.status != 200 || !a.closes {
		t.Errorf("the handshake is not an ordinary GET: %d %v", a.status, a.header)
	}
	if log := h.log.String(); !strings.Contains(log, "rolemgr install websocket") {
		t.Errorf("the log does not name the command:\n%s", log)
	}
	h.webConfig(`<webSocket enabled="true" />`)
	if a := h.get("/iisstart.htm"); a.status != 500 || !strings.Contains(a.body, "rolemgr install websocket") {
		t.Errorf("the section of a missing feature: %d\n%s", a.status, a.body)
	}
}

func TestSocketSettings(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	for _, c := range []struct {
		attribute string
		status    int
	}{
		{`receiveBufferLimit="4095"`, 500}, {`receiveBufferLimit="4096"`, 426},
		{`receiveBufferLimit="2147483647"`, 426}, {`receiveBufferLimit="2147483648"`, 500},
		{`pingInterval="1.00:00:00"`, 426}, {`pingInterval="1.00:00:01"`, 500},
		{`enabled="maybe"`, 500}, {`bufferLimit="1"`, 500},
	} {
		h.webConfig("<webSocket " + c.attribute + " />")
		if a := h.get("/echo"); a.status != c.status {
			t.Errorf("%s: %d, want %d", c.attribute, a.status, c.status)
		}
	}
	for _, endpoint := range []string{`path="echo" type="echo"`, `path="/a?b" type="echo"`, `path="/a" type="chat"`, `path="/a"`, `path="/echo" type="echo"`} {
		h.webConfig("<webSocketEndpoints><add " + endpoint + " /></webSocketEndpoints>")
		if a := h.get("/echo"); a.status != 500 {
			t.Errorf("%s: %d, want 500", endpoint, a.status)
		}
	}
	h.webConfig(`<webSocket receiveBufferLimit="4096" />`)
	c := h.dial("/echo")
	echo(t, c, frame.Binary, strings.Repeat("x", 4096))
	if err := c.Write(t.Context(), frame.Binary, make([]byte, 4097)); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Read(t.Context())
	var closed *ws.CloseError
	if !errors.As(err, &closed) || closed.Code != frame.MessageTooBig {
		t.Errorf("a message beyond the limit ends with %v, want 1009", err)
	}
}

func TestPingInterval(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.webConfig(`<webSocket pingInterval="00:00:01" />`)
	c := h.dial("/echo")
	go func() { _, _, _ = c.Read(context.Background()) }() // answers pings
	defer c.Close(frame.NormalClosure, "")
	// What the client's engine counts beside messages can only be the ping.
	eventually(t, "a ping of the idle host", func() bool { return c.Counts().BytesIn > 0 })
	if n := c.Counts().MessagesIn; n != 0 {
		t.Errorf("%d messages from an idle host", n)
	}
}

func TestSocketsOutliveReloads(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	c := h.dial("/echo")
	echo(t, c, frame.Text, "before")
	if err := h.uninstallDropIn("websocket"); err != nil {
		t.Fatal(err)
	}
	echo(t, c, frame.Text, "after the feature is gone from new requests")
	if a := h.ask(offer("/echo"), ""); a.status != 404 {
		t.Errorf("a new handshake is answered with %d", a.status)
	}
	if s := h.server.Status(); s.Generations != 2 || s.Sockets["websocket"] != 1 {
		t.Errorf("the socket does not hold its generation: %+v", s)
	}
	if n := h.server.CloseConnections([]string{"websocket"}, 1001, "the feature is removed"); n != 1 {
		t.Errorf("%d connections are told to close", n)
	}
	_, _, err := c.Read(t.Context())
	var closed *ws.CloseError
	if !errors.As(err, &closed) || closed.Code != frame.GoingAway || closed.Reason != "the feature is removed" {
		t.Errorf("the socket ended with %v", err)
	}
	eventually(t, "the old generation ends", func() bool { return h.server.Status().Generations == 1 })
}

// TestLocks sees that what the seeded applicationHost.config teaches is true.
func TestLocks(t *testing.T) {
	t.Run("the section denied, as on IIS", func(t *testing.T) {
		home := newHome(t, everything()...)
		replace(t, filepath.Join(home, "config/applicationHost.config"), `overrideModeDefault="Allow"`, `overrideModeDefault="Deny"`)
		h := startHost(t, home)
		echo(t, h.dial("/echo"), frame.Text, "x")
		h.webConfig("\n" + `<webSocket enabled="false"/>`)
		if a := h.get("/"); a.named() != "500.19" || !strings.Contains(a.body, "0x80070021") || !strings.Contains(a.body, "applicationHost.config") {
			t.Errorf("%s\n%s", a.named(), a.body)
		}
	})
	t.Run("the location tag of the comment", func(t *testing.T) {
		home := newHome(t, everything()...)
		file := filepath.Join(home, "config/applicationHost.config")
		replace(t, file, `    <location path="Default Web Site/chat" overrideMode="Deny">`, `--><location path="Default Web Site/chat" overrideMode="Deny">`)
		replace(t, file, "    </location>\n  -->", "</location>")
		h := startHost(t, home)
		h.webConfig(`<webSocketEndpoints><add path="/chat/x" type="echo" /></webSocketEndpoints>`)
		echo(t, h.dial("/echo"), frame.Text, "x")
		if a := h.ask(offer("/chat/x"), ""); a.status != 404 {
			t.Errorf("switched off for the path, but answered with %d", a.status)
		}
		h.site("chat/web.config", `<configuration><system.webServer><webSocket enabled="true" /></system.webServer></configuration>`)
		if a := h.get("/chat/x"); a.named() != "500.19" || !strings.Contains(a.body, "0x80070021") {
			t.Errorf("the lock of the location tag: %s", a.named())
		}
	})
}
