// Package tunnel carries bytes between two connections after a protocol switch: what arrives on one side is written to the
// other, in both directions, and nothing is looked at.
//
// A tunnel between two plain TCP lines costs no goroutine and no buffer while nothing passes: a few loops wait for all
// of them. Anything else (TLS, HTTP/2 streams, Unix sockets, systems without a poller) is carried by two goroutines.
package tunnel

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// LingerTime is how long one direction may go on after the other has ended: the peer of a side that has said that it
// sends nothing more has this long to finish. WebSocket ends both directions at once, so what stays longer is forgotten.
const LingerTime = 30 * time.Second

// Engine carries tunnels. The zero value is ready; it may be used concurrently and must not be copied. An engine without
// tunnels soon ends its goroutines by itself.
type Engine struct {
	// Loops is how many loops, each a goroutine, wait for lines; default GOMAXPROCS.
	Loops int

	buffers sync.Pool // lent to directions that are busy and carried by a goroutine

	mu    sync.Mutex
	loops []*loop // those that have ended are nil
}

// Counts is how many bytes have passed.
type Counts struct{ ToServer, ToClient int64 }

// Tunnel is two connections that are carried. Its methods may be called at any time from anywhere.
type Tunnel struct {
	client, server side
	closeClient    func()
	ended          func(Counts)
	once           sync.Once
	done           chan struct{}

	// Of a tunnel on a loop.
	loop   *loop
	late   time.Time // when what lingers is cut; zero while both directions are open
	mu     sync.Mutex
	posted bool // the loop knows it
	doomed bool // it was cut before

	// Of a tunnel that goroutines carry.
	lines [2]net.Conn
}

// side is one end of a tunnel.
type side struct {
	tunnel   *Tunnel
	other    *side
	read     atomic.Int64 // bytes that came from here
	fd       int32
	watched  poller.Interest // 0 until the poller knows it
	more     bool            // it is to be read in the next turn
	ending   bool            // it is read until nothing is there: its end may have been reported before it is reached
	finished bool            // it sends nothing more
	pending  []byte          // what it did not take yet
}

// reads tells whether what comes from this side is wanted now.
func (s *side) reads() bool { return s.watched&poller.Read == poller.Read }

// Counts returns how many bytes have passed so far.
func (t *Tunnel) Counts() Counts {
	return Counts{ToServer: t.client.read.Load(), ToClient: t.server.read.Load()}
}

// Cut ends the tunnel at once: both connections are closed.
func (t *Tunnel) Cut() {
	if t.loop != nil {
		t.mu.Lock()
		t.doomed = true
		posted := t.posted
		t.mu.Unlock()
		if posted {
			t.loop.inbox.Post(task{t: t, cut: true})
		}
		return
	}
	for _, c := range t.lines {
		_ = c.Close()
	}
}

// Done returns a channel that is closed when both connections are.
func (t *Tunnel) Done() <-chan struct{} { return t.done }

// Start carries bytes between client and server until both have ended, one has failed, or Cut is called. toClient and
// toServer go ahead of what is read; they may be nil. ended is called once, after both connections are closed, with what
// has passed; it must not block. Start returns at once. It owns both connections from then on.
func (e *Engine) Start(client, server net.Conn, toClient, toServer []byte, ended func(Counts)) *Tunnel {
	t := &Tunnel{ended: ended, done: make(chan struct{})}
	t.client = side{tunnel: t, other: &t.server, fd: -1, pending: keep(toClient)}
	t.server = side{tunnel: t, other: &t.client, fd: -1, pending: keep(toServer)}
	t.client.read.Store(int64(len(toServer)))
	t.server.read.Store(int64(len(toClient)))
	if e.poll(t, client, server) {
		return t
	}
	t.lines = [2]net.Conn{client, server}
	go t.carry(&e.buffers)
	return t
}

// keep copies what is to be sent first; nil when there is nothing.
func keep(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}

// poll gives the tunnel to a loop, and reports whether one can carry it.
func (e *Engine) poll(t *Tunnel, client, server net.Conn) bool {
	if !poller.Supported {
		return false
	}
	// The client's line may be wrapped by whoever accepted it and keeps account of it.
	wrapped, _ := client.(ws.Wrapped)
	if _, plain := client.(*net.TCPConn); !plain && wrapped == nil {
		return false
	}
	if _, plain := server.(*net.TCPConn); !plain {
		return false
	}
	l := e.join()
	if l == nil {
		return false
	}
	t.loop = l
	line := client
	t.closeClient = func() {}
	if wrapped != nil {
		line = wrapped.Take(t.Cut)
		t.closeClient = func() { _ = wrapped.Close() }
	}
	var err error
	if t.client.fd, err = own(line); err == nil {
		t.server.fd, err = own(server)
	}
	if err != nil { // out of descriptors: what there is is given back, and the tunnel ends
		_ = line.Close()
		_ = server.Close()
	}
	t.mu.Lock()
	t.posted = true
	doomed := t.doomed
	t.mu.Unlock()
	l.inbox.Post(task{t: t, join: true})
	if doomed {
		l.inbox.Post(task{t: t, cut: true})
	}
	return true
}

// own takes a line away from the Go scheduler, which would wake up for all that arrives on it.
func own(line net.Conn) (int32, error) {
	fd, tcp, ok := poller.Borrow(line)
	if !ok {
		return -1, net.ErrClosed
	}
	dup, err := poller.Duplicate(fd)
	if err != nil {
		return -1, err
	}
	_ = tcp.Close()
	return dup, nil
}

// join returns the loop that has the fewest tunnels, counting the one that is about to join; nil when none can be made.
func (e *Engine) join() *loop {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loops == nil {
		n := e.Loops
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		e.loops = make([]*loop, n)
	}
	best := 0
	for i, l := range e.loops {
		if l == nil {
			best = i
			break
		}
		if l.load.Load() < e.loops[best].load.Load() {
			best = i
		}
	}
	if e.loops[best] == nil {
		l, err := newLoop(e, best)
		if err != nil {
			return nil
		}
		e.loops[best] = l
		go l.run()
	}
	e.loops[best].load.Add(1)
	return e.loops[best]
}

// leave ends a loop that has nothing to do, and reports whether it does.
func (e *Engine) leave(l *loop) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if l.load.Load() > 0 || !l.inbox.Empty() {
		return false
	}
	e.loops[l.index] = nil
	return true
}

// finish tells whoever waits that the tunnel is over.
func (t *Tunnel) finish() {
	t.once.Do(func() {
		close(t.done)
		if t.ended != nil {
			t.ended(t.Counts())
		}
	})
}
