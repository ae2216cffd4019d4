package atomicfile

import (
	"io/fs"
	"os"
)

// OS is the real disk. Permissions are subject to the process's umask, as for every other program; Chmod is exact.
type OS struct{}

var _ FS = OS{}

// Create makes a new file for writing; it fails when the name exists, even as a dangling symbolic link.
func (OS) Create(name string, perm fs.FileMode) (File, error) {
	return open(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
}

// Append opens a file for appending, making it when it does not exist.
func (OS) Append(name string, perm fs.FileMode) (File, error) {
	return open(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, perm)
}

// open exists so that a failed open gives a nil interface and not an interface that holds a nil *os.File.
func open(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename gives a file another name, replacing what had that name.
func (OS) Rename(oldName, newName string) error { return os.Rename(oldName, newName) }

// Remove removes a file or an empty folder.
func (OS) Remove(name string) error { return os.Remove(name) }

// Mkdir makes a folder; it fails when the name exists.
func (OS) Mkdir(name string, perm fs.FileMode) error { return os.Mkdir(name, perm) }

// Truncate cuts a file to size bytes.
func (OS) Truncate(name string, size int64) error { return os.Truncate(name, size) }

// Chmod sets the permission bits of a file.
func (OS) Chmod(name string, perm fs.FileMode) error { return os.Chmod(name, perm) }

// SyncDir makes the entries of a folder durable: without it a power cut may take back a rename that was seen to work.
func (OS) SyncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

// ReadFile returns the content of a file.
func (OS) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }

// Lstat describes a name without following a symbolic link.
func (OS) Lstat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// ReadDir returns the entries of a folder by name.
func (OS) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
