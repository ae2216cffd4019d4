package staticcompression

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
)

// errNotWorth ends a copy that is no smaller than its file, or too large for the disk limit.
var errNotWorth = errors.New("the copy is not worth keeping")

// make makes a copy: into a file of another name, made durable, then renamed, so that a crash leaves a whole copy or
// none. It returns nil without an error when the file changed meanwhile: the next request asks for the new version.
func (s *store) make(key jobKey, w *want) (it *item, err error) {
	defer func() {
		if v := recover(); v != nil {
			it, err = nil, fmt.Errorf("compress %q: panic: %v\n%s", w.path, v, debug.Stack())
		}
	}()
	it = &item{slot: key.slot, version: key.version}
	src, err := w.open()
	if err != nil {
		return nil, nil // gone, or not for us any more: the next request is answered accordingly
	}
	defer src.Close()
	if !same(src, key.version) {
		return nil, nil
	}
	dir := s.siteDir(w.site)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(dir, tempPattern)
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp.Name()) // in vain after the rename
	defer tmp.Close()
	out := &bounded{w: tmp, left: s.room(w.info.Size() - 1)}
	switch err := squeeze(s.ctx, w, src, out); {
	case errors.Is(err, errNotWorth):
		return it, nil
	case err != nil:
		return nil, err
	case !same(src, key.version):
		return nil, nil
	}
	if err := tmp.Sync(); err != nil {
		return nil, err
	}
	if err := tmp.Close(); err != nil {
		return nil, err
	}
	it.file, it.size = fileName(key, w.coding), out.n
	return it, os.Rename(tmp.Name(), filepath.Join(dir, it.file))
}

// room returns how large a copy may become.
func (s *store) room(size int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limit >= 0 {
		return min(size, s.limit)
	}
	return size
}

// same reports whether an open file is still the version that was asked for.
func same(f *os.File, version string) bool {
	info, err := f.Stat()
	return err == nil && versionOf(info) == version
}

// squeeze compresses a file.
func squeeze(ctx context.Context, w *want, src io.Reader, out io.Writer) error {
	e, err := compress.New(w.coding, w.level, w.info.Size(), out)
	if err != nil {
		return err
	}
	if _, err := io.Copy(e, &stoppable{ctx, src}); err != nil {
		return err
	}
	return e.Close()
}

// stoppable is a file that reads no further when the host stops.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

// Read reads unless the host stops.
func (s *stoppable) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// bounded refuses to write more than is worth it.
type bounded struct {
	w       io.Writer
	n, left int64
}

// Write writes what there is room for.
func (b *bounded) Write(p []byte) (int, error) {
	if b.left -= int64(len(p)); b.left < 0 {
		return 0, errNotWorth
	}
	n, err := b.w.Write(p)
	b.n += int64(n)
	return n, err
}
