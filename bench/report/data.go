// Package report turns the runs of the benchmark into medians, a Markdown page and a plot. It knows nothing of how
// they were measured.
package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
)

// QuietLoad is how much of a processor everything else on the machine may use during a run that is to count.
const QuietLoad = 0.35

// Reference is the server that ratios are to, and NetReference the one for servers with a goroutine for each connection.
const (
	Reference    = "raw-epoll"
	NetReference = "raw-net"
)

// Data is a whole benchmark, as it is stored.
type Data struct {
	When      time.Time  `json:"when"`
	Machine   Machine    `json:"machine"`
	Rounds    int        `json:"rounds"`
	Seconds   float64    `json:"seconds"`
	Scenarios []Scenario `json:"scenarios"`
	Servers   []Server   `json:"servers"`
	Runs      []Run      `json:"runs"`
}

// Machine is where it ran.
type Machine struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Kernel    string `json:"kernel"`
	Go        string `json:"go"`
	Node      string `json:"node"`
}

// Scenario is what was measured.
type Scenario struct {
	Name  string `json:"name"`
	About string `json:"about"`
	Unit  string `json:"unit"`
}

// Server is what was compared.
type Server struct {
	Name    string `json:"name"`
	About   string `json:"about"`
	Version string `json:"version,omitempty"`
	Raw     bool   `json:"raw,omitempty"`
	Ours    bool   `json:"ours,omitempty"`
}

// Run is one run of a server through a scenario.
type Run struct {
	Scenario string      `json:"scenario"`
	Server   string      `json:"server"`
	Round    int         `json:"round"`
	Error    string      `json:"error,omitempty"`
	Result   load.Result `json:"result"`
}

// Quiet reports whether a run was left undisturbed. Memory does not depend on it.
func (r Run) Quiet() bool { return r.Result.Idle != nil || r.Result.OtherLoad < QuietLoad }

// Line returns what a run has shown in a few words.
func Line(r Run) string {
	v := r.Result
	switch {
	case r.Error != "":
		return "FAILED: " + r.Error
	case v.Idle != nil:
		return fmt.Sprintf("%d connections, bytes each: %.0f opened, %.0f after an echo", v.Conns, v.Idle.Opened, v.Idle.Echoed)
	}
	text := fmt.Sprintf("%8.2f us  %9.0f/s  p99 %8.0f us  server %.2f load %.2f other %.2f", v.CPU, v.Rate, v.P99, v.ServerLoad, v.ClientLoad, v.OtherLoad)
	if v.ReplyBytes > 0 {
		text += fmt.Sprintf("  reply %.0f B, %.0f kB a connection", v.ReplyBytes, v.ConnBytes/1e3)
	}
	if !r.Quiet() {
		text += "  (disturbed)"
	}
	return text
}

// Summary is what the runs of one server through one scenario come to.
type Summary struct {
	Server   Server
	Runs     int // those that count
	All      int // those that did not fail
	Quiet    bool
	Median   load.Result // of each figure by itself
	Min, Max float64     // of the CPU time, or of the idle memory after an echo
	Ratio    float64     // to Reference, 0 when it was not run
	NetRatio float64     // to NetReference, 0 when it was not run
}

// Summaries returns a scenario's summaries, the best first. Disturbed runs count only where a server has no others.
func (d *Data) Summaries(scenario string) []Summary {
	var all []Summary
	for _, s := range d.Servers {
		if sum, ok := d.summary(scenario, s); ok {
			all = append(all, sum)
		}
	}
	base, net := figureOf(all, Reference), figureOf(all, NetReference)
	for i := range all {
		if base > 0 {
			all[i].Ratio = all[i].figure() / base
		}
		if net > 0 {
			all[i].NetRatio = all[i].figure() / net
		}
	}
	slices.SortStableFunc(all, func(a, b Summary) int { return cmp.Compare(a.figure(), b.figure()) })
	return all
}

// figureOf returns the CPU time of a server, 0 when it was not run. Memory is not compared with anything.
func figureOf(all []Summary, name string) float64 {
	i := slices.IndexFunc(all, func(s Summary) bool { return s.Server.Name == name })
	if i < 0 || all[i].Median.Idle != nil {
		return 0
	}
	return all[i].figure()
}

// figure is what servers are compared by.
func (s Summary) figure() float64 { return figure(s.Median) }

// figure is what runs are compared by: memory of idle connections after an echo, CPU time otherwise.
func figure(r load.Result) float64 {
	if r.Idle != nil {
		return r.Idle.Echoed
	}
	return r.CPU
}

