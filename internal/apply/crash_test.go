package apply

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// bench is a scenario with its home before and what the trees before and after look like.
type bench struct {
	scenario
	template      string // a home to copy
	before, after string // snapshots; the same for a scenario that fails
	ops           []string
}

// newBench prepares a home and carries the scenario out once without a fault, to count the operations.
func newBench(t *testing.T, s scenario) *bench {
	t.Helper()
	b := &bench{scenario: s, template: memoryDir(t)}
	for _, p := range s.before {
		if _, err := Run(t.Context(), p, options(b.template, faultfs.Unsynced{})); err != nil {
			t.Fatal(err)
		}
	}
	b.before = snapshot(t, b.template)
	home := b.home(t)
	disk := faultfs.New(faultfs.Unsynced{}, faultfs.Fault{})
	o := options(home, disk)
	s.host(o.Host.(*fakeHost))
	if _, err := Run(t.Context(), s.plan, o); (err != nil) != s.fails {
		t.Fatal(err)
	}
	b.ops = disk.Ops()
	b.after = snapshot(t, home)
	if (b.before == b.after) != s.fails {
		t.Fatalf("before and after must differ exactly when nothing fails:\n%s", b.after)
	}
	return b
}

// memoryDir returns a temporary folder, in memory where there is such a place: thousands of homes are made here, and no
// test that uses it depends on what a disk keeps.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "rolemgr-test-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// stride is how far apart the points are: everywhere, but with -short (for -race) only each fifth.
func stride() int {
	if testing.Short() {
		return 5
	}
	return 1
}

// home returns a fresh copy of the template.
func (b *bench) home(t *testing.T) string {
	t.Helper()
	home := filepath.Join(memoryDir(t), "home")
	if err := os.CopyFS(home, os.DirFS(b.template)); err != nil {
		t.Fatal(err)
	}
	// CopyFS gives every file 0666 and every folder 0777 less the umask, plus what the original has.
	err := filepath.WalkDir(b.template, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return os.Chmod(home+strings.TrimPrefix(name, b.template), info.Mode())
	})
	if err != nil {
		t.Fatal(err)
	}
	return home
}

// settle recovers on a good disk and checks that the tree is the one before or the one after, that the state and the
// history say the same, and that the server can be changed again. It reports whether the transaction was committed.
func (b *bench) settle(t *testing.T, home, where string) (committed bool) {
	t.Helper()
	o := options(home, faultfs.Unsynced{})
	if _, err := Recover(t.Context(), o); err != nil {
		t.Fatalf("%s: recover: %v", where, err)
	}
	if anythingLeft(o) {
		t.Fatalf("%s: the journal is still there", where)
	}
	s, err := o.Store.Read()
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	committed = s.Serial > b.plan.BaseSerial
	want := b.before
	if committed {
		want = b.after
	}
	if got := snapshot(t, home); got != want {
		t.Fatalf("%s: the tree is neither the one before nor the one after; state %d\n%s\nwant\n%s", where, s.Serial, got, want)
	}
	checkHistory(t, o.Store, s, where)
	next := b.plan
	if committed {
		next = plan.Plan{Version: 1, BaseSerial: s.Serial, After: state.State{Features: slices.Clone(s.Features)},
			Steps: []plan.Step{put("core", "core v2\n"), {Op: plan.Reload}, probe("core")}}
	}
	if _, err := Run(t.Context(), next, options(home, faultfs.Unsynced{})); err != nil {
		t.Fatalf("%s: the next transaction: %v", where, err)
	}
	return committed
}

// checkHistory checks that every kept past state can be read, and so can the content of every file that it and the
// current one name.
func checkHistory(t *testing.T, store *state.Store, current state.State, where string) {
	t.Helper()
	serials, err := store.Past()
	if err != nil {
		t.Fatalf("%s: %v", where, err)
	}
	if uint64(len(serials)) != current.Serial {
		t.Fatalf("%s: past states %v of state %d", where, serials, current.Serial)
	}
	all := []state.State{current}
	for _, n := range serials {
		past, err := store.ReadPast(n)
		if err != nil {
			t.Fatalf("%s: %v", where, err)
		}
		all = append(all, past)
	}
	for _, s := range all {
		for _, f := range s.Features {
			for _, file := range f.Files {
				if _, err := store.Blob(file.SHA256); err != nil {
					t.Fatalf("%s: state %d: %v", where, s.Serial, err)
				}
			}
		}
	}
}

// TestKillEverywhere kills a process with SIGKILL before, half-way through and after each operation on the disk.
func TestKillEverywhere(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, s)
			points, undone, done := 0, 0, 0
			for i, op := range b.ops {
				if i%stride() != 0 && i < len(b.ops)-1 {
					continue
				}
				for _, do := range []faultfs.Action{faultfs.KillBefore, faultfs.KillHalf, faultfs.KillAfter} {
					if do == faultfs.KillHalf && !strings.HasPrefix(op, "write ") {
						continue
					}
					home := b.home(t)
					where := string(do) + " " + op
					if !(job{Home: home, Scenario: s.name, Fault: faultfs.Fault{At: i + 1, Do: do}}).killed(t) {
						t.Fatalf("%s: the child was not killed", where)
					}
					points++
					if b.settle(t, home, where) {
						done++
					} else {
						undone++
					}
				}
			}
			if undone == 0 || (done == 0) != s.fails {
				t.Errorf("%d undone, %d finished: the points do not cover both sides of the commit", undone, done)
			}
			t.Logf("%d operations, killed at %d points: %d undone, %d finished", len(b.ops), points, undone, done)
		})
	}
}

