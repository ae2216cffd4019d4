// Package faultfs is test support: a disk that fails, or takes the whole process down, at one chosen operation. Tests
// run a piece of work once for every operation that it performs and look at what is left each time.
//
// It is not a simulation of a file system: everything happens on the FS that it wraps.
package faultfs

import (
	"fmt"
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// Action is what happens at the chosen operation.
type Action string

// The actions. Each "kill" is SIGKILL to the own process: no deferred call, no flush, no cleanup runs.
const (
	None       Action = ""
	ENOSPC     Action = "enospc"      // the operation fails: no space left on device
	EIO        Action = "eio"         // the operation fails: input/output error
	ShortWrite Action = "short-write" // a write stores its first half and fails; other operations fail with EIO
	KillBefore Action = "kill-before"
	KillHalf   Action = "kill-half" // half-way through a write; other operations are indivisible and are not hit
	KillAfter  Action = "kill-after"
)

// Fault is an action at an operation.
type Fault struct {
	At int // number of the operation, from 1; 0 never
	Do Action
	// Lasting lets every later operation fail too, as on a disk that stays full or has died. With ENOSPC the ones that
	// give space back (remove, truncate) still work. It means nothing for the kills.
	Lasting bool
}

// FS is a disk with a Fault. It counts the operations that change the disk: create, every write, sync, rename,
// remove, mkdir, truncate, chmod and the sync of a folder. Reading never fails and is not counted. Methods may be
// called concurrently, but then the numbers mean little.
type FS struct {
	disk  atomicfile.FS
	fault Fault

	mu  sync.Mutex
	ops []string
}

var _ atomicfile.FS = (*FS)(nil)

// New returns a disk that behaves like disk until the fault's operation.
func New(disk atomicfile.FS, fault Fault) *FS { return &FS{disk: disk, fault: fault} }

// Ops returns the operations so far, in order: "rename /home/state.toml".
func (f *FS) Ops() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.ops...)
}

// verdict is what an operation has to do.
type verdict struct {
	err  error
	half bool // of a write: store the first half, then fail or die
	die  bool // after the operation
}

// next counts an operation and decides about it. It does not return when the process is to die before it.
func (f *FS) next(op, name string) verdict {
	f.mu.Lock()
	f.ops = append(f.ops, op+" "+name)
	n := len(f.ops)
	f.mu.Unlock()
	hit := n == f.fault.At
	later := f.fault.Lasting && f.fault.At > 0 && n > f.fault.At
	if !hit && !later {
		return verdict{}
	}
	fail := func(e syscall.Errno) verdict {
		return verdict{err: &fs.PathError{Op: op, Path: name, Err: e}}
	}
	switch f.fault.Do {
	case ENOSPC:
		if later && (op == "remove" || op == "truncate") {
			return verdict{}
		}
		return fail(syscall.ENOSPC)
	case EIO:
		return fail(syscall.EIO)
	case ShortWrite:
		v := fail(syscall.EIO)
		v.half = op == "write"
		return v
	}
	if !hit {
		return verdict{}
	}
	switch f.fault.Do {
	case KillBefore:
		kill()
	case KillHalf:
		return verdict{half: op == "write", die: op == "write"}
	case KillAfter:
		return verdict{die: true}
	}
	return verdict{}
}

// kill ends the own process as a power button would, as far as a process can.
func kill() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(fmt.Sprintf("faultfs: the process does not die: %v", err))
	}
	select {} // the signal may be delivered to another thread first
}

// do performs an operation that cannot be half done.
func (f *FS) do(op, name string, operation func() error) error {
	v := f.next(op, name)
	if v.err != nil {
		return v.err
	}
	err := operation()
	if v.die {
		kill()
	}
	return err
}

// Create makes a new file for writing.
func (f *FS) Create(name string, perm fs.FileMode) (atomicfile.File, error) {
	return f.open("create", name, func() (atomicfile.File, error) { return f.disk.Create(name, perm) })
}

// Append opens a file for appending. It counts as a create, which it is when the file does not exist.
func (f *FS) Append(name string, perm fs.FileMode) (atomicfile.File, error) {
	return f.open("create", name, func() (atomicfile.File, error) { return f.disk.Append(name, perm) })
}

func (f *FS) open(op, name string, operation func() (atomicfile.File, error)) (atomicfile.File, error) {
	var inner atomicfile.File
	err := f.do(op, name, func() (err error) {
		inner, err = operation()
		return err
	})
	if err != nil {
		return nil, err
	}
	return &file{fs: f, name: name, inner: inner}, nil
}

// Rename gives a file another name; it is recorded with the new one.
func (f *FS) Rename(oldName, newName string) error {
	return f.do("rename", newName, func() error { return f.disk.Rename(oldName, newName) })
}

// Remove removes a file or an empty folder.
func (f *FS) Remove(name string) error {
	return f.do("remove", name, func() error { return f.disk.Remove(name) })
}

// Mkdir makes a folder.
func (f *FS) Mkdir(name string, perm fs.FileMode) error {
	return f.do("mkdir", name, func() error { return f.disk.Mkdir(name, perm) })
}

// Truncate cuts a file.
func (f *FS) Truncate(name string, size int64) error {
	return f.do("truncate", name, func() error { return f.disk.Truncate(name, size) })
}

// Chmod sets permission bits.
func (f *FS) Chmod(name string, perm fs.FileMode) error {
	return f.do("chmod", name, func() error { return f.disk.Chmod(name, perm) })
}

// SyncDir makes the entries of a folder durable.
func (f *FS) SyncDir(name string) error {
	return f.do("syncdir", name, func() error { return f.disk.SyncDir(name) })
}

// ReadFile returns the content of a file.
func (f *FS) ReadFile(name string) ([]byte, error) { return f.disk.ReadFile(name) }

// Lstat describes a name.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.disk.Lstat(name) }

// ReadDir returns the entries of a folder.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) { return f.disk.ReadDir(name) }

// file is a file being written to a disk with a fault.
type file struct {
	fs    *FS
	name  string
	inner atomicfile.File
}

func (w *file) Write(p []byte) (int, error) {
	v := w.fs.next("write", w.name)
	if v.err != nil && !v.half {
		return 0, v.err
	}
	if v.half {
		n, err := w.inner.Write(p[:len(p)/2])
		if v.die {
			kill()
		}
		if err == nil {
			err = v.err
		}
		return n, err
	}
	n, err := w.inner.Write(p)
	if v.die {
		kill()
	}
	return n, err
}

func (w *file) Sync() error { return w.fs.do("sync", w.name, w.inner.Sync) }

// Close is not counted: it changes nothing on a local disk.
func (w *file) Close() error { return w.inner.Close() }
