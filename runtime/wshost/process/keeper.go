package process

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
)

// ErrClosed is the error of Keeper.Start after Keeper.Close.
var ErrClosed = errors.New("no process is started any more: the server is stopping")

// Keeper starts programs and sees to it that none outlives it. When this program is killed, the kernel kills what it
// started itself (PR_SET_PDEATHSIG); a guard, a small shell that waits at the end of a pipe, kills the rest: their process
// groups, and what has left these and still has the environment variable WSHOST_KEEPER that everything is given.
//
// The zero value is ready; methods may be called concurrently. It is meant for module.Shared, where it lives as long as
// the host.
type Keeper struct {
	mu      sync.Mutex
	running map[int]*Process
	guard   *guard
	mark    string // of the environment of what is started: "WSHOST_KEEPER=..."
	closed  bool
}

// Start starts a program.
func (k *Keeper) Start(s Spec) (*Process, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, ErrClosed
	}
	if k.running == nil {
		k.running = map[int]*Process{}
		k.mark = markName + "=" + rand.Text()
	}
	if k.guard == nil { // before the program: it may start others at once
		k.guard, _ = startGuard(k.mark) // where there is no shell, the parent-death signal has to be enough
	}
	s.Env = append(slices.Clip(s.Env), k.mark)
	// The goroutine of the program reports its start while this one waits for it, and its end later.
	var started int
	p, err := start(s, func(pid int) { started = pid }, k.ended)
	if err != nil {
		return nil, err
	}
	k.running[started] = p
	k.tell('+', started)
	return p, nil
}

// Running returns how many programs run.
func (k *Keeper) Running() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.running)
}

// Close kills what still runs, with its process group, and waits for the end. Who wants programs to end in peace stops
// them before.
func (k *Keeper) Close() error {
	k.mu.Lock()
	k.closed = true
	var left []*Process
	for _, p := range k.running {
		left = append(left, p)
	}
	k.mu.Unlock()
	for _, p := range left {
		p.Signal(syscall.SIGKILL)
	}
	for _, p := range left {
		<-p.Done()
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.guard != nil {
		k.guard.close()
		k.guard = nil
	}
	return nil
}

func (k *Keeper) ended(pid int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.running, pid)
	k.tell('-', pid)
}

// tell reports a change to the guard. A guard that is gone is replaced, and told of everything that runs.
func (k *Keeper) tell(sign byte, pid int) {
	if k.guard == nil || k.guard.tell(sign, pid) == nil {
		return
	}
	k.guard.close()
	k.guard = nil
	g, err := startGuard(k.mark)
	if err != nil {
		return
	}
	k.guard = g
	for pid := range k.running {
		_ = g.tell('+', pid) // it has just been started
	}
}

// markName is the environment variable by which the guard knows what a keeper started, directly or not.
const markName = "WSHOST_KEEPER"

// guardScript reads "+pid" and "-pid" until the other end of the pipe is closed, then kills the groups that are left
// and everything that bears the mark: what was started in the moment before its number was told, and what has left its
// group. What is found may be starting something at that moment, so it looks again until nothing is found.
const guardScript = `left=' '
while read -r line; do
  pid=${line#?}
  case $line in
    +*) left="$left$pid " ;;
    -*) case $left in *" $pid "*) left="${left%% $pid *} ${left#* $pid }" ;; esac ;;
  esac
done
for pid in $left; do kill -KILL "-$pid" 2>/dev/null; done
for again in 1 2 3 4 5 6 7 8 9; do
  found=$(grep -ls "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  for file in $found; do pid=${file#/proc/}; kill -KILL "${pid%/environ}" 2>/dev/null; done
done
`

// guard is the shell that outlives this program.
type guard struct {
	pipe io.WriteCloser
	done chan struct{}
}

// startGuard starts it in a session of its own, so that what a terminal sends to this program does not reach it.
func startGuard(mark string) (*guard, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", guardScript, "guard", mark)
	cmd.Dir, cmd.Env, cmd.Stdin = "/", []string{"PATH=/usr/bin:/bin"}, r
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("start the guard of processes: %w", err)
	}
	g := &guard{pipe: w, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // nobody asks how it ended
		close(g.done)
	}()
	return g, nil
}

func (g *guard) tell(sign byte, pid int) error {
	_, err := fmt.Fprintf(g.pipe, "%c%d\n", sign, pid)
	return err
}

// close lets the guard end and waits for that. It kills what it has not been told the end of.
func (g *guard) close() {
	_ = g.pipe.Close()
	<-g.done
}
