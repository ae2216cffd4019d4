package ws_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// handler is a ws.Handler made of functions, each of which may be nil.
type handler struct {
	opened  func(*ws.Socket)
	message func(*ws.Socket, frame.Opcode, []byte)
	closed  func(*ws.Socket, error)
}

func (h handler) Opened(s *ws.Socket) {
	if h.opened != nil {
		h.opened(s)
	}
}

func (h handler) Message(s *ws.Socket, op frame.Opcode, p []byte) {
	if h.message != nil {
		h.message(s, op, p)
	}
}

func (h handler) Closed(s *ws.Socket, err error) {
	if h.closed != nil {
		h.closed(s, err)
	}
}

// echoes answers every message with itself.
func echoes(s *ws.Socket, op frame.Opcode, p []byte) { _ = s.Write(op, p) }

// way is one way in which a socket can be driven.
type way struct {
	driver ws.Driver
	tls    bool
}

func (w way) String() string {
	name := map[ws.Driver]string{ws.Automatic: "poller", ws.Goroutine: "goroutine"}[w.driver]
	if w.tls {
		name += " over TLS"
	}
	return name
}

// everyWay runs a test under both drivers, and over TLS.
func everyWay(t *testing.T, test func(*testing.T, way)) {
	for _, w := range []way{{ws.Automatic, false}, {ws.Goroutine, false}, {ws.Goroutine, true}} {
		t.Run(w.String(), func(t *testing.T) {
			t.Parallel()
			test(t, w)
		})
	}
}

// stage is a server of sockets.
type stage struct {
	url    string
	dial   *ws.DialOptions
	opened chan *ws.Socket
	closed chan error
}

// stand serves sockets in a way, and tells of each that opens and of how each ends.
func stand(t testing.TB, w way, u *ws.Upgrader, h handler) *stage {
	t.Helper()
	st := &stage{opened: make(chan *ws.Socket, 4096), closed: make(chan error, 4096), dial: &ws.DialOptions{}}
	u.Driver = w.driver
	opened, closed := h.opened, h.closed
	var open sync.WaitGroup
	h.opened = func(s *ws.Socket) {
		if opened != nil {
			opened(s)
		}
		st.opened <- s
	}
	h.closed = func(s *ws.Socket, err error) {
		if closed != nil {
			closed(s, err)
		}
		st.closed <- err
		open.Done()
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		open.Add(1)
		if err := u.Serve(rw, r, h); err != nil {
			st.closed <- err
			open.Done()
		}
	}))
	if w.tls {
		srv.StartTLS()
		st.dial.TLS = &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	} else {
		srv.Start()
	}
	t.Cleanup(func() {
		srv.Close()
		open.Wait()
	})
	st.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return st
}

// join opens a connection to the stage, read by the test.
func (st *stage) join(t testing.TB, o func(*ws.DialOptions)) *ws.Conn {
	t.Helper()
	options := *st.dial
	if o != nil {
		o(&options)
	}
	c, _, err := ws.Dial(t.Context(), st.url, &options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Cut)
	return c
}

func await[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return v
}

func say(t testing.TB, c *ws.Conn, op frame.Opcode, p []byte) {
	t.Helper()
	if err := c.Write(t.Context(), op, p); err != nil {
		t.Fatal(err)
	}
}

func hear(t testing.TB, c *ws.Conn) (frame.Opcode, []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	op, p, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return op, p
}

