package tunnel

import (
	"errors"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

const (
	// loopBuffer is how many bytes a loop reads at once, from one line at a time.
	loopBuffer = 32 << 10
	// moveMost is how often in a row one line is read that fills the buffer each time: a message of 1 MiB costs fewer waits,
	// and the others wait for half of one at most. What is left is read in the next turn.
	moveMost = 16
	// yieldEvery is after how many events, and turns, a busy loop lets other goroutines run: within a millisecond or so. A
	// goroutine that runs for 10 ms is interrupted, and the runtime's monitor then looks every 20 µs for a while.
	yieldEvery = 64
	// idleLife is how long a loop without tunnels waits for the next one.
	idleLife = time.Second
	// lateEvery is how often tunnels of which one direction has ended are looked at.
	lateEvery = time.Second
	// tableGrows is how many descriptors more a loop makes room for at once.
	tableGrows = 1024
)

// loop waits for the lines of many tunnels and moves what has arrived.
type loop struct {
	engine *Engine
	index  int
	poll   *poller.Poller
	load   atomic.Int64 // tunnels it has or is about to have

	inbox *poller.Inbox[task]

	// What follows is the loop's own.
	table  []*side // by descriptor
	events []poller.Event
	buf    []byte
	more   []*side              // of which something may be left unread: it is not reported again
	half   map[*Tunnel]struct{} // of which one direction has ended
}

// task is something that only the loop may do with a tunnel.
type task struct {
	t         *Tunnel
	join, cut bool
}

func newLoop(e *Engine, index int) (*loop, error) {
	p, err := poller.Open()
	if err != nil {
		return nil, err
	}
	return &loop{
		engine: e, index: index, poll: p, inbox: poller.NewInbox[task](p), events: make([]poller.Event, 256), buf: make([]byte, loopBuffer),
		half: map[*Tunnel]struct{}{},
	}, nil
}

// run is the loop.
func (l *loop) run() {
	var tasks []task
	var more []*side
	for work := 0; ; {
		n, done := l.wait()
		if done {
			_ = l.poll.Close()
			return
		}
		tasks = l.inbox.Take(tasks)
		for i, t := range tasks {
			if t.join {
				l.join(t.t)
			} else if t.cut {
				l.end(t.t)
			}
			tasks[i] = task{}
		}
		more, l.more = l.more, more[:0]
		for i, s := range more {
			s.more = false
			if more[i] = nil; l.at(s.fd) == s && s.reads() {
				l.move(s)
			}
		}
		for _, ev := range l.events[:n] {
			if s := l.at(ev.FD); s != nil {
				l.ready(s, ev)
			}
		}
		if len(l.half) > 0 {
			l.cutLate(time.Now())
		}
		if work += n + 1; work >= yieldEvery {
			work = 0
			runtime.Gosched()
		}
	}
}

// at returns the side that a descriptor belongs to, nil for one that has just been closed.
func (l *loop) at(fd int32) *side {
	if int(fd) >= len(l.table) {
		return nil
	}
	return l.table[fd]
}

// wait waits for something to do. done means that the loop is not needed any more.
func (l *loop) wait() (n int, done bool) {
	limit := time.Duration(-1)
	switch {
	case len(l.more) > 0:
		limit = 0
	case len(l.half) > 0:
		limit = lateEvery
	case l.load.Load() == 0:
		limit = idleLife
	}
	n, quiet := l.inbox.Wait(l.events, limit)
	return n, quiet && l.load.Load() == 0 && l.engine.leave(l)
}

// join takes a tunnel on.
func (l *loop) join(t *Tunnel) {
	for _, s := range []*side{&t.client, &t.server} {
		if s.fd < 0 {
			l.end(t)
			return
		}
		if int(s.fd) >= len(l.table) {
			grown := make([]*side, int(s.fd)+tableGrows)
			copy(grown, l.table)
			l.table = grown
		}
		l.table[s.fd] = s
	}
	for _, s := range []*side{&t.client, &t.server} {
		if s.pending != nil {
			l.flush(s)
		} else {
			l.watch(s)
		}
	}
}

// ready moves what can be moved at one side. It drops what the side does not wait for: the poller reports that anew as soon as
// watch asks for it.
func (l *loop) ready(s *side, ev poller.Event) {
	s.ending = s.ending || ev.End
	if ev.Write && s.pending != nil {
		l.flush(s)
	}
	if ev.Read && s.reads() && l.at(s.fd) == s {
		l.move(s)
	}
}

// move passes on what has arrived from s, all of it, unless others are to have their turn.
func (l *loop) move(s *side) {
	for range moveMost {
		if !l.moveOnce(s) {
			return
		}
	}
	if !s.more {
		s.more = true
		l.more = append(l.more, s)
	}
}

// moveOnce reads once from s and writes it to the other side. It reports whether more may be there now: a read that does not
// fill the buffer has taken all, and what comes later is reported, but for the end, which may have been already, and for what
// is behind urgent data.
func (l *loop) moveOnce(s *side) (more bool) {
	n, ok, err := poller.ReadNow(s.fd, l.buf)
	switch {
	case errors.Is(err, io.EOF):
		s.finished = true
		if s.other.pending == nil {
			_ = poller.CloseWrite(s.other.fd)
		}
		l.finished(s)
		return false
	case err != nil:
		l.end(s.tunnel)
		return false
	case !ok:
		return false
	}
	s.read.Add(int64(n))
	sent, _, err := poller.WriteNow(s.other.fd, l.buf[:n])
	if err != nil {
		l.end(s.tunnel)
		return false
	}
	if sent < n {
		s.other.pending = append([]byte(nil), l.buf[sent:n]...)
		l.watch(s)
		l.watch(s.other)
		return false
	}
	return n == len(l.buf) || s.ending
}

// flush writes what s did not take before.
func (l *loop) flush(s *side) {
	sent, _, err := poller.WriteNow(s.fd, s.pending)
	if err != nil {
		l.end(s.tunnel)
		return
	}
	if s.pending = s.pending[sent:]; len(s.pending) == 0 {
		s.pending = nil
		if s.other.finished {
			_ = poller.CloseWrite(s.fd)
		}
	}
	l.watch(s)
	l.watch(s.other)
}

// finished notes that s sends nothing more. When neither side does, the tunnel ends as soon as all is delivered.
func (l *loop) finished(s *side) {
	t := s.tunnel
	if s.other.finished && s.pending == nil && s.other.pending == nil {
		l.end(t)
		return
	}
	if t.late.IsZero() {
		t.late = time.Now().Add(LingerTime)
		l.half[t] = struct{}{}
	}
	l.watch(s)
	l.watch(s.other)
}

// watch asks for what s is waited for now: its bytes while the other side takes them, and room while it owes some.
func (l *loop) watch(s *side) {
	if l.at(s.fd) != s {
		return
	}
	t, want := s.tunnel, poller.Edge
	if !s.finished && s.other.pending == nil {
		want |= poller.Read
	}
	if s.pending != nil {
		want |= poller.Write
	}
	if s.finished && s.other.finished && s.pending == nil && s.other.pending == nil {
		l.end(t)
		return
	}
	if want == s.watched {
		return
	}
	ask := l.poll.Modify
	if s.watched == 0 {
		ask = l.poll.Add
	}
	s.watched = want
	if err := ask(s.fd, want); err != nil {
		l.end(t)
	}
}

// cutLate ends the tunnels whose second direction does not end.
func (l *loop) cutLate(now time.Time) {
	for t := range l.half {
		if now.After(t.late) {
			l.end(t)
		}
	}
}

// end closes both lines of a tunnel and forgets it.
func (l *loop) end(t *Tunnel) {
	select {
	case <-t.done:
		return
	default:
	}
	for _, s := range []*side{&t.client, &t.server} {
		if s.fd >= 0 {
			if l.at(s.fd) == s {
				l.table[s.fd] = nil
			}
			poller.Close(s.fd)
		}
		s.pending = nil
	}
	delete(l.half, t)
	l.load.Add(-1)
	t.finish()
	t.closeClient()
}
