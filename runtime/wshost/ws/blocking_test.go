package ws_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// standBlocking is stand for a handler that goes through ws.Blocking. It waits for Closed too.
func standBlocking(t *testing.T, w way, u *ws.Upgrader, o ws.BlockingOptions, h handler) *stage {
	t.Helper()
	closed := make(chan error, 64)
	inner := h.closed
	h.closed = func(s *ws.Socket, err error) {
		defer func() { closed <- err }()
		if inner != nil {
			inner(s, err)
		}
	}
	b := ws.Blocking(h, o)
	st := stand(t, w, u, handler{opened: b.Opened, message: b.Message, closed: b.Closed})
	return &stage{url: st.url, dial: st.dial, opened: st.opened, closed: closed}
}

// A callback that waits keeps neither the other sockets of its loop waiting nor its own from being read up to the bound.
func TestBlockingBoundsWhatWaits(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const queue, n = 4, 100
		gate, started := make(chan struct{}), make(chan struct{}, n)
		var handled atomic.Int64
		var seen [][]byte
		st := standBlocking(t, w, &ws.Upgrader{Engine: &ws.Engine{Loops: 1}}, ws.BlockingOptions{Queue: queue}, handler{
			message: func(s *ws.Socket, op frame.Opcode, p []byte) {
				if string(p) == "quick" {
					echoes(s, op, p)
					return
				}
				started <- struct{}{}
				<-gate
				if in, most := s.Counts().MessagesIn, handled.Add(1)+queue; in > most {
					t.Errorf("%d messages were taken on when there was room for %d", in, most)
				}
				seen = append(seen, p)
			},
		})
		slow := st.join(t, nil)
		go func() { _, _, _ = slow.Read(context.Background()) }()
		s := await(t, st.opened)
		quick := st.join(t, nil)
		say(t, slow, frame.Text, []byte("message 0"))
		await(t, started) // and is not handled: from here on messages wait
		for i := 1; i < queue; i++ {
			say(t, slow, frame.Text, fmt.Appendf(nil, "message %d", i))
		}
		if _, err := slow.Ping(t.Context()); err != nil { // one short of the bound it is still read
			t.Fatal(err)
		}
		go func() {
			for i := queue; i < n; i++ {
				_ = slow.Write(context.Background(), frame.Text, fmt.Appendf(nil, "message %d", i))
			}
		}()
		for range 50 {
			say(t, quick, frame.Text, []byte("quick"))
			hear(t, quick)
		}
		until(t, "the bound is reached", func() bool { return s.Counts().MessagesIn == queue+1 })
		close(gate)
		until(t, "all are handled", func() bool { return handled.Load() == n })
		_ = slow.Close(1000, "")
		await(t, st.closed)
		for i, p := range seen {
			if string(p) != fmt.Sprintf("message %d", i) { // and was not changed since it was lent
				t.Fatalf("message %d is %q", i, p)
			}
		}
	})
}

