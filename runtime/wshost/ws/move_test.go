package ws_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// mover is two engines between which one socket is moved.
type mover struct {
	t       testing.TB
	sides   [2]*ws.Upgrader
	at      int // where the socket is
	url     string
	s       *ws.Socket
	sockets chan *ws.Socket
	closed  chan error // why a socket has ended, moves left out
	h       handler
}

// everyMove runs a test for moves from each driver to each.
func everyMove(t *testing.T, test func(*testing.T, *mover), shape func(*ws.Upgrader), h handler) {
	for _, drivers := range [][2]ws.Driver{
		{ws.Automatic, ws.Automatic}, {ws.Goroutine, ws.Goroutine}, {ws.Automatic, ws.Goroutine}, {ws.Goroutine, ws.Automatic},
	} {
		t.Run(fmt.Sprintf("%v to %v", way{drivers[0], false}, way{drivers[1], false}), func(t *testing.T) {
			t.Parallel()
			test(t, newMover(t, drivers, shape, h))
		})
	}
}

func newMover(t testing.TB, drivers [2]ws.Driver, shape func(*ws.Upgrader), h handler) *mover {
	m := &mover{t: t, sockets: make(chan *ws.Socket, 64), closed: make(chan error, 64), h: h}
	m.h.closed = func(s *ws.Socket, err error) {
		if h.closed != nil {
			h.closed(s, err)
		}
		if !errors.Is(err, ws.ErrDetached) {
			m.closed <- err
		}
	}
	for i, d := range drivers {
		m.sides[i] = &ws.Upgrader{Driver: d, Engine: &ws.Engine{Loops: 1}}
		if shape != nil {
			shape(m.sides[i])
		}
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := m.sides[0].ServeWith(w, r, func(*ws.Socket) ws.Handler { return m.h })
		if err != nil {
			t.Error(err)
		}
		m.sockets <- s
	}))
	// A small buffer of the kernel's, so that queues form behind peers that do not read.
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
		return ctx
	}
	srv.Start()
	t.Cleanup(srv.Close)
	m.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return m
}

// dial has a peer that knows nothing of the engine open the socket.
func (m *mover) dial() *raw {
	m.t.Helper()
	r := rawDial(m.t, m.url)
	_ = r.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	m.s = await(m.t, m.sockets)
	m.t.Cleanup(func() { m.s.Cut() })
	return r
}

// lift takes the socket out of its engine, as JSON.
func (m *mover) lift() (net.Conn, *ws.Snapshot) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	line, snap, err := m.s.Detach(ctx)
	if err != nil {
		m.t.Fatal(err)
	}
	return line, posted(m.t, snap)
}

// posted is a snapshot as another process reads it.
func posted(t testing.TB, snap *ws.Snapshot) *ws.Snapshot {
	t.Helper()
	b, err := json.Marshal(snap)
	if err != nil {
		t.Fatal(err)
	}
	again := new(ws.Snapshot)
	if err := json.Unmarshal(b, again); err != nil {
		t.Fatal(err)
	}
	return again
}

// land puts the socket into the other engine.
func (m *mover) land(line net.Conn, snap *ws.Snapshot) {
	m.t.Helper()
	m.at = 1 - m.at
	s, err := m.sides[m.at].Restore(line, snap, m.h)
	if err != nil {
		m.t.Fatal(err)
	}
	m.s = s
}

func (m *mover) move() *ws.Snapshot {
	m.t.Helper()
	line, snap := m.lift()
	m.land(line, snap)
	return snap
}

// until waits for something that takes a moment.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatal("in vain: ", what)
		}
	}
}

// over checks why the socket has ended.
func (m *mover) over(code frame.CloseCode) {
	m.t.Helper()
	var ended *ws.CloseError
	if err := await(m.t, m.closed); !errors.As(err, &ended) || ended.Code != code {
		m.t.Errorf("Closed: %v", err)
	}
}

