package target

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// The tests of package apply interrupt transactions of their own everywhere. These do it to the real thing: the
// catalogue of this program, a throw-away host and its probes.

// childVariable tells the test binary that it is a child and what to do there.
const childVariable = "ROLEMGR_TARGET_TEST_CHILD"

// job is one change of a home, on a disk with a fault.
type job struct {
	Home   string
	Change string
	Fault  faultfs.Fault
}

// TestMain makes the test binary its own child.
func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		_, err = j.run(context.Background(), faultfs.New(faultfs.Unsynced{}, j.Fault))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// realLocal is the server of a home with everything that this program has.
func realLocal(home string, disk atomicfile.FS) (*Local, error) {
	catalog, err := features.NewCatalog(all.Units())
	if err != nil {
		return nil, err
	}
	factory := []byte("schema = 1\nserial = 0\nlevel = \"8.0\"\nlast_transaction = \"\"\nwritten_by = \"\"\n")
	noon := func() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
	return NewLocal(LocalOptions{Home: home, Name: "crash", Catalog: catalog, Factory: factory, FS: disk, Version: "1", Now: noon}), nil
}

func (j job) run(ctx context.Context, disk atomicfile.FS) (apply.Result, error) {
	l, err := realLocal(j.Home, disk)
	if err != nil {
		return apply.Result{}, err
	}
	var r plan.Request
	switch j.Change {
	case "install":
		r.Install = []features.ID{"websocket"}
	case "remove":
		r.Remove = []features.ID{"websocket", "http-logging"}
	case "rollback":
		past, err := l.History(ctx)
		if err != nil {
			return apply.Result{}, err
		}
		r.To = &past[1]
	}
	p, _, err := l.Plan(ctx, r)
	if err != nil {
		return apply.Result{}, err
	}
	return l.Apply(ctx, p, ApplyOptions{Command: "rolemgr " + j.Change, MaxCut: -1})
}

// killed runs the job in a child and reports whether its fault killed it.
func (j job) killed(t *testing.T) bool {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+string(text), "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	t.Fatalf("child %+v: %v\n%s", j, err, out)
	return false
}

// prepare makes a home that has gone through the changes before this one.
func (j job) prepare(t *testing.T) {
	t.Helper()
	for _, before := range map[string][]string{"remove": {"install"}, "rollback": {"install", "remove"}}[j.Change] {
		if _, err := (job{Home: j.Home, Change: before}).run(t.Context(), faultfs.Unsynced{}); err != nil {
			t.Fatal(err)
		}
	}
}

// tree is everything below a home but the bookkeeping in journal/: names, modes and contents. Transaction ids, which
// no two runs share, are blotted out.
func tree(t *testing.T, home string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(home, func(name string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(home, name)
		switch {
		case err != nil || rel == ".":
			return err
		case rel == "journal":
			return filepath.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v\n", rel, info.Mode())
		if !info.Mode().IsRegular() {
			return nil
		}
		data, err := os.ReadFile(name)
		for line := range strings.Lines(string(data)) {
			if rel == "state.toml" && strings.HasPrefix(line, "last_transaction") {
				line = "last_transaction\n"
			}
			b.WriteString(line)
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b.String()
}

func TestRealChangesSurviveAKillAtEveryOperation(t *testing.T) {
	for _, change := range []string{"install", "remove", "rollback"} {
		t.Run(change, func(t *testing.T) {
			t.Parallel()
			whole := job{Home: filepath.Join(t.TempDir(), "home"), Change: change}
			whole.prepare(t)
			before := tree(t, whole.Home)
			disk := faultfs.New(faultfs.Unsynced{}, faultfs.Fault{})
			if _, err := whole.run(t.Context(), disk); err != nil {
				t.Fatal(err)
			}
			after, ops := tree(t, whole.Home), len(disk.Ops())
			if before == after || ops < 30 {
				t.Fatalf("the change makes %d operations and no difference", ops)
			}
			step, undone := 1, 0
			if testing.Short() || underRace {
				step = 11 // make test runs all of them without the race detector
			}
			points, base := 0, t.TempDir()
			for n := 1; n <= ops; n += step {
				for _, how := range []faultfs.Action{faultfs.KillBefore, faultfs.KillHalf} {
					j := job{Home: filepath.Join(base, fmt.Sprint(n, how)), Change: change, Fault: faultfs.Fault{At: n, Do: how}}
					j.prepare(t)
					if !j.killed(t) {
						if how == faultfs.KillBefore {
							t.Fatalf("operation %d of %d was not reached", n, ops)
						}
						continue // no write
					}
					points++
					if recovered(t, j.Home, before, after) {
						undone++
					}
				}
			}
			t.Logf("%s: killed at %d points of %d operations (%s); %d undone, %d finished", change, points, ops, "create, write, sync, rename, remove, mkdir", undone, points-undone)
			if step == 1 && (undone == 0 || undone == points) {
				t.Error("the commit point was never between two kills")
			}
		})
	}
}

// recovered recovers a home as every command does and reports whether it is as before; the only other outcome is as after.
func recovered(t *testing.T, home, before, after string) bool {
	t.Helper()
	l, err := realLocal(home, faultfs.Unsynced{})
	if err != nil {
		t.Fatal(err)
	}
	if _, waits, err := l.Pending(t.Context()); err != nil {
		t.Fatal(err)
	} else if waits {
		if _, err := l.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := tree(t, home)
	if got != before && got != after {
		t.Fatalf("after recovery the home is neither as before nor as after:\n%s", got)
	}
	return got == before
}
