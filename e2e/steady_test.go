//go:build e2e

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// steady is a process that uses a site at an even pace: see peers/steady.mjs.
type steady struct {
	t    *testing.T
	in   io.Closer
	out  *bufio.Reader
	errs lockedBuffer
}

// pace is what a steady process saw of one kind; times are in milliseconds.
type pace struct {
	Count            int
	Median, P99, Max float64
}

func (p pace) String() string {
	return fmt.Sprintf("%d: median %.1f ms, p99 %.1f ms, max %.1f ms", p.Count, p.Median, p.P99, p.Max)
}

// startSteady returns when every socket is open and has echoed once.
func startSteady(s *server, sockets, requests int) *steady {
	s.t.Helper()
	cmd := peer(s.t, "steady", "ws://"+s.addr+"/echo", strconv.Itoa(sockets), s.url("/iisstart.htm"), strconv.Itoa(requests))
	p := &steady{t: s.t}
	cmd.Stderr = &p.errs
	in, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has ended unless the test failed
		_ = cmd.Wait()
	})
	if line, err := p.out.ReadString('\n'); line != "ready\n" {
		s.t.Fatalf("the steady clients did not start: %q, %v\n%s", line, err, p.errs.String())
	}
	return p
}

// stop ends the use and fails the test for everything that did not go as it should.
func (p *steady) stop() (echoes, requests pace) {
	p.t.Helper()
	_ = p.in.Close()
	line, err := p.out.ReadString('\n')
	var saw struct {
		Failures         []string
		Echoes, Requests pace
	}
	if err == nil {
		err = json.Unmarshal([]byte(line), &saw)
	}
	if err != nil {
		p.t.Fatalf("the steady clients say %q: %v\n%s", line, err, p.errs.String())
	}
	for _, f := range saw.Failures {
		p.t.Errorf("the site beside: %s", f)
	}
	return saw.Echoes, saw.Requests
}

// waited returns how long the threads of a process have waited, together, for a processor although they could run (the second
// number of schedstat, in nanoseconds). A kernel without it says 0, and nothing is forgiven there.
func waited(pid int) time.Duration {
	files, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task", "*", "schedstat"))
	var sum time.Duration
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		if fields := strings.Fields(string(b)); len(fields) == 3 {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			sum += time.Duration(n)
		}
	}
	return sum
}
