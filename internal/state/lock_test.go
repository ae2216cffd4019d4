package state

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

func TestLockExcludes(t *testing.T) {
	s, _ := newStore(t)
	unlock, err := s.Lock("rolemgr install websocket", 0)
	if err != nil {
		t.Fatal(err)
	}
	other := NewStore(s.home, atomicfile.OS{}, nil)
	for _, wait := range []time.Duration{0, 5 * time.Millisecond} {
		_, err = other.Lock("rolemgr remove ftp", wait)
		locked := (*LockedError)(nil)
		if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Command != "rolemgr install websocket" || locked.Since.IsZero() {
			t.Errorf("error %v (%+v)", err, locked)
		}
	}
	if h, held := other.Holder(); !held || h.Command != "rolemgr install websocket" {
		t.Errorf("holder %+v %v", h, held)
	}
	unlock()
	if h, held := other.Holder(); held {
		t.Errorf("holder %+v after the release", h)
	}
	again, err := other.Lock("rolemgr remove ftp", 0)
	if err != nil {
		t.Fatal(err)
	}
	unlock() // a second release must not take the lock of somebody else
	if _, err := s.Lock("x", 0); err == nil {
		t.Error("the lock was taken twice")
	}
	again()
}

func TestLockWaits(t *testing.T) {
	s, _ := newStore(t)
	unlock, err := s.Lock("first", 0)
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error)
	go func() {
		second, err := s.Lock("second", time.Minute)
		if err == nil {
			defer second()
		}
		got <- err
	}()
	unlock()
	if err := <-got; err != nil {
		t.Error(err)
	}
}

// TestLockHolderIsGone: the name of a process that is gone is not that of a holder, and its lock is free.
func TestLockHolderIsGone(t *testing.T) {
	s, home := newStore(t)
	cmd := exec.CommandContext(t.Context(), "true")
	if err := cmd.Run(); err != nil {
		t.Skip("no process to end: ", err)
	}
	if err := os.Mkdir(filepath.Join(home, journalDir), 0o755); err != nil {
		t.Fatal(err)
	}
	stale := `{"pid":` + strconv.Itoa(cmd.Process.Pid) + `,"since":"2026-03-01T10:15:00Z","command":"gone"}`
	for _, text := range []string{stale, "", "{", "null", `{"pid":-1}`} {
		if err := os.WriteFile(s.path(lockFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if h, held := s.Holder(); held {
			t.Errorf("%q: holder %+v", text, h)
		}
		unlock, err := s.Lock("next", 0)
		if err != nil {
			t.Fatal(err)
		}
		unlock()
	}
	if got := (&LockedError{}).Error(); strings.Contains(got, "process 0") {
		t.Errorf("%q names a process that is not known", got)
	}
}
