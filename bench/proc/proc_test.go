package proc

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	line := "42 (a b) c) S 1 42 42 0 -1 4194560 100 0 0 0 123 45 6 7 20 0 1 0 999 1000 200"
	user, system, err := parseStat([]byte(line))
	if err != nil || user != 1230*time.Millisecond || system != 450*time.Millisecond {
		t.Errorf("%v, %v, %v", user, system, err)
	}
	for _, bad := range []string{"", "42 (x", "42 (x) S 1 2", strings.Replace(line, "123", "x", 1)} {
		if _, _, err := parseStat([]byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestParseRollup(t *testing.T) {
	n, err := parseRollup([]byte("00400000-7ffd Rss [rollup]\nRss:                1234 kB\nPss: 1 kB\n"), "Rss:")
	if err != nil || n != 1234<<10 {
		t.Errorf("%d, %v", n, err)
	}
	for _, bad := range []string{"", "Pss: 1 kB\n", "Rss: x kB\n"} {
		if _, err := parseRollup([]byte(bad), "Rss:"); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

func TestParseBusyLeavesOutIdleTime(t *testing.T) {
	d, err := parseBusy([]byte("cpu  1 2 3 1000 2000 4 5 6 7 8\ncpu0 9 9 9 9 9 9 9 9 9 9\n"))
	if err != nil || d != 210*time.Millisecond {
		t.Errorf("%v, %v", d, err)
	}
	for _, bad := range []string{"", "cpu0 1 2 3 4 5 6 7 8 9\n", "cpu 1 2 3\n", "cpu x 2 3 4 5 6 7 8 9\n"} {
		if _, err := parseBusy([]byte(bad)); err == nil {
			t.Errorf("%q passed", bad)
		}
	}
}

// burn uses the processor until this process has used d more of it.
func burn(t *testing.T, d time.Duration) {
	t.Helper()
	begin, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for now := begin; now < begin+d; {
		if now, err = CPU(os.Getpid()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCPUAgreesWithTicks(t *testing.T) {
	u0, s0, err := UserSystem(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	b0, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	burn(t, 200*time.Millisecond)
	u1, s1, err := UserSystem(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	b1, err := Busy()
	if err != nil {
		t.Fatal(err)
	}
	if ticks := u1 - u0 + s1 - s0; ticks < 150*time.Millisecond {
		t.Errorf("200 ms of the CPU clock are %v of ticks", ticks)
	}
	if busy := b1 - b0; busy < 100*time.Millisecond {
		t.Errorf("200 ms of the CPU clock are %v of the machine's time", busy)
	}
}

func TestNoSuchProcess(t *testing.T) {
	const pid = 1<<22 + 1 // beyond the greatest one that Linux gives
	if _, err := CPU(pid); err == nil {
		t.Error("CPU of no process passed")
	}
	if _, err := RSS(pid); err == nil {
		t.Error("RSS of no process passed")
	}
	if _, _, err := UserSystem(pid); err == nil {
		t.Error("UserSystem of no process passed")
	}
}

func TestRSSGrowsWithMemoryInUse(t *testing.T) {
	before, err := RSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	held := make([]byte, 64<<20)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	after, err := RSS(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if after-before < 60<<20 {
		t.Errorf("%d bytes more for %d bytes", after-before, len(held))
	}
}

func TestStartOnBindsTheChild(t *testing.T) {
	a, b, err := Two()
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command("cat")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := StartOn(a, b, cmd.Start); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("Cpus_allowed_list:\t%d\n", a); !strings.Contains(string(status), want) {
		t.Errorf("the child's status lacks %q", want)
	}
}

func TestTreeFindsGrandchildren(t *testing.T) {
	cmd := exec.Command("sh", "-c", "exec 3<&0; cat <&3 & echo $!; wait") // in the background, standard input would be empty
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = in.Close()
		_ = cmd.Wait()
	}()
	var child int
	if _, err := fmt.Fscan(out, &child); err != nil {
		t.Fatal(err)
	}
	all, err := Tree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{os.Getpid(), cmd.Process.Pid, child} {
		if !slices.Contains(all, want) {
			t.Errorf("process %d is not among %v", want, all)
		}
	}
}
