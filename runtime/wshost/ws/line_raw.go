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
	lent  *buffer
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
	l := &rawLine{conn: raw, memory: m}
	l.read, l.write = l.tryRead, l.tryWrite
	return l
}

// tryRead borrows a buffer and reads into it; it gives the buffer back when there is nothing to read.
func (l *rawLine) tryRead(fd uintptr) bool {
	lent := l.memory.take(lineBuffer, lineBuffer)
	n, ok, err := poller.ReadNow(int32(fd), lent.b[:lineBuffer])
	if !ok && err == nil {
		l.memory.give(lent)
		return false
	}
	l.lent, l.n, l.rerr = lent, n, err
	return true
}

// tryWrite writes what the line takes at once.
func (l *rawLine) tryWrite(fd uintptr) bool {
	l.sent, _, l.werr = poller.WriteNow(int32(fd), l.out)
	return true
}

// writeNow writes what the line takes of b without waiting.
func (l *rawLine) writeNow(b []byte) (int, error) {
	l.out = b
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
		if err := l.conn.Read(l.read); err != nil {
			return err
		}
		lent, n, err := l.lent, l.n, l.rerr
		l.lent = nil
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