// The peer sees nothing of moves at any byte: in a header, a frame, a message of fragments, a ping between them.
func TestMoveAtEveryByte(t *testing.T) {
	stream := append(masked(0x01, "caf\xc3"), masked(0x89, "png")...)
	stream = append(append(stream, masked(0x80, "\xa9")...), masked(0x82, strings.Repeat("b", 130))...)
	everyMove(t, func(t *testing.T, m *mover) {
		r := m.dial()
		for i, b := range stream {
			r.send(b)
			until(t, "the byte is read", func() bool { return m.s.Counts().BytesIn == int64(i+1) })
			if snap := m.move(); snap.Counts.BytesIn != int64(i+1) {
				t.Fatalf("byte %d: %+v", i, snap.Counts)
			}
		}
		r.want(0x8A, "png")
		r.want(0x81, "café")
		r.want(0x82, strings.Repeat("b", 130))
		end := masked(0x88, "\x03\xe8bye")
		for i, b := range end {
			r.send(b)
			if i < len(end)-1 {
				until(t, "the byte is read", func() bool { return m.s.Counts().BytesIn == int64(len(stream)+i+1) })
				m.move()
			}
		}
		r.wantClose(1000)
		m.over(1000)
		if c := m.s.Counts(); c.MessagesIn != 2 || c.MessagesOut != 2 || c.BytesIn != int64(len(stream)+len(end)) {
			t.Errorf("%+v", c)
		}
	}, nil, handler{message: echoes})
}

// zipper compresses and inflates as a peer does that keeps its windows.
type zipper struct {
	out *deflate.Compressor
	in  *deflate.Decompressor
}

func newZipper(bits int) *zipper {
	pool := new(deflate.Pool)
	return &zipper{
		deflate.NewCompressor(deflate.CompressorConfig{Bits: bits, Takeover: true, MinSize: -1, Pool: pool}),
		deflate.NewDecompressor(bits, true, pool),
	}
}

// fragments makes a compressed message of n frames.
func (z *zipper) fragments(t testing.TB, text string, n int) (all []byte) {
	t.Helper()
	b, ok := z.out.Append(nil, []byte(text))
	if !ok {
		t.Fatal("not compressed")
	}
	for i := range n {
		first := byte(0)
		if i == 0 {
			first = 0x41
		}
		if i == n-1 {
			first |= 0x80
		}
		all = append(all, masked(first, string(b[i*len(b)/n:(i+1)*len(b)/n]))...)
	}
	return all
}

func (z *zipper) inflate(t testing.TB, payload []byte) string {
	t.Helper()
	b, err := z.in.Append(nil, payload, 1<<20)
	if err == nil {
		b, err = z.in.Finish(b, 1<<20)
	}
	if err != nil {
		t.Fatalf("what came does not inflate: %v", err)
	}
	return string(b)
}

// Windows of both directions survive, and a message that is inflated in part.
func TestMoveCompressedAtEveryByte(t *testing.T) {
	for _, bits := range []int{9, 15} {
		t.Run(fmt.Sprint(bits, " bits"), func(t *testing.T) {
			everyMove(t, func(t *testing.T, m *mover) {
				m.squeezed(t, bits)
			}, func(u *ws.Upgrader) {
				u.Compression = &ws.Compression{MinSize: -1, SendBits: bits, ReceiveBits: bits, Budget: deflate.NewBudget(1 << 20)}
			}, handler{message: echoes})
		})
	}
}

