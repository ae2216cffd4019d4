package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

func effective(t testing.TB, tree *Tree, url string) *Effective {
	t.Helper()
	e, err := tree.Effective("Site", url)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	return e
}

func TestFilesChange(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("one")), "root/a/web.config": ws(add("a"))})
	tree := w.open()
	expect := func(step, url, want string) {
		t.Helper()
		if got := docs(t, effective(t, tree, url)); got != want {
			t.Errorf("%s: %s has %q, want %q", step, url, got, want)
		}
	}
	expect("start", "/a/x", "a one")
	w.write("root/web.config", ws(add("two")))
	expect("changed above, same size, at once", "/a/x", "a two")
	w.write("root/b/web.config", ws(add("b")))
	expect("appeared", "/b/x", "b two")
	if err := os.Remove(filepath.Join(w.home, "root/a/web.config")); err != nil {
		t.Fatal(err)
	}
	expect("disappeared", "/a/x", "two")
	next := filepath.Join(w.home, "next")
	w.write("next", ws(add("new")))
	if err := os.Rename(next, filepath.Join(w.home, "root/web.config")); err != nil {
		t.Fatal(err)
	}
	expect("replaced", "/a/x", "new")
	w.write("root/web.config", "raw:<configuration>")
	for _, url := range []string{"/", "/a", "/app/x"} {
		if _, err := tree.Effective("Site", url); err == nil || asError(t, err).HResult != HResultMalformed {
			t.Errorf("broken: %s: %v", url, err)
		}
	}
	if _, err := tree.Server(); err != nil {
		t.Errorf("a broken web.config concerns the server: %v", err)
	}
	w.write("root/web.config", ws(add("mended")))
	expect("mended", "/", "mended")
	w.write("root/c/web.config", ws(`<defaultDocument configSource="d.config"/>`))
	if _, err := tree.Effective("Site", "/c"); err == nil {
		t.Error("an included file is missing")
	}
	for _, name := range []string{"inc1", "inc2"} {
		w.write("root/c/d.config", `raw:<defaultDocument><files><add value="`+name+`"/></files></defaultDocument>`)
		expect("included", "/c", name+" mended")
	}
}

// TestSameStateOtherContent: two writes within one step of the clock of the file system leave the same time stamps.
func TestSameStateOtherContent(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("aaa"))})
	tree := w.open()
	path := filepath.Join(w.home, "root/web.config")
	for i := range 200 {
		want := fmt.Sprintf("%03d", i)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		body := "<configuration>" + ws(add(want)) + "</configuration>"
		if _, err := f.WriteAt([]byte(body), 0); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if got := docs(t, effective(t, tree, "/")); got != want {
			t.Fatalf("write %d: %q", i, got)
		}
	}
}

func TestSettles(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("aaa"))})
	tree := w.open()
	path := filepath.Join(w.home, "root/web.config")
	_, state, err := readFile(path)
	if err != nil {
		t.Fatal(err)
	}
	written := time.Unix(0, state.ctime)
	if !state.racy(written.Add(settleTime-1)) || state.racy(written.Add(settleTime)) {
		t.Error("when a state can be trusted")
	}
	e := effective(t, tree, "/")
	for time.Since(written) < settleTime {
		if effective(t, tree, "/") != e {
			t.Fatal("an unchanged file was read anew")
		}
	}
	effective(t, tree, "/")
	slot := tree.roots["site"].base.kids[slotKey{true, "/"}]
	if slot == nil || !slot.cur.Load().settled.Load() {
		t.Error("the level never settles")
	}
	if effective(t, tree, "/") != e {
		t.Error("settling made a new level")
	}
}

// TestCoarseClocks: where time stamps are whole seconds, a write leaves no trace for as long as the second lasts, on FAT two.
func TestCoarseClocks(t *testing.T) {
	const second = int64(time.Second)
	tests := []struct {
		name  string
		state FileState
		until time.Duration // after the second 100
	}{
		{"fine", FileState{exists: true, mtime: 100*second + 1, ctime: 100*second + 1}, settleTime + 1},
		{"coarse", FileState{exists: true, mtime: 100 * second, ctime: 100 * second}, coarseSettleTime},
		{"coarse, with a time of content that was set", FileState{exists: true, mtime: 7 * second, ctime: 100 * second}, coarseSettleTime},
		{"a whole second that was set", FileState{exists: true, mtime: 7 * second, ctime: 100*second + 1}, settleTime + 1},
		{"no file", FileState{}, 0},
	}
	for _, tt := range tests {
		until := time.Unix(100, int64(tt.until))
		if tt.until > 0 && !tt.state.racy(until.Add(-1)) || tt.state.racy(until) {
			t.Errorf("%s: when a state can be trusted", tt.name)
		}
	}
}

