//go:build e2e

package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// caller is the engine as a client, whatever drives it.
type caller struct {
	session
	t        *testing.T
	way      way
	messages chan message // closed at the end
	ended    chan error
	resp     *http.Response
}

// message is what came; the end of the messages is an empty one.
type message struct {
	op      frame.Opcode
	payload []byte
}

// call opens a connection in one way. cert is the file of the certificate to trust over TLS.
func call(t *testing.T, w way, url, cert string, o ws.DialOptions) *caller {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := &caller{t: t, way: w, messages: make(chan message, 64), ended: make(chan error, 1)}
	o.Driver = w.driver()
	if w == poller || w == overTLS {
		o.Engine = &ws.Engine{Loops: 1}
	}
	if cert != "" {
		text, err := os.ReadFile(cert)
		if err != nil {
			t.Fatal(err)
		}
		o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		o.TLS.RootCAs.AppendCertsFromPEM(text)
	}
	var err error
	if w != pull {
		var s *ws.Socket
		if s, c.resp, err = ws.DialHandler(ctx, url, &o, c); err == nil {
			c.session = &driven{s}
			t.Cleanup(s.Cut)
		}
	} else {
		var conn *ws.Conn
		if conn, c.resp, err = ws.Dial(ctx, url, &o); err == nil {
			c.session = &pulled{conn}
			t.Cleanup(conn.Cut)
			go c.read(conn)
		}
	}
	if err != nil {
		t.Fatalf("dial: %v", err)
	}
	return c
}

// read reads a connection that is read by its owner.
func (c *caller) read(conn *ws.Conn) {
	for {
		op, p, err := conn.Read(context.Background())
		if err != nil {
			c.ended <- err
			close(c.messages)
			return
		}
		c.messages <- message{op, bytes.Clone(p)}
	}
}

// Opened does nothing.
func (c *caller) Opened(*ws.Socket) {}

// Message keeps the message.
func (c *caller) Message(_ *ws.Socket, op frame.Opcode, p []byte) {
	c.messages <- message{op, bytes.Clone(p)}
}

// Closed reports the end.
func (c *caller) Closed(s *ws.Socket, err error) {
	if polled := s.RemoteAddr() == nil; polled != (c.way == poller) {
		c.t.Errorf("driven by the poller: %v", polled)
	}
	c.ended <- err
	close(c.messages)
}

// send writes a message.
func (c *caller) send(op frame.Opcode, p []byte) {
	c.t.Helper()
	if err := c.write(op, p); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// next waits for the next message; ok is false at the end of the connection.
func (c *caller) next() (m message, ok bool) {
	c.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case m, ok = <-c.messages:
	case <-timeout.C:
		c.t.Fatalf("nothing came within %v", patience)
	}
	return m, ok
}

// want takes the next message, which must be as given.
func (c *caller) want(what string, op frame.Opcode, p []byte) {
	c.t.Helper()
	m, ok := c.next()
	if !ok {
		c.t.Fatalf("%s: the connection ended: %v", what, <-c.ended)
	}
	if m.op != op || !bytes.Equal(m.payload, p) {
		c.t.Fatalf("%s: got %v of %d bytes, want %v of %d: %.60q", what, m.op, len(m.payload), op, len(p), m.payload)
	}
}

func (c *caller) echo(what string, op frame.Opcode, p []byte) {
	c.t.Helper()
	c.send(op, p)
	c.want(what, op, p)
}

// end waits for the end of the connection.
func (c *caller) end() ws.CloseError {
	c.t.Helper()
	for m, ok := c.next(); ok; m, ok = c.next() {
		c.t.Errorf("%v of %d bytes is left: %.60q", m.op, len(m.payload), m.payload)
	}
	err := <-c.ended
	var closed *ws.CloseError
	if !errors.As(err, &closed) {
		c.t.Fatalf("the connection ended with %v", err)
	}
	return *closed
}

func random(size int) []byte {
	p := make([]byte, size)
	_, _ = rand.Read(p) // it never fails
	return p
}

