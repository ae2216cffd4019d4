//go:build unix

package ws_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// The attack table: what a server with default limits does to peers that want to harm it, under every driver and for
// the pull-style Conn. Sizes are never shortened. Times that would only be waited for are, and the tests that do so
// say it.
//
// What is measured, and what is not. Three things must hold during each attack: the attackers learn the right close
// code or meet their deadline, the Go memory of the process grows by no more than a budget for each of them, and well-behaved
// connections keep their round-trip times. The last one is about the engine: whether one connection's work makes others
// wait. It is not about how two processes share the cores of a test machine. Therefore
//
//   - flooding attackers are a process of their own with a lower priority, for in truth they have machines of their own;
//   - there is one poller loop, so that the well-behaved connections share it with the attackers;
//   - round trips are due at fixed times and counted from when they were due. A stall of 50 ms is so seen by all round
//     trips that it delays, and not by one;
//   - other lines are measured at the same time that the engine has nothing to do with: to a plain TCP echo of the same
//     process. When they wait as long, it is the machine that is slow;
//   - the 99th percentile must be above twice that of the calm time right before, twice that of the other lines, and a
//     floor, and that in three windows in a row, before it is called a fault;
//   - under the race detector, which multiplies what all of that costs, round trips must only succeed.

// stallFloor is what the 99th percentile may always be: less is the noise of schedulers on a shared machine.
const stallFloor = 20 * time.Millisecond

// slack is what the process may hold beside the budgets: idle buffers of pools, and garbage that is not collected yet.
const slack = 16 << 20

// front is a way of serving connections.
type front struct {
	way
	pull bool // with Upgrade and Read, and not with Serve and a Handler
}

func (f front) String() string {
	if f.pull {
		return "pull style"
	}
	return f.way.String()
}

// everyFront runs a test with each front, one after the other: they measure time and memory.
func everyFront(t *testing.T, test func(*testing.T, front)) {
	for _, f := range []front{{way: way{driver: ws.Automatic}}, {way: way{driver: ws.Goroutine}}, {way: way{driver: ws.Goroutine, tls: true}}, {pull: true}} {
		t.Run(f.String(), func(t *testing.T) { test(t, f) })
	}
}

// fortress is a server under attack.
type fortress struct {
	url     string
	secure  bool
	dial    ws.DialOptions
	sockets chan *ws.Socket // those that opened, while there is room
	conns   chan *ws.Conn

	engine, other pulse

	mu   sync.Mutex
	ends map[string]int // how connections ended
	open atomic.Int64
}

// fortify serves connections that echo. own, if not nil, is called with each pull-style connection instead.
func fortify(t *testing.T, f front, u *ws.Upgrader, own func(*ws.Conn) error) *fortress {
	t.Helper()
	ft := &fortress{ends: map[string]int{}, secure: f.tls, sockets: make(chan *ws.Socket, 256), conns: make(chan *ws.Conn, 256)}
	u.Driver, u.Engine = f.driver, &ws.Engine{Loops: 1}
	if own == nil {
		own = echo
	}
	h := handler{
		opened: func(s *ws.Socket) {
			ft.open.Add(1)
			select {
			case ft.sockets <- s:
			default:
			}
		},
		message: echoes,
		closed: func(_ *ws.Socket, err error) {
			ft.end(err)
			ft.open.Add(-1)
		},
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !f.pull {
			_ = u.Serve(w, r, h) // a peer that leaves during the handshake is no fault
			return
		}
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		ft.open.Add(1)
		select {
		case ft.conns <- c:
		default:
		}
		ft.end(own(c))
		ft.open.Add(-1)
	}))
	srv.Config.ErrorLog = silent
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = line(c).SetWriteBuffer(64 << 10) // so that peers that do not read fill it soon; the engine's queue is not concerned
		return ctx
	}
	if f.tls {
		srv.StartTLS()
		ft.dial.TLS = &tls.Config{RootCAs: srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	} else {
		srv.Start()
	}
	t.Cleanup(func() {
		srv.Close()
		waitUntil(t, "every connection has ended", func() bool { return ft.open.Load() == 0 })
	})
	ft.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	ft.join(t)
	return ft
}

func (ft *fortress) end(err error) {
	ft.mu.Lock()
	defer ft.mu.Unlock()
	ft.ends[fmt.Sprint(err)]++
}

// how tells how connections ended.
func (ft *fortress) how() string {
	ft.mu.Lock()
	defer ft.mu.Unlock()
	return fmt.Sprint(ft.ends)
}

// ended returns how many connections ended with an error whose text contains s.
func (ft *fortress) ended(s string) (n int) {
	ft.mu.Lock()
	defer ft.mu.Unlock()
	for text, k := range ft.ends {
		if strings.Contains(text, s) {
			n += k
		}
	}
	return n
}

// waitUntil waits for a condition.
func waitUntil(t testing.TB, what string, met func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !met(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// pulse is a number of well-behaved lines that measure round trips in turn, so that one that is late does not keep the
// next from being measured.
type pulse struct {
	lines []func(want string) (got string, err error)
	stop  chan struct{}
	taken chan beaten
}

// beaten is what one line has measured in a window.
type beaten struct {
	trips []time.Duration
	err   error
}

const (
	// beat is when round trips are due: one each beat.
	beat = time.Millisecond
	// beats is how many of them make the shortest window.
	beats = 150
	// pulseLines is how many lines take turns.
	pulseLines = 10
)

// join adds the lines that are measured: those of the engine's and those that it has nothing to do with.
func (ft *fortress) join(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{conn}) // not by splice
			}()
		}
	}()
	for range pulseLines {
		c := dial(t, ft.url, &ft.dial)
		t.Cleanup(c.Cut)
		ft.engine.lines = append(ft.engine.lines, func(want string) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			if err := c.Write(ctx, frame.Text, []byte(want)); err != nil {
				return "", err
			}
			_, got, err := c.Read(ctx)
			return string(got), err
		})
		line, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { line.Close() })
		ft.other.lines = append(ft.other.lines, func(want string) (string, error) {
			_ = line.SetDeadline(time.Now().Add(20 * time.Second))
			b := []byte(want)
			if _, err := line.Write(b); err != nil {
				return "", err
			}
			_, err := io.ReadFull(line, b)
			return string(b), err
		})
	}
	for _, line := range append(ft.engine.lines[:pulseLines:pulseLines], ft.other.lines...) {
		if _, err := line("hello"); err != nil { // now the other ends are open, too
			t.Fatal(err)
		}
	}
}

