package load

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// maxDepth bounds the messages in flight on one connection.
const maxDepth = 16

// pipe is the outgoing half of a connection: what is to be written, and when each message in flight left.
type pipe struct {
	fd      int
	next    int    // the client frame to send next
	unsent  []byte // what the kernel did not take yet
	waiting int    // messages in flight
	oldest  int    // index in sent of the oldest message in flight
	sent    [maxDepth]time.Duration
}

// send sends n frames of the stream.
func (c *pipe) send(s *Stream, n int, now time.Duration) error {
	for i := range n {
		c.sent[(c.oldest+c.waiting+i)%maxDepth] = now
	}
	c.waiting += n
	var out []byte
	out, c.next = s.frames(c.next, n)
	if len(c.unsent) > 0 {
		// Frames that follow one another in the stream do so in memory, unless the stream begins anew between them.
		c.unsent = append(c.unsent[:len(c.unsent):len(c.unsent)], out...)
		return nil
	}
	c.unsent = out
	return c.flush()
}

// flush writes what is unsent, as far as the kernel takes it.
func (c *pipe) flush() error {
	for len(c.unsent) > 0 {
		n, err := sock.Send(c.fd, c.unsent)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		c.unsent = c.unsent[n:]
	}
	return nil
}

// arrived takes n messages out of those in flight and records how long they took.
func (c *pipe) arrived(h *hist, n int, now time.Duration) error {
	if n > c.waiting {
		return fmt.Errorf("%d messages arrived and only %d were due", n, c.waiting)
	}
	for n > 0 {
		since, k := c.sent[c.oldest], 0
		for k < n && c.sent[(c.oldest+k)%maxDepth] == since {
			k++
		}
		h.add(now-since, k)
		c.oldest = (c.oldest + k) % maxDepth
		c.waiting -= k
		n -= k
	}
	return nil
}

// echoConn is a connection whose replies are compared with a stream.
type echoConn struct {
	pipe
	at   int // the position in the expected bytes
	rest int // bytes received of the message that is arriving
}

// take compares arrived bytes and returns how many messages they complete.
func (c *echoConn) take(s *Stream, got []byte) (int, error) {
	var err error
	if c.at, err = s.check(c.at, got); err != nil {
		return 0, err
	}
	c.rest += len(got)
	if c.rest < s.inLen {
		return 0, nil
	}
	n := c.rest / s.inLen
	c.rest -= n * s.inLen
	return n, nil
}

// engine is the loop that all scenarios with open connections share.
type engine struct {
	*run
	p     *sock.Poll
	buf   []byte
	pipes func(i int) *pipe
	take  func(i int, got []byte) (int, error) // counts the messages that arrived bytes complete
	after func(i, n int, now time.Duration) error
	sent  uint64
	done  uint64
}

// loop runs until the measured time is over and everything sent has come back.
func (e *engine) loop() error {
	last := time.Duration(0)
	for {
		events, err := e.p.Wait(tick)
		if err != nil {
			return err
		}
		now := e.since()
		if len(events) > 0 {
			last = now
		}
		for k := range events {
			if err := e.event(&events[k], now); err != nil {
				return fmt.Errorf("connection %d: %w", events[k].Fd+1, err)
			}
		}
		if err := e.step(now, e.done); err != nil {
			return err
		}
		if e.phase == draining && e.done == e.sent {
			e.latencies()
			return nil
		}
		if err := stalled(last, now, e.sent-e.done); err != nil {
			return err
		}
	}
}

// event serves one ready connection.
func (e *engine) event(ev *unix.EpollEvent, now time.Duration) error {
	i := int(ev.Fd)
	if c := e.pipes(i); len(c.unsent) > 0 && ev.Events&unix.EPOLLOUT != 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	if ev.Events&^unix.EPOLLOUT == 0 {
		return nil
	}
	for {
		n, err := sock.Recv(e.pipes(i).fd, e.buf)
		if errors.Is(err, io.EOF) {
			return errors.New("the server closed the connection")
		}
		if err != nil || n == 0 {
			return err
		}
		whole, err := e.take(i, e.buf[:n])
		if err != nil {
			return err
		}
		if whole > 0 {
			e.done += uint64(whole)
			if err := e.after(i, whole, now); err != nil {
				return err
			}
		}
		// Edge-triggered: there is no other event for what a full buffer left behind, or for an end that came with data.
		if n < len(e.buf) && ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
			return nil
		}
	}
}

// echo runs an echo scenario.
func (r *run) echo(p *sock.Poll) error {
	if r.scenario.Depth > maxDepth {
		return fmt.Errorf("%d messages in flight are more than %d", r.scenario.Depth, maxDepth)
	}
	s := NewStream(r.scenario.Size, r.scenario.Depth, r.target.Raw)
	fds, err := r.openAll(p, "/echo", r.scenario.Conns)
	defer closeAll(fds)
	if err != nil {
		return err
	}
	conns := make([]echoConn, len(fds))
	for i, fd := range fds {
		// Each begins elsewhere in the stream, so that bytes of another connection would be noticed.
		first := i % s.count
		conns[i] = echoConn{pipe: pipe{fd: fd, next: first}, at: first * s.inLen}
	}
	e := &engine{run: r, p: p, buf: make([]byte, 512<<10)}
	e.pipes = func(i int) *pipe { return &conns[i].pipe }
	e.take = func(i int, got []byte) (int, error) { return conns[i].take(s, got) }
	e.after = func(i, n int, now time.Duration) error {
		c := &conns[i]
		if err := c.arrived(&r.hist, n, now); err != nil {
			return err
		}
		return e.again(&c.pipe, s, n, now)
	}
	return e.start(len(conns), s)
}

// start sends the first messages on all connections and runs the loop.
func (e *engine) start(conns int, s *Stream) error {
	e.begin()
	for i := range conns {
		e.sent += uint64(e.scenario.Depth)
		if err := e.pipes(i).send(s, e.scenario.Depth, e.since()); err != nil {
			return fmt.Errorf("connection %d: %w", i+1, err)
		}
	}
	err := e.loop()
	e.res.Checked = e.done
	return err
}

// again sends what follows n messages that have come back.
func (e *engine) again(c *pipe, s *Stream, n int, now time.Duration) error {
	if e.phase == draining {
		return nil
	}
	if !e.scenario.Sliding {
		if c.waiting > 0 {
			return nil
		}
		n = e.scenario.Depth
	}
	e.sent += uint64(n)
	return c.send(s, n, now)
}