func TestSocketEchoes(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		for _, compression := range []*ws.Compression{nil, {}, {SendBits: 9, ReceiveBits: 8}, {SendNoTakeover: true, ReceiveNoTakeover: true, MinSize: -1}} {
			st := stand(t, w, &ws.Upgrader{Compression: compression, Limits: ws.Limits{MessageSize: 8 << 20, WriteTimeout: -1}}, handler{message: echoes})
			c := st.join(t, func(o *ws.DialOptions) {
				o.Compression, o.Limits = compression, ws.Limits{MessageSize: 8 << 20, WriteTimeout: -1}
			})
			s := await(t, st.opened)
			if s.Compressed() != (compression != nil) || s.State() != ws.Open || s.RemoteAddr() == nil {
				t.Fatalf("compressed %v, %v, %v", s.Compressed(), s.State(), s.RemoteAddr())
			}
			rng := rand.New(rand.NewPCG(1, 2))
			n := int64(0)
			for _, size := range []int{0, 1, 125, 126, 1000, 65535, 65536, 300000, 5 << 20, 3, 0} {
				if size > 1<<20 && compression != nil {
					continue // the race detector makes compressing slow
				}
				p := []byte(strings.Repeat("all work and no play ", size/21+1)[:size])
				op := frame.Text
				if size%2 == 0 {
					op = frame.Binary
					for i := range p {
						if i%7 == 0 {
							p[i] = byte(rng.Uint32())
						}
					}
				}
				go func() { _ = c.Write(context.Background(), op, p) }()
				if gotOp, got := hear(t, c); gotOp != op || !bytes.Equal(got, p) {
					t.Fatalf("%v of %d bytes came back as %v of %d", op, size, gotOp, len(got))
				}
				n++
			}
			if err := c.Close(4000, "that is all"); err != nil {
				t.Error(err)
			}
			var ended *ws.CloseError
			if err := await(t, st.closed); !errors.As(err, &ended) || ended.Code != 4000 || ended.Reason != "that is all" || ended.Sent {
				t.Errorf("Closed: %v", err)
			}
			if got := s.Counts(); got.MessagesIn != n || got.MessagesOut != n || s.State() != ws.Closed || got.BytesIn == 0 || got.BytesOut == 0 {
				t.Errorf("%+v, %v", got, s.State())
			}
			<-s.Done()
			if err := s.Write(frame.Text, []byte("late")); !errors.Is(err, ws.ErrClosing) {
				t.Errorf("Write after the end: %v", err)
			}
		}
	})
}

// Many frames in one piece are answered in order, and those that write from elsewhere do not tear them.
func TestSocketPipelined(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{Limits: ws.Limits{QueueSize: 64 << 20}}, handler{message: echoes})
		c := st.join(t, nil)
		s := await(t, st.opened)
		const n = 3000
		go func() {
			for i := range n {
				_ = c.Write(context.Background(), frame.Text, fmt.Appendf(nil, "echo %d", i))
			}
		}()
		var writers sync.WaitGroup
		for k := range 4 {
			writers.Go(func() {
				for i := range n {
					if err := s.Write(frame.Text, fmt.Appendf(nil, "push%d %d", k, i)); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		next := map[string]int{}
		for range 5 * n {
			_, p := hear(t, c)
			var from string
			var i int
			if _, err := fmt.Sscanf(string(p), "%s %d", &from, &i); err != nil || next[from] != i {
				t.Fatalf("%q after %v", p, next)
			}
			next[from]++
		}
		writers.Wait()
	})
}

func TestSocketClosesFromItsSide(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{}, handler{opened: func(s *ws.Socket) {
			_ = s.Write(frame.Text, []byte("hello"))
			if err := s.Close(1005, "reason without a code"); err == nil {
				t.Error("an impossible close frame was sent")
			}
			if err := s.Close(4001, "session over"); err != nil {
				t.Error(err)
			}
		}})
		c := st.join(t, nil)
		if _, p := hear(t, c); string(p) != "hello" {
			t.Errorf("%q", p)
		}
		_, _, err := c.Read(t.Context())
		var ended *ws.CloseError
		if !errors.As(err, &ended) || ended.Code != 4001 || ended.Reason != "session over" {
			t.Errorf("client: %v", err)
		}
		if err := await(t, st.closed); !errors.As(err, &ended) || ended.Code != 4001 || !ended.Sent {
			t.Errorf("server: %v", err)
		}
	})
}