// TestKillRecovery kills recoveries: at each operation of the recovery that follows a kill of the transaction. A sync
// changes nothing that outlives a kill, so the points at syncs are left out; TestPowerCutInRecovery has them.
func TestKillRecovery(t *testing.T) {
	for _, name := range []string{"first install", "rollback"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := scenarioOf(name)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, s)
			crashes, points := 0, 0
			for i := 0; i < len(b.ops); i += stride() {
				if isSync(b.ops[i]) {
					continue
				}
				crashed := &bench{scenario: s, template: b.home(t), before: b.before, after: b.after}
				fault := faultfs.Fault{At: i + 1, Do: faultfs.KillAfter}
				if !(job{Home: crashed.template, Scenario: name, Fault: fault}).killed(t) {
					t.Fatalf("%s: the child was not killed", b.ops[i])
				}
				crashes++
				points += crashed.killRecovery(t, b.ops[i])
			}
			t.Logf("%d interrupted transactions, their recoveries killed at %d points", crashes, points)
		})
	}
}

// killRecovery kills the recovery of a crashed home at each operation, half-way where it can be, and returns the number
// of points.
func (b *bench) killRecovery(t *testing.T, crash string) int {
	t.Helper()
	disk := faultfs.New(faultfs.Unsynced{}, faultfs.Fault{})
	if _, err := Recover(t.Context(), options(b.home(t), disk)); err != nil {
		t.Fatal(err)
	}
	points := 0
	for i, op := range disk.Ops() {
		if isSync(op) {
			continue
		}
		points++
		do := faultfs.KillAfter
		if strings.HasPrefix(op, "write ") {
			do = faultfs.KillHalf
		}
		home := b.home(t)
		where := "killed after " + crash + ", recovery " + string(do) + " " + op
		if !(job{Home: home, Fault: faultfs.Fault{At: i + 1, Do: do}}).killed(t) {
			t.Fatalf("%s: the child was not killed", where)
		}
		b.settle(t, home, where)
	}
	return points
}

// isSync reports whether a kill after an operation leaves the same as a kill before it.
func isSync(op string) bool {
	return strings.HasPrefix(op, "sync ") || strings.HasPrefix(op, "syncdir ")
}

// TestFailEverywhere lets each operation fail in the same process, once or from then on, and takes Run at its word:
// whatever it returns must be true of the tree before anything is recovered.
func TestFailEverywhere(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, s)
			count := make(map[string]int)
			for i, op := range b.ops {
				if i%stride() != 0 {
					continue
				}
				for _, do := range []faultfs.Action{faultfs.ENOSPC, faultfs.EIO, faultfs.ShortWrite} {
					if do == faultfs.ShortWrite && !strings.HasPrefix(op, "write ") {
						continue // the same as EIO
					}
					for _, lasting := range []bool{false, true} {
						fault := faultfs.Fault{At: i + 1, Do: do, Lasting: lasting}
						where := string(do) + " " + op
						if lasting {
							where += " and all after it"
						}
						count["points"]++
						count[b.fail(t, fault, where)]++
					}
				}
			}
			if count["rolled back"] == 0 || count["incomplete"] == 0 || (count["committed"] == 0) != s.fails {
				t.Errorf("the points do not cover every outcome: %v", count)
			}
			t.Logf("%d operations, outcomes: %v", len(b.ops), count)
		})
	}
}

// fail carries the scenario out with a fault and returns the outcome.
func (b *bench) fail(t *testing.T, fault faultfs.Fault, where string) string {
	t.Helper()
	home := b.home(t)
	o := options(home, faultfs.New(faultfs.Unsynced{}, fault))
	b.host(o.Host.(*fakeHost))
	_, err := Run(t.Context(), b.plan, o)
	outcome, tree := "committed", b.after
	rolled, incomplete := (*RolledBackError)(nil), (*IncompleteError)(nil)
	switch {
	case errors.As(err, &rolled):
		outcome, tree = "rolled back", b.before
	case errors.As(err, &incomplete):
		outcome, tree = "incomplete", ""
		if _, pending, err := Pending(home, faultfs.Unsynced{}); !pending || err != nil {
			t.Fatalf("%s: incomplete but not pending: %v", where, err)
		}
	case err != nil:
		outcome, tree = "refused", b.before
	}
	if tree != "" {
		if got := snapshot(t, home); got != tree {
			t.Fatalf("%s: %s (%v), but the tree is\n%s\nwant\n%s", where, outcome, err, got, tree)
		}
	}
	if committed := b.settle(t, home, where); tree != "" && committed != (outcome == "committed") {
		t.Fatalf("%s: %s (%v), but recovered to committed=%v", where, outcome, err, committed)
	}
	return outcome
}
