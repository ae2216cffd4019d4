package staticcompression

import (
	"container/list"
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
)

// The limits of a store.
const (
	// waitSize is the largest file whose first visitor waits for the copy, and patience how long at most. IIS answers the
	// first visitors without compression until a file is asked for often (frequentHitThreshold); a page with its scripts
	// is faster when already the first answer is small, and a copy of 100 KiB takes some milliseconds.
	waitSize = 1 << 20
	patience = 200 * time.Millisecond
	// maxSource is the largest file that is compressed: a larger one would keep a processor busy for many seconds.
	maxSource = 256 << 20
	// maxJobs is how many files may be waiting for their copy. The ones that come then are sent as they are.
	maxJobs = 64
	// maxItems bounds what is remembered of a site, files that are not worth a copy included.
	maxItems = 1 << 16
	// retryAfter is how long a file is sent as it is after its copy could not be written.
	retryAfter = time.Minute
)

// store holds the compressed copies below one folder: a folder for each site, in it a file for each copy. It is made
// without touching the disk and forgets nothing that counts when it is lost. Whatever fails, the answer is the file as it
// is.
type store struct {
	dir       string
	log       *slog.Logger
	now       func() time.Time
	waitSize  int64
	patience  time.Duration
	maxSource int64
	maxJobs   int
	maxItems  int

	ctx    context.Context // ends with the store
	cancel context.CancelFunc
	work   sync.WaitGroup
	slots  chan struct{} // one for each copy that is being made

	mu      sync.Mutex
	limit   int64 // bytes for each site, -1 for none
	shelves map[uint32]*shelf
	jobs    map[jobKey]*job
	failing bool // a failure is in the log
}

// want is a copy that a request would like to send.
type want struct {
	site   uint32
	path   string // on disk
	info   fs.FileInfo
	coding compress.Coding
	level  int
	open   func() (*os.File, error)
}

// jobKey is one copy of one state of a file.
type jobKey struct {
	site          uint32
	slot, version string
}

// job is a copy that is being made; done is closed when it has ended, well or not.
type job struct{ done chan struct{} }

func newStore(dir string, log *slog.Logger) *store {
	s := &store{
		dir: dir, log: log, now: time.Now, waitSize: waitSize, patience: patience, maxSource: maxSource, maxJobs: maxJobs,
		maxItems: maxItems,
		slots:    make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), limit: -1,
		shelves: map[uint32]*shelf{}, jobs: map[jobKey]*job{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Close ends the work on copies. The copies stay for the next host.
func (s *store) Close() error {
	s.cancel()
	s.work.Wait()
	return nil
}

// setLimit sets how many bytes the copies of a site may take.
func (s *store) setLimit(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit = n
	for _, sh := range s.shelves {
		sh.evict(n, s.maxItems)
	}
}

// fetch returns the open copy and its size, or nil when the file is to be sent as it is. The first to ask for a copy has
// it made; a small file is waited for, together with whoever else asks for it.
func (s *store) fetch(ctx context.Context, w *want) (*os.File, int64) {
	if w.info.Size() > s.maxSource {
		return nil, 0
	}
	key := jobKey{w.site, slotOf(w), versionOf(w.info)}
	it, j := s.lookup(key, w)
	if it != nil {
		return s.open(key, it)
	}
	if j == nil || w.info.Size() > s.waitSize {
		return nil, 0
	}
	t := time.NewTimer(s.patience)
	defer t.Stop()
	select {
	case <-j.done:
	case <-t.C:
		return nil, 0
	case <-ctx.Done():
		return nil, 0
	}
	s.mu.Lock()
	it = s.shelf(w.site).find(key)
	s.mu.Unlock()
	if it == nil {
		return nil, 0
	}
	return s.open(key, it)
}

// lookup returns the copy, or the job that makes it, or neither.
func (s *store) lookup(key jobKey, w *want) (*item, *job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := s.shelf(w.site)
	if it := sh.find(key); it != nil {
		return it, nil
	}
	if j := s.jobs[key]; j != nil {
		return nil, j
	}
	if sh.settled(key, s.now()) || len(s.jobs) >= s.maxJobs || s.ctx.Err() != nil {
		return nil, nil
	}
	j := &job{done: make(chan struct{})}
	s.jobs[key] = j
	s.work.Add(1)
	go s.run(key, w, j)
	return nil, j
}

// open opens a copy. One that somebody removed or cut is forgotten.
func (s *store) open(key jobKey, it *item) (*os.File, int64) {
	f, err := os.Open(filepath.Join(s.siteDir(key.site), it.file))
	if err == nil {
		info, err := f.Stat()
		if err == nil && info.Size() == it.size {
			return f, it.size
		}
		_ = f.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shelf(key.site).forget(it)
	return nil, 0
}

func (s *store) siteDir(site uint32) string {
	return filepath.Join(s.dir, "site-"+strconv.FormatUint(uint64(site), 10))
}

// shelf returns the copies of a site, those of an earlier host included.
func (s *store) shelf(site uint32) *shelf {
	sh := s.shelves[site]
	if sh == nil {
		sh = &shelf{dir: s.siteDir(site), order: list.New(), items: map[string]*list.Element{}}
		sh.load()
		s.shelves[site] = sh
		sh.evict(s.limit, s.maxItems)
	}
	return sh
}

// run makes a copy and puts it on its shelf.
func (s *store) run(key jobKey, w *want, j *job) {
	defer s.work.Done()
	var it *item
	var err error
	select {
	case s.slots <- struct{}{}:
		it, err = s.make(key, w)
		<-s.slots
	case <-s.ctx.Done():
		err = s.ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer close(j.done)
	delete(s.jobs, key)
	sh := s.shelf(w.site)
	switch {
	case s.ctx.Err() != nil && err != nil:
	case err != nil:
		sh.put(&item{slot: key.slot, version: key.version, until: s.now().Add(retryAfter)})
		s.complain(err)
	case it != nil:
		s.failing = s.failing && it.file == ""
		sh.put(it)
	}
	sh.evict(s.limit, s.maxItems)
}

// complain logs the first failure of a row: a full disk fails for every file.
func (s *store) complain(err error) {
	if s.failing {
		return
	}
	s.failing = true
	s.log.Error("a compressed copy cannot be kept: files are sent uncompressed until that works again", "folder", s.dir, "error", err,
		"hint", "make room on the disk, or let the account that runs the host write to the folder")
}