func TestSocketEndsOtherwise(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{Limits: ws.Limits{CloseTimeout: 50 * time.Millisecond}}, handler{
			message: func(s *ws.Socket, _ frame.Opcode, p []byte) {
				if string(p) == "panic" {
					panic("on request")
				}
			},
		})
		c := st.join(t, nil)
		await(t, st.opened).Cut()
		if err := await(t, st.closed); !errors.Is(err, ws.ErrCut) {
			t.Errorf("Cut: %v", err)
		}
		if _, _, err := c.Read(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("client of a cut line: %v", err)
		}
		c = st.join(t, nil)
		c.Cut()
		await(t, st.opened)
		if err := await(t, st.closed); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the client is gone: %v", err)
		}
		c = st.join(t, nil)
		await(t, st.opened).Shutdown(1, strings.Repeat("é", 100))
		start := time.Now()
		if err := await(t, st.closed); err == nil || !strings.Contains(err.Error(), "has not closed") || time.Since(start) > 5*time.Second {
			t.Errorf("nobody answers a close frame: %v after %v", err, time.Since(start))
		}
		var ended *ws.CloseError
		if _, _, err := c.Read(t.Context()); !errors.As(err, &ended) || ended.Code != 1001 {
			t.Errorf("shut down: %v", err)
		}
		c = st.join(t, nil)
		say(t, c, frame.Text, []byte("panic"))
		if _, _, err := c.Read(t.Context()); !errors.As(err, &ended) || ended.Code != 1011 {
			t.Errorf("a handler that panics: %v", err)
		}
		if err := await(t, st.closed); err == nil || !strings.Contains(err.Error(), "on request") {
			t.Errorf("a handler that panics: %v", err)
		}
	})
}

func TestSocketPausesAndResumes(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		got := make(chan string, 100)
		st := stand(t, w, &ws.Upgrader{}, handler{message: func(s *ws.Socket, _ frame.Opcode, p []byte) {
			if string(p) == "stop" {
				s.Pause() // before anyone hears of it, who will say Resume
			}
			got <- string(p)
		}})
		c := st.join(t, nil)
		s := await(t, st.opened)
		for _, p := range []string{"one", "stop", "two", "stop", "three"} {
			say(t, c, frame.Text, []byte(p))
		}
		for _, want := range []string{"one", "stop", "", "two", "stop", "", "three"} {
			if want != "" {
				if p := await(t, got); p != want {
					t.Fatalf("%q instead of %q", p, want)
				}
				continue
			}
			if err := s.Ping(); err != nil { // a round trip that shows that nothing more is read
				t.Fatal(err)
			}
			select {
			case p := <-got:
				t.Fatalf("%q while paused", p)
			default:
			}
			s.Resume()
		}
	})
}

func TestSocketPings(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{}, handler{message: echoes})
		c := st.join(t, nil)
		s := await(t, st.opened)
		go func() { _, _, _ = c.Read(context.Background()) }()
		if _, err := c.Ping(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(10 * time.Second); s.LastPong().At.IsZero(); {
			if time.Now().After(deadline) {
				t.Fatal("no pong")
			}
			time.Sleep(time.Millisecond)
		}
		if p := s.LastPong(); p.RoundTrip <= 0 || p.RoundTrip > 10*time.Second || time.Since(p.At) > 20*time.Second {
			t.Errorf("%+v", p)
		}
	})
}

func TestSocketTimeLimits(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		limits := ws.Limits{PingInterval: 20 * time.Millisecond, PongTimeout: 40 * time.Millisecond}
		st := stand(t, w, &ws.Upgrader{Limits: limits}, handler{})
		st.join(t, nil) // is not read, and so does not answer
		if err := await(t, st.closed); err == nil || !strings.Contains(err.Error(), "has not answered a ping") {
			t.Errorf("silence: %v", err)
		}
		c := st.join(t, nil)
		go func() { _, _, _ = c.Read(context.Background()) }()
		await(t, st.opened) // the one that was silent
		s := await(t, st.opened)
		for s.LastPong().At.IsZero() {
			select {
			case err := <-st.closed:
				t.Fatal(err)
			case <-time.After(time.Millisecond):
			}
		}
	})
}

func TestEventClient(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{Subprotocols: []string{"p"}, Compression: &ws.Compression{}}, handler{message: echoes})
		got, over := make(chan string, 1), make(chan error, 1)
		o := *st.dial
		o.Engine, o.Driver, o.Compression, o.Subprotocols = new(ws.Engine), w.driver, &ws.Compression{}, []string{"p"}
		s, resp, err := ws.DialHandler(t.Context(), st.url, &o, handler{
			opened:  func(s *ws.Socket) { _ = s.Write(frame.Text, []byte(strings.Repeat("hello ", 50))) },
			message: func(_ *ws.Socket, _ frame.Opcode, p []byte) { got <- string(p) },
			closed:  func(_ *ws.Socket, err error) { over <- err },
		})
		if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || s.Subprotocol() != "p" || !s.Compressed() {
			t.Fatal(s, resp, err)
		}
		if p := await(t, got); p != strings.Repeat("hello ", 50) {
			t.Errorf("%q", p)
		}
		if err := s.Close(1000, "bye"); err != nil {
			t.Fatal(err)
		}
		var ended *ws.CloseError
		if err := await(t, over); !errors.As(err, &ended) || ended.Code != 1000 || !ended.Sent {
			t.Errorf("client: %v", err)
		}
		if err := await(t, st.closed); !errors.As(err, &ended) || ended.Reason != "bye" {
			t.Errorf("server: %v", err)
		}
	})
}

