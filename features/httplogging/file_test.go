package httplogging

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

const testHeader = "#Fields: x"

func text(s string) func([]byte) []byte {
	return func(b []byte) []byte { return append(append(b, s...), '\n') }
}

// content returns the lines of a file that are no directives but #Fields.
func content(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, "#") || strings.HasPrefix(line, "#Fields") {
			out.WriteString(line)
		}
	}
	return out.String()
}

func TestRollover(t *testing.T) {
	dir := t.TempDir()
	f := newFile(dir, naming{period: periodDaily}, slog.New(slog.DiscardHandler))
	midnight := time.Date(2030, 5, 2, 0, 0, 0, 0, time.UTC)
	f.write(midnight.Add(-time.Nanosecond), testHeader, text("last"))
	f.write(midnight, testHeader, text("first"))
	f.write(midnight, "#Fields: y", text("other columns"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f.write(midnight, testHeader, text("too late"))
	if got := content(t, filepath.Join(dir, "u_ex300501.log")); got != testHeader+"\nlast\n" {
		t.Errorf("the first day: %q", got)
	}
	if got := content(t, filepath.Join(dir, "u_ex300502.log")); got != testHeader+"\nfirst\n#Fields: y\nother columns\n" {
		t.Errorf("the second day: %q", got)
	}
}

func TestNames(t *testing.T) {
	at := time.Date(2030, 12, 31, 23, 30, 0, 0, time.UTC)
	for period, want := range map[string]string{
		periodHourly: "u_ex30123123.log", periodDaily: "u_ex301231.log", periodWeekly: "u_ex301205.log",
		periodMonthly: "u_ex3012.log", periodMaxSize: "u_extend.log", "": "u_ex301231.log",
	} {
		if got := (naming{period: period}).name(at); got != want {
			t.Errorf("%s: %s, want %s", period, got, want)
		}
	}
	// Told by the zone of the process, whatever it is: local names follow the local calendar.
	if got, want := (naming{period: periodHourly, local: true}).name(at), "u_ex"+at.Local().Format("06010215")+".log"; got != want {
		t.Errorf("local: %s, want %s", got, want)
	}
	for day, week := range map[int]string{1: "01", 7: "01", 8: "02", 31: "05"} {
		if got := (naming{period: periodWeekly}).name(time.Date(2030, 1, day, 0, 0, 0, 0, time.UTC)); got != "u_ex3001"+week+".log" {
			t.Errorf("day %d: %s, want week %s", day, got, week)
		}
	}
}

// TestFlush sees that a line reaches the disk by itself, and that much at once does so without waiting.
func TestFlush(t *testing.T) {
	dir := t.TempDir()
	f := newFile(dir, naming{period: periodMaxSize}, slog.New(slog.DiscardHandler))
	defer f.Close()
	path := filepath.Join(dir, "u_extend.log")
	f.write(time.Now(), testHeader, text("quiet"))
	if _, err := os.Stat(path); err == nil {
		t.Error("one line is written with a system call of its own")
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a line waits for ever")
		}
	}
	f.write(time.Now(), testHeader, text(strings.Repeat("x", flushSize)))
	if got := content(t, path); len(got) < flushSize {
		t.Errorf("%d bytes on disk after %d were gathered", len(got), flushSize)
	}
}

func TestRotatedByOthers(t *testing.T) {
	dir := t.TempDir()
	f := newFile(dir, naming{period: periodMaxSize}, slog.New(slog.DiscardHandler))
	path := filepath.Join(dir, "u_extend.log")
	full := strings.Repeat("a", flushSize) // reaches the disk at once
	f.write(time.Now(), testHeader, text(full))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	f.write(time.Now(), testHeader, text("b"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := content(t, path+".1"); got != testHeader+"\n"+full+"\n" {
		t.Errorf("%d bytes went into the renamed file", len(got))
	}
	if got := content(t, path); got != testHeader+"\nb\n" {
		t.Errorf("the new file: %q", got)
	}
}

func TestUnwritable(t *testing.T) {
	base := t.TempDir()
	dir := filepath.Join(base, "logs")
	if err := os.WriteFile(dir, nil, 0o644); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	var log bytes.Buffer
	f := newFile(dir, naming{period: periodMaxSize}, slog.New(slog.NewTextHandler(&log, nil)))
	full := strings.Repeat("a", flushSize)
	f.write(time.Now(), testHeader, text(full))
	f.write(time.Now(), testHeader, text(full))
	if n := strings.Count(log.String(), "cannot be written"); n != 1 {
		t.Errorf("told %d times:\n%s", n, &log)
	}
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	f.write(time.Now(), testHeader, text("again"))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "written again") || !strings.Contains(log.String(), "lost_lines=2") {
		t.Errorf("the end of the trouble is not told:\n%s", &log)
	}
	if got := content(t, filepath.Join(dir, "u_extend.log")); got != testHeader+"\nagain\n" {
		t.Errorf("%q", got)
	}
}

// TestConcurrentWriters sees whole lines only, with two writers on one file, as two hosts of one folder are.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	const routines, lines = 4, 500
	var files []*file
	var wg sync.WaitGroup
	for range 2 {
		f := newFile(dir, naming{period: periodMaxSize}, slog.New(slog.DiscardHandler))
		files = append(files, f)
		for w := range routines {
			wg.Go(func() {
				for i := range lines {
					f.write(time.Now(), testHeader, text(fmt.Sprintf("%d-%03d-%s", w, i, strings.Repeat("x", 200))))
				}
			})
		}
	}
	wg.Wait()
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	n := 0
	for line := range strings.Lines(content(t, filepath.Join(dir, "u_extend.log"))) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if n++; len(line) != len("0-000-")+201 || !strings.HasSuffix(line, "x\n") {
			t.Fatalf("a broken line %q", line)
		}
	}
	if n != len(files)*routines*lines {
		t.Errorf("%d lines, want %d", n, len(files)*routines*lines)
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct {
		in    string
		first bool
		want  string
	}{
		{"", false, "-"}, {"plain", false, "plain"}, {"a b", false, "a+b"}, {"a+b", false, "a+b"},
		{"a\r\nb", false, "a%0D%0Ab"}, {"\x1b[31m", false, "%1B[31m"}, {"\u0085", false, "%C2%85"}, {"\u2028", false, "%E2%80%A8"},
		{"\xff", false, "%FF"}, {"€", false, "€"}, {"#x", true, "%23x"}, {"#x", false, "#x"}, {"x#", true, "x#"}, {"\ufffd", false, "\ufffd"},
	} {
		if got := string(appendValue(nil, c.in, c.first)); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// FuzzValues holds every value to one field of one line.
func FuzzValues(f *testing.F) {
	f.Add("a b\r\n#Fields: x")
	f.Add("\x00\x7f\u0085\u2028\xff")
	f.Add("")
	f.Fuzz(func(t *testing.T, v string) {
		got := string(appendValue(nil, v, true))
		if got == "" || got[0] == '#' || strings.ContainsFunc(got, func(r rune) bool { return r <= ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' }) {
			t.Errorf("%q becomes %q", v, got)
		}
	})
}

// TestLinesMakeNoGarbage holds the line of a request to what it must allocate: nothing but the text of a new second.
func TestLinesMakeNoGarbage(t *testing.T) {
	r := httptest.NewRequest("GET", "/a", nil)
	r.RemoteAddr = "127.0.0.1:5"
	r.Header.Set("User-Agent", "x y")
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80})))
	columns, b := choose(nil), make([]byte, 0, 1024)
	var last atomic.Pointer[stamp]
	x := &record{r: r, q: &module.Request{Start: time.Unix(0, 0)}, stem: "/a", end: time.Unix(1, 0)}
	x.q.Outcome.Status = 200
	if n := testing.AllocsPerRun(100, func() {
		x.stamp = at(&last, x.end)
		b = line(b[:0], columns, x)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
	const want = "1970-01-01 00:00:01 127.0.0.1 GET /a - 80 - 127.0.0.1 x+y - 200 0 0 1000\n"
	if string(b) != want {
		t.Errorf("%q, want %q", b, want)
	}
}