// No more callbacks run at once than there may be goroutines, sockets take turns, and no goroutine is left.
func TestBlockingBoundsGoroutines(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const most, sockets, n = 2, 6, 5
		gate := make(chan struct{})
		var running, peak, handled atomic.Int64
		last := map[*ws.Socket]int{}
		var mu sync.Mutex
		st := standBlocking(t, w, &ws.Upgrader{}, ws.BlockingOptions{Goroutines: most}, handler{
			message: func(s *ws.Socket, _ frame.Opcode, p []byte) {
				for now, before := running.Add(1), peak.Load(); now > before && !peak.CompareAndSwap(before, now); before = peak.Load() {
				}
				<-gate
				mu.Lock()
				last[s]++
				if string(p) != fmt.Sprint(last[s]) {
					t.Errorf("%q is the message %d of its socket", p, last[s])
				}
				mu.Unlock()
				running.Add(-1)
				handled.Add(1)
			},
		})
		var open []*ws.Conn
		for range sockets {
			c := st.join(t, nil)
			open = append(open, c)
			s := await(t, st.opened)
			for i := range n {
				say(t, c, frame.Text, fmt.Append(nil, i+1))
			}
			until(t, "all are read", func() bool { return s.Counts().MessagesIn == n })
		}
		until(t, "both goroutines wait", func() bool { return running.Load() == most })
		close(gate)
		until(t, "all are handled", func() bool { return handled.Load() == sockets*n })
		if peak.Load() != most {
			t.Errorf("%d callbacks ran at once", peak.Load())
		}
		for _, c := range open {
			_ = c.Close(1000, "")
			await(t, st.closed)
		}
	})
	t.Run("none is left", func(t *testing.T) {
		t.Parallel()
		until(t, "the goroutines end", func() bool {
			b := make([]byte, 1<<20)
			return !bytes.Contains(b[:runtime.Stack(b, true)], []byte("(*blocking).work"))
		})
	})
}

// Every callback comes in its turn and Closed comes last, however the socket ends.
func TestBlockingKeepsOrder(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const n = 60
		var mu sync.Mutex
		var story []string
		note := func(s string) {
			mu.Lock()
			defer mu.Unlock()
			story = append(story, s)
		}
		st := standBlocking(t, w, &ws.Upgrader{}, ws.BlockingOptions{Queue: 2}, handler{
			opened:  func(*ws.Socket) { runtime.Gosched(); note("opened") },
			message: func(_ *ws.Socket, _ frame.Opcode, p []byte) { runtime.Gosched(); note(string(p)) },
			closed:  func(_ *ws.Socket, err error) { note(fmt.Sprint("closed ", errors.As(err, new(*ws.CloseError)))) },
		})
		c := st.join(t, nil)
		want := []string{"opened"}
		for i := range n {
			say(t, c, frame.Text, fmt.Append(nil, i))
			want = append(want, fmt.Sprint(i))
		}
		want = append(want, "closed true")
		if err := c.Close(4000, "done"); err != nil {
			t.Fatal(err)
		}
		await(t, st.closed)
		if got := strings.Join(story, " "); got != strings.Join(want, " ") {
			t.Errorf("%s\ninstead of\n%s", got, strings.Join(want, " "))
		}
	})
}

// A callback that panics, or ends its goroutine, ends its socket as it does without Blocking; the others go on.
func TestBlockingPanics(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		gate := make(chan struct{})
		fail := func(s string) {
			switch s {
			case "panic":
				panic("on request")
			case "exit":
				runtime.Goexit()
			}
		}
		st := standBlocking(t, w, &ws.Upgrader{}, ws.BlockingOptions{Goroutines: 1}, handler{
			opened: func(s *ws.Socket) { fail(s.Subprotocol()) },
			message: func(s *ws.Socket, op frame.Opcode, p []byte) {
				if string(p) == "late" {
					t.Error("a message was delivered after a panic")
				}
				if string(p) == "panic" {
					<-gate
				}
				fail(string(p))
				echoes(s, op, p)
			},
			closed: func(s *ws.Socket, err error) {
				if s.Data() != nil {
					panic("in Closed")
				}
			},
		})
		var ended *ws.CloseError
		for _, how := range []string{"panic", "exit", "panic in Closed"} {
			c := st.join(t, nil)
			s := await(t, st.opened)
			text, hint, _ := strings.Cut(how, " ")
			if hint != "" {
				s.SetData(hint)
			}
			say(t, c, frame.Text, []byte(text))
			say(t, c, frame.Text, []byte("late"))
			if text == "panic" {
				until(t, "both are read", func() bool { return s.Counts().MessagesIn == 2 })
				gate <- struct{}{}
			}
			if _, _, err := c.Read(t.Context()); !errors.As(err, &ended) || ended.Code != frame.InternalError {
				t.Errorf("%s: %v", how, err)
			}
			want := map[string]string{"panic": "on request", "exit": "ended its goroutine"}[text]
			if err := await(t, st.closed); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", how, err)
			}
		}
		c := st.join(t, nil) // the one goroutine that there may be is still to be had
		say(t, c, frame.Text, []byte("still there"))
		if _, p := hear(t, c); string(p) != "still there" {
			t.Errorf("%q", p)
		}
		c.Cut()
		await(t, st.closed)
	})
	everyWay(t, func(t *testing.T, w way) {
		st := standBlocking(t, w, &ws.Upgrader{}, ws.BlockingOptions{}, handler{opened: func(*ws.Socket) { panic("at once") }})
		var ended *ws.CloseError
		if _, _, err := st.join(t, nil).Read(t.Context()); !errors.As(err, &ended) || ended.Code != frame.InternalError {
			t.Errorf("Opened panics: %v", err)
		}
		await(t, st.closed)
	})
}

