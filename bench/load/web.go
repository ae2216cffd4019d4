package load

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// Web is a request that is repeated on connections that stay open, HTTP/1.1, one in flight on each.
type Web struct {
	Name    string
	Addr    string // host:port, an IPv4 address
	PID     int    // the first process of the server; those it has started count as well
	Conns   int
	Request []byte // the request, whole
	Status  int    // of every answer
	Body    int64  // bytes of every answer's content as sent, without the framing of chunks
}

// RunWeb repeats a request and reports what each answer has cost the server. The conditions of Run hold. The figures are
// for an answer; where few are finished in the measured time, those begun and not finished are counted in part.
func RunWeb(w Web, seconds float64) (Result, error) {
	if seconds <= 0 {
		return Result{}, fmt.Errorf("measuring for %g seconds is not possible", seconds)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	span := time.Duration(seconds * float64(time.Second))
	v := &visitor{web: w, span: span, warm: min(span/3, time.Second/2), buf: make([]byte, 256<<10)}
	err := v.drive()
	v.res.round()
	if err != nil {
		return v.res, fmt.Errorf("%s: %w", w.Name, err)
	}
	return v.res, nil
}

// visitor is the state of one run of RunWeb.
type visitor struct {
	web    Web
	conns  []visit
	buf    []byte
	span   time.Duration
	warm   time.Duration
	start  time.Time
	phase  phase
	hist   hist
	meter  webMeter
	done   uint64 // answers that are whole
	bytes  int64  // of content, of all answers
	active int    // connections that wait for an answer
	res    Result
}

// visit is one connection.
type visit struct {
	fd    int
	began time.Duration
	in    answer
}

// drive opens the connections, repeats the request on them until the measured time is over, and waits for the rest.
func (v *visitor) drive() error {
	p, err := sock.NewPoll()
	if err != nil {
		return err
	}
	defer p.Close()
	defer func() {
		for _, c := range v.conns {
			_ = unix.Close(c.fd)
		}
	}()
	for i := range v.web.Conns {
		fd, err := dialWeb(v.web.Addr)
		if err != nil {
			return err
		}
		v.conns = append(v.conns, visit{fd: fd, in: answer{status: v.web.Status}})
		if err := p.Add(fd, i, unix.EPOLLIN|unix.EPOLLRDHUP); err != nil {
			return err
		}
	}
	v.res.Conns = len(v.conns)
	v.start = time.Now()
	for i := range v.conns {
		if err := v.ask(&v.conns[i], 0); err != nil {
			return err
		}
	}
	return v.loop(p)
}

// loop answers what is ready until nothing is in flight any more.
func (v *visitor) loop(p *sock.Poll) error {
	last := time.Duration(0)
	for v.active > 0 {
		events, err := p.Wait(tick)
		if err != nil {
			return err
		}
		now := time.Since(v.start)
		if len(events) > 0 {
			last = now
		}
		for i := range events {
			if err := v.event(&v.conns[events[i].Fd], now); err != nil {
				return err
			}
		}
		if err := v.step(now); err != nil {
			return err
		}
		if err := stalled(last, now, uint64(v.active)); err != nil {
			return err
		}
	}
	v.res.Checked = v.done
	us := func(q float64) float64 { return float64(v.hist.quantile(q)) / 1e3 }
	v.res.P50, v.res.P99, v.res.P999 = us(0.5), us(0.99), us(0.999)
	return nil
}

// step moves to the next phase when it is time.
func (v *visitor) step(now time.Duration) error {
	switch {
	case v.phase == warming && now >= v.warm:
		v.phase, v.hist = measuring, hist{}
		return v.meter.begin(v)
	case v.phase == measuring && now >= v.warm+v.span && v.done > v.meter.done:
		v.phase = draining
		return v.meter.end(v)
	}
	return nil
}

// ask sends the request.
func (v *visitor) ask(c *visit, now time.Duration) error {
	n, err := sock.Send(c.fd, v.web.Request)
	if err != nil {
		return err
	}
	if n != len(v.web.Request) {
		return errors.New("the kernel did not take a whole request")
	}
	c.began = now
	v.active++
	return nil
}

// event reads what has arrived on a connection. Content of a known length is dropped by the kernel, so that it costs the
// load no copy.
func (v *visitor) event(c *visit, now time.Duration) error {
	for {
		var n int
		var err error
		dropped := c.in.rest > 0 && !c.in.chunked
		if dropped {
			n, err = sock.Drop(c.fd, int(min(c.in.rest, 1<<30)))
		} else {
			n, err = sock.Recv(c.fd, v.buf)
		}
		if err != nil {
			return fmt.Errorf("the server ended a connection: %w", err)
		}
		if n == 0 {
			return nil
		}
		before := c.in.body
		if dropped {
			c.in.take(int64(n))
		} else if err := c.in.feed(v.buf[:n]); err != nil {
			return err
		}
		v.bytes += c.in.body - before
		if !c.in.whole {
			if n < len(v.buf) && !dropped {
				return nil // that was all; one that is level-triggered is told when there is more
			}
			continue
		}
		if c.in.body != v.web.Body {
			return fmt.Errorf("an answer has %d bytes of content, want %d", c.in.body, v.web.Body)
		}
		c.in.reset()
		v.done++
		v.active--
		v.hist.add(now-c.began, 1)
		if v.phase == draining {
			return nil
		}
		return v.ask(c, now)
	}
}

// dialWeb opens a connection that does not block.
func dialWeb(addr string) (int, error) {
	d, err := newDialer(addr, "/", "")
	if err != nil {
		return -1, err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("opening a socket: %w", err)
	}
	if err := errors.Join(unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1), unix.Connect(fd, &d.addr), unix.SetNonblock(fd, true)); err != nil {
		_ = unix.Close(fd)
		return -1, fmt.Errorf("connecting to %s: %w", addr, err)
	}
	return fd, nil
}