func (m *mover) squeezed(t *testing.T, bits int) {
	r := m.dialWith(fmt.Sprintf("permessage-deflate; server_max_window_bits=%d; client_max_window_bits=%d", bits, bits))
	z := newZipper(bits)
	sent, sizes := int64(0), [3]int{}
	for round := range 3 {
		text := strings.Repeat("the same words again, ", 4) + "ünd ein wenig anders"
		stream := z.fragments(t, text, 3)
		for _, b := range stream {
			r.send(b)
			sent++
			until(t, "the byte is read", func() bool { return m.s.Counts().BytesIn == sent })
			m.move()
		}
		first, p, err := r.recv()
		if err != nil || first != 0xC1 {
			t.Fatalf("%x, %v", first, err)
		}
		if got := z.inflate(t, p); got != text {
			t.Fatalf("round %d: %q", round, got)
		}
		sizes[round] = len(p)
	}
	if sizes[1] >= sizes[0]/2 {
		t.Errorf("the replies are %v bytes: what is compressed does not refer to what was sent before the moves", sizes)
	}
	used := m.sides[m.at].Compression.Budget.Used()
	if used == 0 {
		t.Error("the socket takes nothing of the budget where it is")
	}
	until(t, "the budget is given back where the socket is no more", func() bool { return m.sides[1-m.at].Compression.Budget.Used() == 0 })
	r.send(masked(0x88, "\x03\xe8")...)
	r.wantClose(1000)
	m.over(1000)
	until(t, "the budget is given back", func() bool { return m.sides[m.at].Compression.Budget.Used() == 0 })
}

// dialWith is dial with an offer of extensions.
func (m *mover) dialWith(extensions string) *raw {
	m.t.Helper()
	conn := rawLine(m.t, m.url)
	r := &raw{m.t, conn, bufio.NewReader(conn)}
	r.send([]byte("GET / HTTP/1.1\r\nHost: example.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Extensions: " + extensions + "\r\n\r\n")...)
	resp, err := http.ReadResponse(r.br, nil)
	if err != nil || resp.StatusCode != 101 || !strings.HasPrefix(resp.Header.Get("Sec-WebSocket-Extensions"), "permessage-deflate") {
		m.t.Fatal(resp, err)
	}
	m.s = await(m.t, m.sockets)
	m.t.Cleanup(func() { m.s.Cut() })
	return r
}

// numbered is a message with a number in it.
func numbered(i int) []byte {
	return append(fmt.Appendf(nil, "%06d ", i), bytes.Repeat([]byte("x"), 2000)...)
}

// wantNumbered reads numbered messages from one number up to another.
func (r *raw) wantNumbered(from, to int) {
	r.t.Helper()
	for i := from; i < to; i++ {
		if first, p, err := r.recv(); first != 0x82 || err != nil || !bytes.Equal(p, numbered(i)) {
			r.t.Fatalf("number %d: %x %.10q, %v", i, first, p, err)
		}
	}
}

// What waits for a peer that does not read goes with the socket, time after time, and what is written behind it comes
// behind it.
func TestMoveWithQueuedWrites(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		r := m.dial()
		n := 0
		for ; n < 600; n++ { // 1.2 MB, more than the kernel holds
			if err := m.s.Write(frame.Binary, numbered(n)); err != nil {
				t.Fatal(err)
			}
		}
		for range 4 {
			snap := m.move()
			if len(snap.Queued) == 0 {
				t.Fatal("nothing was queued")
			}
			if err := m.s.Write(frame.Binary, numbered(n)); err != nil {
				t.Fatal(err)
			}
			n++
		}
		read := 0
		for range 4 { // and while the queue shrinks
			r.wantNumbered(read, read+100)
			read += 100
			m.move()
		}
		r.wantNumbered(read, n)
		until(t, "the queue is empty", func() bool { return m.s.Queued() == 0 })
		r.send(masked(0x82, "and back")...)
		r.want(0x82, "and back")
	}, func(u *ws.Upgrader) { u.Limits.QueueSize = 64 << 20 }, handler{message: echoes})
}

