package wshost

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// stateAt is what a walk sees at a path.
func stateAt(t *testing.T, path string) config.FileState {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	return config.StateOf(&st)
}

// known asks for a file until it is known, and its content kept when it is to be.
func known(t *testing.T, c *snapshots, dir, name string) *snapshot {
	t.Helper()
	key := snapshotKey{dir, filepath.Join(dir, name)}
	for end := time.Now().Add(patience); time.Now().Before(end); {
		if s := c.get(key, stateAt(t, key.physical), "/"+name); s != nil && s.full {
			return s
		}
	}
	t.Fatalf("%s never becomes known", name)
	return nil
}

func TestSnapshots(t *testing.T) {
	dir := string(newFolder(t))
	large := bytes.Repeat([]byte("0123456789abcdef"), maxKept/16+1)
	if err := os.WriteFile(filepath.Join(dir, "large"), large, 0o644); err != nil {
		t.Fatal(err)
	}
	c := new(snapshots)
	if s := known(t, c, dir, "file.txt"); string(s.Bytes) != "file" || s.Info.Name() != "file.txt" {
		t.Errorf("%q of %s", s.Bytes, s.Info.Name())
	}
	if s := known(t, c, dir, "inside.txt"); string(s.Bytes) != "below" {
		t.Errorf("a link inside: %q", s.Bytes)
	}
	s := known(t, c, dir, "large")
	if s.Bytes != nil {
		t.Error("a large file is kept")
	}
	f, err := s.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, at := range []int64{0, 5, sniffed - 1, sniffed, int64(len(large)) - 3, int64(len(large))} {
		if _, err := f.Seek(at, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(f); err != nil || !bytes.Equal(b, large[at:]) {
			t.Errorf("from %d: %d bytes, %v", at, len(b), err)
		}
	}
	if n, err := f.Seek(-4, io.SeekEnd); n != int64(len(large))-4 || err != nil {
		t.Errorf("the end is at %d, %v", n, err)
	}
	if _, err := f.Seek(-1, io.SeekStart); err == nil {
		t.Error("a position before the beginning passed")
	}
	if s := c.get(snapshotKey{dir, dir + "/file.txt"}, stateAt(t, dir+"/sub/below.txt"), "/file.txt"); s != nil {
		t.Error("a file of another state is known")
	}
	for _, out := range []string{"up.txt", "absolute.txt", "outdir/secret.txt"} {
		if s := c.get(snapshotKey{dir, filepath.Join(dir, out)}, stateAt(t, filepath.Join(dir, out)), "/"+out); s != nil {
			t.Errorf("%s leads out and is known", out)
		}
	}
}

// TestSnapshotsSeeChanges changes a known file in every way.
func TestSnapshotsSeeChanges(t *testing.T) {
	dir := string(newFolder(t))
	path := filepath.Join(dir, "file.txt")
	c := new(snapshots)
	for name, change := range map[string]func() error{
		"written over": func() error { return os.WriteFile(path, []byte("FILE"), 0o644) },
		"with its old time": func() error {
			old, err := os.Stat(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path, []byte("FILE"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(path, old.ModTime(), old.ModTime())
		},
		"replaced": func() error {
			if err := os.WriteFile(path+".new", []byte("FILE"), 0o644); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		if err := os.WriteFile(path, []byte("file"), 0o644); err != nil {
			t.Fatal(err)
		}
		s := known(t, c, dir, "file.txt")
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if now := c.get(snapshotKey{dir, path}, stateAt(t, path), "/file.txt"); now != nil {
			t.Errorf("%s: what was just changed is known as %q", name, now.Bytes)
		}
		if f, err := s.Open(); err == nil {
			_ = f.Close()
			t.Errorf("%s: the file of before can still be opened", name)
		}
		if s := known(t, c, dir, "file.txt"); string(s.Bytes) != "FILE" {
			t.Errorf("%s: %q", name, s.Bytes)
		}
	}
}

// TestSnapshotsRefuseLinksMadeLater replaces a folder of a site by a link to another place with files of the same names.
func TestSnapshotsRefuseLinksMadeLater(t *testing.T) {
	dir := string(newFolder(t))
	c := new(snapshots)
	known(t, c, dir, "sub/below.txt")
	outside := filepath.Join(filepath.Dir(dir), "outside")
	if err := os.WriteFile(filepath.Join(outside, "below.txt"), []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "sub"), filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "sub")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sub/below.txt")
	if s := c.get(snapshotKey{dir, path}, stateAt(t, path), "/sub/below.txt"); s != nil {
		t.Errorf("%q came from outside", s.Bytes)
	}
}

func TestSnapshotsAreBounded(t *testing.T) {
	c := new(snapshots)
	count := func() (n int) {
		c.m.Range(func(any, any) bool { n++; return true })
		return n
	}
	for i := range maxSnapshots + 10 {
		c.put(snapshotKey{"/", fmt.Sprint(i)}, c.newSnapshot(snapshotKey{}, nil, config.FileState{}, nil))
		if i == maxSnapshots-1 && count() != maxSnapshots {
			t.Errorf("%d of %d files are known", count(), maxSnapshots)
		}
	}
	if n := count(); n > maxSnapshots {
		t.Errorf("%d files are known", n)
	}
	c.charge(maxKeptBytes - c.bytes.Load())
	if count() == 0 {
		t.Error("the limit of memory itself is too much")
	}
	c.charge(1)
	if n := count(); n != 0 || c.bytes.Load() != 0 {
		t.Errorf("%d files are known, %d bytes kept beyond the limit", n, c.bytes.Load())
	}
}

// TestFilesAreSentWhole sends files of all ways to be sent over one connection: in memory, and by the kernel behind the
// header, in parts and from the middle.
func TestFilesAreSentWhole(t *testing.T) {
	sender := &fake{name: "SendModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		q := module.FromRequest(r)
		var s *module.Snapshot
		for end := time.Now().Add(patience); s == nil && time.Now().Before(end); {
			if refusal := q.Reconfigure(r.URL.Path); refusal != nil {
				q.Fail(w, r, refusal)
				return
			}
			s = q.Snapshot(r.URL.Path)
		}
		f, err := s.Open()
		if err != nil {
			t.Error(err)
			return
		}
		defer f.Close()
		if r.Header.Get("Accept") == "flushed" {
			w.(http.Flusher).Flush()
		}
		http.ServeContent(w, r, "x.bin", s.Info.ModTime(), f)
	}}
	h := newTestHost(t, sender).start()
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	for _, size := range []int{1, sniffed, sniffed + 1, netHTTPBuffer, maxKept, maxKept + 1, 3*sendChunk + 7} {
		content := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		name := fmt.Sprintf("f%d.bin", size)
		if err := os.WriteFile(filepath.Join(h.home, "sites/default", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		for _, accept := range []string{"first", "again", "flushed"} {
			r, err := http.NewRequest(http.MethodGet, "http://"+h.addr+"/"+name, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", accept)
			res, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil || string(got) != content {
				t.Errorf("%d bytes, %s: %d came, %v", size, accept, len(got), err)
			}
		}
	}
}
