package ws

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// line is what a socket has under the goroutine driver.
type line struct {
	conn     net.Conn
	raw      *rawLine      // of a plain TCP line; nil for others
	wake     chan struct{} // has reading begin again
	flushing bool          // somebody writes what is queued; guarded by the socket's mu
}

const (
	// lineBuffer is what a line is read into, in bytes. A plain TCP line borrows it only when something is there, and
	// up to fullBuffer while reads fill it.
	lineBuffer = 16 << 10
	fullBuffer = 64 << 10
	// quietBuffer is what other lines wait with; the buffer grows while reads fill it.
	quietBuffer = 1 << 10
	// leanReads is after how many reads in a row that leave most of it empty a buffer shrinks again.
	leanReads = 8
)

func newLine(conn net.Conn, m *memory) *line {
	return &line{conn: conn, wake: make(chan struct{}, 1), raw: newRawLine(conn, m)}
}

// cut closes the line at once. TLS would take up to 5 s to take leave of a peer that does not listen.
func (l *line) cut() {
	if secure, ok := l.conn.(layer); ok {
		_ = secure.NetConn().Close()
		return
	}
	_ = l.conn.Close()
}

// interrupt has reads and writes in progress return. A write is let be where nobody could tell how much of it is out.
func (l *line) interrupt() {
	_ = l.conn.SetReadDeadline(past())
	if l.raw != nil {
		_ = l.conn.SetWriteDeadline(past())
	}
}

// serve reads a socket until its end. It is the socket's goroutine, and is written so that its stack stays small: what
// happens once is done by functions of their own.
func (s *Socket) serve(e *Engine, unread []byte) {
	s.open(unread, s.rx.set.clock())
	for {
		var err error
		if s.line.raw != nil {
			err = s.readRaw()
		} else {
			err = s.readLine()
		}
		if s.served(e, err) {
			return
		}
	}
}

// served does what is to be done when reading has ended with err, and reports whether that is the end.
func (s *Socket) served(e *Engine, err error) bool {
	if to := s.moving(); to != nil {
		e.dismiss(s)
		to <- s.pack(s.line.conn)
		s.finish(ErrDetached)
		return true
	}
	if s.excused(err) {
		return false
	}
	e.dismiss(s)
	s.leave()
	s.finish(s.lost(err))
	return true
}

// excused reports whether reading ended only because somebody interrupted it, for a reason that is past.
func (s *Socket) excused(err error) bool {
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == lingering && !s.end.linger || s.end != nil && s.end.deadline != 0 && s.rx.set.clock() >= s.end.deadline {
		return false
	}
	_ = s.line.conn.SetReadDeadline(time.Time{})
	return true
}

// leave closes the line, properly when the peer has closed properly.
func (s *Socket) leave() {
	s.mu.Lock()
	proper := s.phase != live && s.end != nil && s.end.deadline > s.rx.set.clock()
	s.mu.Unlock()
	if _, ok := s.line.conn.(*tls.Conn); ok && !proper {
		s.line.cut()
		return
	}
	_ = s.line.conn.Close()
}

// readLine reads a line that is no plain TCP until it ends or somebody interrupts.
func (s *Socket) readLine() error {
	b, lean := make([]byte, quietBuffer), 0
	for s.proceed() {
		n, err := s.line.conn.Read(b)
		if n > 0 {
			s.consume(b[:n], s.rx.set.clock())
		}
		if err != nil {
			return err
		}
		switch {
		case n == len(b) && n < lineBuffer:
			b, lean = make([]byte, min(4*n, lineBuffer)), 0
		case len(b) > quietBuffer && n < len(b)/4:
			if lean++; lean >= leanReads {
				b, lean = make([]byte, len(b)/4), 0
			}
		default:
			lean = 0
		}
	}
	return nil
}

// proceed waits until nothing holds reading back, and reports whether there is anything left to read for.
func (s *Socket) proceed() bool {
	for {
		s.mu.Lock()
		held, ending := s.hold.Load(), s.end
		gone := held&holdMoving != 0 || ending != nil && ending.deadline != 0 && s.rx.set.clock() >= ending.deadline
		done := s.phase == lingering && !ending.linger
		s.mu.Unlock()
		switch {
		case gone || done:
			return false
		case held == 0:
			return true
		case held == holdRest:
			s.again(s.rx.set.clock())
		default:
			<-s.line.wake
		}
	}
}

