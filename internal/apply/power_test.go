package apply

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
)

// cut carries work out on a disk whose power is cut at an operation, and reports whether it was.
func cut(disk *memDisk, at int, work func()) (was bool) {
	disk.cutAt, disk.count = at, 0
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case powerCut:
			was = true
		default:
			panic(r)
		}
	}()
	work()
	return false
}

// powerBench is a scenario on a disk in memory.
type powerBench struct {
	scenario
	home          string
	disk          *memDisk // as it is before
	before, after string
}

func newPowerBench(t *testing.T, s scenario) *powerBench {
	t.Helper()
	b := &powerBench{scenario: s, home: filepath.Join(memoryDir(t), "home")}
	// The lock is a real file, whatever the disk is.
	if err := os.MkdirAll(filepath.Join(b.home, journalDir), 0o755); err != nil {
		t.Fatal(err)
	}
	b.disk = newMemDisk(filepath.Dir(b.home))
	for _, p := range s.before {
		if _, err := Run(t.Context(), p, options(b.home, b.disk)); err != nil {
			t.Fatal(err)
		}
	}
	// What a finished transaction left must survive at once.
	b.disk = b.disk.after(loseAll)
	b.before = treeOf(t, b.disk, b.home)
	done := b.disk.clone()
	b.run(t, done)
	b.after = treeOf(t, done, b.home)
	if survived := treeOf(t, done.after(loseAll), b.home); survived != b.after {
		t.Fatalf("a power cut after the end takes away what was done:\n%s\nwant\n%s", survived, b.after)
	}
	return b
}

// run carries the scenario out; how it ends is seen on the disk.
func (b *powerBench) run(t *testing.T, disk *memDisk) {
	o := options(b.home, disk)
	b.host(o.Host.(*fakeHost))
	if _, err := Run(t.Context(), b.plan, o); err != nil && !b.fails {
		t.Fatal(err)
	}
}

// settle recovers and checks the tree, also after one more cut when the recovery says that it is done.
func (b *powerBench) settle(t *testing.T, disk *memDisk, where string) (committed bool) {
	t.Helper()
	for _, again := range []string{"", ", recovered, cut again"} {
		o := options(b.home, disk)
		if _, err := Recover(t.Context(), o); err != nil {
			t.Fatalf("%s%s: recover: %v", where, again, err)
		}
		s, err := o.Store.Read()
		if err != nil {
			t.Fatalf("%s%s: %v", where, again, err)
		}
		want := b.before
		if again != "" && committed != (s.Serial > b.plan.BaseSerial) {
			t.Fatalf("%s%s: the outcome has changed", where, again)
		}
		if committed = s.Serial > b.plan.BaseSerial; committed {
			want = b.after
		}
		if got := treeOf(t, disk, b.home); got != want {
			t.Fatalf("%s%s: the tree is neither the one before nor the one after; state %d\n%s\nwant\n%s", where, again, s.Serial, got, want)
		}
		checkHistory(t, o.Store, s, where)
		disk = disk.after(loseAll)
	}
	return committed
}

// losses are what a power cut takes away, by name.
func losses(n int) map[string]loss {
	return map[string]loss{
		"all is lost": loseAll, "names are kept": keepNames,
		"chance 1": chance(uint64(n)), "chance 2": chance(uint64(n) + 1000), "chance 3": chance(uint64(n) + 2000),
	}
}

// TestPowerCutEverywhere cuts the power before each operation. It is the proof that the syncs that are left out are
// not needed and that those that are there are enough.
func TestPowerCutEverywhere(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			b := newPowerBench(t, s)
			points, done := 0, 0
			for n := 1; ; n++ {
				ended := false
				for name, l := range losses(n) {
					disk := b.disk.clone()
					ended = !cut(disk, n, func() { b.run(t, disk) })
					points++
					if b.settle(t, disk.after(l), name) {
						done++
					}
				}
				if ended {
					break
				}
			}
			if (done == 0) != s.fails || done == points {
				t.Errorf("%d of %d points after the commit", done, points)
			}
			t.Logf("power cut at %d points, %d after the commit", points, done)
		})
	}
}

