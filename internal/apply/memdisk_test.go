package apply

import (
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// memDisk is a disk in memory that knows what a power cut may take away: the content of a file that was not synced,
// and each entry of a folder that was not synced. It is harsher than journalling file systems, which keep an order;
// like them it keeps a rename whole.
type memDisk struct {
	mu    sync.Mutex
	root  *node
	count int // operations that changed something
	cutAt int // number of the operation before which the power is cut, from 1; 0 never
	dead  bool
}

var _ atomicfile.FS = (*memDisk)(nil)

// node is a file or a folder.
type node struct {
	dir     bool
	perm    fs.FileMode
	data    []byte // as a reader sees it
	durable []byte // as it is after a power cut
	dirty   bool   // data is not durable

	entries map[string]*node // as a reader sees them
	synced  map[string]*node // as they are after a power cut
	ops     []*entryOp       // between the two, in order
}

// entryOp is a change of one or two folders that happens wholly or not at all.
type entryOp struct{ changes []entryChange }

type entryChange struct {
	in   *node
	name string
	node *node // nil removes the name
}

// powerCut is what memDisk panics with.
type powerCut struct{}

func newFolder(perm fs.FileMode) *node {
	return &node{dir: true, perm: perm, entries: make(map[string]*node), synced: make(map[string]*node)}
}

// newMemDisk returns a disk with an empty folder.
func newMemDisk(dir string) *memDisk {
	d := &memDisk{root: newFolder(0o755)}
	at := d.root
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		next := newFolder(0o755)
		at.entries[part], at.synced[part] = next, next
		at = next
	}
	return d
}

// op counts an operation; the power is cut before the chosen one and nothing works after that.
func (d *memDisk) op(name string) error {
	if d.dead {
		return &fs.PathError{Op: "use", Path: name, Err: syscall.EIO}
	}
	d.count++
	if d.count == d.cutAt {
		d.dead = true
		panic(powerCut{})
	}
	return nil
}

// find returns a node, nil when there is none.
func (d *memDisk) find(name string) *node {
	at := d.root
	for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		if at == nil || !at.dir {
			return nil
		}
		at = at.entries[part]
	}
	return at
}

func failure(op, name string, errno syscall.Errno) error {
	return &fs.PathError{Op: op, Path: name, Err: errno}
}

// change performs an entry operation for readers and remembers it for the next sync.
func change(changes ...entryChange) {
	op := &entryOp{changes}
	for i, c := range changes {
		if c.node == nil {
			delete(c.in.entries, c.name)
		} else {
			c.in.entries[c.name] = c.node
		}
		if i == 0 || c.in != changes[0].in {
			c.in.ops = append(c.in.ops, op)
		}
	}
}

// settleOp makes an entry operation durable.
func settleOp(op *entryOp) {
	for _, c := range op.changes {
		if c.node == nil {
			delete(c.in.synced, c.name)
		} else {
			c.in.synced[c.name] = c.node
		}
	}
}

func (d *memDisk) open(name string, perm fs.FileMode, exclusive bool) (atomicfile.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return nil, err
	}
	parent := d.find(filepath.Dir(name))
	if parent == nil {
		return nil, failure("open", name, syscall.ENOENT)
	}
	base := filepath.Base(name)
	n := parent.entries[base]
	if n != nil && (exclusive || n.dir) {
		return nil, failure("open", name, syscall.EEXIST)
	}
	if n == nil {
		n = &node{perm: perm}
		change(entryChange{parent, base, n})
	}
	return &memFile{d, n, name}, nil
}

func (d *memDisk) Create(name string, perm fs.FileMode) (atomicfile.File, error) {
	return d.open(name, perm, true)
}

func (d *memDisk) Append(name string, perm fs.FileMode) (atomicfile.File, error) {
	return d.open(name, perm, false)
}

func (d *memDisk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(to); err != nil {
		return err
	}
	a, b := d.find(filepath.Dir(from)), d.find(filepath.Dir(to))
	if a == nil || b == nil || d.find(from) == nil {
		return failure("rename", from, syscall.ENOENT)
	}
	if old := d.find(to); old != nil && old.dir && len(old.entries) > 0 {
		return failure("rename", to, syscall.ENOTEMPTY)
	}
	n := d.find(from)
	change(entryChange{a, filepath.Base(from), nil}, entryChange{b, filepath.Base(to), n})
	return nil
}

func (d *memDisk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return err
	}
	n := d.find(name)
	if n == nil {
		return failure("remove", name, syscall.ENOENT)
	}
	if n.dir && len(n.entries) > 0 {
		return failure("remove", name, syscall.ENOTEMPTY)
	}
	change(entryChange{d.find(filepath.Dir(name)), filepath.Base(name), nil})
	return nil
}

