package proxy

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/report"
	"github.com/rolemgr/rolemgr/bench/rounds"
)

// Config says what to run.
type Config struct {
	Scenarios  []load.Scenario
	Servers    []Server
	Rounds     int
	IdleRounds int       // rounds in which the memory of idle connections is measured
	Seconds    float64   // measured time of a run
	Program    string    // rolemgr; built from the module beside this one when empty
	Log        io.Writer // a line for each run
	// Save, if set, is called after each round with what there is so far.
	Save func(*report.Data) error

	serverCPU, loadCPU int
	dir                string
}

// Run starts all proxies, each on the same one processor, and their applications on another, and runs the rounds: each
// proxy through each scenario, in an order that turns. A proxy that is not asked does nothing. For the memory of idle
// connections a proxy is started for each run. Run pins this process to the processor of the applications for good.
func (c *Config) Run() (*report.Data, error) {
	if c.Rounds < 1 || c.Seconds <= 0 {
		return nil, fmt.Errorf("%d rounds of %g seconds cannot be run", c.Rounds, c.Seconds)
	}
	dir, err := os.MkdirTemp("", "bench-proxy-")
	if err != nil {
		return nil, fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // servers that give up root's rights read below it
		return nil, err
	}
	c.dir = dir
	if c.Program == "" {
		if c.Program, err = build(dir); err != nil {
			return nil, err
		}
	}
	if _, err := load.RaiseFiles(); err != nil { // also for what is started from here
		return nil, err
	}
	if c.serverCPU, c.loadCPU, err = proc.Two(); err != nil {
		return nil, err
	}
	if err := proc.PinSelf(c.loadCPU); err != nil {
		return nil, err
	}
	d := &report.Data{When: time.Now().UTC().Truncate(time.Second), Machine: rounds.Machine(), Rounds: c.Rounds, Seconds: c.Seconds}
	for _, s := range c.Scenarios {
		d.Scenarios = append(d.Scenarios, report.Scenario{Name: s.Name, About: s.About, Unit: s.Unit})
	}
	var running []*process
	defer func() {
		for _, p := range running {
			p.stop()
		}
	}()
	for _, s := range c.Servers {
		p, err := c.start(s)
		if err != nil {
			return nil, err
		}
		running = append(running, p)
		d.Servers = append(d.Servers, report.Server{Name: s.Name, About: s.About, Version: p.version, Ours: s.ours})
	}
	for round := range c.Rounds {
		for _, s := range c.Scenarios {
			if s.Kind == load.IdleMemory && round >= c.IdleRounds {
				continue
			}
			for i := range running {
				c.one(d, s, running[(i+round)%len(running)], round)
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

// one makes one run and appends it to the report.
func (c *Config) one(d *report.Data, s load.Scenario, p *process, round int) {
	res, err := c.measure(s, p)
	run := report.Run{Scenario: s.Name, Server: p.server.Name, Round: round + 1, Result: res}
	if err != nil {
		run.Error = err.Error()
	}
	d.Runs = append(d.Runs, run)
	fmt.Fprintf(c.Log, "round %d/%d  %-8s %-15s %s\n", round+1, c.Rounds, s.Name, p.server.Name, report.Line(run))
}

// measure runs a scenario against a proxy, or against one of its kind that has done nothing yet.
func (c *Config) measure(s load.Scenario, p *process) (load.Result, error) {
	if s.Kind != load.IdleMemory {
		return load.Run(s, p.target(), c.Seconds)
	}
	fresh, err := c.start(p.server)
	if err != nil {
		return load.Result{}, err
	}
	defer fresh.stop()
	return load.Run(s, fresh.target(), c.Seconds)
}

// build builds rolemgr from the module that this one lies in.
func build(dir string) (string, error) {
	program := filepath.Join(dir, "rolemgr")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/rolemgr")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building rolemgr: %w: run this in the folder bench, or name a program with -program: %s", err, out)
	}
	return program, nil
}