// TestPowerCutAfterAKilledStart: the folder of the journal was made by a process that died before it was durable.
func TestPowerCutAfterAKilledStart(t *testing.T) {
	b := newPowerBench(t, scenarios()[0])
	for n := 1; ; n++ {
		ended := false
		for name, l := range losses(n) {
			disk := b.disk.clone()
			if err := errors.Join(disk.Mkdir(b.home, 0o755), disk.SyncDir(filepath.Dir(b.home)),
				disk.Mkdir(filepath.Join(b.home, journalDir), 0o755)); err != nil {
				t.Fatal(err)
			}
			ended = !cut(disk, n, func() { b.run(t, disk) })
			b.settle(t, disk.after(l), name)
		}
		if ended {
			return
		}
	}
}

// TestPowerCutInRecovery cuts the power before each operation of the recovery from a power cut, and of the recovery
// from a kill, after which nothing is lost but much is not durable.
func TestPowerCutInRecovery(t *testing.T) {
	for _, name := range []string{"first install", "rollback"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := scenarioOf(name)
			if err != nil {
				t.Fatal(err)
			}
			b := newPowerBench(t, s)
			points := 0
			for n := 1; ; n += stride() {
				killed := func() *memDisk {
					disk := b.disk.clone()
					if !cut(disk, n, func() { b.run(t, disk) }) {
						return nil
					}
					disk.dead = false
					return disk
				}
				if killed() == nil {
					break
				}
				points += b.cutRecovery(t, killed)
				points += b.cutRecovery(t, func() *memDisk { return killed().after(chance(uint64(n))) })
			}
			t.Logf("recoveries cut at %d points", points)
		})
	}
}

// cutRecovery cuts the power at each operation of the recovery of a crashed disk and returns the number of points.
func (b *powerBench) cutRecovery(t *testing.T, crashed func() *memDisk) (points int) {
	t.Helper()
	for m := 1; ; m++ {
		disk := crashed()
		ended := !cut(disk, m, func() {
			if _, err := Recover(t.Context(), options(b.home, disk)); err != nil {
				t.Fatal(err)
			}
		})
		points++
		if ended {
			want := treeOf(t, disk, b.home)
			lost := disk.after(loseAll)
			if got := treeOf(t, lost, b.home); got != want {
				t.Fatalf("a power cut takes back what was recovered:\n%s\nwant\n%s", got, want)
			}
			b.settle(t, lost, "recovered")
			return points
		}
		b.settle(t, disk.after(chance(uint64(m))), "recovery cut")
	}
}

// TestSyncs keeps the number of fsyncs of typical transactions where it is: at 0.4 ms each an install stays far below
// what a person notices. A change that adds one has to say why here.
func TestSyncs(t *testing.T) {
	for name, most := range map[string]int{"first install": 30, "install": 22, "removal": 16, "rollback": 20} {
		s, err := scenarioOf(name)
		if err != nil {
			t.Fatal(err)
		}
		home := t.TempDir()
		mustRun(t, home, s.before...)
		disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{})
		if _, err := Run(t.Context(), s.plan, options(home, disk)); err != nil {
			t.Fatal(err)
		}
		files, folders := 0, 0
		for _, op := range disk.Ops() {
			switch {
			case strings.HasPrefix(op, "sync "):
				files++
			case strings.HasPrefix(op, "syncdir "):
				folders++
			}
		}
		t.Logf("%s: %d steps, %d operations, %d fsyncs of files and %d of folders", name, len(s.plan.Steps), len(disk.Ops()), files, folders)
		if files+folders > most {
			t.Errorf("%s: %d fsyncs, want at most %d", name, files+folders, most)
		}
	}
}