// flushLine writes what is queued until nothing is. Only one goroutine does so at a time, whoever has set flushing.
func (s *Socket) flushLine() {
	s.mu.Lock()
	for s.q != nil && s.q.size > 0 && s.phase != over && s.hold.Load()&holdMoving == 0 {
		s.timeLocked(s.rx.set.clock())
		q := s.q
		q.writing = true
		n, err := s.writeLine()
		q.writing, q.flying = false, 0
		s.bytesOut += int64(n)
		if s.q != q {
			break
		}
		s.q.since = 0
		if errors.Is(err, os.ErrDeadlineExceeded) && s.line.raw != nil {
			s.q.advance(s.rx.set.memory, n) // Detach interrupts; the rest goes along
			continue
		}
		if err != nil {
			s.brokenLocked(err)
			break
		}
		s.q.advance(s.rx.set.memory, n)
		s.roomLocked()
	}
	s.line.flushing = false
	if s.q != nil && s.q.size == 0 {
		s.rx.set.memory.forgetQueue(s.q)
		s.q = nil
		s.roomLocked()
		s.latePongLocked()
	}
	s.flushedLocked()
	if s.hold.Load()&holdMoving != 0 {
		s.driverWake()
	}
	s.mu.Unlock()
}

// writeNow writes what is queued when that takes no waiting, and reports whether nothing is left to do. The socket's mu is
// held: it spares those who publish to many a goroutine for each.
func (l *line) writeNow(s *Socket) bool {
	if l.raw == nil || s.phase != live || len(s.q.segs) > 0 || s.hold.Load()&holdMoving != 0 {
		return false
	}
	n, err := l.raw.writeNow(s.q.own[s.q.out:], false)
	if err != nil {
		return false // whoever writes in earnest meets it again
	}
	s.bytesOut += int64(n)
	s.q.advance(s.rx.set.memory, n)
	if s.q.size > 0 {
		return false
	}
	s.rx.set.memory.forgetQueue(s.q)
	s.q = nil
	s.roomLocked()
	return true
}

// writeLine writes the first chunk of the queue, or several of a plain TCP line's, without holding mu.
func (s *Socket) writeLine() (n int, err error) {
	q := s.q
	if len(q.segs) > 0 && s.line.raw != nil {
		return s.writeVector()
	}
	b := q.own
	if len(b) == 0 {
		b, q.flying = q.segs[0].b, 1
	}
	b = b[q.out:]
	last := s.endsLocked() && int64(len(b)) == q.size
	b = b[:min(len(b), writePiece)]
	s.mu.Unlock()
	if s.line.raw != nil {
		n, err = s.line.raw.writeNow(b, last)
	}
	if n == 0 && err == nil {
		n, err = s.line.conn.Write(b)
	}
	s.mu.Lock()
	return n, err
}

// writeVector is apart from writeLine so that the stack of those who never need it stays small.
//
//go:noinline
func (s *Socket) writeVector() (int, error) {
	vec := net.Buffers(piece(s.q.vector(nil)))
	s.q.flying = s.q.covered(len(vec))
	s.mu.Unlock()
	n, err := vec.WriteTo(s.line.conn)
	s.mu.Lock()
	return int(n), err
}

// piece cuts what is written at once to what must be taken within one Limits.WriteTimeout.
func piece(bs [][]byte) [][]byte {
	left := writePiece
	for i, b := range bs {
		if len(b) >= left {
			bs[i] = b[:left]
			return bs[:i+1]
		}
		left -= len(b)
	}
	return bs
}

// flushedLocked ends our half of the line once the last frame is out, or has the reader see that there is nothing left
// to read for.
func (s *Socket) flushedLocked() {
	if s.phase != flushing || s.q != nil {
		return
	}
	s.phase = lingering
	s.withinLocked(s.lingerTime())
	if !s.end.linger {
		_ = s.line.conn.SetReadDeadline(past())
		return
	}
	if half, ok := s.line.conn.(interface{ CloseWrite() error }); ok && s.rx.role == frame.Server {
		if half.CloseWrite() == nil {
			return
		}
		s.end.linger = false
		_ = s.line.conn.SetReadDeadline(past())
		return
	}
}
