package atomicfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
)

// names returns the names in a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestWriteReplaces(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.config")
	for _, text := range []string{"old", "", "a longer new content"} {
		if err := atomicfile.Write(atomicfile.OS{}, name, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(name); err != nil || string(data) != text {
			t.Errorf("content %q %v, want %q", data, err, text)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("mode %v %v", info, err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"a.config"}) {
		t.Errorf("folder %q", got)
	}
}

// TestWriteOrder: the content must be durable before the name shows it, and the name before Write returns.
func TestWriteOrder(t *testing.T) {
	disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{})
	if err := atomicfile.Write(disk, filepath.Join(t.TempDir(), "x"), []byte("y"), 0o644); err != nil {
		t.Fatal(err)
	}
	var ops []string
	for _, op := range disk.Ops() {
		ops = append(ops, op[:strings.IndexByte(op, ' ')])
	}
	if want := []string{"create", "write", "sync", "rename", "syncdir"}; !slices.Equal(ops, want) {
		t.Errorf("operations %q, want %q", ops, want)
	}
}

// TestWriteFails: each failure is reported and leaves no temporary file; before the rename the old content stays.
func TestWriteFails(t *testing.T) {
	for _, do := range []faultfs.Action{faultfs.EIO, faultfs.ENOSPC, faultfs.ShortWrite} {
		for at := 1; at <= 5; at++ {
			dir := t.TempDir()
			name := filepath.Join(dir, "a")
			if err := os.WriteFile(name, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{At: at, Do: do})
			err := atomicfile.Write(disk, name, []byte("new"), 0o644)
			if !errors.Is(err, syscall.EIO) && !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s at %d: error %v", do, at, err)
			}
			want := "old"
			if at == 5 { // the sync of the folder
				want = "new"
			}
			if data, err := os.ReadFile(name); err != nil || string(data) != want {
				t.Errorf("%s at %d: content %q %v, want %q", do, at, data, err, want)
			}
			if got := names(t, dir); !slices.Equal(got, []string{"a"}) {
				t.Errorf("%s at %d: folder %q", do, at, got)
			}
		}
	}
}

// TestWriteAfterACrash: the half-written file of a writer that was killed does not stand in the way.
func TestWriteAfterACrash(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a")
	if err := os.WriteFile(atomicfile.TempName(name), []byte("ha"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(atomicfile.OS{}, name, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"a"}) {
		t.Errorf("folder %q", got)
	}
}

func TestWriteToNoFolder(t *testing.T) {
	err := atomicfile.Write(atomicfile.OS{}, filepath.Join(t.TempDir(), "no", "a"), nil, 0o644)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// TestCreateDoesNotFollow: a link in the place of the temporary file is replaced and not written through.
func TestCreateDoesNotFollow(t *testing.T) {
	dir := t.TempDir()
	name, victim := filepath.Join(dir, "a"), filepath.Join(dir, "victim")
	if err := os.Symlink(victim, atomicfile.TempName(name)); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Write(atomicfile.OS{}, name, []byte("new"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(victim); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the link was followed: %v", err)
	}
}

func TestMkdirAll(t *testing.T) {
	dir := t.TempDir()
	disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{})
	for range 2 {
		if err := atomicfile.MkdirAll(disk, filepath.Join(dir, "a", "b"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"mkdir " + dir + "/a", "syncdir " + dir, "mkdir " + dir + "/a/b", "syncdir " + dir + "/a"}
	if got := disk.Ops(); !slices.Equal(got, want) {
		t.Errorf("operations %q, want %q", got, want)
	}
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.MkdirAll(disk, filepath.Join(dir, "file"), 0o755); err == nil {
		t.Error("a file passes for a folder")
	}
}

// TestMkdirAllFails: a folder whose entry is not durable is an error.
func TestMkdirAllFails(t *testing.T) {
	for at := 1; at <= 2; at++ {
		disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{At: at, Do: faultfs.EIO})
		if err := atomicfile.MkdirAll(disk, filepath.Join(t.TempDir(), "a"), 0o755); !errors.Is(err, syscall.EIO) {
			t.Errorf("operation %d: error %v", at, err)
		}
	}
}
