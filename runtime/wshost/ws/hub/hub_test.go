package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func TestMembership(t *testing.T) {
	everyDriver(t, func(t *testing.T, d ws.Driver) {
		var h Hub
		st := stand(t, &ws.Upgrader{Driver: d}, callbacks{})
		a, b := st.join(t, ws.DialOptions{}), st.join(t, ws.DialOptions{})
		check := func(want string) {
			t.Helper()
			var got []string
			for _, name := range h.Rooms() {
				got = append(got, fmt.Sprintf("%s:%d", name, h.Len(name)))
				if m := h.Members(name); len(m) != h.Len(name) || slices.ContainsFunc(m, func(s *ws.Socket) bool { return !slices.Contains(h.RoomsOf(s), name) }) {
					t.Errorf("members of %s: %v", name, m)
				}
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%q instead of %q", s, want)
			}
		}
		check("")
		publish(t, &h, "nobody", "is no error")
		if h.Leave("x", a.socket) || h.Len("x") != 0 || h.Members("x") != nil {
			t.Error("somebody is in a room that does not exist")
		}
		if !h.Join("x", a.socket) || h.Join("x", a.socket) || !h.Join("x", b.socket) || !h.Join("y", a.socket) {
			t.Error("Join")
		}
		check("x:2 y:1")
		publish(t, &h, "y", "for a")
		publish(t, &h, "x", "for both")
		if p := a.hear(t) + ", " + a.hear(t) + ", " + b.hear(t); p != "for a, for both, for both" {
			t.Error(p)
		}
		if !h.Leave("x", a.socket) || h.Leave("x", a.socket) || h.Leave("y", b.socket) {
			t.Error("Leave")
		}
		check("x:1 y:1")
		h.LeaveAll(a.socket)
		check("x:1")
		if !h.Join("z", a.socket) || !h.Join("x", a.socket) {
			t.Error("Join after LeaveAll")
		}
		publish(t, &h, "x", "again")
		if p := a.hear(t) + b.hear(t); p != "againagain" {
			t.Error(p)
		}
		if err := h.Publish("x", frame.Text, []byte("\xff")); !errors.Is(err, ws.ErrText) {
			t.Errorf("text that is none: %v", err)
		}
		if err := h.Publish("x", frame.Close, nil); err == nil {
			t.Error("a close frame was published")
		}
		_ = a.Close(1000, "")
		await(t, st.ends)
		<-a.socket.Done()
		until(t, "the socket that ended has left", func() bool { return slices.Equal(h.Rooms(), []string{"x"}) })
		check("x:1")
		if h.Join("x", a.socket) || h.Join("new", a.socket) {
			t.Error("a socket that has ended got in")
		}
		check("x:1")
		b.Cut()
		await(t, st.ends)
		until(t, "all have left", func() bool { return len(h.Rooms()) == 0 })
		if len(h.sockets) != 0 || len(h.rooms) != 0 {
			t.Errorf("%d sockets and %d rooms are remembered", len(h.sockets), len(h.rooms))
		}
	})
}

// What each publisher says in a room arrives in order, also between what sockets write by themselves, and from callbacks.
func TestOrder(t *testing.T) {
	everyDriver(t, func(t *testing.T, d ws.Driver) {
		var h Hub
		st := stand(t, &ws.Upgrader{Driver: d, Compression: &ws.Compression{}, Limits: ws.Limits{QueueSize: 64 << 20}}, callbacks{
			opened: func(s *ws.Socket) { h.Join("room", s) },
			message: func(_ *ws.Socket, _ frame.Opcode, p []byte) {
				publish(t, &h, "room", string(p))
			},
		})
		const n, outsiders = 100, 2
		var all []client
		for i := range 6 {
			o := ws.DialOptions{}
			if i%2 > 0 {
				o.Compression = &ws.Compression{}
			}
			all = append(all, st.join(t, o))
		}
		var work sync.WaitGroup
		for i, c := range all {
			work.Go(func() {
				for k := range n {
					c.say(t, fmt.Sprint("client", i, " ", k, " ", strings.Repeat("news ", k)))
				}
			})
			work.Go(func() {
				next := map[string]int{}
				for range (len(all) + outsiders) * n {
					var from string
					var k int
					p := c.hear(t)
					if _, err := fmt.Sscan(p, &from, &k); err != nil || next[from] != k || !strings.HasSuffix(p, strings.Repeat("news ", k)) {
						t.Errorf("%.40q after %v", p, next)
						return
					}
					next[from]++
				}
			})
		}
		for i := range outsiders {
			work.Go(func() {
				for k := range n {
					publish(t, &h, "room", fmt.Sprint("outside", i, " ", k, " ", strings.Repeat("news ", k)))
				}
			})
		}
		work.Wait()
	})
}

