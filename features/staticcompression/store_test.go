package staticcompression

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
)

// bench is a store and a folder with files.
type bench struct {
	t     testing.TB
	store *store
	files string
	log   *bytes.Buffer
	opens atomic.Int64
}

func newBench(t testing.TB) *bench {
	b := &bench{t: t, files: t.TempDir(), log: &bytes.Buffer{}}
	b.store = b.restart(filepath.Join(t.TempDir(), "copies"))
	return b
}

// restart returns another store over a folder.
func (b *bench) restart(dir string) *store {
	s := newStore(dir, slog.New(slog.NewTextHandler(b.log, nil)))
	s.patience = time.Minute
	b.t.Cleanup(func() { _ = s.Close() })
	return s
}

func (b *bench) write(name, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.files, name), []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) want(name string) *want {
	b.t.Helper()
	path := filepath.Join(b.files, name)
	info, err := os.Stat(path)
	if err != nil {
		b.t.Fatal(err)
	}
	return &want{site: 1, path: path, info: info, coding: compress.Gzip, level: 7, open: func() (*os.File, error) {
		b.opens.Add(1)
		return os.Open(path)
	}}
}

// fetch returns the content of the copy, "" for none.
func (b *bench) fetch(w *want) string {
	b.t.Helper()
	f, size := b.store.fetch(context.Background(), w)
	if f == nil {
		return ""
	}
	defer f.Close()
	packed, err := io.ReadAll(f)
	if err != nil || int64(len(packed)) != size {
		b.t.Fatalf("%d bytes of %d: %v", len(packed), size, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		b.t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *bench) copies() (names []string, bytes int64) {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.store.dir, "site-1"))
	if err != nil && !os.IsNotExist(err) {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			b.t.Fatal(err)
		}
		names, bytes = append(names, e.Name()), bytes+info.Size()
	}
	return names, bytes
}

func text(n int, seed string) string { return strings.Repeat(seed+" and so on. ", n/len(seed)+1)[:n] }

func TestFirstVisitorsShareOneJob(t *testing.T) {
	b := newBench(t)
	b.write("a", text(100000, "a"))
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			if b.fetch(b.want("a")) != text(100000, "a") {
				t.Error("no copy")
			}
		})
	}
	all.Wait()
	if n := b.opens.Load(); n != 1 {
		t.Errorf("the file was read %d times", n)
	}
	names, _ := b.copies()
	if len(names) != 1 || !strings.HasSuffix(names[0], ".gzip") {
		t.Errorf("copies %v", names)
	}
}

func TestWaitSize(t *testing.T) {
	b := newBench(t)
	b.write("a", text(5000, "a"))
	b.store.waitSize = 5000
	if b.fetch(b.want("a")) == "" {
		t.Error("a file of waitSize was not waited for")
	}
	b.write("b", text(5001, "b"))
	gate := make(chan struct{})
	w := b.want("b")
	open := w.open
	w.open = func() (*os.File, error) { <-gate; return open() }
	if b.fetch(w) != "" {
		t.Error("a larger one was")
	}
	close(gate)
	b.store.work.Wait()
	if b.fetch(b.want("b")) == "" {
		t.Error("its copy was not made behind the answer")
	}
}

