// Package process starts the programs that a host runs for its sites and ends them with everything they started: when
// the host says so, when the host stops, and when the host is killed. It reaps what it starts, so there are no zombies.
//
// It is not a supervisor: it knows nothing of requests, readiness or restarts, and decides nothing. Who runs a program
// owns a [Keeper] and asks a [RapidFail] whether another attempt is sensible.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Spec is a program to start.
type Spec struct {
	Path string   // the program; absolute, or found by LookPath before
	Args []string // without the name of the program
	Dir  string   // the folder it starts in
	Env  []string // the whole environment but for the keeper's mark, "NAME=value"; nothing else is inherited
	// User is whom it runs as, with that user's groups; "" for the user of the host. Only root may name another. HOME,
	// USER and LOGNAME are set to the user's unless Env says otherwise.
	User string
	// Stdin is its descriptor 0; nil for the null device. The caller closes it after Start.
	Stdin *os.File
	// Stdout and Stderr take what it writes; nil drops it. An *os.File is handed over as it is; anything else is written
	// to by one goroutine each until the program and all that hold its end are gone, or shortly after its own end.
	Stdout, Stderr io.Writer
}

// Exit is how a program ended.
type Exit struct {
	Code   int            // its exit code; -1 when a signal ended it
	Signal syscall.Signal // the signal; 0 when it ended by itself
}

// String tells the code or the signal.
func (e Exit) String() string {
	if e.Signal != 0 {
		return "ended by signal " + unix.SignalName(e.Signal)
	}
	return fmt.Sprintf("ended with exit code %d", e.Code)
}

// Process is a program that was started, leader of a process group of its own. Methods may be called concurrently.
type Process struct {
	pid  int
	done chan struct{}

	mu   sync.Mutex
	gone bool // nobody of the group is left that could be signalled safely
	exit Exit // valid once done is closed
}

// writersGrace is how long the output of a program may stay open after its end: something that left its process group
// may hold it for ever.
const writersGrace = time.Second

// start starts a program whose end reports to ended before Done is closed.
//
// The kernel sends the parent-death signal when the thread that forked ends, not the process (prctl(2)), and the Go
// runtime may end threads: so the goroutine keeps its thread until the program is gone.
func start(s Spec, started, ended func(pid int)) (*Process, error) {
	cmd, err := command(s)
	if err != nil {
		return nil, err
	}
	p := &Process{done: make(chan struct{})}
	failed := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			failed <- err
			return
		}
		p.pid = cmd.Process.Pid
		started(p.pid)
		close(failed)
		p.reap(cmd)
		ended(p.pid)
		close(p.done)
	}()
	if err := <-failed; err != nil {
		return nil, fmt.Errorf("start %q: %w", s.Path, plain(err))
	}
	return p, nil
}

func command(s Spec) (*exec.Cmd, error) {
	cmd := exec.Command(s.Path, s.Args...)
	if cmd.Err != nil {
		return nil, fmt.Errorf("start %q: %w", s.Path, plain(cmd.Err))
	}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.Dir, s.Env, s.Stdout, s.Stderr
	if s.Stdin != nil {
		cmd.Stdin = s.Stdin
	}
	cmd.WaitDelay = writersGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if s.User != "" {
		who, err := LookupUser(s.User)
		if err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = who.credential
		cmd.Env = append([]string{"HOME=" + who.home, "USER=" + who.name, "LOGNAME=" + who.name}, s.Env...)
	}
	return cmd, nil
}

// plain takes the operation and the path out of an error of package os: the caller names the program.
func plain(err error) error {
	if e := (*os.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	if e := (*exec.Error)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}

// reap waits for the end of the program, ends what it left in its group, and takes its exit status. The status is taken
// last: until then the kernel gives the number of the group to nobody else.
func (p *Process) reap(cmd *exec.Cmd) {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.mu.Lock()
	_ = unix.Kill(-p.pid, unix.SIGKILL) // an empty group is what is hoped for
	p.gone = true
	p.mu.Unlock()
	_ = cmd.Wait() // the state tells all
	exit := Exit{Code: -1}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok {
		exit.Code = status.ExitStatus()
		if status.Signaled() {
			exit.Signal = status.Signal()
		}
	}
	p.mu.Lock()
	p.exit = exit
	p.mu.Unlock()
}

// PID returns the number of the program, which is that of its process group.
func (p *Process) PID() int { return p.pid }

// Done is closed when the program has ended and is reaped, and its process group with it.
func (p *Process) Done() <-chan struct{} { return p.done }

// Exit returns how the program ended. It waits for the end.
func (p *Process) Exit() Exit {
	<-p.done
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exit
}

// Signal sends a signal to the whole process group. After the end it does nothing.
func (p *Process) Signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.gone {
		_ = unix.Kill(-p.pid, s) // the group cannot be gone: its leader is not reaped
	}
}

// Kill ends the whole process group at once and waits for its end.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the process group to end with SIGTERM, kills it when grace is over, and waits for the end.
func (p *Process) Stop(grace time.Duration) {
	p.Signal(syscall.SIGTERM)
	t := time.NewTimer(grace)
	defer t.Stop()
	select {
	case <-p.done:
	case <-t.C:
		p.Kill()
	}
}