// converse does the exchange of a client with a peer's server, empty messages if it can, and returns what it did.
func converse(c *caller, can []string) (did []string) {
	c.t.Helper()
	done := func(what string) { did = append(did, what) }
	c.echo("text", frame.Text, []byte("Grüße, 世界 🌍"))
	done("text")
	c.echo("binary", frame.Binary, []byte{0, 255, 1, 254})
	done("binary")
	if slices.Contains(can, "empty") {
		c.echo("empty text", frame.Text, nil)
		c.echo("empty binary", frame.Binary, nil)
		done("empty")
	}
	again := []byte(hex.EncodeToString(random(1024)))
	for range 3 {
		c.echo("repeated", frame.Text, again)
	}
	done("repeated")
	c.send(frame.Text, []byte("fragments"))
	c.want("fragmented", frame.Text, []byte("fragmented "+strings.Repeat("x", 70_000)))
	done("fragmented")
	c.echo("large", frame.Binary, random(1<<20))
	done("large")
	c.send(frame.Text, []byte("ping"))
	c.want("ping", frame.Text, []byte("ponged are you there"))
	done("ping")
	if err := c.ping(); err != nil {
		c.t.Fatalf("ping: %v", err)
	}
	c.want("pong", frame.Text, []byte("pinged"))
	eventually(c.t, "the pong", c.ponged)
	done("pong")
	if err := c.close(4001, "goodbye"); err != nil {
		c.t.Fatalf("close: %v", err)
	}
	if got := c.end(); got.Code != 4001 || !got.Sent {
		c.t.Fatalf("close: %+v", got)
	}
	done("close")
	return did
}

// wantClosed has the server close.
func (c *caller) wantClosed() {
	c.t.Helper()
	c.send(frame.Text, []byte("close"))
	if got, want := c.end(), (ws.CloseError{Code: 4002, Reason: "see you"}); got != want {
		c.t.Errorf("closed: %+v, want %+v", got, want)
	}
}

// call tries a peer's server in one cell, over TLS when there is a certificate to trust.
func (c cell) call(t *testing.T, port, cert string, compression *ws.Compression) []*traffic {
	t.Helper()
	address := "127.0.0.1:" + port
	var w *wire
	url := "wss://" + address + "/"
	if cert == "" {
		w = tap(t, address)
		url = "ws://" + w.addr() + "/"
	}
	o := ws.DialOptions{Compression: compression}
	first := call(t, c.way, url, cert, o)
	did := converse(first, strings.Fields(c.did))
	call(t, c.way, url, cert, o).wantClosed()
	if did, want := append(did, "closed"), strings.Fields(c.did); !slices.Equal(did, want) {
		t.Errorf("%s did %v; the matrix says %v", c.peer, did, want)
	}
	if s, ok := first.session.(*driven); ok && s.Compressed() != c.compress {
		t.Errorf("the engine says compressed: %v", s.Compressed())
	}
	if agreed := first.resp.Header.Get("Sec-WebSocket-Extensions"); (agreed != "") != c.compress {
		t.Errorf("the server answered with extensions %q", agreed)
	}
	if w == nil {
		return nil
	}
	sockets := w.sockets()
	if len(sockets) != 2 {
		t.Fatalf("%d sockets, want 2", len(sockets))
	}
	// The engine may know of the end before its last frame has passed the wire.
	eventually(t, "the close frames", func() bool { return sockets[1].up.closing() != "none" })
	c.judge(t, sockets)
	return sockets
}

// TestCallerSeesALie is the negative control of the engine as a client: the exchange fails on one flipped bit.
func TestCallerSeesALie(t *testing.T) {
	for _, kind := range []string{"text", "binary", "large"} {
		t.Run(kind, func(t *testing.T) {
			s := newStand(t, goroutine, nil, kind)
			c := call(t, pull, s.url("/"), "", ws.DialOptions{})
			p := map[string]message{"text": {frame.Text, []byte("Grüße")}, "binary": {frame.Binary, random(4)}, "large": {frame.Binary, random(1 << 20)}}[kind]
			c.send(p.op, p.payload)
			if m, _ := c.next(); m.op != p.op || len(m.payload) != len(p.payload) || bytes.Equal(m.payload, p.payload) {
				t.Errorf("the lie about %s was not told", kind)
			}
		})
	}
}
