package httplogging

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// flushEvery bounds how long a line waits in memory, and so what a power cut can take.
	flushEvery = time.Second
	// flushSize is how much is gathered before it is written at once.
	flushSize = 64 << 10
)

// file is the log file of a site. It outlives generations and is safe for concurrent use. Lines are gathered and
// appended with one write, so that a reader, or another program that appends, never sees half a line.
type file struct {
	dir    string
	naming naming
	log    *slog.Logger

	mu     sync.Mutex
	name   string // of the file that f is, "" for none
	second int64  // for which name was last found: no name changes within a second
	header string // last #Fields line written to f
	f      *os.File
	buf    []byte
	lines  int // in buf
	timer  *time.Timer
	lost   int // lines that could not be written since the last that could
	closed bool
}

var _ io.Closer = (*file)(nil)

func newFile(dir string, n naming, log *slog.Logger) *file {
	return &file{dir: dir, naming: n, log: log}
}

// write adds one line, made by appendLine, that belongs to the moment now.
func (l *file) write(now time.Time, header string, appendLine func([]byte) []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	name := l.name
	if second := now.Unix(); second != l.second || name == "" {
		name, l.second = l.naming.name(now), second
	}
	if name != l.name || header != l.header {
		l.flush()
		if name != l.name {
			l.closeFile()
			l.name = name
		}
		l.header = header
		l.buf = append(l.buf, head(now, header)...)
	}
	l.buf = appendLine(l.buf)
	l.lines++
	switch {
	case len(l.buf) >= flushSize:
		l.flush()
	case l.timer == nil:
		l.timer = time.AfterFunc(flushEvery, l.flushLater)
	}
}

func (l *file) flushLater() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = nil
	l.flush()
}

// flush appends what is gathered. When that fails the lines are given up: requests must not pile up in memory because
// a disk is full. The host's log is told once, and again when it works.
func (l *file) flush() {
	if len(l.buf) == 0 {
		return
	}
	err := l.append()
	switch {
	case err != nil && l.lost == 0:
		l.log.Error("the access log cannot be written; requests are served, their lines are lost", "folder", l.dir, "file", l.name, "error", err)
	case err == nil && l.lost > 0:
		l.log.Info("the access log is written again", "folder", l.dir, "file", l.name, "lost_lines", l.lost)
	}
	if err != nil {
		l.lost += l.lines
		l.closeFile()
		l.header = "" // the next try begins with the directives
	} else {
		l.lost = 0
	}
	l.buf, l.lines = l.buf[:0], 0
	if cap(l.buf) > 4*flushSize {
		l.buf = nil
	}
}

func (l *file) append() error {
	path := filepath.Join(l.dir, l.name)
	if l.f != nil && l.moved(path) {
		l.closeFile()
		if !bytes.HasPrefix(l.buf, []byte("#")) {
			l.buf = append(head(time.Now(), l.header), l.buf...)
		}
	}
	if l.f == nil {
		if err := os.MkdirAll(l.dir, 0o750); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
		if err != nil {
			return err
		}
		l.f = f
	}
	_, err := l.f.Write(l.buf)
	return err
}

// moved reports whether the file was renamed or deleted under us, as programs that rotate logs do.
func (l *file) moved(path string) bool {
	ours, err := l.f.Stat()
	if err != nil {
		return true
	}
	there, err := os.Stat(path)
	return err != nil || !os.SameFile(ours, there)
}

// head returns the directives that begin a file, or continue it under other columns.
func head(now time.Time, fieldsLine string) []byte {
	return []byte("#Software: wshost\n#Version: 1.0\n#Date: " + now.UTC().Format(time.DateTime) + "\n" + fieldsLine + "\n")
}

func (l *file) closeFile() {
	if l.f != nil {
		_ = l.f.Close() // every line was written with its own system call
		l.f = nil
	}
}

// Close writes what is gathered and closes the file. Later lines are dropped.
func (l *file) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.closed = true
	lost := l.lost
	l.flush()
	l.closeFile()
	if l.lost > lost {
		return errors.New("the last lines of the access log could not be written")
	}
	return nil
}
