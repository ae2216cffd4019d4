package apply

import (
	"bufio"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/state"
)

// TestTwoRunsAtOnce: while one process is in a transaction another one is told who it is and changes nothing; when the
// first one is killed, its lock is free and its transaction is undone.
func TestTwoRunsAtOnce(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	before := snapshot(t, home)
	cmd := job{Home: home, Scenario: "install", Hold: true}.start(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	o := options(home, atomicfile.OS{})
	o.Wait = 20 * time.Millisecond
	for name, second := range map[string]func() error{
		"Run":     func() error { _, err := Run(t.Context(), secondInstall(), o); return err },
		"Recover": func() error { _, err := Recover(t.Context(), o); return err },
	} {
		err := second()
		locked := (*state.LockedError)(nil)
		if !errors.As(err, &locked) {
			t.Fatalf("%s: error %v, want a LockedError", name, err)
		}
		if locked.PID != cmd.Process.Pid || locked.Command != "rolemgr install websocket" || time.Since(locked.Since) > time.Minute ||
			!strings.Contains(err.Error(), "rolemgr install websocket") {
			t.Errorf("%s: %+v, want process %d", name, locked, cmd.Process.Pid)
		}
	}
	if _, pending, err := Pending(home, atomicfile.OS{}); pending || err != nil {
		t.Errorf("a transaction that is under way counts as interrupted: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	r, pending, err := Pending(home, atomicfile.OS{})
	if !pending || err != nil || !r.Undone || r.Finished || r.Command != "rolemgr install websocket" || r.Transaction == "" {
		t.Errorf("pending %v %+v %v", pending, r, err)
	}
	o.Wait = 0
	done, err := Recover(t.Context(), o)
	if err != nil || done.Transaction != r.Transaction || !done.Undone {
		t.Errorf("recovery %+v %v", done, err)
	}
	if after := snapshot(t, home); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// TestRunWaits: a transaction that may wait gets its turn.
func TestRunWaits(t *testing.T) {
	home := t.TempDir()
	o := options(home, atomicfile.OS{})
	unlock, err := o.Store.Lock("rolemgr remove ftp", 0)
	if err != nil {
		t.Fatal(err)
	}
	o.Wait = time.Minute
	result := make(chan error)
	go func() {
		_, err := Run(t.Context(), firstInstall(), o)
		result <- err
	}()
	select {
	case err := <-result:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	unlock()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// TestReadersNeedNoWritePermission: what only looks works on a home that cannot be written.
func TestReadersNeedNoWritePermission(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("running as root, whom permissions do not bind: only that nothing is written is tested")
	}
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	for _, dir := range []string{home, home + "/journal"} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(dir, 0o755) })
	}
	o := options(home, readOnly{})
	if _, err := o.Store.Read(); err != nil {
		t.Error(err)
	}
	if past, err := o.Store.Past(); err != nil || len(past) != 1 {
		t.Error(past, err)
	}
	if _, pending, err := Pending(home, readOnly{}); pending || err != nil {
		t.Error(pending, err)
	}
	if r, err := Recover(t.Context(), o); err != nil || r.Transaction != "" {
		t.Error(r, err)
	}
	empty := t.TempDir()
	if r, err := Recover(t.Context(), options(empty, readOnly{})); err != nil || r.Transaction != "" {
		t.Error(r, err)
	}
	if entries, err := os.ReadDir(empty); len(entries) != 0 || err != nil {
		t.Error(entries, err)
	}
}
