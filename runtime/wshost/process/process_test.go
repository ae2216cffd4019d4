package process_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// hostEnv makes the test program a host that starts the script in it, says so and waits to be killed.
const hostEnv = "PROCESS_TEST_HOST"

func TestMain(m *testing.M) {
	script := os.Getenv(hostEnv)
	if script == "" {
		os.Exit(m.Run())
	}
	var k process.Keeper
	if _, err := k.Start(process.Spec{Path: "/bin/sh", Args: []string{"-c", script}, Env: os.Environ(), Stdout: os.Stdout}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

func shell(script string) process.Spec {
	return process.Spec{Path: "/bin/sh", Args: []string{"-c", script}, Env: []string{"PATH=/usr/bin:/bin"}}
}

func start(t *testing.T, k *process.Keeper, s process.Spec) *process.Process {
	t.Helper()
	p, err := k.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// alive reports whether a process exists and is more than a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	after := stat[bytes.LastIndexByte(stat, ')')+1:]
	return !bytes.HasPrefix(after, []byte(" Z"))
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestExit(t *testing.T) {
	for script, want := range map[string]process.Exit{
		"exit 0":        {},
		"exit 7":        {Code: 7},
		"kill -KILL $$": {Code: -1, Signal: syscall.SIGKILL},
	} {
		var k process.Keeper
		p := start(t, &k, shell(script))
		if got := p.Exit(); got != want {
			t.Errorf("%s: %v, want %v", script, got, want)
		}
		if _, err := os.Stat("/proc/" + strconv.Itoa(p.PID())); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the process is still known to the kernel: %v", script, err)
		}
		p.Signal(syscall.SIGKILL) // after the end: nobody is hit
		eventually(t, "the keeper still counts it", func() bool { return k.Running() == 0 })
		k.Close()
	}
}

func TestSpecReachesTheProgram(t *testing.T) {
	t.Setenv("NOT_FOR_THE_PROGRAM", "secret")
	dir := t.TempDir()
	in, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(w, "hello")
	w.Close()
	var out, errs bytes.Buffer
	s := shell(`read -r line; echo "$line $A [$NOT_FOR_THE_PROGRAM]"; pwd -P; echo bad >&2`)
	s.Dir, s.Stdin, s.Stdout, s.Stderr, s.Env = dir, in, &out, &errs, []string{"A=b"}
	var k process.Keeper
	defer k.Close()
	p := start(t, &k, s)
	in.Close()
	<-p.Done()
	if want := "hello b []\n" + dir + "\n"; out.String() != want || errs.String() != "bad\n" {
		t.Errorf("stdout %q, stderr %q; want %q", &out, &errs, want)
	}
}

func TestNoEnvironmentInheritsNothing(t *testing.T) {
	var out bytes.Buffer
	var k process.Keeper
	defer k.Close()
	p := start(t, &k, process.Spec{Path: "/usr/bin/env", Stdout: &out})
	<-p.Done()
	if got := out.String(); !strings.HasPrefix(got, "WSHOST_KEEPER=") || strings.Count(got, "\n") != 1 {
		t.Errorf("inherited: %q", got)
	}
}

func TestErrorsNameTheProgram(t *testing.T) {
	var k process.Keeper
	defer k.Close()
	_, err := k.Start(process.Spec{Path: "/nowhere/program"})
	if err == nil || err.Error() != `start "/nowhere/program": no such file or directory` || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	_, err = k.Start(process.Spec{Path: "/bin/sh", User: "no-such-user"})
	if err == nil || !strings.Contains(err.Error(), `"no-such-user"`) {
		t.Errorf("got %v", err)
	}
}

// readPIDs reads a line of process numbers that a script printed.
func readPIDs(t *testing.T, r *bufio.Reader) []int {
	t.Helper()
	line, err := r.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range strings.Fields(line) {
		pid, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

func TestTheWholeGroupEnds(t *testing.T) {
	const family = "sleep 1000 & echo $$ $!; "
	for name, c := range map[string]struct {
		script string
		end    func(*process.Keeper, *process.Process)
	}{
		"kill":         {family + "wait", func(_ *process.Keeper, p *process.Process) { p.Kill() }},
		"close":        {family + "wait", func(k *process.Keeper, _ *process.Process) { k.Close() }},
		"leader exits": {family + "exit 3", func(_ *process.Keeper, p *process.Process) { <-p.Done() }},
		"stop":         {family + "wait", func(_ *process.Keeper, p *process.Process) { p.Stop(time.Minute) }},
		"stop, deaf":   {"trap '' TERM; sleep 1000 & echo $$ $!; while :; do wait; done", func(_ *process.Keeper, p *process.Process) { p.Stop(time.Millisecond) }},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			s := shell(c.script)
			s.Stdout = w
			var k process.Keeper
			defer k.Close()
			p := start(t, &k, s)
			w.Close()
			pids := readPIDs(t, bufio.NewReader(r))
			c.end(&k, p)
			for _, pid := range pids {
				eventually(t, "a process of the group is left", func() bool { return !alive(pid) })
			}
		})
	}
}

func TestKilledHostLeavesNobody(t *testing.T) {
	for name, script := range map[string]string{
		"a child":                    "sleep 1000 & echo $$ $!; wait",
		"of a group that is its own": "setsid sh -c 'echo $$; exec sleep 1000'",
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			host := exec.Command(os.Args[0])
			host.Env = append(os.Environ(), hostEnv+"="+script)
			host.Stdout, host.Stderr = w, os.Stderr
			if err := host.Start(); err != nil {
				t.Fatal(err)
			}
			w.Close()
			pids := readPIDs(t, bufio.NewReader(r))
			if err := host.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = host.Wait() // it was killed
			for _, pid := range pids {
				eventually(t, "a process outlives its host", func() bool { return !alive(pid) })
			}
		})
	}
}

func TestClosedKeeperStartsNothing(t *testing.T) {
	var k process.Keeper
	k.Close()
	if _, err := k.Start(shell("exit 0")); !errors.Is(err, process.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestAnotherUser(t *testing.T) {
	var out bytes.Buffer
	s := shell("id -u; id -g; echo $USER")
	s.User, s.Stdout = "nobody", &out
	var k process.Keeper
	defer k.Close()
	p, err := k.Start(s)
	if os.Geteuid() != 0 {
		if err == nil || !strings.Contains(err.Error(), "not root") {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	u, err := process.LookupUser("nobody")
	if err != nil {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("%d\n%d\nnobody\n", u.UID(), u.GID()); out.String() != want || u.UID() == 0 {
		t.Errorf("ran as %q, want %q", &out, want)
	}
}
