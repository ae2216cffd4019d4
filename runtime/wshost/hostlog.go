package wshost

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// logFile is logs/wshost.log. It is appended to, and opened anew by reopen when somebody moved it away, so that a
// rotation needs no more than a reload.
type logFile struct {
	path string
	mu   sync.Mutex
	f    *os.File
}

// openLogFile opens the log for appending and makes it when it is missing.
func openLogFile(path string) (*logFile, error) {
	l := &logFile{path: path}
	if err := l.reopen(); err != nil {
		return nil, err
	}
	return l, nil
}

// Write appends one record.
func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

// reopen opens the path anew unless the open file is still the one of that name.
func (l *logFile) reopen() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil {
		have, err := l.f.Stat()
		named, err2 := os.Stat(l.path)
		if err == nil && err2 == nil && os.SameFile(have, named) {
			return nil
		}
	}
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("open the host's log: %w", err)
	}
	if l.f != nil {
		_ = l.f.Close()
	}
	l.f = f
	return nil
}

// close closes the file.
func (l *logFile) close() {
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.f.Close()
}

// requestHandler adds site and path to the records of one request. It formats nothing until something is logged: most
// requests log nothing, and slog's own With would format for each of them.
type requestHandler struct {
	next       slog.Handler
	site, path string
}

// Enabled asks the host's own handler.
func (h *requestHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return h.next.Enabled(ctx, l)
}

// Handle adds the attributes of the request.
func (h *requestHandler) Handle(ctx context.Context, r slog.Record) error {
	r = r.Clone()
	r.AddAttrs(h.attrs()...)
	return h.next.Handle(ctx, r)
}

// WithAttrs formats the attributes of the request first.
func (h *requestHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.next.WithAttrs(append(h.attrs(), attrs...))
}

// WithGroup formats the attributes of the request outside the group.
func (h *requestHandler) WithGroup(name string) slog.Handler {
	return h.next.WithAttrs(h.attrs()).WithGroup(name)
}

func (h *requestHandler) attrs() []slog.Attr {
	return []slog.Attr{slog.String("site", h.site), slog.String("path", h.path)}
}
