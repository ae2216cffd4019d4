package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	coder "github.com/coder/websocket"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// message is what is said, in pieces: who can sends each as a frame of its own.
type message struct {
	text   bool
	pieces []string
	ping   bool // one is sent first
}

func (m message) whole() string { return strings.Join(m.pieces, "") }

func (m message) String() string {
	if m.text {
		return fmt.Sprintf("text %q", m.whole())
	}
	return fmt.Sprintf("binary %q", m.whole())
}

// conversation makes messages out of fuzz input: two bytes say how long one is, one what kind, and the rest of them what
// is in it, over and over, or nothing but itself.
func conversation(b []byte) (all []message) {
	for len(b) >= 3 && len(all) < 20 {
		n, kind := int(b[0])|int(b[1]&0x0F)<<8, b[2]
		b = b[3:]
		m := message{text: kind&1 == 0, ping: kind&2 != 0}
		var p []byte
		if kind&4 != 0 && len(b) > 0 {
			p = bytes.Repeat(b[:min(len(b), 17)], n/min(len(b), 17)+1)[:n]
		} else {
			p = []byte(strings.Repeat("all the same 'größer als' 😀, ", n/30+1)[:n])
		}
		if m.text {
			p = bytes.ToValidUTF8(p, []byte("?"))
		}
		k := 1 + int(kind>>4&3)
		for i := range k {
			m.pieces = append(m.pieces, string(p[i*len(p)/k:(i+1)*len(p)/k]))
		}
		all = append(all, m)
	}
	return all
}

func said(all []message) (s []string) {
	for _, m := range all {
		s = append(s, m.String())
	}
	return s
}

func seed(f *testing.F) {
	every := []byte("\x00\x00\x00\x05\x00\x01\x7f\x00\x32\x80\x00\x13\xff\x0f\x24abc\xff\x03\x00\xff\x03\x01\x10\x02\x37z")
	for flags := range 48 {
		f.Add(every, byte(flags))
	}
	f.Add([]byte{}, byte(0))
	f.Add([]byte("\xff\x0f\x04\x00\x01\x02\x03\x80\x81\xfe\xff\x00\x00\x05\x00\x00\x04\x00\x05\x05q\xff"), byte(17))
}

// terms are what fuzz input says about both sides.
func terms(flags byte) (*ws.Compression, coder.CompressionMode) {
	mode := []coder.CompressionMode{coder.CompressionContextTakeover, coder.CompressionNoContextTakeover, coder.CompressionDisabled}[flags>>4%3]
	c := &ws.Compression{MinSize: -1, SendNoTakeover: flags&4 != 0, ReceiveNoTakeover: flags&8 != 0}
	if flags&64 != 0 {
		c.SendBits = 9
	}
	if flags&128 != 0 {
		c.ReceiveBits = 9
	}
	if flags&7 == 7 {
		c = nil
	}
	return c, mode
}

// agreed checks that both sides compress when both want to: what coder knows of the extension is enough for all windows
// but small ones.
func agreed(t *testing.T, resp *http.Response, flags byte) {
	t.Helper()
	c, mode := terms(flags)
	if c == nil || mode == coder.CompressionDisabled || c.SendBits != 0 || c.ReceiveBits != 0 {
		return
	}
	if e := resp.Header.Get("Sec-WebSocket-Extensions"); !strings.HasPrefix(e, "permessage-deflate") {
		t.Fatalf("agreed on %q", e)
	}
}

// listener is a ws.Handler that answers every message with itself and tells what it has heard when the socket ends.
type listener struct {
	heard []string
	over  chan heard
}

type heard struct {
	messages []string
	err      error
}

func (l *listener) Opened(*ws.Socket) {}

func (l *listener) Message(s *ws.Socket, op frame.Opcode, p []byte) {
	l.heard = append(l.heard, fmt.Sprintf("%v %q", op, p))
	_ = s.Write(op, p)
}

func (l *listener) Closed(_ *ws.Socket, err error) { l.over <- heard{l.heard, err} }

func pull(c *ws.Conn, over chan heard) {
	var h heard
	for {
		op, p, err := c.Read(context.Background())
		if h.err = err; err != nil {
			over <- h
			return
		}
		h.messages = append(h.messages, fmt.Sprintf("%v %q", op, p))
		_ = c.Write(context.Background(), op, p)
	}
}

func kind(text bool) coder.MessageType {
	if text {
		return coder.MessageText
	}
	return coder.MessageBinary
}

// say sends a message with coder's engine, in frames.
func say(ctx context.Context, c *coder.Conn, m message) error {
	if len(m.pieces) == 1 {
		return c.Write(ctx, kind(m.text), []byte(m.whole()))
	}
	w, err := c.Writer(ctx, kind(m.text))
	if err != nil {
		return err
	}
	for _, p := range m.pieces {
		if _, err := w.Write([]byte(p)); err != nil {
			return err
		}
	}
	return w.Close()
}