func (d *memDisk) Mkdir(name string, perm fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return err
	}
	parent := d.find(filepath.Dir(name))
	switch {
	case parent == nil:
		return failure("mkdir", name, syscall.ENOENT)
	case d.find(name) != nil:
		return failure("mkdir", name, syscall.EEXIST)
	}
	change(entryChange{parent, filepath.Base(name), newFolder(perm)})
	return nil
}

func (d *memDisk) Truncate(name string, size int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return err
	}
	n := d.find(name)
	if n == nil {
		return failure("truncate", name, syscall.ENOENT)
	}
	n.data, n.dirty = slices.Clone(n.data[:size]), true
	return nil
}

func (d *memDisk) Chmod(name string, perm fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return err
	}
	n := d.find(name)
	if n == nil {
		return failure("chmod", name, syscall.ENOENT)
	}
	n.perm = perm
	return nil
}

func (d *memDisk) SyncDir(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.op(name); err != nil {
		return err
	}
	n := d.find(name)
	if n == nil {
		return failure("sync", name, syscall.ENOENT)
	}
	for _, op := range n.ops {
		settleOp(op)
	}
	n.ops = nil
	return nil
}

func (d *memDisk) ReadFile(name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(name)
	if n == nil || n.dir {
		return nil, failure("read", name, syscall.ENOENT)
	}
	return slices.Clone(n.data), nil
}

func (d *memDisk) Lstat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(name)
	if n == nil {
		return nil, failure("lstat", name, syscall.ENOENT)
	}
	return memInfo{filepath.Base(name), n.dir, n.perm, int64(len(n.data))}, nil
}

func (d *memDisk) ReadDir(name string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.find(name)
	if n == nil || !n.dir {
		return nil, failure("readdir", name, syscall.ENOENT)
	}
	var all []fs.DirEntry
	for base, e := range n.entries {
		all = append(all, fs.FileInfoToDirEntry(memInfo{base, e.dir, e.perm, int64(len(e.data))}))
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return all, nil
}

// memFile is an open file.
type memFile struct {
	d    *memDisk
	n    *node
	name string
}

func (f *memFile) Write(p []byte) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.op(f.name); err != nil {
		return 0, err
	}
	f.n.data, f.n.dirty = append(slices.Clone(f.n.data), p...), true
	return len(p), nil
}

func (f *memFile) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.op(f.name); err != nil {
		return err
	}
	f.n.durable, f.n.dirty = f.n.data, false
	return nil
}

func (f *memFile) Close() error { return nil }

// memInfo describes a node.
type memInfo struct {
	name string
	dir  bool
	perm fs.FileMode
	size int64
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return time.Time{} }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return i.perm | fs.ModeDir
	}
	return i.perm
}

// loss decides what of the things that were not synced survives.
type loss func() (names bool, content int) // content: 0 none of it, 1 a half, 2 all

// The three that are tried: everything is lost; names are kept and what they name is empty, as after a rename without
// a sync; chance.
func loseAll() (bool, int)   { return false, 0 }
func keepNames() (bool, int) { return true, 0 }

func chance(seed uint64) loss {
	r := rand.New(rand.NewPCG(seed, 2))
	return func() (bool, int) { return r.IntN(2) == 0, r.IntN(3) }
}

// after returns the disk as it is when the power is back. The old one must not be used any more.
func (d *memDisk) after(l loss) *memDisk {
	fate := make(map[*entryOp]bool)
	var walk func(n *node) *node
	seen := make(map[*node]*node)
	walk = func(n *node) *node {
		if s, ok := seen[n]; ok {
			return s
		}
		_, content := l()
		s := &node{dir: n.dir, perm: n.perm}
		seen[n] = s
		if !n.dir {
			s.data = n.durable
			if n.dirty && content > 0 {
				kept := 0 // appending and cutting leave alone what was synced before it
				for kept < min(len(n.data), len(n.durable)) && n.data[kept] == n.durable[kept] {
					kept++
				}
				s.data = n.data[:kept+(len(n.data)-kept)*content/2]
			}
			s.durable = s.data
			return s
		}
		for _, op := range n.ops {
			if _, ok := fate[op]; !ok {
				fate[op], _ = l()
			}
			if fate[op] {
				settleOp(op)
			}
		}
		s.entries, s.synced = make(map[string]*node), make(map[string]*node)
		for _, base := range slices.Sorted(maps.Keys(n.synced)) {
			e := walk(n.synced[base])
			s.entries[base], s.synced[base] = e, e
		}
		return s
	}
	return &memDisk{root: walk(d.root)}
}

// clone returns a copy in which everything is durable.
func (d *memDisk) clone() *memDisk {
	var walk func(n *node) *node
	walk = func(n *node) *node {
		c := &node{dir: n.dir, perm: n.perm, data: slices.Clone(n.data), durable: slices.Clone(n.data)}
		if n.dir {
			c.entries, c.synced = make(map[string]*node), make(map[string]*node)
			for base, e := range n.entries {
				k := walk(e)
				c.entries[base], c.synced[base] = k, k
			}
		}
		return c
	}
	return &memDisk{root: walk(d.root)}
}