// A socket that does not read because its queue is full does not read after the move either: its handler must not be
// given messages that it cannot answer.
func TestMoveWithAFullQueue(t *testing.T) {
	var refused sync.Map
	everyMove(t, func(t *testing.T, m *mover) {
		r := m.dial()
		const n = 1000
		sent := make(chan error, 1)
		go func() {
			for i := range n {
				if _, err := r.Write(masked(0x82, string(numbered(i)))); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for range 4 {
			// Once it has been full, reading waits until it is half empty.
			until(t, "the queue fills", func() bool { return m.s.Queued() > 4<<10 || m.sides[m.at].Driver == ws.Goroutine && m.s.Queued() > 0 })
			m.move()
		}
		r.wantNumbered(0, n)
		if err := await(t, sent); err != nil {
			t.Error(err)
		}
		refused.Range(func(s, err any) bool {
			t.Errorf("a reply was refused: %v", err)
			return false
		})
	}, func(u *ws.Upgrader) { u.Limits.QueueSize = 8 << 10 }, handler{message: func(s *ws.Socket, op frame.Opcode, p []byte) {
		if err := s.Write(op, p); err != nil {
			refused.Store(s, err)
		}
	}})
}

// A ping that could not be answered for the queue before it is answered after the move.
func TestMoveOwesAPong(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		r := m.dial()
		for i := range 600 {
			if err := m.s.Write(frame.Binary, numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		ping := masked(0x89, "owed")
		r.send(ping...)
		until(t, "the ping is read", func() bool { return m.s.Counts().BytesIn == int64(len(ping)) })
		line, snap := m.lift()
		// Detach may come before the ping is looked at.
		if string(snap.Pong) != "owed" && !bytes.Equal(snap.Unread, ping) || len(snap.Queued) < 64<<10 {
			t.Fatalf("the snapshot's pong is %q, %x is unread, %d bytes are queued", snap.Pong, snap.Unread, len(snap.Queued))
		}
		// All but the last few frames are passed on by hand, so that the line takes the rest at once.
		rest := len(snap.Queued) % len(serverFrame(numbered(0)))
		rest += 2 * len(serverFrame(numbered(0)))
		passed := make(chan error, 1)
		go func() {
			_, err := line.Write(snap.Queued[:len(snap.Queued)-rest])
			passed <- err
		}()
		whole := 600 - rest/len(serverFrame(numbered(0)))
		r.wantNumbered(0, whole-1)
		if err := await(t, passed); err != nil {
			t.Fatal(err)
		}
		snap.Queued = snap.Queued[len(snap.Queued)-rest:]
		m.land(line, snap)
		r.wantNumbered(whole-1, 600)
		r.want(0x8A, "owed")
	}, func(u *ws.Upgrader) { u.Limits.QueueSize = 64 << 20 }, handler{})
}

// serverFrame is a binary frame as a server sends it, of a payload of 126 to 65535 bytes.
func serverFrame(p []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0x82, 126}, uint16(len(p))), p...)
}

// What arrives while reading pauses is handed to the handler after the move, in order, and Opened may pause it again.
func TestMovePaused(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		messages := make(chan string, 10)
		m.h.message = func(s *ws.Socket, _ frame.Opcode, p []byte) {
			if string(p) == "stop" {
				s.Pause()
			}
			messages <- string(p)
		}
		r := m.dial()
		m.s.SetExtra([]byte(t.Name()))
		r.send(append(masked(0x81, "stop"), masked(0x81, "one")...)...) // in one read
		if p := await(t, messages); p != "stop" {
			t.Fatal(p)
		}
		until(t, "all is read", func() bool { return m.s.Counts().BytesIn == int64(len(masked(0x81, "stop"))+len(masked(0x81, "one"))) })
		r.send(masked(0x81, "two")...)
		snap := m.move()
		if string(snap.Extra) != t.Name() || !bytes.Equal(snap.Unread, masked(0x81, "one")) {
			t.Errorf("extra %q, unread %x", snap.Extra, snap.Unread)
		}
		for _, want := range []string{"one", "two"} {
			if p := await(t, messages); p != want {
				t.Fatalf("%q instead of %q", p, want)
			}
		}
		if again := m.move(); string(again.Extra) != t.Name() || len(again.Unread) != 0 || again.Counts.MessagesIn != 3 {
			t.Errorf("%+v", again)
		}
		m.s.Pause() // perhaps before the engine has begun with the socket
		r.send(masked(0x81, "three")...)
		if err := m.s.Ping(); err != nil {
			t.Fatal(err)
		}
		for first := byte(0); first != 0x89; { // a round trip
			var err error
			if first, _, err = r.recv(); err != nil {
				t.Fatal(err)
			}
		}
		select {
		case p := <-messages:
			t.Errorf("%q while paused", p)
		default:
		}
		m.s.Resume()
		if p := await(t, messages); p != "three" {
			t.Error(p)
		}
	}, nil, handler{})
}

