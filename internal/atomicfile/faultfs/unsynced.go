package faultfs

import (
	"io/fs"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// Unsynced is the real disk without waiting for it. A kill does not lose what is in the page cache, so tests that kill
// need no fsync; what a power cut loses needs a disk of its own.
type Unsynced struct{ atomicfile.OS }

var _ atomicfile.FS = Unsynced{}

// SyncDir does nothing.
func (Unsynced) SyncDir(string) error { return nil }

// Create is as on the real disk, but the file's Sync does nothing.
func (u Unsynced) Create(name string, perm fs.FileMode) (atomicfile.File, error) {
	f, err := u.OS.Create(name, perm)
	return unsyncedFile{f}, err
}

// Append is as on the real disk, but the file's Sync does nothing.
func (u Unsynced) Append(name string, perm fs.FileMode) (atomicfile.File, error) {
	f, err := u.OS.Append(name, perm)
	return unsyncedFile{f}, err
}

type unsyncedFile struct{ atomicfile.File }

func (unsyncedFile) Sync() error { return nil }
