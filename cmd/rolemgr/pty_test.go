package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/rolemgr/rolemgr/internal/quietterm"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"golang.org/x/sys/unix"
)

// patience is how long a test waits for what another process or goroutine does. It is a bound, not a time to wait.
const patience = 30 * time.Second

// pty is a pseudo-terminal: the program's side is a file, ours gathers what is written to it.
type pty struct {
	t      *testing.T
	master *os.File
	slave  *os.File

	mu   sync.Mutex
	more chan struct{} // has a value when something was written since the last look
	got  []byte
	mark int // what wait has gone past
	done chan struct{}
}

func openPTY(t *testing.T, columns, lines uint16) *pty {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: lines, Col: columns}); err != nil {
		t.Fatal(err)
	}
	p := &pty{
		t: t, master: os.NewFile(uintptr(fd), "ptmx"), slave: slave,
		more: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go p.gather()
	t.Cleanup(func() { _ = p.slave.Close(); _ = p.master.Close(); <-p.done })
	return p
}

func (p *pty) gather() {
	defer close(p.done)
	b := make([]byte, 4096)
	for {
		n, err := p.master.Read(b)
		p.mu.Lock()
		p.got = append(p.got, b[:n]...)
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
		if err != nil { // EIO when the last one has closed the other side
			return
		}
	}
}

// send types.
func (p *pty) send(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// wait waits until one of the texts was written since the last wait, and returns which.
func (p *pty) wait(texts ...string) string {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		p.mu.Lock()
		fresh := ansi.Strip(string(p.got[p.mark:]))
		for _, text := range texts {
			if strings.Contains(fresh, text) {
				p.mark = len(p.got)
				p.mu.Unlock()
				return text
			}
		}
		p.mu.Unlock()
		select {
		case <-p.more:
		case <-deadline:
			p.t.Fatalf("waited in vain for %q; since then:\n%s", texts, strings.Join(strings.Fields(fresh), " "))
		}
	}
}

// all is everything that was written.
func (p *pty) all() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return bytes.Clone(p.got)
}

// program runs the real program with the pseudo-terminal as its controlling terminal and as those of its streams that
// are nil, until it ends.
func (p *pty) program(cmd *exec.Cmd) int {
	p.t.Helper()
	if cmd.Stdin == nil {
		cmd.Stdin = p.slave
	}
	if cmd.Stdout == nil {
		cmd.Stdout = p.slave
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.slave
	}
	ctty := 0 // a descriptor of the child
	if cmd.Stdin != p.slave {
		cmd.ExtraFiles, ctty = []*os.File{p.slave}, 3
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: ctty}
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	_ = cmd.Wait()
	return cmd.ProcessState.ExitCode()
}

// programEnv is an environment with a home of its own and a terminal that can do much.
func programEnv(t *testing.T, more ...string) []string {
	t.Helper()
	dir := t.TempDir()
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "XDG_STATE_HOME=" + dir, "ROLEMGR_HOME=" + filepath.Join(dir, "server"),
		"TERM=xterm-256color", "LANG=C.UTF-8"}
	return append(env, more...)
}

// A command that is no wizard asks the terminal nothing and writes no escape sequence to it, although the terminal
// library that is linked in asks each terminal for its colours when it initialises.
func TestCommandsAskTheTerminalNothing(t *testing.T) {
	for _, args := range [][]string{{"list"}, {"--help"}, {"show", "websocket"}, {"version"}} {
		t.Run(args[0], func(t *testing.T) {
			p := openPTY(t, 120, 40)
			cmd := exec.Command("rolemgr", args...)
			cmd.Env = programEnv(t)
			if code := p.program(cmd); code != 0 {
				t.Fatalf("exit code %d\n%s", code, p.all())
			}
			p.wait("\n") // something was written
			_ = p.slave.Close()
			<-p.done
			if got := p.all(); bytes.ContainsRune(got, 0x1b) || len(got) < 20 {
				t.Errorf("%q was written to the terminal", got)
			}
		})
	}
}