// A handler may wait for a peer that takes its time, and loses nothing.
func TestBlockingWritesAndWaits(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const n = 64
		part := bytes.Repeat([]byte("x"), 64<<10)
		st := standBlocking(t, w, &ws.Upgrader{Limits: ws.Limits{QueueSize: 100 << 10}}, ws.BlockingOptions{}, handler{
			message: func(s *ws.Socket, op frame.Opcode, p []byte) {
				parts := n
				if string(p) == "and now nobody reads" {
					parts *= 10 // more than the system's buffers take
				}
				for i := range parts {
					if err := s.WriteWait(context.Background(), op, append(part, byte(i))); err != nil {
						if parts == n || !errors.Is(err, ws.ErrClosing) {
							t.Errorf("part %d: %v", i, err)
						}
						return
					}
				}
			},
		})
		c := st.join(t, nil)
		s := await(t, st.opened)
		say(t, c, frame.Binary, []byte("all of it"))
		until(t, "something is sent", func() bool { return s.Counts().MessagesOut > 0 })
		for i := range n {
			if _, p := hear(t, c); len(p) != len(part)+1 || p[len(part)] != byte(i) {
				t.Fatalf("part %d is of %d bytes", i, len(p))
			}
		}
		say(t, c, frame.Binary, []byte("and now nobody reads"))
		until(t, "the queue is full", func() bool { return s.Queued() >= 100<<10 })
		c.Cut()
		if err := await(t, st.closed); err == nil {
			t.Error("no reason")
		}
	})
}

// Much that waits is bounded in bytes too.
func TestBlockingBoundsBytes(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		gate, started := make(chan struct{}), make(chan struct{}, 8)
		st := standBlocking(t, w, &ws.Upgrader{Limits: ws.Limits{MessageSize: 64 << 10}}, ws.BlockingOptions{}, handler{
			message: func(*ws.Socket, frame.Opcode, []byte) {
				started <- struct{}{}
				<-gate
			},
		})
		c := st.join(t, nil)
		s := await(t, st.opened)
		big := make([]byte, 32<<10)
		say(t, c, frame.Binary, big)
		await(t, started)
		say(t, c, frame.Binary, big)
		if _, err := pinged(t, c); err != nil { // half the bound waits
			t.Fatal(err)
		}
		go func() {
			for range 6 {
				_ = c.Write(context.Background(), frame.Binary, big)
			}
		}()
		until(t, "the bound is reached", func() bool { return s.Counts().MessagesIn == 3 })
		close(gate)
		until(t, "all are read", func() bool { return s.Counts().MessagesIn == 8 })
		_ = c.Close(1000, "")
		await(t, st.closed)
	})
}

// pinged makes a round trip to a peer that reads.
func pinged(t *testing.T, c *ws.Conn) (time.Duration, error) {
	t.Helper()
	go func() { _, _, _ = c.Read(context.Background()) }()
	return c.Ping(t.Context())
}
