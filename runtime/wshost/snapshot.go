package wshost

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// The limits of what is kept of files in memory. When one is reached everything is forgotten and read again as needed.
const (
	// maxKept is the largest file whose content is kept: the copy that the kernel makes of it costs less than the calls
	// that it takes to open a file, up to about this size.
	maxKept      = 256 << 10
	sniffed      = 512
	maxKeptBytes = 64 << 20
	maxSnapshots = 1 << 14
)

// snapshots knows the files of a generation's sites that were asked for. What it knows of a file holds while one look at
// the path gives the same state: device, inode, size, times of change of content and of inode. A file comes in here
// only by openBelow, which leaves no folder, so that whatever links are made later nothing is sent that was not, byte
// for byte, a file of the site.
type snapshots struct {
	m     sync.Map // snapshotKey to *snapshot
	n     atomic.Int64
	bytes atomic.Int64
}

// snapshotKey is a path below a folder that it must not lead out of: another folder forbids other links.
type snapshotKey struct{ folder, physical string }

// snapshot is a file as it was read. Its content, of a large one the first bytes, is kept from the second request on.
type snapshot struct {
	module.Snapshot
	state config.FileState
	full  bool // what is to be kept of the content is
}

// requestFiles are the files of a site for one request, with what the walk to its configuration has seen of its file.
type requestFiles struct {
	siteFiles
	url   string
	place config.Place
	trail config.Trail
}

var _ module.SnapshotFiles = (*requestFiles)(nil)

// saw notes what is at a URL path.
func (f *requestFiles) saw(urlPath string, p config.Place) { f.url, f.place = urlPath, p }

// Snapshot returns the regular file that the URL path names, nil where it is not known or was just changed.
func (f *requestFiles) Snapshot(urlPath string) *module.Snapshot {
	p := f.place
	if urlPath != f.url || !p.State.Regular() || strings.HasSuffix(urlPath, "/") || len(p.Physical) > maxPhysical {
		return nil
	}
	s := f.kept.get(snapshotKey{p.Folder, p.Physical}, p.State, urlPath)
	if s == nil {
		return nil
	}
	return &s.Snapshot
}

// get returns the file of that state.
func (c *snapshots) get(key snapshotKey, state config.FileState, urlPath string) *snapshot {
	v, ok := c.m.Load(key)
	if !ok || v.(*snapshot).state != state {
		return c.read(key, state, urlPath)
	}
	s := v.(*snapshot)
	if s.full || state.Size() == 0 {
		return s
	}
	b, err := content(s)
	if err != nil {
		return nil
	}
	full := c.newSnapshot(key, s.Info, state, b)
	c.put(key, full)
	return full
}

// read takes a file in.
func (c *snapshots) read(key snapshotKey, state config.FileState, urlPath string) *snapshot {
	looked := time.Now()
	rel := strings.TrimPrefix(key.physical[min(len(strings.TrimSuffix(key.folder, "/")), len(key.physical)):], "/")
	f, err := openBelow(key.folder, rel, urlPath)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	var st unix.Stat_t
	if err != nil || unix.Fstat(int(f.Fd()), &st) != nil || config.StateOf(&st) != state || !state.Settled(looked) {
		return nil
	}
	s := c.newSnapshot(key, info, state, nil)
	c.put(key, s)
	return s
}

// newSnapshot returns a file of which begin is kept: all of it, its first bytes, or nothing.
func (c *snapshots) newSnapshot(key snapshotKey, info fs.FileInfo, state config.FileState, begin []byte) *snapshot {
	s := &snapshot{state: state, full: begin != nil}
	s.Info, s.Charge = info, c.charge
	if int64(len(begin)) == state.Size() {
		s.Bytes = begin
	}
	s.Open = func() (io.ReadSeekCloser, error) {
		f, err := openState(key.physical, state)
		if err != nil {
			return nil, err // a nil *openFile would be no nil interface
		}
		f.begin = begin
		return f, nil
	}
	return s
}

// put keeps a file.
func (c *snapshots) put(key snapshotKey, s *snapshot) {
	if old, had := c.m.Swap(key, s); had {
		c.bytes.Add(-int64(len(old.(*snapshot).Bytes)))
	} else {
		c.n.Add(1)
	}
	c.charge(int64(len(s.Bytes)))
}

// charge counts bytes, and forgets everything when there are too many.
func (c *snapshots) charge(bytes int64) {
	if c.bytes.Add(bytes) > maxKeptBytes || c.n.Load() > maxSnapshots {
		c.m.Clear()
		c.n.Store(0)
		c.bytes.Store(0)
	}
}

// content reads a file whole, or of a large one what net/http reads before it leaves the rest to the kernel.
func content(s *snapshot) ([]byte, error) {
	f, err := s.Open()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := s.state.Size()
	if size > maxKept {
		size = sniffed
	}
	b := make([]byte, size)
	if _, err := io.ReadFull(f, b); err != nil {
		return nil, err
	}
	return b, f.(*openFile).same(s.state)
}

var errChanged = errors.New("the file has changed")

// openFile is an open regular file past package os, which would make it known to the poller and seek in it: one that is
// sent whole takes neither.
type openFile struct {
	fd        int
	off, size int64
	begin     []byte // the first bytes, for reads that need no more
}

// openState opens the file at a path if it has a state. It waits for nobody: a pipe in the place of the file is opened
// without a writer and is another file.
func openState(path string, state config.FileState) (*openFile, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		f := &openFile{fd: fd, size: state.Size()}
		if err := f.same(state); err != nil {
			_ = f.Close()
			return nil, err
		}
		return f, nil
	}
}

// same fails when the file is no longer in a state.
func (f *openFile) same(state config.FileState) error {
	var st unix.Stat_t
	if err := unix.Fstat(f.fd, &st); err != nil {
		return err
	}
	if config.StateOf(&st) != state {
		return errChanged
	}
	return nil
}

// Read reads on.
func (f *openFile) Read(p []byte) (int, error) {
	if f.off < int64(len(f.begin)) {
		n := copy(p, f.begin[f.off:])
		f.off += int64(n)
		return n, nil
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		n, err := unix.Pread(f.fd, p, f.off)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, &fs.PathError{Op: "read", Path: "file", Err: err}
		case n == 0:
			return 0, io.EOF
		}
		f.off += int64(n)
		return n, nil
	}
}

// Seek moves to a position; the end is that of the state which the file was opened in.
func (f *openFile) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.off
	case io.SeekEnd:
		offset += f.size
	}
	if offset < 0 {
		return 0, os.ErrInvalid
	}
	f.off = offset
	return offset, nil
}

// Close closes the file.
func (f *openFile) Close() error { return unix.Close(f.fd) }
