package ws

import (
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// Engine drives sockets: a few loops that wait for all sockets under the poller driver, and one sweep that looks at
// those under the goroutine driver for what is overdue. The zero value is ready. An engine without sockets soon ends
// its goroutines by itself. It must not be copied.
type Engine struct {
	// Loops is how many loops, each a goroutine, wait for sockets; default GOMAXPROCS.
	Loops int

	mu    sync.Mutex
	loops []*loop // those that have ended are nil
	lines map[*Socket]struct{}
	grain time.Duration // of the sweep of lines; 0 when it does not run
}

// idleLife is how long a loop without sockets waits for the next one.
const idleLife = time.Second

// join gives a socket to the loop that has the fewest. The socket's fd is that of line, or when line is nil its own.
func (e *Engine) join(s *Socket, line *net.TCPConn, unread []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.loops == nil {
		n := e.Loops
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		e.loops = make([]*loop, n)
	}
	best := -1
	for i, l := range e.loops {
		if l == nil || best < 0 || l.load.Load() < e.loops[best].load.Load() {
			best = i
			if l == nil {
				break
			}
		}
	}
	if e.loops[best] == nil {
		l, err := newLoop(e, best)
		if err != nil {
			return err
		}
		e.loops[best] = l
		go l.run()
	}
	l := e.loops[best]
	l.load.Add(1)
	s.mu.Lock() // the handler may have shown the socket to others already
	s.loop = l
	s.mu.Unlock()
	l.inbox.Post(task{s: s, join: true, line: line, unread: unread})
	return nil
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

// attend has the sweep look at a socket under the goroutine driver.
func (e *Engine) attend(s *Socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lines == nil {
		e.lines = map[*Socket]struct{}{}
	}
	e.lines[s] = struct{}{}
	g := s.rx.set.limits.grain()
	if e.grain == 0 {
		e.grain = g
		go e.sweep()
	}
	e.grain = min(e.grain, g)
}

// dismiss takes a socket off the sweep.
func (e *Engine) dismiss(s *Socket) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.lines, s)
}

// sweep looks at all lines now and then until there is none.
func (e *Engine) sweep() {
	var batch []*Socket
	for {
		e.mu.Lock()
		if len(e.lines) == 0 {
			e.grain = 0
			e.lines = nil
			e.mu.Unlock()
			return
		}
		grain := e.grain
		batch = batch[:0]
		for s := range e.lines {
			batch = append(batch, s)
		}
		e.mu.Unlock()
		for i, s := range batch {
			if !s.tick(s.rx.set.clock()) {
				s.mu.Lock()
				s.driverCutLocked()
				s.mu.Unlock()
			}
			batch[i] = nil
		}
		time.Sleep(grain)
	}
}

// Wrapped is a line that is plain TCP below, of an owner who keeps account of it: with it the poller can drive lines
// that a listener has put something around.
type Wrapped interface {
	net.Conn
	// Take gives the line below away. From then on Close must call cut, which ends the socket, in place of closing the
	// line; the engine calls Close at the socket's end.
	Take(cut func()) *net.TCPConn
}

// polled returns the plain TCP line below a socket when the poller can drive it, and nil when it cannot.
func polled(d Driver, s *Socket, o *opened) *net.TCPConn {
	if d != Automatic || o.stream || !poller.Supported {
		return nil
	}
	line, owner := o.line, Wrapped(nil)
	if w, ok := line.(Wrapped); ok {
		line, owner = w.Take(s.Cut), w
	}
	fd, tcp, ok := poller.Borrow(line)
	if !ok {
		return nil
	}
	s.mu.Lock()
	s.fd = fd
	s.mu.Unlock()
	if owner != nil {
		s.OnEnd(func() { _ = owner.Close() })
	}
	return tcp
}

// drive gives a new socket to its driver. It returns at once, or for a line that lives no longer than the caller, at
// the end of the socket.
func (e *Engine) drive(d Driver, s *Socket, o *opened) error {
	if tcp := polled(d, s, o); tcp != nil {
		if e.join(s, tcp, o.unread) == nil {
			return nil
		}
		s.mu.Lock()
		s.fd = -1
		s.mu.Unlock()
		o.line = tcp // no poller could be opened: a goroutine does as well
	}
	line := newLine(o.line, s.rx.set.memory)
	s.mu.Lock()
	s.line = line
	s.mu.Unlock()
	e.attend(s)
	if o.stream {
		s.serve(e, o.unread)
		return nil
	}
	go s.serve(e, o.unread)
	return nil
}
