package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// TempName returns the name under which the new content of a file is written before it is renamed. It is in the same
// folder, because a rename is atomic only within one file system, and always the same for a name, so that whoever
// recovers from a crash knows what to remove. It begins with a dot: no reader that looks for the file's extension
// takes it for the file.
func TempName(name string) string {
	dir, base := filepath.Split(name)
	return dir + "." + base + ".rolemgr-new"
}

// Write replaces a file atomically and durably: Replace, then fsync of the folder. When only the last part fails, the
// new content is in place but a power cut may still bring the old one back; every earlier failure leaves the old
// content and no temporary file.
//
// Only one writer of a name may be active at a time.
func Write(fsys FS, name string, data []byte, perm fs.FileMode) error {
	if err := Replace(fsys, name, data, perm); err != nil {
		return err
	}
	if err := fsys.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("sync the folder of %s: %w", name, err)
	}
	return nil
}

// Replace replaces a file atomically, but leaves the fsync of its folder to the caller, who may have several files in
// it. Every failure leaves the old content and no temporary file.
func Replace(fsys FS, name string, data []byte, perm fs.FileMode) error {
	tmp := TempName(name)
	if err := writeSync(fsys, tmp, data, perm); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return errors.Join(fmt.Errorf("replace %s: %w", name, err), discard(fsys, tmp))
	}
	return nil
}

// writeSync writes a new temporary file and makes its content durable. The fsync comes before the rename because a
// file system may write the folder first: after a power cut the name would then show an empty file.
func writeSync(fsys FS, tmp string, data []byte, perm fs.FileMode) error {
	f, err := fsys.Create(tmp, perm)
	if errors.Is(err, fs.ErrExist) {
		// Left by a process that was killed: with one writer per name it is nobody's.
		if err = fsys.Remove(tmp); err == nil {
			f, err = fsys.Create(tmp, perm)
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return errors.Join(err, discard(fsys, tmp))
	}
	return nil
}

// discard removes a temporary file; it is fine when there is none.
func discard(fsys FS, tmp string) error {
	if err := fsys.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the temporary file: %w", err)
	}
	return nil
}

// MkdirAll makes a folder and the missing ones above it, and makes them durable. What exists is left as it is.
func MkdirAll(fsys FS, name string, perm fs.FileMode) error {
	info, err := fsys.Lstat(name)
	switch {
	case err == nil && (info.IsDir() || info.Mode()&fs.ModeSymlink != 0):
		return nil // a link to nowhere is reported by the first use of the folder
	case err == nil:
		return &fs.PathError{Op: "mkdir", Path: name, Err: errors.New("exists and is not a folder")}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(name)
	if parent != name {
		if err := MkdirAll(fsys, parent, perm); err != nil {
			return err
		}
	}
	if err := fsys.Mkdir(name, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return fsys.SyncDir(parent)
}