// After Cut no message is delivered any more, also of those that came in the same read.
func TestSocketDeliversNothingAfterCut(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		if w.tls {
			t.Skip("the raw client speaks no TLS")
		}
		var after atomic.Int32
		st := stand(t, w, &ws.Upgrader{}, handler{message: func(s *ws.Socket, _ frame.Opcode, _ []byte) {
			after.Add(1)
			s.Cut()
		}})
		line := rawClient(t, st.url)
		if _, err := line.Write(bytes.Repeat([]byte("\x81\x81\x00\x00\x00\x00x"), 100)); err != nil {
			t.Fatal(err)
		}
		if err := await(t, st.closed); !errors.Is(err, ws.ErrCut) || after.Load() != 1 {
			t.Errorf("%d messages, %v", after.Load(), err)
		}
	})
}

// A peer that takes its bytes slowly but steadily is not cut while more and more is written to it.
func TestSlowIsNotStuck(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const timeout = 300 * time.Millisecond
		for range 20 {
			longest, err := readSlowly(t, w, timeout)
			if err == nil {
				return
			}
			if longest < timeout/2 {
				t.Fatalf("%v; the peer has read again after %v at most", err, longest)
			}
		}
		t.Fatal("on this machine nobody reads steadily")
	})
}

// readSlowly has a peer take less than is written to it for a while. It returns the longest time between two reads, and
// what the socket ended with.
func readSlowly(t *testing.T, w way, timeout time.Duration) (longest time.Duration, err error) {
	limits := ws.Limits{WriteTimeout: timeout, QueueSize: 256 << 20, MessageSize: 1 << 20}
	st := stand(t, w, &ws.Upgrader{Limits: limits}, handler{})
	c := st.join(t, nil)
	s := await(t, st.opened)
	defer s.Cut()
	p := make([]byte, 1<<20)
	begin := time.Now()
	for last := begin; last.Sub(begin) < 2*timeout; {
		n := 3 // more than what is read
		if s.Queued() > 64<<20 {
			n = 1
		}
		for range n {
			_ = s.Write(frame.Binary, p) // what it would say is what the socket ends with
		}
		_, _, rerr := c.Read(t.Context())
		now := time.Now()
		longest, last = max(longest, now.Sub(last)), now
		if rerr != nil {
			return longest, await(t, st.closed)
		}
	}
	select {
	case err = <-st.closed:
	default:
	}
	return longest, err
}

// The newest message reaches a slow peer also when what is under way fills the queue by itself.
func TestDroppingKeepsTheNewest(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		st := stand(t, w, &ws.Upgrader{Limits: ws.Limits{SlowConsumer: ws.DropOldest, QueueSize: 1 << 20}}, handler{})
		c := st.join(t, func(o *ws.DialOptions) { o.Limits.MessageSize = 16 << 20 })
		s := await(t, st.opened)
		great := make([]byte, 16<<20) // more than the kernel holds
		if err := s.Write(frame.Binary, great); err != nil {
			t.Fatal(err)
		}
		until(t, "it is under way", func() bool { return s.Counts().BytesOut > 0 })
		for i := range 5 {
			if err := s.Write(frame.Text, fmt.Append(nil, i)); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.Dropped(); n != 4 {
			t.Errorf("%d messages were dropped", n)
		}
		if _, p := hear(t, c); len(p) != len(great) {
			t.Errorf("the first message has %d bytes", len(p))
		}
		if _, p := hear(t, c); string(p) != "4" {
			t.Errorf("%q is the newest", p)
		}
		s.Cut()
	})
}
