package ws

import (
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

const (
	// loopBuffer is how many bytes a loop reads at once, from one socket at a time. It is also the most that one socket
	// may have read before the others get their turn, but for the rest of a great message (messageTurn). What has just
	// been read is unmasked while it is in the processor's caches.
	loopBuffer = 256 << 10
	// directRead is the rest of a message in bytes from which it is read to where the message is put together.
	directRead = 64 << 10
	// messageTurn is how many bytes of the rest of one message are read at most before others get their turn. Once a loop
	// has seen such a message its buffer has room for them behind what it reads first, so that a message of up to this
	// size that has arrived is neither copied nor held.
	messageTurn = 1 << 20
	// tableGrows is how many descriptors more a loop makes room for at once.
	tableGrows = 1024
	// freshMost is how many new lines may stay with the Go scheduler until the sweep; with more, all are taken over. Where
	// so many open at a time they stay, and the scheduler never gives back the memory of the most it had at once.
	freshMost = 40
	// yieldEvery is after how many events, and turns, a busy loop lets other goroutines run: within a millisecond or so. A
	// goroutine that runs for 10 ms is interrupted, and the runtime's monitor then looks every 20 µs for a while.
	yieldEvery = 64
)

// loop waits for many sockets and works on those that are ready, one after the other.
type loop struct {
	engine *Engine
	index  int
	poll   *poller.Poller
	load   atomic.Int64 // sockets it has or is about to have

	published atomic.Int64 // bytes of published messages that wait to be delivered

	inbox *poller.Inbox[task]

	// What follows is the loop's own.
	table   []*Socket              // by descriptor
	fresh   map[int32]*net.TCPConn // the lines of new sockets, by descriptor: the Go scheduler still knows them
	events  []poller.Event
	buf     []byte
	dirty   []*Socket // to be written when the turn ends
	now     time.Time
	grain   time.Duration
	sweepAt time.Time
}

// task is something that only the loop may do with a socket: look what has become of it, or take it on.
type task struct {
	s      *Socket
	join   bool
	line   *net.TCPConn // of a socket that joins
	unread []byte
	do     func() // instead of all that
}

func newLoop(e *Engine, index int) (*loop, error) {
	p, err := poller.Open()
	if err != nil {
		return nil, err
	}
	return &loop{
		engine: e, index: index, poll: p, inbox: poller.NewInbox[task](p), events: make([]poller.Event, 256), buf: make([]byte, loopBuffer),
		fresh: map[int32]*net.TCPConn{}, grain: 250 * time.Millisecond,
	}, nil
}

// run is the loop.
func (l *loop) run() {
	var tasks []task
	for work := 0; ; {
		n, done := l.wait()
		if done {
			_ = l.poll.Close()
			return
		}
		l.now = time.Now()
		// Tasks first: an event may be of a socket that is about to join.
		tasks = l.inbox.Take(tasks)
		for i := range tasks {
			l.do(&tasks[i])
			tasks[i] = task{}
		}
		for _, ev := range l.events[:n] {
			if s := l.table[ev.FD]; s != nil {
				l.ready(s, ev)
			}
		}
		if len(l.dirty) > 0 {
			l.flush()
		}
		if !l.now.Before(l.sweepAt) {
			l.sweep()
		} else if len(l.fresh) > freshMost {
			l.settle()
		}
		if work += n + 1; work >= yieldEvery {
			work = 0
			runtime.Gosched()
		}
	}
}

// wait waits for something to do. done means that the loop is not needed any more.
func (l *loop) wait() (n int, done bool) {
	limit := idleLife
	if l.load.Load() > 0 {
		limit = max(l.sweepAt.Sub(l.now), time.Millisecond)
	}
	n, quiet := l.inbox.Wait(l.events, limit)
	return n, quiet && l.load.Load() == 0 && l.engine.leave(l)
}

func (l *loop) clock(s *Socket) time.Duration { return l.now.Sub(s.rx.set.start) }

func (l *loop) do(t *task) {
	switch {
	case t.do != nil:
		t.do()
	case t.join:
		l.join(t.s, t.line, t.unread)
	default:
		l.look(t.s)
	}
}

// place notes which socket a descriptor belongs to.
func (l *loop) place(fd int32, s *Socket) {
	if int(fd) >= len(l.table) {
		grown := make([]*Socket, int(fd)+tableGrows) // and not doubled: half of it would be held for nothing
		copy(grown, l.table)
		l.table = grown
	}
	l.table[fd] = s
}

// join takes a socket on.
func (l *loop) join(s *Socket, line *net.TCPConn, unread []byte) {
	fd := s.fd
	l.place(fd, s)
	if line != nil {
		l.fresh[fd] = line
	}
	if err := l.poll.Add(fd, poller.Read); err != nil {
		l.end(s, err)
		return
	}
	s.mu.Lock()
	if s.watched || s.hold.Load() != 0 { // somebody was faster than the loop
		s.watchLocked()
	}
	s.mu.Unlock()
	if g := s.rx.set.limits.grain(); g < l.grain || l.sweepAt.IsZero() {
		l.grain = min(l.grain, g)
		l.sweepAt = l.now.Add(l.grain)
	}
	ending := s.open(unread, l.clock(s))
	if ending || s.hold.Load() != 0 {
		l.look(s)
	}
}

// ready works on a socket that can be read or written.
func (l *loop) ready(s *Socket, ev poller.Event) {
	if ev.Write && l.write(s) {
		l.look(s)
		if s.fd < 0 {
			return
		}
	}
	if ev.Read && l.read(s) {
		l.look(s)
	}
}

// write goes on with what the line did not take, and reports whether the socket is on its way to its end.
func (l *loop) write(s *Socket) (ending bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watched {
		s.flushLocked()
		if !s.watched {
			s.latePongLocked()
		}
	}
	return s.end != nil
}

// read reads once, or until a great message is complete, and reports whether the socket is on its way to its end.
func (l *loop) read(s *Socket) (ending bool) {
	if s.room() != nil {
		return l.readOn(s)
	}
	b := l.buf[:loopBuffer]
	n, ok, err := poller.ReadNow(s.fd, b)
	if !ok {
		return l.failed(s, err)
	}
	s.rx.lending = true
	ending = s.consume(b[:n], l.clock(s))
	s.rx.lending = false
	if n == len(b) && !ending {
		if len(l.buf) == loopBuffer && s.rx.part.lent() {
			l.buf = make([]byte, loopBuffer+messageTurn) // for the next one
		}
		ending = l.readOn(s)
	}
	s.rx.settle()
	return ending
}

// readOn reads the rest of a great message, as far as it has arrived.
func (l *loop) readOn(s *Socket) (ending bool) {
	for left := messageTurn; left > 0 && !ending; {
		room := s.room()
		if room == nil {
			return false
		}
		room = room[:min(len(room), left, loopBuffer)]
		n, ok, err := poller.ReadNow(s.fd, room)
		if !ok {
			return l.failed(s, err)
		}
		ending = s.consumeFilled(n, l.clock(s))
		if left -= n; n < len(room) {
			return ending
		}
	}
	return ending
}

// room returns where the rest of a great message is to be read, nil when there is none or reading is to pause.
func (s *Socket) room() []byte {
	if s.hold.Load() != 0 {
		return nil
	}
	return s.rx.room(directRead)
}

// failed ends a socket whose line has ended; err is nil when there was only nothing to read.
func (l *loop) failed(s *Socket, err error) bool {
	if err != nil {
		l.end(s, s.lost(err))
	}
	return false
}

// look does what became due outside of reads and writes.
func (l *loop) look(s *Socket) {
	for {
		s.mu.Lock()
		if s.fd < 0 {
			s.mu.Unlock()
			return
		}
		switch {
		case s.end != nil && s.end.deadline != 0 && l.clock(s) >= s.end.deadline:
			s.mu.Unlock()
			l.end(s, s.verdict())
			return
		case s.phase == flushing && s.q == nil:
			if !s.end.linger || s.rx.role == frame.Server && poller.CloseWrite(s.fd) != nil {
				s.mu.Unlock()
				l.end(s, s.verdict())
				return
			}
			s.phase = lingering
			s.withinLocked(s.lingerTime())
			s.watchLocked()
		case s.phase == live && s.hold.Load() == holdRest:
			s.mu.Unlock()
			s.again(l.clock(s))
			continue
		default:
			s.watchLocked()
		}
		s.mu.Unlock()
		return
	}
}

// end closes the line of a socket and forgets it.
func (l *loop) end(s *Socket, err error) {
	fd := l.release(s)
	if line, ok := l.fresh[fd]; ok {
		delete(l.fresh, fd)
		_ = line.Close()
	} else {
		poller.Close(fd)
	}
	s.finish(err)
}

// release takes the descriptor away from a socket: nobody writes to it from then on.
func (l *loop) release(s *Socket) int32 {
	s.mu.Lock()
	fd := s.fd
	s.fd = -1
	s.phase = over
	s.mu.Unlock()
	l.table[fd] = nil
	l.load.Add(-1)
	return fd
}

// settle takes the lines of the sockets that are new since the last sweep away from the Go scheduler, which holds some
// hundred bytes for each and hears of all that arrives. It waits so long because it costs a few calls to the system, and
// many connections are soon over.
func (l *loop) settle() {
	for fd, line := range l.fresh {
		s := l.table[fd]
		own, err := poller.Duplicate(fd)
		if err != nil {
			return // there are too many open files; the next sweep tries again
		}
		s.mu.Lock()
		if err := l.poll.Add(own, s.interestLocked()); err != nil {
			s.mu.Unlock()
			poller.Close(own)
			return
		}
		s.fd = own
		s.mu.Unlock()
		l.place(own, s)
		l.table[fd] = nil
		delete(l.fresh, fd)
		_ = l.poll.Remove(fd) // closing it is not enough: the line lives on
		_ = line.Close()
	}
}

// sweep looks at all sockets for what is overdue.
func (l *loop) sweep() {
	l.settle()
	for _, s := range l.table {
		if s == nil {
			continue
		}
		if !s.tick(l.clock(s)) {
			l.end(s, s.verdict())
		}
	}
	l.sweepAt = l.now.Add(l.grain)
}
