// Package rounds runs the benchmark: every server through every scenario, in rounds whose order turns, a fresh process
// each time, server and load on a processor each. It measures nothing itself (package load does) and draws nothing
// (package report does).
package rounds

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/report"
	"github.com/rolemgr/rolemgr/bench/server"
)

// Config says what to run.
type Config struct {
	Scenarios []load.Scenario
	Servers   []server.Server
	Rounds    int
	Seconds   float64   // measured time of a run
	NodeDir   string    // the folder of the node server
	Retries   int       // how often to repeat a run that was disturbed
	Log       io.Writer // a line for each run
	// Save, if set, is called after each round with what there is so far.
	Save func(*report.Data) error

	serverCPU, loadCPU int
}

// Run runs all rounds. It pins this process to one processor for good. A run that fails is in the report with its
// error and does not end the others.
func (c *Config) Run() (*report.Data, error) {
	if c.Rounds < 1 || c.Seconds <= 0 {
		return nil, fmt.Errorf("%d rounds of %g seconds cannot be run", c.Rounds, c.Seconds)
	}
	var err error
	if c.serverCPU, c.loadCPU, err = proc.Two(); err != nil {
		return nil, err
	}
	if _, err := load.RaiseFiles(); err != nil {
		return nil, err
	}
	d := &report.Data{When: time.Now().UTC().Truncate(time.Second), Machine: Machine(), Rounds: c.Rounds, Seconds: c.Seconds}
	for _, s := range c.Scenarios {
		d.Scenarios = append(d.Scenarios, report.Scenario{Name: s.Name, About: s.About, Unit: s.Unit})
	}
	for _, s := range c.Servers {
		d.Servers = append(d.Servers, report.Server{Name: s.Name, About: s.About, Version: c.version(s), Raw: s.Raw, Ours: s.Ours})
	}
	if err := proc.PinSelf(c.loadCPU); err != nil {
		return nil, err
	}
	for round := range c.Rounds {
		for _, s := range c.Scenarios {
			for i := range c.Servers {
				c.one(d, s, c.Servers[(i+round)%len(c.Servers)], round)
			}
		}
		if c.Save != nil {
			if err := c.Save(d); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// one makes one run, when the server can do the scenario, and appends it to the report; and again, when it was
// disturbed and may be repeated.
func (c *Config) one(d *report.Data, s load.Scenario, sv server.Server, round int) {
	mode, ok := modeFor(s, sv)
	if !ok {
		return
	}
	for range 1 + c.Retries {
		res, err := c.measure(s, sv, mode)
		if errors.Is(err, load.ErrDeclined) {
			fmt.Fprintf(c.Log, "round %d/%d  %-10s %-18s declined: %v\n", round+1, c.Rounds, s.Name, sv.Name, err)
			return
		}
		run := report.Run{Scenario: s.Name, Server: sv.Name, Round: round + 1, Result: res}
		if err != nil {
			run.Error = err.Error()
		}
		d.Runs = append(d.Runs, run)
		fmt.Fprintf(c.Log, "round %d/%d  %-10s %-18s %s\n", round+1, c.Rounds, s.Name, sv.Name, report.Line(run))
		if err != nil || run.Quiet() {
			return
		}
	}
}

// modeFor returns the mode in which a server is to run a scenario; ok is false when it cannot.
func modeFor(s load.Scenario, sv server.Server) (m server.Mode, ok bool) {
	switch {
	case s.Kind == load.Broadcast && sv.NoBroadcast:
		return 0, false
	case s.Kind == load.Deflate && s.Takeover:
		m = server.Takeover
	case s.Kind == load.Deflate:
		m = server.NoTakeover
	}
	return m, sv.Can(m)
}

// measure starts a server, runs a scenario against it and ends it.
func (c *Config) measure(s load.Scenario, sv server.Server, m server.Mode) (load.Result, error) {
	p, err := c.startServer(sv, m)
	if err != nil {
		return load.Result{}, err
	}
	res, err := load.Run(s, p.target, c.Seconds)
	p.stop()
	if err != nil {
		err = fmt.Errorf("%w%s", err, p.stderr.text())
	}
	return res, err
}

// version returns the version of a server's library.
func (c *Config) version(s server.Server) string {
	if s.Script != "" {
		return scriptVersion(c.NodeDir)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || s.Module == "" {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == s.Module {
			return m.Version
		}
	}
	return ""
}

// Machine describes the machine.
func Machine() report.Machine {
	m := report.Machine{Go: runtime.Version(), CPUs: runtime.NumCPU(), Processor: processor(), Node: "not installed"}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:])
	}
	if out, err := exec.Command("node", "--version").Output(); err == nil {
		m.Node = strings.TrimSpace(string(out))
	}
	return m
}

// processor returns the model name of the first processor.
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return cmp.Or(strings.TrimSpace(value), runtime.GOARCH)
		}
	}
	return runtime.GOARCH
}
