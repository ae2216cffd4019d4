package apply

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// kind is what a name below the home is.
type kind int

const (
	absent kind = iota
	folder
	file
)

// found is what is at a path below the home.
type found struct {
	kind kind
	perm fs.FileMode
	hash string // of a file
	data []byte // of a file
}

// linkError is a path that leads through a symbolic link. Nothing is written or removed through one: it may lead out
// of the home, and it was put there by a person.
type linkError struct{ name string }

func (e *linkError) Error() string {
	return fmt.Sprintf("%q is a symbolic link; rolemgr does not follow links below the home, put the real file or folder there", e.name)
}

// inspect looks at a path below the home without following links.
func inspect(home string, disk atomicfile.FS, name string) (found, error) {
	if dir := path.Dir(name); dir != "." {
		parent, err := inspect(home, disk, dir)
		switch {
		case err != nil:
			return found{}, err
		case parent.kind == absent:
			return found{}, nil
		case parent.kind == file:
			return found{}, fmt.Errorf("%q is a file where a folder is needed", filepath.Join(home, dir))
		}
	}
	full := filepath.Join(home, filepath.FromSlash(name))
	info, err := disk.Lstat(full)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found{}, nil
	case err != nil:
		return found{}, err
	case info.Mode()&fs.ModeSymlink != 0:
		return found{}, &linkError{full}
	case info.IsDir():
		return found{kind: folder, perm: info.Mode().Perm()}, nil
	case !info.Mode().IsRegular():
		return found{}, fmt.Errorf("%q is neither a file nor a folder", full)
	}
	data, err := disk.ReadFile(full)
	if err != nil {
		return found{}, err
	}
	return found{kind: file, perm: info.Mode().Perm(), hash: hashOf(data), data: data}, nil
}

// hashOf returns the SHA-256 of data in lower-case hexadecimal.
func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