func listen(ctx context.Context, c *coder.Conn) (string, error) {
	typ, p, err := c.Read(ctx)
	return fmt.Sprintf("%s %q", strings.ToLower(strings.TrimPrefix(typ.String(), "Message")), p), err
}

// FuzzCoderCalls: coder's client says what the input says to our server, under each driver, and hears the same again.
func FuzzCoderCalls(f *testing.F) {
	seed(f)
	over := make(chan heard, 1)
	var flags byte // of the execution: there is one at a time
	engine := new(ws.Engine)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, _ := terms(flags)
		u := &ws.Upgrader{Compression: c, Engine: engine, Limits: ws.Limits{ControlRate: -1}}
		switch flags & 3 {
		case 0:
			conn, err := u.Upgrade(w, r)
			if err != nil {
				over <- heard{err: err}
				return
			}
			pull(conn, over)
			return
		case 1:
			u.Driver = ws.Goroutine
		}
		if err := u.Serve(w, r, &listener{over: over}); err != nil {
			over <- heard{err: err}
		}
	}))
	f.Cleanup(srv.Close)
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	f.Fuzz(func(t *testing.T, b []byte, how byte) {
		flags = how
		all := conversation(b)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, mode := terms(how)
		c, resp, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		agreed(t, resp, how)
		c.SetReadLimit(-1)
		echoes := make(chan error, 1)
		go func() { echoes <- hears(ctx, c, all) }()
		for _, m := range all {
			if m.ping {
				if err := c.Ping(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if err := say(ctx, c, m); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-echoes; err != nil {
			t.Fatal(err)
		}
		if err := c.Close(4000, "enough"); err != nil {
			t.Fatal(err)
		}
		h := <-over
		if !reflect.DeepEqual(h.messages, said(all)) {
			t.Fatalf("our server heard %q of %q", h.messages, said(all))
		}
		var ended *ws.CloseError
		if !errors.As(h.err, &ended) || ended.Code != 4000 || ended.Reason != "enough" {
			t.Fatal(h.err)
		}
	})
}

// hears has coder's engine read the messages.
func hears(ctx context.Context, c *coder.Conn, all []message) error {
	for _, m := range all {
		got, err := listen(ctx, c)
		if err != nil || got != m.String() {
			return fmt.Errorf("coder heard %s instead of %v: %v", got, m, err)
		}
	}
	return nil
}

// FuzzCallsCoder: our client says what the input says to coder's server, which answers with the same in frames.
func FuzzCallsCoder(f *testing.F) {
	seed(f)
	over := make(chan error, 1)
	var flags byte
	var all []message
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, mode := terms(flags)
		c, err := coder.Accept(w, r, &coder.AcceptOptions{CompressionMode: mode, CompressionThreshold: 1})
		if err != nil {
			over <- err
			return
		}
		c.SetReadLimit(-1)
		over <- serveCoder(c, all)
	}))
	f.Cleanup(srv.Close)
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	f.Fuzz(func(t *testing.T, b []byte, how byte) {
		flags, all = how, conversation(b)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		compression, _ := terms(how)
		c, resp, err := ws.Dial(ctx, url, &ws.DialOptions{Compression: compression})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Cut()
		agreed(t, resp, how)
		echoes := make(chan error, 1)
		go func() {
			for _, m := range all {
				op, p, err := c.Read(ctx)
				if got := fmt.Sprintf("%v %q", op, p); err != nil || got != m.String() {
					echoes <- fmt.Errorf("our client heard %s instead of %v: %w", got, m, err)
					return
				}
			}
			echoes <- nil
		}()
		for _, m := range all {
			op := frame.Binary
			if m.text {
				op = frame.Text
			}
			if err := c.Write(ctx, op, []byte(m.whole())); err != nil {
				t.Fatal(err)
			}
		}
		if err := <-echoes; err != nil {
			t.Fatal(err)
		}
		if err := c.Close(4001, "enough"); err != nil {
			t.Fatal(err)
		}
		if err := <-over; coder.CloseStatus(err) != 4001 {
			t.Fatal(err)
		}
	})
}

// serveCoder answers each message with the frames that it should have been, and returns why it ended.
func serveCoder(c *coder.Conn, all []message) error {
	defer func() { _ = c.CloseNow() }()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for _, m := range all {
		got, err := listen(ctx, c)
		if err != nil || got != m.String() {
			return fmt.Errorf("coder heard %s instead of %v: %w", got, m, err)
		}
		if err := say(ctx, c, m); err != nil {
			return err
		}
	}
	_, _, err := c.Read(ctx)
	return err
}
