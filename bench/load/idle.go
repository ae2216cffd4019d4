package load

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// idleWindow is the number of connections that echo at the same time in the idle scenario.
const idleWindow = 64

// reserve is the number of descriptors that load and server need beside the connections.
const reserve = 100

// RaiseFiles raises the soft limit of open files to the hard one, for this process and those it starts, and returns it.
func RaiseFiles() (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("reading the limit of open files: %w", err)
	}
	l.Cur = l.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("raising the limit of open files: %w", err)
	}
	return l.Cur, nil
}

// idle measures how the server's memory grows with connections that do nothing.
func (r *run) idle(p *sock.Poll) error {
	limit, err := RaiseFiles()
	if err != nil {
		return err
	}
	n := r.scenario.Conns
	if uint64(n+reserve) > limit {
		n = int(limit) - reserve
	}
	if n < 1 {
		return fmt.Errorf("a process may open only %d files", limit)
	}
	before, err := r.settled()
	if err != nil {
		return err
	}
	fds, err := r.openAll(p, "/echo", n)
	defer closeAll(fds)
	if err != nil {
		return err
	}
	grown := func() float64 {
		if err != nil {
			return 0
		}
		var now int64
		now, err = r.settled()
		return float64(now-before) / float64(n)
	}
	r.res.Idle = &Idle{Opened: grown()}
	if r.target.GC != nil && err == nil {
		err = r.target.GC()
		r.res.Idle.OpenedGC = grown()
	}
	if err == nil {
		err = r.echoOnce(p, fds)
	}
	r.res.Idle.Echoed = grown()
	if r.target.GC != nil && err == nil {
		err = r.target.GC()
		r.res.Idle.EchoedGC = grown()
	}
	return err
}

// settled waits a second, or the scenario's Rest (less when less is to be measured), in which nothing is to happen, and
// returns the server's resident memory.
func (r *run) settled() (int64, error) {
	rest := min(r.span, time.Second)
	if r.scenario.Rest > 0 {
		rest = r.scenario.Rest
	}
	time.Sleep(rest)
	return r.target.memory()
}

// echoOnce sends one message on each connection and checks its echo, a window of connections at a time.
func (r *run) echoOnce(p *sock.Poll, fds []int) error {
	s := NewStream(r.scenario.Size, 1, r.target.Raw)
	conns := make([]echoConn, len(fds))
	buf := make([]byte, 64<<10)
	next, done := 0, 0
	begin := func() error {
		i := next
		next++
		first := i % s.count
		conns[i] = echoConn{pipe: pipe{fd: fds[i], next: first}, at: first * s.inLen}
		return conns[i].send(s, 1, 0)
	}
	for next < min(idleWindow, len(fds)) {
		if err := begin(); err != nil {
			return err
		}
	}
	last := time.Now()
	for done < len(fds) {
		events, err := p.Wait(tick)
		if err != nil {
			return err
		}
		if len(events) > 0 {
			last = time.Now()
		} else if time.Since(last) > stall {
			return fmt.Errorf("no echo for %v", stall)
		}
		for _, ev := range events {
			i := int(ev.Fd)
			if i >= next {
				continue // it only says that it could be written to
			}
			whole, err := readEcho(&conns[i], s, buf)
			if err != nil {
				return fmt.Errorf("connection %d: %w", i+1, err)
			}
			done += whole
			for k := 0; k < whole && next < len(fds); k++ {
				if err := begin(); err != nil {
					return err
				}
			}
		}
	}
	r.res.Checked = uint64(done)
	return nil
}

// readEcho reads what has arrived and returns how many messages it completes.
func readEcho(c *echoConn, s *Stream, buf []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	total := 0
	for {
		n, err := sock.Recv(c.fd, buf)
		if err != nil || n == 0 {
			return total, err
		}
		whole, err := c.take(s, buf[:n])
		if err != nil {
			return 0, err
		}
		if total += whole; total > 1 {
			return 0, errors.New("more than one echo came")
		}
	}
}

// memory returns the server's resident memory now, and after a garbage collection, 0 when it cannot be told to.
func (r *run) memory() (now, collected int64, err error) {
	if now, err = r.target.memory(); err != nil || r.target.GC == nil {
		return now, 0, err
	}
	if err = r.target.GC(); err != nil {
		return now, 0, err
	}
	collected, err = r.target.memory()
	return now, collected, err
}