func TestUnreadable(t *testing.T) {
	w := newWorld(t, nil)
	tree := w.open()
	refused := func(name, url string) {
		t.Helper()
		_, err := tree.Effective("Site", url)
		if err == nil || asError(t, err).HResult != HResultAccess {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, dir := range []string{"folder/web.config", "loop", "pipe", "secret"} {
		if err := os.MkdirAll(filepath.Join(w.home, "root", dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	refused("a folder", "/folder")
	if err := os.Symlink("web.config", filepath.Join(w.home, "root/loop/web.config")); err != nil {
		t.Fatal(err)
	}
	refused("a link to itself", "/loop/x")
	if err := syscall.Mkfifo(filepath.Join(w.home, "root/pipe/web.config"), 0o644); err != nil {
		t.Fatal(err)
	}
	refused("a pipe", "/pipe")
	if os.Geteuid() == 0 {
		t.Log("root may read everything: permissions are not tested")
		return
	}
	w.write("root/secret/web.config", ws(add("x")))
	path := filepath.Join(w.home, "root/secret/web.config")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	refused("no permission", "/secret/x")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	effective(t, tree, "/secret/x")
}

func TestBothSpellings(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("x")), "root/Web.config": ws(add("y"))})
	w.check("both", "/", fault{HResultDuplicate, "root/web.config", "both web.config and Web.config", "", "delete one"})
}

// levels counts the cached levels of a site.
func levels(l *level) int {
	n := 0
	for _, s := range l.kids {
		n++
		if c := s.cur.Load(); c != nil {
			n += levels(c)
		}
	}
	return n
}

func TestManyURLsShareLevels(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("root")) + at("admin", "", add("admin")), "root/a/web.config": ws(add("a"))})
	tree := w.open()
	root, a := effective(t, tree, "/"), effective(t, tree, "/a")
	for i := range 20000 {
		if effective(t, tree, fmt.Sprintf("/no/such/%d/folder", i)) != root || effective(t, tree, fmt.Sprintf("/a/%d.htm", i)) != a {
			t.Fatalf("url %d has a configuration of its own", i)
		}
	}
	for i := range 32 { // every spelling of one location tag
		name := []byte("admin")
		for j := range name {
			if i>>j&1 == 1 {
				name[j] -= 'a' - 'A'
			}
		}
		effective(t, tree, "/"+string(name))
	}
	if n := levels(tree.roots["site"].base); n != 3 {
		t.Errorf("%d levels are held, want 3", n)
	}
	before := effective(t, tree, "/a")
	tree.cost.Store(cacheBudget)
	if effective(t, tree, "/a") != before {
		t.Error("forgot within the budget")
	}
	tree.cost.Store(cacheBudget + 1)
	if effective(t, tree, "/a") == before || tree.cost.Load() != 2 {
		t.Errorf("kept beyond the budget; cost %d", tree.cost.Load())
	}
}

// TestLongURLs: what a client may send costs a bounded number of examinations, and finds what is really there.
func TestLongURLs(t *testing.T) {
	deep := strings.Repeat("/d", 20)
	w := newWorld(t, map[string]string{"root/web.config": at("x", "", add("x")), "root" + deep + "/web.config": ws(add("deep")), "root/file": "raw:"})
	tree := w.open()
	for url, want := range map[string]string{
		deep + "/e/f":                     "deep",
		deep[2:]:                          "",
		strings.Repeat("/a", 500000):      "",
		"/x" + strings.Repeat("/a", 5000): "x",
		"/file" + deep:                    "",
		"/" + strings.Repeat("a", 100000): "",
	} {
		if got := docs(t, effective(t, tree, url)); got != want {
			t.Errorf("%.40s: %q, want %q", url, got, want)
		}
	}
	if _, err := Open(Options{Schema: tree.o.Schema, AppHost: filepath.Join(w.home, "root/web.config")}); err != nil {
		t.Error(err)
	}
	long := func(n int) fault {
		w.write("root/web.config", at(strings.Repeat("a", n), "", ""))
		_, err := tree.Effective("Site", "/")
		if err == nil {
			return fault{}
		}
		return fault{message: asError(t, err).Message}
	}
	if long(maxPath/2).message != "" || long(maxPath/2+1).message == "" {
		t.Error("limit of the path of a location tag")
	}
}