// What is done to TERM while the program initialises is taken back: the wizard knows its terminal, and so does what it
// starts.
func TestTerminalIsWhatItWas(t *testing.T) {
	cmd := exec.Command("terminal-of-children")
	cmd.Env = programEnv(t)
	out, err := cmd.CombinedOutput()
	if want := "dumb, then xterm-256color, child xterm-256color, kept \"\"\n"; err != nil || string(out) != want {
		t.Errorf("%v: %q; want %q", err, out, want)
	}
	for term, want := range map[string]string{"xterm-256color": "\x1b[?1049h", "dumb": "Page 1 of "} {
		t.Run(term, func(t *testing.T) {
			p := openPTY(t, 120, 40)
			cmd := exec.Command("rolemgr", "wizard")
			cmd.Env = programEnv(t, "TERM="+term)
			ended := make(chan int, 1)
			go func() { ended <- p.program(cmd) }()
			p.wait("Before you begin")
			if !bytes.Contains(p.all(), []byte(want)) {
				t.Errorf("%q is not among what was written:\n%q", want, p.all())
			}
			if term == "dumb" {
				p.send("q\n")
			} else {
				p.send("c")
			}
			if code := <-ended; code != 0 {
				t.Errorf("exit code %d", code)
			}
			if term == "dumb" && bytes.ContainsRune(p.all(), 0x1b) {
				t.Errorf("escape bytes on a dumb terminal:\n%q", p.all())
			}
		})
	}
}

// Without a terminal on both ends the wizard never starts: not on the terminal behind a redirected stream either. How
// long it takes is looked at in e2e/wizard, where the program is not under the race detector.
func TestNoTerminalNoWizard(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = null.Close() })
	for _, tt := range []struct {
		name   string
		stdin  string // "", "null", "pipe"
		stdout bool   // a pipe
		args   []string
		says   string
	}{
		{"rolemgr </dev/null", "null", false, nil, `"rolemgr install websocket"`},
		{"rolemgr | cat", "", true, nil, `"rolemgr install websocket"`},
		{"echo | rolemgr wizard", "pipe", false, []string{"wizard"}, `"rolemgr wizard --plain"`},
		{"rolemgr wizard --remove </dev/null", "null", true, []string{"wizard", "--remove"}, `"rolemgr remove websocket"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := openPTY(t, 80, 24)
			cmd := exec.Command("rolemgr", tt.args...)
			cmd.Env = programEnv(t, "ACCESSIBLE=1") // which asks for the plain dialogue, but not here
			var errs, out bytes.Buffer
			cmd.Stderr = &errs
			switch tt.stdin {
			case "null":
				cmd.Stdin = null
			case "pipe":
				cmd.Stdin = strings.NewReader("\n")
			}
			if tt.stdout {
				cmd.Stdout = &out
			}
			code := p.program(cmd)
			if code != int(ExitTerminal) || !strings.Contains(errs.String(), tt.says) || out.Len() > 0 {
				t.Fatalf("exit code %d; want 64 with %s\n%s%s", code, tt.says, &errs, &out)
			}
			if got := p.all(); len(got) > 0 {
				t.Fatalf("%q was written to the terminal behind the streams", got)
			}
		})
	}
}

// brokenTarget is a server that brings the program down.
type brokenTarget struct{ target.Target }

func (brokenTarget) State(context.Context) (state.State, error) { panic("a fault of the program") }

// runBroken is the program on such a server.
func runBroken() {
	quietterm.Restore()
	e := newEnv()
	e.NewTarget = func(o target.LocalOptions) target.Target { return brokenTarget{target.NewLocal(o)} }
	os.Exit(int(execute(context.Background(), e, os.Args[1:])))
}

// When the program fails, the terminal is given back first: what is told of the fault then stands where it can be read.
func TestTerminalSurvivesAFault(t *testing.T) {
	p := openPTY(t, 80, 24)
	before, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rolemgr-with-a-fault", "wizard")
	cmd.Env = programEnv(t)
	if code := p.program(cmd); code != int(ExitFailed) {
		t.Errorf("exit code %d, want %d", code, ExitFailed)
	}
	after, err := unix.IoctlGetTermios(int(p.slave.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	if *after != *before {
		t.Errorf("the terminal is left in another mode: %+v, before %+v", after, before)
	}
	_ = p.slave.Close()
	<-p.done
	_, told, left := strings.Cut(string(p.all()), ansi.ResetAltScreenSaveCursorMode+ansi.ShowCursor)
	if !left || !strings.Contains(told, "a fault of the program") || strings.Contains(told, "\x1b[") {
		t.Errorf("after the screen was left (%v) there is %q", left, told)
	}
}
