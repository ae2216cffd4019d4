package ws

import (
	"net"
	"syscall"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// rawLine reads and writes a plain TCP line that the Go scheduler waits for: it needs no buffer while it waits, and
// little stack. One goroutine reads while another writes.
type rawLine struct {
	conn   syscall.RawConn
	memory *memory

	read  func(fd uintptr) bool // tryRead, made once
	room  []byte                // of a message under way, to be read into; nil when there is none
	lent  *buffer               // what was read into when there was no room
	size  int                   // of the next buffer to borrow
	lean  int32                 // how many reads in a row left most of it empty
	last  bool                  // our half of the line is closed behind out
	n     int
	rerr  error
	write func(fd uintptr) bool // tryWrite
	out   []byte
	sent  int
	werr  error
}

// newRawLine returns nil for what is no plain line, or where there is no poller.
func newRawLine(conn net.Conn, m *memory) *rawLine {
	plain, ok := conn.(syscall.Conn)
	if !ok || !poller.Supported {
		return nil
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return nil
	}
	l := &rawLine{conn: raw, memory: m, size: lineBuffer}
	l.read, l.write = l.tryRead, l.tryWrite
	return l
}

// tryRead reads into the room there is or borrows a buffer, which it gives back when there is nothing to read.
func (l *rawLine) tryRead(fd uintptr) bool {
	if l.room != nil {
		var ok bool
		l.n, ok, l.rerr = poller.ReadNow(int32(fd), l.room)
		return ok || l.rerr != nil
	}
	lent := l.memory.take(l.size, l.size)
	n, ok, err := poller.ReadNow(int32(fd), lent.b[:l.size])
	if !ok && err == nil {
		l.memory.give(lent)
		return false
	}
	l.lent, l.n, l.rerr = lent, n, err
	return true
}

// fit has the next read borrow more when this one filled what it borrowed, and less when several have left most of it
// empty.
func (l *rawLine) fit() {
	switch {
	case l.n == l.size && l.size < fullBuffer:
		l.size, l.lean = 2*l.size, 0
	case l.size > lineBuffer && l.n < l.size/4:
		if l.lean++; l.lean >= leanReads {
			l.size, l.lean = l.size/2, 0
		}
	default:
		l.lean = 0
	}
}

// tryWrite writes what the line takes at once.
func (l *rawLine) tryWrite(fd uintptr) bool {
	if l.last {
		l.sent, _, l.werr = poller.WriteLast(int32(fd), l.out)
	} else {
		l.sent, _, l.werr = poller.WriteNow(int32(fd), l.out)
	}
	return true
}

// writeNow writes what the line takes of b without waiting. last says that our half of the line is closed at once then.
func (l *rawLine) writeNow(b []byte, last bool) (int, error) {
	l.out, l.last = b, last
	err := l.conn.Write(l.write)
	l.out = nil
	if err != nil {
		return 0, err
	}
	return l.sent, l.werr
}

// readRaw reads a plain TCP line until it ends or somebody interrupts.
func (s *Socket) readRaw() error {
	l := s.line.raw
	for s.proceed() {
		if l.room = s.rx.room(directRead); l.room != nil {
			l.room = l.room[:min(len(l.room), loopBuffer)]
		}
		if err := l.conn.Read(l.read); err != nil {
			return err
		}
		if l.room != nil {
			if l.rerr != nil {
				return l.rerr
			}
			s.consumeFilled(l.n, s.rx.set.clock())
			continue
		}
		lent, n, err := l.lent, l.n, l.rerr
		l.lent = nil
		l.fit()
		if err == nil {
			s.consume(lent.b[:n], s.rx.set.clock())
		}
		l.memory.give(lent)
		if err != nil {
			return err
		}
	}
	return nil
}