// TestChangingUnderLoad rewrites a file atomically while requests read: each sees one whole version, never an older
// one than it saw before.
func TestChangingUnderLoad(t *testing.T) {
	w := newWorld(t, map[string]string{"root/a/web.config": ws(add("00000")), "root/web.config": ws(add("root"))})
	tree := w.open()
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			last := ""
			for !stop.Load() {
				e, err := tree.Effective("Site", "/a/b/c.htm")
				if err != nil {
					t.Error(err)
					return
				}
				now, ok := strings.CutSuffix(docs(t, e), " root")
				if !ok || len(now) != 5 || now < last {
					t.Errorf("saw %q after %q", now, last)
					return
				}
				last = now
			}
		})
	}
	for i := range 300 {
		w.write("tmp", ws(add(fmt.Sprintf("%05d", i+1))))
		if err := os.Rename(filepath.Join(w.home, "tmp"), filepath.Join(w.home, "root/a/web.config")); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	wg.Wait()
	if got := docs(t, effective(t, tree, "/a")); got != "00300 root" {
		t.Errorf("at last %q", got)
	}
}

func benchmarkWorld(b testing.TB) *Tree {
	w := newWorld(b, map[string]string{"root/web.config": ws(add("root")) + at("admin", "", add("x")), "root/a/web.config": ws(add("a"))})
	tree := w.open()
	for start := time.Now(); time.Since(start) < 2*settleTime; {
		effective(b, tree, "/a/b/c.htm")
	}
	return tree
}

// TestHitPathIsCheap: a hit examines files and parses nothing. What remains are the paths and their copies for the
// system calls.
func TestHitPathIsCheap(t *testing.T) {
	tree := benchmarkWorld(t)
	if n := testing.AllocsPerRun(100, func() { effective(t, tree, "/a/b/c.htm") }); n > 14 {
		t.Errorf("%v allocations", n)
	}
	e := effective(t, tree, "/a")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := Decode[docFiles](e, "system.webServer/defaultDocument"); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations to decode again", n)
	}
}

func BenchmarkEffective(b *testing.B) {
	tree := benchmarkWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		effective(b, tree, "/a/b/c.htm")
	}
}

// TestOldStampsHideNothing: what copies files with their times (rsync -t, cp -p, a restored backup) leaves the size and
// the time of change of the content as they were. The host sees the new content all the same.
func TestOldStampsHideNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("aaa"))})
	tree := w.open()
	path := filepath.Join(w.home, "root/web.config")
	old, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	settle := func() {
		t.Helper()
		for start := time.Now(); ; {
			effective(t, tree, "/")
			if slot := tree.roots["site"].base.kids[slotKey{true, "/"}]; slot != nil && slot.cur.Load().settled.Load() {
				return
			}
			if time.Since(start) > 10*time.Second {
				t.Fatal("the level never settles")
			}
		}
	}
	for name, change := range map[string]func(string) error{
		"written over": func(body string) error { return os.WriteFile(path, []byte(body), 0o644) },
		"renamed": func(body string) error {
			if err := os.WriteFile(path+".new", []byte(body), 0o644); err != nil {
				return err
			}
			if err := os.Chtimes(path+".new", old.ModTime(), old.ModTime()); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		settle()
		want := name[:3]
		if err := change("<configuration>" + ws(add(want)) + "</configuration>"); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old.ModTime(), old.ModTime()); err != nil {
			t.Fatal(err)
		}
		if now, err := os.Stat(path); err != nil || now.Size() != old.Size() || !now.ModTime().Equal(old.ModTime()) {
			t.Fatalf("%s: the stamps differ (%v)", name, err)
		}
		if got := docs(t, effective(t, tree, "/")); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
