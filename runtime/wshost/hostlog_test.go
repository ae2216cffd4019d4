package wshost

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestHostLog(t *testing.T) {
	old := unix.Umask(0)
	h := newTestHost(t, hello("x"))
	o := h.options()
	o.Logger = nil
	s, err := Start(context.Background(), o)
	unix.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(context.Background())
	path := filepath.Join(h.home, "logs", "wshost.log")
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v; want mode 0640", info, err)
	}
	// A rotation renames the file; a reload begins the new one.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	first, _ := os.ReadFile(path + ".1")
	second, _ := os.ReadFile(path)
	if !strings.Contains(string(first), "the host has started") || strings.Contains(string(first), "generation=2") || !strings.Contains(string(second), "generation=2") {
		t.Errorf("the old file holds\n%s\nthe new one\n%s", first, second)
	}
	if _, err := s.Reload(context.Background()); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(path); !bytes.HasPrefix(now, second) || len(now) == len(second) {
		t.Errorf("a reload without rotation began anew:\n%s", now)
	}
}

func TestRequestLogger(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(&requestHandler{slog.NewTextHandler(&b, nil), "a site", "/p\nq"})
	log.Info("one", "k", 1)
	log.With("k", 2).Info("two")
	log.WithGroup("g").Info("three", "k", 3)
	log.Debug("four")
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3:\n%s", len(lines), &b)
	}
	for i, want := range []string{"msg=one k=1", "msg=two", "msg=three"} {
		if l := lines[i]; !strings.Contains(l, want) || !strings.Contains(l, ` site="a site" path="/p\nq"`) {
			t.Errorf("line %q", l)
		}
	}
	if !strings.Contains(lines[2], " g.k=3") {
		t.Errorf("line %q has no group", lines[2])
	}
}
