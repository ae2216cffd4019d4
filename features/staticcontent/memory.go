package staticcontent

import (
	"io"
	"os"
)

// memory is a file that the host keeps in memory.
type memory struct {
	b   []byte
	off int64
}

// Read reads on.
func (m *memory) Read(p []byte) (int, error) {
	if m.off >= int64(len(m.b)) {
		return 0, io.EOF
	}
	n := copy(p, m.b[m.off:])
	m.off += int64(n)
	return n, nil
}

// Seek moves to a position.
func (m *memory) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += m.off
	case io.SeekEnd:
		offset += int64(len(m.b))
	}
	if offset < 0 {
		return 0, os.ErrInvalid
	}
	m.off = offset
	return offset, nil
}

// Close has nothing to close.
func (m *memory) Close() error { return nil }

// next returns the n bytes at the position and moves past them, fewer when there are no more.
func (m *memory) next(n int64) []byte {
	rest := m.b[min(m.off, int64(len(m.b))):]
	rest = rest[:min(n, int64(len(rest)))]
	m.off += int64(len(rest))
	return rest
}