func TestPatience(t *testing.T) {
	b := newBench(t)
	b.write("a", text(5000, "a"))
	gate := make(chan struct{})
	w := b.want("a")
	open := w.open
	w.open = func() (*os.File, error) { <-gate; return open() }
	b.store.patience = time.Millisecond
	if b.fetch(w) != "" {
		t.Error("a copy before the file was read")
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	b.store.patience = time.Minute
	if f, _ := b.store.fetch(gone, w); f != nil {
		t.Error("a copy for a client that has gone")
	}
	close(gate)
	if b.fetch(b.want("a")) == "" {
		t.Error("no copy afterwards")
	}
}

func TestSizeLimitOfFiles(t *testing.T) {
	b := newBench(t)
	b.store.maxSource = 5000
	b.write("a", text(5000, "a"))
	b.write("b", text(5001, "b"))
	if b.fetch(b.want("a")) == "" || b.fetch(b.want("b")) != "" {
		t.Error("maxSource does not hold")
	}
}

func TestQueueLimit(t *testing.T) {
	b := newBench(t)
	b.store.maxJobs, b.store.waitSize = 2, 0
	gate := make(chan struct{})
	for _, name := range []string{"a", "b", "c"} {
		b.write(name, text(5000, name))
		w := b.want(name)
		open := w.open
		w.open = func() (*os.File, error) { <-gate; return open() }
		b.fetch(w)
	}
	close(gate)
	b.store.work.Wait()
	if names, _ := b.copies(); len(names) != 2 {
		t.Errorf("%d copies, want those of two jobs", len(names))
	}
}

func TestDiskLimit(t *testing.T) {
	b := newBench(t)
	b.write("a", text(50000, "a"))
	b.fetch(b.want("a"))
	_, one := b.copies()
	b.store.setLimit(3 * one)
	for _, name := range []string{"b", "c"} {
		b.write(name, text(50000, name))
		b.fetch(b.want(name))
	}
	if names, used := b.copies(); len(names) != 3 || used != 3*one {
		t.Fatalf("%d copies of %d bytes, want 3 of %d: the texts differ in one letter", len(names), used, one)
	}
	b.opens.Store(0)
	b.fetch(b.want("a")) // used last
	b.write("d", text(50000, "d"))
	b.fetch(b.want("d"))
	if names, _ := b.copies(); len(names) != 3 || b.opens.Load() != 1 {
		t.Errorf("copies %v, %d files read", names, b.opens.Load())
	}
	b.opens.Store(0)
	b.fetch(b.want("a"))
	if b.opens.Load() != 0 {
		t.Error("what was used last has gone")
	}
	b.fetch(b.want("b"))
	if b.opens.Load() != 1 {
		t.Error("what was not used for the longest time is there")
	}
	b.store.setLimit(one)
	if names, _ := b.copies(); len(names) != 1 {
		t.Errorf("after the limit was lowered: %v", names)
	}
	b.store.setLimit(one - 1)
	b.opens.Store(0)
	if names, _ := b.copies(); len(names) != 0 || b.fetch(b.want("a")) != "" || b.fetch(b.want("a")) != "" || b.opens.Load() != 1 {
		t.Errorf("a copy above the limit: %v, file read %d times", names, b.opens.Load())
	}
	b.store.setLimit(-1)
	for _, name := range []string{"e", "f", "g", "h"} {
		b.write(name, text(50000, name))
		b.fetch(b.want(name))
	}
	if names, _ := b.copies(); len(names) != 4 {
		t.Errorf("without a limit: %v", names)
	}
}

func TestItemLimit(t *testing.T) {
	b := newBench(t)
	b.store.maxItems = 3
	for i := range 5 {
		name := fmt.Sprint(i)
		b.write(name, text(5000, name))
		b.fetch(b.want(name))
		if names, _ := b.copies(); len(names) != min(i+1, 3) {
			t.Errorf("after %d: %d copies", i+1, len(names))
		}
	}
}

func TestRestartFindsCopies(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"a", "b"} {
		b.write(name, text(50000, name))
		b.fetch(b.want(name))
	}
	dir := filepath.Join(b.store.dir, "site-1")
	for _, name := range []string{"unfinished-1.tmp", "notes.txt", "0123.gzip"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b.opens.Store(0)
	b.store = b.restart(b.store.dir)
	if b.fetch(b.want("a")) != text(50000, "a") || b.opens.Load() != 0 {
		t.Errorf("the copy was made anew")
	}
	b.store.setLimit(0)
	names, _ := b.copies()
	if strings.Join(names, " ") != "0123.gzip notes.txt" {
		t.Errorf("left: %v; files that are no copies must stay, unfinished ones must go", names)
	}
}

func TestCopiesThatSomebodyTouched(t *testing.T) {
	b := newBench(t)
	b.write("a", text(50000, "a"))
	b.fetch(b.want("a"))
	for what, touch := range map[string]func(string) error{"removed": os.Remove, "cut": func(p string) error { return os.Truncate(p, 10) }} {
		names, _ := b.copies()
		if err := touch(filepath.Join(b.store.dir, "site-1", names[0])); err != nil {
			t.Fatal(err)
		}
		if got := b.fetch(b.want("a")); got != "" {
			t.Errorf("%s: %d bytes are sent", what, len(got))
		}
		if b.fetch(b.want("a")) != text(50000, "a") {
			t.Errorf("%s: not made anew", what)
		}
	}
}

func TestFailuresAreTriedAgain(t *testing.T) {
	b := newBench(t)
	now := time.Now()
	b.store.now = func() time.Time { return now }
	if err := os.Mkdir(filepath.Join(b.files, "a"), 0o755); err != nil { // reading it fails
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		opens int64
	}{{0, 1}, {0, 1}, {retryAfter - 1, 1}, {1, 2}, {0, 2}} {
		now = now.Add(c.after)
		if b.fetch(b.want("a")) != "" || b.opens.Load() != c.opens {
			t.Errorf("%d attempts, want %d", b.opens.Load(), c.opens)
		}
	}
	if n := strings.Count(b.log.String(), "level=ERROR"); n != 1 {
		t.Errorf("told %d times:\n%s", n, b.log)
	}
	b.write("good", text(5000, "a"))
	if b.fetch(b.want("good")) == "" {
		t.Error("another file fails too")
	}
	now = now.Add(retryAfter)
	b.fetch(b.want("a"))
	if n := strings.Count(b.log.String(), "level=ERROR"); n != 2 {
		t.Errorf("after a success: told %d times", n)
	}
	if names, _ := b.copies(); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestFileThatChangesMeanwhile(t *testing.T) {
	b := newBench(t)
	b.write("a", text(50000, "a"))
	w := b.want("a")
	b.write("a", text(40000, "b"))
	if b.fetch(w) != "" {
		t.Error("a copy of something else")
	}
	if b.fetch(b.want("a")) != text(40000, "b") {
		t.Error("no copy of the new file")
	}
}

func TestPanicOfAnEncoder(t *testing.T) {
	b := newBench(t)
	b.write("a", text(5000, "a"))
	w := b.want("a")
	w.open = func() (*os.File, error) { panic("oops") }
	if b.fetch(w) != "" || !strings.Contains(b.log.String(), "oops") {
		t.Errorf("log: %s", b.log)
	}
}

func TestStoreEnds(t *testing.T) {
	b := newBench(t)
	b.write("a", text(5000, "a"))
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	if b.fetch(b.want("a")) != "" {
		t.Error("a closed store works")
	}
	if b.log.Len() > 0 {
		t.Errorf("log: %s", b.log)
	}
}

func BenchmarkFetch(b *testing.B) {
	st := newBench(b)
	st.write("a", text(100000, "a"))
	w := st.want("a")
	st.fetch(w)
	b.ReportAllocs()
	for b.Loop() {
		f, _ := st.store.fetch(context.Background(), w)
		_ = f.Close()
	}
}