// The closing handshake goes on after a move, from either side, and its deadline counts.
func TestMoveWhileClosing(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		r := m.dial()
		if err := m.s.Close(4001, "moving on"); err != nil {
			t.Fatal(err)
		}
		snap := m.move()
		if snap.State != ws.CloseSent || !snap.ClosedFirst || m.s.State() != ws.CloseSent {
			t.Errorf("%v, %v", snap.State, m.s.State())
		}
		if err := m.s.Write(frame.Text, nil); !errors.Is(err, ws.ErrClosing) {
			t.Errorf("Write: %v", err)
		}
		r.send(masked(0x81, "under way before it")...)
		r.send(masked(0x88, "\x0f\xa1")...)
		r.wantClose(4001)
		var ended *ws.CloseError
		if err := await(t, m.closed); !errors.As(err, &ended) || ended.Code != 4001 || !ended.Sent {
			t.Errorf("Closed: %v", err)
		}
		if n := m.s.Counts().MessagesIn; n != 1 {
			t.Errorf("%d messages", n)
		}
		if _, _, err := m.s.Detach(t.Context()); !errors.Is(err, ws.ErrClosing) {
			t.Errorf("Detach after the end: %v", err)
		}
		m.at = 0
		m.dial()
		_ = m.s.Close(1000, "")
		m.move()
		if err := await(t, m.closed); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("no answer: %v", err)
		}
	}, func(u *ws.Upgrader) { u.Limits.CloseTimeout = time.Second }, handler{})
}

// A Detach that gives up leaves a socket that works, with all that was written meanwhile on its way.
func TestDetachThatGivesUp(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		entered, leave := make(chan struct{}), make(chan struct{})
		m.h.message = func(s *ws.Socket, op frame.Opcode, p []byte) {
			if string(p) == "wait" {
				close(entered)
				<-leave
			}
			_ = s.Write(op, p)
		}
		r := m.dial()
		r.send(masked(0x81, "wait")...)
		await(t, entered)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, _, err := m.s.Detach(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Detach: %v", err)
		}
		close(leave)
		r.want(0x81, "wait")
		for i := range 300 {
			if err := m.s.Write(frame.Binary, numbered(2*i)); err != nil {
				t.Fatal(err)
			}
			wrote := make(chan error, 1)
			go func() { wrote <- m.s.Write(frame.Binary, numbered(2*i+1)) }()
			line, snap, err := m.s.Detach(ctx)
			if err == nil { // it was faster than the context
				werr := <-wrote
				m.land(line, posted(t, snap))
				if werr != nil {
					werr = m.s.Write(frame.Binary, numbered(2*i+1))
				}
				wrote <- werr
			}
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			r.wantNumbered(2*i, 2*i+2) // without anything that is written later on
		}
		m.move()
		r.send(masked(0x81, "as before")...)
		r.want(0x81, "as before")
	}, nil, handler{})
}

