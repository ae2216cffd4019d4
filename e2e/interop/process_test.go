//go:build e2e

package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// process is a peer that runs. It is told what to do in lines of JSON and answers in lines of JSON.
type process struct {
	t     *testing.T
	name  string
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan []byte // closed at the end of its output
	errs  lockedBuffer
}

// result is what a client says of one job.
type result struct {
	Did        []string `json:"did"`
	Extensions string   `json:"extensions"`
	Error      string   `json:"error"`
}

// start runs a program until the end of the test. Programs are looked for where Debian puts them; a missing one is a
// failure, never a skip.
func start(t *testing.T, command ...string) *process {
	t.Helper()
	if _, err := exec.LookPath(command[0]); err != nil {
		t.Fatalf("%s is missing: run \"make deps\"", command[0])
	}
	if command[0] == "node" {
		for _, name := range []string{"ws", "undici", "socket.io", "socket.io-client", "playwright-core"} {
			if _, err := os.Stat("../node_modules/" + name); err != nil {
				t.Fatalf("the npm package %s is missing: run \"make deps\"", name)
			}
		}
	}
	p := &process{t: t, name: command[len(command)-1], cmd: exec.Command(command[0], command[1:]...), lines: make(chan []byte, 16)}
	p.cmd.Stderr = &p.errs
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- append([]byte(nil), s.Bytes()...)
		}
	})
	t.Cleanup(func() {
		_ = p.in.Close() // clients end at the end of their input
		timer := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
		defer timer.Stop()
		reading.Wait()
		_ = p.cmd.Wait() // how it ends is no matter
		if t.Failed() && p.errs.String() != "" {
			t.Logf("%s complains:\n%s", p.name, p.errs.String())
		}
	})
	return p
}

// startServer runs a program that prints its port and serves until it is killed, and returns the port.
func startServer(t *testing.T, command ...string) string {
	t.Helper()
	p := start(t, command...)
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // before it is waited for
	var ready struct{ Port json.Number }
	p.answer(&ready)
	return ready.Port.String()
}

// tell writes a job: a line as it is, anything else as JSON.
func (p *process) tell(job any) {
	p.t.Helper()
	line, ok := job.(string)
	if !ok {
		b, err := json.Marshal(job)
		if err != nil {
			p.t.Fatal(err)
		}
		line = string(b)
	}
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.errs.String())
	}
}

// answer waits for the next line of the program.
func (p *process) answer(into any) {
	p.t.Helper()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	select {
	case line, ok := <-p.lines:
		if !ok {
			p.t.Fatalf("%s ended:\n%s", p.name, p.errs.String())
		}
		if err := json.Unmarshal(line, into); err != nil {
			p.t.Fatalf("%s says %q: %v", p.name, line, err)
		}
	case <-timeout.C:
		_ = p.cmd.Process.Kill() // what comes later is of no use
		p.t.Fatalf("%s does not answer within %v\n%s", p.name, patience, p.errs.String())
	}
}

// run has a client do a job.
func (p *process) run(job any) result {
	p.t.Helper()
	p.tell(job)
	var r result
	p.answer(&r)
	return r
}

// eventually waits for a condition, looking every few milliseconds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("%s: not within %v", what, patience)
		case <-tick.C:
		}
	}
}
