// Package load is the load generator of the benchmark: one thread, epoll, frames masked beforehand, and every reply
// compared with what it must be. It drives one server process for one scenario and reports what that cost the server.
//
// It is no WebSocket client: it knows only the frames it expects, and takes any other for a fault of the server.
package load

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/sock"
)

// ErrDeclined means that a server declined the parameters of permessage-deflate that the scenario is about.
var ErrDeclined = errors.New("the server declines what the scenario is about")

// watched is what connections are watched for, once and for all, so that nothing but waiting costs a call.
const watched = unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET

// tick is how long to wait at most before looking at the clock, in milliseconds.
const tick = 100

// stall is how long nothing at all may arrive before a run counts as failed.
const stall = 10 * time.Second

// Target is a running server.
type Target struct {
	Addr string       // host:port, an IPv4 address
	PID  int          // the process to measure
	Raw  bool         // it sends back the bytes it gets, after the HTTP upgrade, and parses no frames
	GC   func() error // makes it collect garbage and return memory; nil when it cannot
	// Processes, if set, returns all processes to measure, of a server that has several. Their memory is then the
	// proportional one, so that pages that they share count once.
	Processes func() ([]int, error)
	// Beside, if set, returns processes that belong to the set-up and are not measured: what they do disturbs nothing.
	Beside func() ([]int, error)
}

// processes returns what is measured.
func (t *Target) processes() ([]int, error) {
	if t.Processes == nil {
		return []int{t.PID}, nil
	}
	return t.Processes()
}

// memory returns the resident memory of what is measured.
func (t *Target) memory() (sum int64, err error) {
	if t.Processes == nil {
		return proc.RSS(t.PID)
	}
	pids, err := t.Processes()
	for _, pid := range pids {
		n, e := proc.PSS(pid)
		sum, err = sum+n, errors.Join(err, e)
	}
	return sum, err
}

// Result is what one run of one scenario has shown. Times are in microseconds, memory is in bytes.
type Result struct {
	Conns    int     `json:"conns"`
	Messages uint64  `json:"messages"` // those in the measured time
	Checked  uint64  `json:"checked"`  // those compared byte for byte, over the whole run
	Seconds  float64 `json:"seconds"`

	CPU    float64 `json:"cpu_us"` // of the server, a message
	User   float64 `json:"user_us"`
	System float64 `json:"system_us"`
	Rate   float64 `json:"rate"` // messages a second
	P50    float64 `json:"p50_us"`
	P99    float64 `json:"p99_us"`
	P999   float64 `json:"p999_us"`

	ServerLoad float64 `json:"server_load"` // processors in use, by the server, by the load, by all others
	ClientLoad float64 `json:"client_load"`
	OtherLoad  float64 `json:"other_load"`

	RSS        int64   `json:"rss"`                   // of the server, at the end of the measured time
	ConnBytes  float64 `json:"conn_bytes,omitempty"`  // RSS a connection, less what the server held before
	ConnGC     float64 `json:"conn_gc,omitempty"`     // the same after a garbage collection
	ReplyBytes float64 `json:"reply_bytes,omitempty"` // payload of a compressed reply
	Extension  string  `json:"extension,omitempty"`   // what the server agreed to
	Idle       *Idle   `json:"idle,omitempty"`
}

// Idle is the growth of the server's RSS for each connection, in bytes. The two after a garbage collection are 0 for
// servers that cannot be told to collect.
type Idle struct {
	Opened   float64 `json:"opened"`    // after the handshake
	OpenedGC float64 `json:"opened_gc"` // and a garbage collection
	Echoed   float64 `json:"echoed"`    // after one echo of 4 KiB on each and a second of rest
	EchoedGC float64 `json:"echoed_gc"` // and a garbage collection
}