// Whatever else happens to a socket that is being moved: there is one end, and who waits is answered.
func TestDetachRaces(t *testing.T) {
	for name, act := range map[string]func(m *mover, s *ws.Socket, r *raw){
		"close":   func(_ *mover, s *ws.Socket, _ *raw) { _ = s.Close(1000, "bye") },
		"cut":     func(_ *mover, s *ws.Socket, _ *raw) { s.Cut() },
		"leave":   func(_ *mover, _ *ws.Socket, r *raw) { _ = r.Close() },
		"goodbye": func(_ *mover, _ *ws.Socket, r *raw) { _, _ = r.Write(masked(0x88, "\x03\xe8")) },
		"break":   func(_ *mover, _ *ws.Socket, r *raw) { _, _ = r.Write(masked(0x83, "")) },
		"detach": func(m *mover, s *ws.Socket, _ *raw) {
			if line, _, err := s.Detach(m.t.Context()); err == nil {
				_ = line.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			everyMove(t, func(t *testing.T, m *mover) {
				for range 40 {
					m.race(t, act)
				}
			}, func(u *ws.Upgrader) { u.Limits.CloseTimeout = 50 * time.Millisecond }, handler{message: echoes})
		})
	}
}

func (m *mover) race(t *testing.T, act func(*mover, *ws.Socket, *raw)) {
	ended := make(chan error, 2)
	m.h.closed = func(_ *ws.Socket, err error) { ended <- err }
	m.at = 0
	r := m.dial()
	s := m.s
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			for i := range 20 {
				_ = s.Write(frame.Binary, numbered(i))
			}
		})
	}
	all.Go(func() {
		_, _ = r.Write(masked(0x82, string(numbered(0))))
		act(m, s, r)
	})
	var line net.Conn
	var snap *ws.Snapshot
	all.Go(func() { line, snap, _ = s.Detach(t.Context()) })
	all.Wait()
	if line == nil {
		if err := await(t, ended); err == nil {
			t.Error("ended without a reason")
		}
		_ = r.Close()
		return
	}
	if err := await(t, ended); !errors.Is(err, ws.ErrDetached) {
		t.Errorf("moved away, and Closed with %v", err)
	}
	m.land(line, posted(t, snap))
	m.s.Cut()
	if err := await(t, ended); err == nil || errors.Is(err, ws.ErrDetached) {
		t.Errorf("ended with %v", err)
	}
	_ = r.Close()
}

// A socket that was cut stays cut, also when Detach was called first.
func TestCutIsNotLostInADetach(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		entered, leave := make(chan struct{}), make(chan struct{})
		m.h.message = func(*ws.Socket, frame.Opcode, []byte) {
			close(entered)
			<-leave
		}
		r := m.dial()
		r.send(masked(0x81, "wait")...)
		await(t, entered)
		detached := make(chan error, 1)
		var cut atomic.Bool
		go func() {
			line, _, err := m.s.Detach(t.Context())
			for errors.Is(err, ws.ErrClosing) && !cut.Load() { // it met the call below, which looks for it
				line, _, err = m.s.Detach(t.Context())
			}
			if err == nil {
				_ = line.Close()
			}
			detached <- err
		}()
		until(t, "Detach has begun", func() bool {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_, _, err := m.s.Detach(ctx)
			return errors.Is(err, ws.ErrClosing)
		})
		cut.Store(true)
		m.s.Cut()
		close(leave)
		if err := await(t, detached); !errors.Is(err, ws.ErrClosing) {
			t.Errorf("Detach: %v", err)
		}
		if err := await(t, m.closed); !errors.Is(err, ws.ErrCut) {
			t.Errorf("Closed: %v", err)
		}
	}, nil, handler{})
}

// What is written before the engine has begun with a socket is not forgotten when the line takes only a part of it.
func TestWriteBeforeTheEngineHasBegun(t *testing.T) {
	everyMove(t, func(t *testing.T, m *mover) {
		entered, leave := make(chan struct{}), make(chan struct{})
		m.h.message = func(*ws.Socket, frame.Opcode, []byte) {
			close(entered)
			<-leave
		}
		m.dial().send(masked(0x81, "wait")...) // keeps the only loop of the engine busy
		await(t, entered)
		r := m.dial()
		for i := range 600 {
			if err := m.s.Write(frame.Binary, numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		close(leave)
		r.wantNumbered(0, 600)
	}, func(u *ws.Upgrader) { u.Limits.QueueSize = 64 << 20 }, handler{})
}
