//go:build e2e

package interop

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// socketIOOpen opens a session of Engine.IO, revision 4: packet 0 with what the client must know.
func socketIOOpen(s session) {
	_ = s.write(frame.Text, []byte(`0{"sid":"e","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":8388608}`))
}

// socketIO is as little of a Socket.IO server as an echo needs. Packets of Engine.IO begin with a digit, 4 being those of
// Socket.IO: 40 connects, 41 disconnects, 42 is an event, and the attachments of 451 follow in binary messages.
func socketIO(s session, op frame.Opcode, p []byte) error {
	switch {
	case op == frame.Text && string(p) == "40":
		return s.write(frame.Text, []byte(`40{"sid":"s"}`))
	case op == frame.Text && string(p) == `42["beat"]`:
		return s.write(frame.Text, []byte("2"))
	case op == frame.Text && string(p) == `42["close"]`:
		return s.close(4002, "see you")
	case op == frame.Text && (string(p) == "3" || bytes.HasPrefix(p, []byte("41"))):
		return nil
	}
	return s.write(op, p)
}

// liar is a session that flips a bit of one kind of message.
type liar struct {
	session
	kind string
}

func (l liar) write(op frame.Opcode, p []byte) error {
	at := -1
	switch l.kind {
	case "text":
		at = strings.Index(string(p), "Grüße")
	case "binary":
		if op == frame.Binary && len(p) == 4 {
			at = 2
		}
	case "large":
		if len(p) >= 1<<20 {
			at = len(p) / 2
		}
	}
	if at >= 0 {
		p = bytes.Clone(p)
		p[at] ^= 1
	}
	return l.session.write(op, p)
}

// socketIOClient is as little of a Socket.IO client: it answers the heartbeat of the server and counts it.
type socketIOClient struct {
	*caller
	beats int
}

// packet returns the next message that is no heartbeat.
func (c *socketIOClient) packet(what string) message {
	c.t.Helper()
	for m, ok := c.next(); ok; m, ok = c.next() {
		if m.op != frame.Text || string(m.payload) != "2" {
			return m
		}
		c.beat()
	}
	c.t.Fatalf("%s: the connection ended: %v", what, <-c.ended)
	return message{}
}

// beat answers a heartbeat; the connection may be closing.
func (c *socketIOClient) beat() {
	c.beats++
	_ = c.write(frame.Text, []byte("3"))
}

func (c *socketIOClient) expect(what string, op frame.Opcode, p string) {
	c.t.Helper()
	if m := c.packet(what); m.op != op || string(m.payload) != p {
		c.t.Fatalf("%s: got %v %.60q", what, m.op, m.payload)
	}
}

func (c *socketIOClient) connect() {
	c.t.Helper()
	if m := c.packet("open"); !bytes.HasPrefix(m.payload, []byte(`0{"sid":`)) {
		c.t.Fatalf("open: %q", m.payload)
	}
	c.send(frame.Text, []byte("40"))
	if m := c.packet("connect"); !bytes.HasPrefix(m.payload, []byte(`40{"sid":`)) {
		c.t.Fatalf("connect: %q", m.payload)
	}
}

// leave waits for the end.
func (c *socketIOClient) leave(want ws.CloseError) {
	c.t.Helper()
	for m, ok := c.next(); ok; m, ok = c.next() {
		if string(m.payload) != "2" && string(m.payload) != "41" {
			c.t.Errorf("%.60q is left", m.payload)
		}
	}
	err := <-c.ended
	var closed *ws.CloseError
	if !errors.As(err, &closed) || *closed != want {
		c.t.Errorf("the connection ended with %v, want %v", err, &want)
	}
}

// converseSocketIO does the exchange of a client with a Socket.IO server, and returns what it did.
func converseSocketIO(from *caller) []string {
	from.t.Helper()
	c := &socketIOClient{caller: from}
	c.connect()
	event := func(what, data string) {
		c.t.Helper()
		packet := `42["echo","` + data + `"]`
		c.send(frame.Text, []byte(packet))
		c.expect(what, frame.Text, packet)
	}
	attachment := func(what string, p []byte) {
		c.t.Helper()
		const packet = `451-["echo",{"_placeholder":true,"num":0}]`
		c.send(frame.Text, []byte(packet))
		c.send(frame.Binary, p)
		c.expect(what, frame.Text, packet)
		c.expect(what, frame.Binary, string(p))
	}
	event("text", "Grüße, 世界 🌍")
	attachment("binary", random(4))
	again := hex.EncodeToString(random(1024))
	for range 3 {
		event("repeated", again)
	}
	attachment("large", random(1<<20))
	for c.beats == 0 {
		if m, ok := c.next(); !ok || string(m.payload) != "2" {
			c.t.Fatalf("heartbeat: got %q", m.payload)
		}
		c.beat()
	}
	event("heartbeat", "alive")
	if err := c.close(4001, "goodbye"); err != nil {
		c.t.Fatalf("close: %v", err)
	}
	c.leave(ws.CloseError{Code: 4001, Reason: "goodbye", Sent: true})
	return []string{"text", "binary", "repeated", "large", "heartbeat", "close"}
}
