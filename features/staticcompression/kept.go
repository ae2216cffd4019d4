package staticcompression

import (
	"io"
	"os"
	"strconv"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
)

// maxKept is the largest copy that is kept in memory.
const maxKept = 256 << 10

// keptKey names a copy among what is kept with a state of a file.
type keptKey struct {
	store  *store
	coding compress.Coding
	level  int
}

// kept is a copy in memory. It goes with the state of its file: whether the copy is still on disk does not matter.
type kept struct {
	b      []byte
	length []string // the value of its Content-Length
}

// memory returns the copy that is kept of the file that is being sent, nil when there is none.
func (w *writer) memory(coding compress.Coding, level int) *kept {
	snap := w.q.Snapshot(w.r.URL.Path)
	if snap == nil || snap.Info != w.q.StaticFile {
		return nil
	}
	if v, ok := snap.Kept.Load(keptKey{w.m.store, coding, level}); ok {
		return v.(*kept)
	}
	return nil
}

// keep keeps a small copy for the requests that follow.
func (w *writer) keep(f *os.File, size int64, coding compress.Coding, level int) {
	snap := w.q.Snapshot(w.r.URL.Path)
	if snap == nil || snap.Info != w.q.StaticFile || snap.Charge == nil || size > maxKept {
		return
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && err != io.EOF {
		return
	}
	k := &kept{b: b, length: []string{strconv.FormatInt(size, 10)}}
	if _, had := snap.Kept.LoadOrStore(keptKey{w.m.store, coding, level}, k); !had {
		snap.Charge(size)
	}
}