// window measures round trips while an attack lasts, and for a moment at least.
func (ft *fortress) window(t *testing.T, attack func()) (engine, other time.Duration) {
	t.Helper()
	enough := time.After(beats * beat)
	ft.engine.start()
	ft.other.start()
	attack()
	<-enough
	return ft.engine.finish(t), ft.other.finish(t)
}

// start begins a window of round trips.
func (p *pulse) start() {
	p.stop, p.taken = make(chan struct{}), make(chan beaten, len(p.lines))
	begin := time.Now()
	for i, line := range p.lines {
		go func() {
			var b beaten
			for due := begin.Add(time.Duration(i) * beat); b.err == nil; due = due.Add(pulseLines * beat) {
				select {
				case <-p.stop:
					p.taken <- b
					return
				case <-time.After(time.Until(due)):
				}
				want := fmt.Sprint("due at ", due)
				if got, err := line(want); err != nil || got != want {
					b.err = fmt.Errorf("a well-behaved connection got %.60q, %v", got, err)
				}
				b.trips = append(b.trips, time.Since(due))
			}
			p.taken <- b
		}()
	}
}

// finish ends the window and returns its 99th percentile.
func (p *pulse) finish(t *testing.T) time.Duration {
	t.Helper()
	close(p.stop)
	var trips []time.Duration
	for range p.lines {
		b := <-p.taken
		if b.err != nil {
			t.Error(b.err)
		}
		trips = append(trips, b.trips...)
	}
	slices.Sort(trips)
	return trips[(len(trips)-1)*99/100]
}

// inUse returns what the Go heap and the stacks take: the spans in use, garbage included.
func inUse() int64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(s) // does not stop the world as runtime.ReadMemStats does
	sum := int64(0)
	for i := range s {
		sum += int64(s[i].Value.Uint64())
	}
	return sum
}

// gauge watches the memory of the process.
type gauge struct {
	base int64
	stop chan struct{}
	peak chan int64
}

// weigh begins to watch. Until finish the garbage collector works at the percentage given, see debug.SetGCPercent: the
// peak is to be of what is held. An eager one takes time from everybody.
func weigh(percent int) *gauge {
	runtime.GC()
	runtime.GC()
	g := &gauge{base: inUse(), stop: make(chan struct{}), peak: make(chan int64, 1)}
	before := debug.SetGCPercent(percent)
	go func() {
		peak := int64(0)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-g.stop:
				debug.SetGCPercent(before)
				g.peak <- max(peak, inUse())
				return
			case <-tick.C:
				peak = max(peak, inUse())
			}
		}
	}()
	return g
}

// finish holds how much more was in use than at the beginning against a budget for each of conns attackers.
func (g *gauge) finish(t *testing.T, conns int, budget int64) {
	t.Helper()
	close(g.stop)
	grown, most := <-g.peak-g.base, int64(conns)*budget+slack
	t.Logf("%d attackers: %.1f MiB of %.1f", conns, float64(grown)/(1<<20), float64(most)/(1<<20))
	if grown > most {
		t.Errorf("memory has grown by %d bytes, more than %d", grown, most)
	}
}

// descriptors returns how many the process has open, or 0 where that cannot be told.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// endure runs an attack at least twice: to see what memory it takes, and how long others wait. budget is what each of
// conns attackers may make the process hold, in bytes. The attack reports with Errorf alone.
func (ft *fortress) endure(t *testing.T, conns int, budget int64, attack func()) {
	t.Helper()
	fds, g := descriptors(), weigh(25)
	attack()
	released(t, fds)
	g.finish(t, conns, budget)
	for try := 1; !t.Failed() && !underRace; try++ {
		if ft.undisturbed(t, stallFloor, attack) {
			break
		}
		if try == 3 {
			t.Error("others wait")
		}
	}
}

// once is endure for an attack that mostly waits: memory and round trips are measured at the same time, and once.
func (ft *fortress) once(t *testing.T, conns int, budget int64, attack func()) {
	t.Helper()
	g := weigh(25)
	ok := ft.undisturbed(t, 5*stallFloor, attack) // there is no second try
	g.finish(t, conns, budget)
	if !ok {
		t.Error("others wait")
	}
}

// undisturbed reports whether others keep their round trips while an attack lasts.
func (ft *fortress) undisturbed(t *testing.T, floor time.Duration, attack func()) bool {
	t.Helper()
	if underRace {
		ft.window(t, attack)
		return true
	}
	calm, _ := ft.window(t, func() {})
	hot, other := ft.window(t, attack)
	t.Logf("p99 of others %v, of lines outside the engine %v, in calm %v", hot, other, calm)
	return hot <= 2*max(calm, other) || hot <= floor
}

// released waits until no more than n descriptors are open.
func released(t *testing.T, n int) {
	t.Helper()
	if n > 0 {
		waitUntil(t, "the descriptors of the attackers are free", func() bool { return descriptors() <= n })
	}
}
