package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// dropIns is the folder of the drop-ins, relative to the home. It is rolemgr's alone: the host reads all of it.
const dropIns = "config/features.d"

// Verify compares every recorded file with the disk, in the order of the state, and with what this version of rolemgr would
// put there, and then tells of drop-ins that nobody recorded: after a lost state.toml they are what still works without being installed. It writes nothing. A file that
// cannot be read is an error, except when it is not there.
func (l *Local) Verify(ctx context.Context) ([]FileCheck, error) {
	s, err := l.store.Read()
	if err != nil {
		return nil, err
	}
	var checks []FileCheck
	for _, f := range s.Features {
		for _, file := range f.Files {
			if err := ctx.Err(); err != nil {
				return checks, err
			}
			sum, err := l.sum(file.Path)
			if err != nil {
				return checks, fmt.Errorf("verify %q: %w", file.Path, err)
			}
			checks = append(checks, FileCheck{Unit: features.ID(f.ID), Path: file.Path, State: compare(sum, file.SHA256)})
		}
	}
	checks = l.outdated(s, checks)
	unrecorded, err := l.unrecorded(checks)
	return append(checks, unrecorded...), err
}

// outdated marks the recorded files that this version of rolemgr has otherwise, and adds those that are new in it.
func (l *Local) outdated(s state.State, checks []FileCheck) []FileCheck {
	for _, f := range s.Features {
		if !plan.Outdated(l.o.Catalog, f) {
			continue
		}
		now := map[string]string{}
		for _, a := range l.o.Catalog.Assets(features.ID(f.ID)) {
			now[a.Path] = a.SHA256
		}
		for _, file := range f.Files {
			for i := range checks {
				if c := &checks[i]; string(c.Unit) == f.ID && c.Path == file.Path && c.State == FileOK && now[c.Path] != file.SHA256 {
					c.State = FileOutdated
				}
			}
			delete(now, file.Path)
		}
		for _, path := range slices.Sorted(maps.Keys(now)) {
			checks = append(checks, FileCheck{Unit: features.ID(f.ID), Path: path, State: FileOutdated})
		}
	}
	return checks
}

// unrecorded returns the drop-ins that the host reads and that are not among the recorded files.
func (l *Local) unrecorded(recorded []FileCheck) ([]FileCheck, error) {
	entries, err := l.o.FS.ReadDir(filepath.Join(l.o.Home, filepath.FromSlash(dropIns)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("verify %q: %w", dropIns, err)
	}
	var found []FileCheck
	for _, e := range entries {
		name := dropIns + "/" + e.Name()
		if filepath.Ext(name) == ".config" && !e.IsDir() && !strings.HasPrefix(e.Name(), ".") &&
			!slices.ContainsFunc(recorded, func(c FileCheck) bool { return c.Path == name }) {
			found = append(found, FileCheck{Path: name, State: FileUnrecorded})
		}
	}
	return found, nil
}

func compare(found, recorded string) FileState {
	switch found {
	case recorded:
		return FileOK
	case "":
		return FileMissing
	}
	return FileChanged
}

// sum returns the SHA-256 of a file below the home, "" when it does not exist. What is not a regular file (a folder,
// a link out of the home) is never the file that was put there; its sum is that of no file.
func (l *Local) sum(path string) (string, error) {
	name := filepath.Join(l.o.Home, filepath.FromSlash(path))
	info, err := l.o.FS.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "not a regular file", nil
	}
	b, err := l.o.FS.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// hash is sum for plan.Facts: a file that cannot be read is one whose content is not what was recorded.
func (l *Local) hash(path string) string {
	sum, err := l.sum(path)
	if err != nil {
		return "unreadable"
	}
	return sum
}

// dir reports whether a folder below the home exists, for plan.Build.
func (l *Local) dir(path string) bool {
	info, err := l.o.FS.Lstat(filepath.Join(l.o.Home, filepath.FromSlash(path)))
	return err == nil && info.IsDir()
}