// summary sums up the runs of a server through a scenario; ok is false when there are none.
func (d *Data) summary(scenario string, server Server) (Summary, bool) {
	var good, quiet []load.Result
	for _, r := range d.Runs {
		if r.Scenario != scenario || r.Server != server.Name || r.Error != "" {
			continue
		}
		good = append(good, r.Result)
		if r.Quiet() {
			quiet = append(quiet, r.Result)
		}
	}
	if len(good) == 0 {
		return Summary{}, false
	}
	counted := quiet
	if len(counted) == 0 {
		counted = good
	}
	s := Summary{Server: server, Runs: len(counted), All: len(good), Quiet: len(quiet) > 0, Median: medians(counted)}
	s.Min, s.Max = figure(counted[0]), figure(counted[0])
	for _, r := range counted {
		s.Min, s.Max = min(s.Min, figure(r)), max(s.Max, figure(r))
	}
	return s, true
}

// medians returns the median of each figure.
func medians(all []load.Result) load.Result {
	of := func(f func(r load.Result) float64) float64 {
		v := make([]float64, len(all))
		for i, r := range all {
			v[i] = f(r)
		}
		return median(v)
	}
	m := load.Result{
		Conns: all[0].Conns, Extension: all[0].Extension,
		CPU:  of(func(r load.Result) float64 { return r.CPU }),
		User: of(func(r load.Result) float64 { return r.User }), System: of(func(r load.Result) float64 { return r.System }),
		Rate: of(func(r load.Result) float64 { return r.Rate }), P50: of(func(r load.Result) float64 { return r.P50 }),
		P99: of(func(r load.Result) float64 { return r.P99 }), P999: of(func(r load.Result) float64 { return r.P999 }),
		ServerLoad: of(func(r load.Result) float64 { return r.ServerLoad }),
		ClientLoad: of(func(r load.Result) float64 { return r.ClientLoad }),
		OtherLoad:  of(func(r load.Result) float64 { return r.OtherLoad }),
		RSS:        int64(of(func(r load.Result) float64 { return float64(r.RSS) })),
		ConnBytes:  of(func(r load.Result) float64 { return r.ConnBytes }),
		ConnGC:     of(func(r load.Result) float64 { return r.ConnGC }),
		ReplyBytes: of(func(r load.Result) float64 { return r.ReplyBytes }),
	}
	if all[0].Idle != nil {
		m.Idle = &load.Idle{
			Opened: of(func(r load.Result) float64 { return r.Idle.Opened }), OpenedGC: of(func(r load.Result) float64 { return r.Idle.OpenedGC }),
			Echoed: of(func(r load.Result) float64 { return r.Idle.Echoed }), EchoedGC: of(func(r load.Result) float64 { return r.Idle.EchoedGC }),
		}
	}
	return m
}

// median returns the middle of some numbers, or the mean of the two in the middle.
func median(v []float64) float64 {
	slices.Sort(v)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// Failures returns the runs that failed.
func (d *Data) Failures() []Run {
	var failed []Run
	for _, r := range d.Runs {
		if r.Error != "" {
			failed = append(failed, r)
		}
	}
	return failed
}

// Encode returns the benchmark as it is stored: JSON with a line for each run.
func (d *Data) Encode() ([]byte, error) {
	head := *d
	head.Runs = nil
	b, err := json.MarshalIndent(head, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encoding results: %w", err)
	}
	b = append(bytes.TrimSuffix(b, []byte("null\n}")), '[')
	for i, r := range d.Runs {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, fmt.Errorf("encoding results: %w", err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, "\n  "...), line...)
	}
	return append(b, "\n ]\n}\n"...), nil
}

// Read reads benchmarks from files and joins them: later files add runs, scenarios and servers to the first.
func Read(files []string) (*Data, error) {
	if len(files) == 0 {
		return nil, errors.New("no file of results was named")
	}
	var joined Data
	for i, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading results: %w", err)
		}
		var d Data
		if err := json.Unmarshal(b, &d); err != nil {
			return nil, fmt.Errorf("reading results: %s: %w", name, err)
		}
		if i == 0 {
			joined = d
			continue
		}
		joined.join(&d)
	}
	return &joined, nil
}

// join adds another benchmark.
func (d *Data) join(other *Data) {
	for _, s := range other.Scenarios {
		if !slices.ContainsFunc(d.Scenarios, func(o Scenario) bool { return o.Name == s.Name }) {
			d.Scenarios = append(d.Scenarios, s)
		}
	}
	for _, s := range other.Servers {
		if !slices.ContainsFunc(d.Servers, func(o Server) bool { return o.Name == s.Name }) {
			d.Servers = append(d.Servers, s)
		}
	}
	for _, r := range other.Runs {
		r.Round += d.Rounds
		d.Runs = append(d.Runs, r)
	}
	d.Rounds += other.Rounds
}
