//go:build e2e && linux

package wizard

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bare is a program on a pseudo-terminal with nothing in between, for measuring.
type bare struct {
	t   *testing.T
	cmd *exec.Cmd
	pty *os.File

	mu   sync.Mutex
	text bytes.Buffer
	want string
	seen chan struct{}
	done chan struct{} // closed when the program has ended

	stopped bool
}

// run starts a program on a terminal of 80x24 and notes when a text is on it.
func (p *place) run(want string, args ...string) *bare {
	p.t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	fd := int(pty.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	}
	if err != nil {
		p.t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	defer tty.Close()
	b := &bare{t: p.t, cmd: exec.Command(program, args...), pty: pty, want: want, seen: make(chan struct{}), done: make(chan struct{})}
	b.cmd.Env = p.env("TERM=xterm-256color")
	b.cmd.Stdin, b.cmd.Stdout, b.cmd.Stderr = tty, tty, tty
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := b.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	go b.read()
	p.t.Cleanup(b.stop)
	return b
}

func (b *bare) read() {
	found := false
	buf := make([]byte, 64<<10)
	for {
		n, err := b.pty.Read(buf)
		b.mu.Lock()
		b.text.Write(buf[:n])
		if !found && strings.Contains(b.text.String(), b.want) {
			found = true
			close(b.seen)
		}
		b.mu.Unlock()
		if err != nil { // EIO: nobody has the terminal open any more
			close(b.done)
			return
		}
	}
}

// wait waits for the text.
func (b *bare) wait() {
	b.t.Helper()
	select {
	case <-b.seen:
	case <-time.After(patience):
		b.mu.Lock()
		defer b.mu.Unlock()
		b.t.Fatalf("the screen does not show %q: %q", b.want, b.text.String())
	}
}

// stop presses Ctrl-C and waits for the end of the program.
func (b *bare) stop() {
	b.t.Helper()
	if b.stopped {
		return
	}
	b.stopped = true
	_, _ = b.pty.Write([]byte{3}) // it may have ended
	select {
	case <-b.done:
	case <-time.After(patience):
		b.t.Error("the program does not end at Ctrl-C")
		_ = b.cmd.Process.Kill()
		<-b.done
	}
	_ = b.cmd.Wait()
	_ = b.pty.Close()
}

// TestFirstFrame measures from the start of the program to its first screen. A machine that does something else
// meanwhile makes every run slower and none faster, so the best of ten counts.
func TestFirstFrame(t *testing.T) {
	p := newPlace(t)
	p.must("install", "websocket")
	best := patience
	for range 10 {
		begin := time.Now()
		b := p.run("Before you begin", "wizard")
		b.wait()
		best = min(best, time.Since(begin))
		b.stop()
	}
	t.Logf("the first frame comes after %v at best", best)
	if best > 300*time.Millisecond {
		t.Errorf("the first frame comes after %v, want less than 300 ms", best)
	}
}

// TestNoTerminal holds the program to the clock where there is no terminal: it says what to do instead, and ends.
func TestNoTerminal(t *testing.T) {
	p := newPlace(t)
	for _, line := range []string{"%s </dev/null", "%s | cat", "echo | %s wizard"} {
		best := patience
		for range 10 {
			cmd := exec.Command("bash", "-o", "pipefail", "-c", fmt.Sprintf(line, program))
			cmd.Env = p.env("TERM=xterm-256color")
			begin := time.Now()
			out, err := cmd.CombinedOutput()
			best = min(best, time.Since(begin))
			if cmd.ProcessState.ExitCode() != 64 || !bytes.Contains(out, []byte("rolemgr install websocket")) {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		}
		t.Logf("%s ends after %v at best", line, best)
		if best > 300*time.Millisecond {
			t.Errorf("%s takes %v, want less than 300 ms", line, best)
		}
	}
}

// TestIdle looks at screens at which nothing happens: the program sleeps. A thread that wakes, for however little, is a
// switch of context; a screen that is drawn or only looked at again and again has dozens of them in a second. What
// belongs to the start is over when a second passes with none; then the program must sleep for three more. Go itself
// wakes now and then, to return memory and to collect garbage after two idle minutes, so the best of a few looks counts.
func TestIdle(t *testing.T) {
	for _, tt := range []struct {
		want string
		args []string
	}{{"Before you begin", []string{"wizard"}}, {"Server Manager", nil}} {
		p := newPlace(t)
		b := p.run(tt.want, tt.args...)
		b.wait()
		least, quiet := 1<<30, 0
		for range 20 {
			before, ticks := b.switches(), b.ticks()
			<-time.After(time.Second)
			woken := b.switches() - before
			if least = min(least, woken); woken == 0 && b.ticks() == ticks {
				quiet++
			} else {
				quiet = 0
			}
			if quiet == 4 {
				break
			}
		}
		if quiet < 4 {
			t.Errorf("rolemgr %v never sleeps for four seconds; at best it wakes %d times in a second", tt.args, least)
		}
		b.stop()
	}
}

// switches is how often the threads of a process were woken (proc(5): voluntary_ctxt_switches of each).
func (b *bare) switches() int {
	b.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", b.cmd.Process.Pid))
	if err != nil || len(files) == 0 {
		b.t.Fatalf("threads of the program: %v %v", files, err)
	}
	sum := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			b.t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\nvoluntary_ctxt_switches:")
		n := 0
		if _, err := fmt.Sscan(rest, &n); err != nil {
			b.t.Fatalf("%s: %v", file, err)
		}
		sum += n
	}
	return sum
}

// ticks is the processor time of a process, in ticks of the kernel (proc(5): utime and stime).
func (b *bare) ticks() int {
	b.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", b.cmd.Process.Pid))
	if err != nil {
		b.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	var user, system int
	if _, err := fmt.Sscan(fields[11], &user); err != nil {
		b.t.Fatal(err)
	}
	if _, err := fmt.Sscan(fields[12], &system); err != nil {
		b.t.Fatal(err)
	}
	return user + system
}
