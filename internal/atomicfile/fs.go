// Package atomicfile replaces files so that a reader, and a crash at any moment, finds either the old content or the
// new one: write to a temporary file in the same folder, fsync, rename, fsync the folder.
//
// It is also the one door through which the installer changes a disk: every change goes through an FS, so that tests
// can fail or kill at each of them.
package atomicfile

import (
	"io"
	"io/fs"
)

// FS is the disk as the installer changes it. Paths are absolute. OS is the real one.
type FS interface {
	// Create makes a new file for writing; it fails when the name exists.
	Create(name string, perm fs.FileMode) (File, error)
	// Append opens a file for appending, making it when it does not exist.
	Append(name string, perm fs.FileMode) (File, error)
	Rename(oldName, newName string) error
	Remove(name string) error
	Mkdir(name string, perm fs.FileMode) error
	Truncate(name string, size int64) error
	Chmod(name string, perm fs.FileMode) error
	// SyncDir makes the entries of a folder durable.
	SyncDir(name string) error

	ReadFile(name string) ([]byte, error)
	Lstat(name string) (fs.FileInfo, error)
	ReadDir(name string) ([]fs.DirEntry, error)
}

// File is a file being written.
type File interface {
	io.WriteCloser
	Sync() error
}