// Run runs a scenario against a server. seconds is the measured time; a third of it, but no more than half a second,
// goes ahead unmeasured. The caller must run nothing else in this process, which is to be pinned away from the server's
// processor: garbage collection is off and Go has one thread to run on until Run returns.
func Run(s Scenario, t Target, seconds float64) (Result, error) {
	if seconds <= 0 {
		return Result{}, fmt.Errorf("measuring for %g seconds is not possible", seconds)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	span := time.Duration(seconds * float64(time.Second))
	r := &run{target: t, scenario: s, span: span, warm: min(span/3, time.Second/2), start: time.Now()}
	err := r.drive()
	r.res.round()
	if err != nil {
		return r.res, fmt.Errorf("%s: %w", s.Name, err)
	}
	return r.res, nil
}

// round drops the digits of the figures that mean nothing.
func (r *Result) round() {
	figures := []*float64{
		&r.Seconds, &r.CPU, &r.User, &r.System, &r.Rate, &r.P50, &r.P99, &r.P999, &r.ServerLoad, &r.ClientLoad, &r.OtherLoad,
		&r.ConnBytes, &r.ConnGC, &r.ReplyBytes,
	}
	if i := r.Idle; i != nil {
		figures = append(figures, &i.Opened, &i.OpenedGC, &i.Echoed, &i.EchoedGC)
	}
	for _, f := range figures {
		*f, _ = strconv.ParseFloat(strconv.FormatFloat(*f, 'g', 4, 64), 64)
	}
}

// run is the state of one run.
type run struct {
	target   Target
	scenario Scenario
	span     time.Duration
	warm     time.Duration
	measured time.Duration // when the measured time began
	start    time.Time
	hist     hist
	meter    meter
	phase    phase
	res      Result
}

// phase is how far a run has come.
type phase uint8

const (
	warming phase = iota
	measuring
	draining // nothing new is sent; what is in flight is waited for
)

// drive runs the scenario's kind.
func (r *run) drive() error {
	p, err := sock.NewPoll()
	if err != nil {
		return err
	}
	defer p.Close()
	switch r.scenario.Kind {
	case Echo:
		return r.echo(p)
	case Broadcast:
		return r.broadcast(p)
	case Connect:
		return r.connect(p)
	case Deflate:
		return r.deflate(p)
	case IdleMemory:
		return r.idle(p)
	}
	return fmt.Errorf("scenario of unknown kind %d", r.scenario.Kind)
}

// since returns the time since the run began.
func (r *run) since() time.Duration { return time.Since(r.start) }

// begin starts the clock of a run whose connections are open.
func (r *run) begin() { r.start = time.Now() }

// step moves to the next phase when it is time; done is the number of messages finished so far. The measured time is
// longer than asked for when no message is finished in it.
func (r *run) step(now time.Duration, done uint64) error {
	switch {
	case r.phase == warming && now >= r.warm && done >= r.scenario.Ahead:
		r.phase, r.measured = measuring, now
		r.hist = hist{}
		return r.meter.begin(&r.target, done)
	case r.phase == measuring && now >= r.measured+r.span && done > r.meter.done:
		r.phase = draining
		return r.meter.end(&r.res, &r.target, done)
	}
	return nil
}

// latencies puts the quantiles into the result.
func (r *run) latencies() {
	us := func(q float64) float64 { return float64(r.hist.quantile(q)) / 1e3 }
	r.res.P50, r.res.P99, r.res.P999 = us(0.5), us(0.99), us(0.999)
}

// meter reads what server, load and machine use between two moments.
type meter struct {
	wall                       time.Time
	server, user, system, self time.Duration
	busy, beside               time.Duration
	done                       uint64
}

// begin takes all figures of this moment.
func (m *meter) begin(t *Target, done uint64) error {
	var e [5]error
	m.done = done
	if t.Beside != nil {
		m.beside, e[4] = cpuOf(t.Beside)
	}
	m.busy, e[0] = proc.Busy()
	m.self, e[1] = proc.CPU(os.Getpid())
	var pids []int
	pids, e[2] = t.processes()
	for _, pid := range pids {
		user, system, err := proc.UserSystem(pid)
		e[3] = errors.Join(e[3], err)
		m.user, m.system = m.user+user, m.system+system
	}
	m.wall = time.Now()
	for _, pid := range pids {
		cpu, err := proc.CPU(pid)
		e[3] = errors.Join(e[3], err)
		m.server += cpu
	}
	return errors.Join(e[:]...)
}

// cpuOf sums up the CPU time of processes.
func cpuOf(processes func() ([]int, error)) (sum time.Duration, err error) {
	pids, err := processes()
	for _, pid := range pids {
		cpu, e := proc.CPU(pid)
		sum, err = sum+cpu, errors.Join(err, e)
	}
	return sum, err
}

// end computes the figures of the result from those of begin and those of this moment.
func (m *meter) end(res *Result, t *Target, done uint64) error {
	var n meter
	if err := n.begin(t, done); err != nil {
		return err
	}
	rss, err := t.memory()
	if err != nil {
		return err
	}
	wall := n.wall.Sub(m.wall)
	res.Messages, res.Seconds, res.RSS = done-m.done, wall.Seconds(), rss
	per := func(d time.Duration) float64 { return float64(d) / 1e3 / float64(res.Messages) }
	load := func(d time.Duration) float64 { return float64(d) / float64(wall) }
	server, self := n.server-m.server, n.self-m.self
	res.CPU = per(server)
	// The split comes in ticks; it is scaled to the exact sum.
	if ticks := n.user - m.user + n.system - m.system; ticks > 0 {
		res.User = res.CPU * float64(n.user-m.user) / float64(ticks)
		res.System = res.CPU - res.User
	}
	res.Rate = float64(res.Messages) / wall.Seconds()
	res.ServerLoad, res.ClientLoad, res.OtherLoad = load(server), load(self), load(n.busy-m.busy-server-self-(n.beside-m.beside))
	return nil
}
