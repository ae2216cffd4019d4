package httpplatform

import (
	"os"
	"strings"
	"sync"
)

// tailSize is how many bytes of what a process wrote last are kept for the page that tells of its failure.
const tailSize = 2 << 10

// tail is what a process writes: to its log file, and the last of it kept.
type tail struct {
	mu   sync.Mutex
	file *os.File // nil for none
	last []byte
}

// Write takes a part of the output. It does not fail: a full disk must not stop the process.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file != nil {
		_, _ = t.file.Write(p)
	}
	t.last = append(t.last, p...)
	if n := len(t.last) - tailSize; n > 0 {
		t.last = append(t.last[:0], t.last[n:]...)
	}
	return len(p), nil
}

// set begins a new output, of another attempt.
func (t *tail) set(f *os.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.file, t.last = f, nil
}

// close closes the file of a process that has ended.
func (t *tail) close(f *os.File) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f != nil {
		_ = f.Close()
	}
	if t.file == f {
		t.file = nil
	}
}

// String returns what was written last, from the beginning of a line on.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := string(t.last)
	if len(s) == tailSize {
		if _, rest, ok := strings.Cut(s, "\n"); ok {
			s = rest
		}
	}
	return strings.TrimSpace(s)
}