// A peer that does not read neither stops the others nor makes the server hold more than its queue.
func TestSlowReceivers(t *testing.T) {
	const queue = 64 << 10
	for _, policy := range []ws.SlowConsumer{ws.Block, ws.DropOldest, ws.CloseSlow} {
		t.Run(string(policy), func(t *testing.T) {
			everyDriver(t, func(t *testing.T, d ws.Driver) {
				var h Hub
				st := stand(t, &ws.Upgrader{Driver: d, Limits: ws.Limits{QueueSize: queue, SlowConsumer: policy, CloseTimeout: 20 * time.Second}}, callbacks{})
				slow, quick, other := st.join(t, ws.DialOptions{}), st.join(t, ws.DialOptions{}), st.join(t, ws.DialOptions{})
				for _, c := range []client{slow, quick, other} {
					h.Join("room", c.socket)
				}
				full := func() bool {
					return slow.socket.State() != ws.Open || slow.socket.Dropped() > 3
				}
				n := 0
				for ; !full(); n++ {
					if n > 4000 {
						t.Fatalf("%d messages were published and nobody was slow", n)
					}
					text := part(n)
					publish(t, &h, "room", text)
					for _, c := range []client{quick, other} {
						if c.hear(t) != text {
							t.Fatalf("message %d is another", n)
						}
					}
					// What is under way may fill the queue; the newest message is kept behind it.
					if got := slow.socket.Queued(); got > queue+2*int64(len(part(0))+8<<10+frame.MaxHeader) {
						t.Fatalf("%d bytes are queued", got)
					}
				}
				drained(t, slow, policy, n)
			})
		})
	}
}

// part is the n-th of many messages, each of another length.
func part(n int) string { return fmt.Sprintf("%08d%s", n, strings.Repeat("x", 8<<10+n*997%(8<<10))) }

// drained has a peer read at last, to whom n messages were published.
func drained(t *testing.T, c client, policy ws.SlowConsumer, n int) {
	t.Helper()
	last := -1
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for last < n-1 {
		_, p, err := c.Read(ctx)
		var ended *ws.CloseError
		if policy != ws.DropOldest && errors.As(err, &ended) {
			if ended.Code != frame.TryAgainLater {
				t.Errorf("closed with %v", ended)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var k int
		if _, err := fmt.Sscanf(string(p[:8]), "%d", &k); err != nil || string(p) != part(k) || k <= last || policy != ws.DropOldest && k != last+1 {
			t.Fatalf("message %d after %d", k, last)
		}
		last = k
	}
	if policy != ws.DropOldest {
		t.Error("all of it arrived, and no close frame")
	}
}

// Joining, leaving, publishing and ending go on at the same time, and nothing is left behind.
func TestRaces(t *testing.T) {
	everyDriver(t, func(t *testing.T, d ws.Driver) {
		var h Hub
		rooms := []string{"a", "b", "c"}
		st := stand(t, &ws.Upgrader{Driver: d, Limits: ws.Limits{QueueSize: 64 << 20}}, callbacks{
			opened: func(s *ws.Socket) { h.Join("a", s) },
			message: func(s *ws.Socket, _ frame.Opcode, p []byte) {
				h.Join(string(p), s)
				publish(t, &h, string(p), "hello")
			},
			closed: func(s *ws.Socket, _ error) {
				publish(t, &h, "a", "farewell")
				h.Join("b", s) // which is of no use
			},
		})
		var work sync.WaitGroup
		for i := range 8 {
			c := st.join(t, ws.DialOptions{})
			rng := rand.New(rand.NewPCG(uint64(i), 0))
			work.Go(func() {
				for range 100 {
					room := rooms[rng.IntN(len(rooms))]
					switch rng.IntN(5) {
					case 0:
						h.Join(room, c.socket)
					case 1:
						h.Leave(room, c.socket)
					case 2:
						h.LeaveAll(c.socket)
					case 3:
						publish(t, &h, room, "news")
					default:
						c.say(t, room)
					}
				}
				h.Rooms()
				h.Members("a")
				if i%2 == 0 {
					c.Cut()
				} else {
					_ = c.Close(1000, "")
				}
			})
			work.Go(func() {
				for {
					if _, _, err := c.Read(t.Context()); err != nil {
						return
					}
				}
			})
		}
		work.Wait()
		until(t, "all have left", func() bool {
			h.mu.RLock()
			defer h.mu.RUnlock()
			return len(h.sockets) == 0 && len(h.rooms) == 0
		})
	})
}

// A socket takes its rooms along to another engine and another hub.
func TestRoomsMove(t *testing.T) {
	everyDriver(t, func(t *testing.T, d ws.Driver) {
		var before, after Hub
		st := stand(t, &ws.Upgrader{Driver: d}, callbacks{})
		c := st.join(t, ws.DialOptions{})
		for _, room := range []string{"y", "x", "left"} {
			before.Join(room, c.socket)
		}
		before.Leave("left", c.socket)
		publish(t, &before, "x", "before")
		extra, err := json.Marshal(before.RoomsOf(c.socket))
		if err != nil {
			t.Fatal(err)
		}
		c.socket.SetExtra(extra)
		line, snap, err := c.socket.Detach(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		until(t, "it has left", func() bool { return len(before.Rooms()) == 0 })
		var rooms []string
		if err := json.Unmarshal(snap.Extra, &rooms); err != nil || !slices.Equal(rooms, []string{"x", "y"}) {
			t.Fatal(rooms, err)
		}
		over := make(chan struct{})
		s, err := (&ws.Upgrader{Driver: d}).Restore(line, snap, callbacks{
			opened: func(s *ws.Socket) {
				for _, room := range rooms {
					after.Join(room, s)
				}
				publish(t, &after, "y", "after")
			},
			closed: func(*ws.Socket, error) { close(over) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if p := c.hear(t) + " " + c.hear(t); p != "before after" || !slices.Equal(after.RoomsOf(s), rooms) {
			t.Errorf("%q, %v", p, after.RoomsOf(s))
		}
		_ = c.Close(1000, "")
		<-over
	})
}
