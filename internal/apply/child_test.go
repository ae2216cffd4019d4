package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// childVariable tells the test binary that it is a child and what to do there.
const childVariable = "ROLEMGR_APPLY_TEST_CHILD"

// job is what a child does: one transaction or one recovery on a disk with a fault.
type job struct {
	Home     string
	Scenario string // "" recovers
	Fault    faultfs.Fault
	Hold     bool // says "held" on standard output while the transaction is under way, and waits to be killed
}

// TestMain makes the test binary its own child.
func TestMain(m *testing.M) {
	text := os.Getenv(childVariable)
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := j.do(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// do is the child's work. Errors of the transaction itself are its outcome, not the child's.
func (j job) do() error {
	disk := faultfs.New(faultfs.Unsynced{}, j.Fault)
	o := options(j.Home, disk)
	if j.Scenario == "" {
		_, err := Recover(context.Background(), o)
		return err
	}
	s, err := scenarioOf(j.Scenario)
	if err != nil {
		return err
	}
	s.host(o.Host.(*fakeHost))
	if j.Hold {
		o.Command = "rolemgr install websocket"
		o.Host.(*fakeHost).onProbe = func() {
			fmt.Println("held")
			select {}
		}
	}
	_, err = Run(context.Background(), s.plan, o)
	if rolled := (*RolledBackError)(nil); errors.As(err, &rolled) {
		return nil
	}
	return err
}

// start starts a child; parallel children are bounded by -parallel.
func (j job) start(t *testing.T) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childVariable+"="+string(text), "GOMAXPROCS=1", "GOGC=off")
	cmd.Stderr = os.Stderr
	return cmd
}

// killed runs a child and reports whether its fault killed it. A child that fails in another way fails the test.
func (j job) killed(t *testing.T) bool {
	t.Helper()
	err := j.start(t).Run()
	if err == nil {
		return false
	}
	exit := (*exec.ExitError)(nil)
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() && status.Signal() == syscall.SIGKILL {
			return true
		}
	}
	t.Fatalf("child %+v: %v", j, err)
	return false
}

// scenario is a transaction on a prepared home.
type scenario struct {
	name   string
	before []plan.Plan // carried out first
	plan   plan.Plan
	host   func(h *fakeHost)
	fails  bool // also without a fault of the disk: the host refuses
}

// scenarios are the transactions that are interrupted everywhere.
func scenarios() []scenario {
	willing := func(*fakeHost) {}
	return []scenario{
		{"first install", nil, firstInstall(), willing, false},
		{"install", []plan.Plan{firstInstall()}, secondInstall(), willing, false},
		{"install, reload fails", []plan.Plan{firstInstall()}, secondInstall(), func(h *fakeHost) { h.failReload = 1 }, true},
		{"first install, probe fails", nil, firstInstall(), func(h *fakeHost) { h.failProbe = "static" }, true},
		{"removal", []plan.Plan{firstInstall(), secondInstall()}, removal(), willing, false},
		{"rollback", []plan.Plan{firstInstall(), secondInstall()}, rollback(), willing, false},
		{"rollback, probe fails", []plan.Plan{firstInstall(), secondInstall()}, rollback(), func(h *fakeHost) { h.failProbe = "static" }, true},
	}
}

func scenarioOf(name string) (scenario, error) {
	for _, s := range scenarios() {
		if s.name == name {
			return s, nil
		}
	}
	return scenario{}, fmt.Errorf("no scenario %q", name)
}
