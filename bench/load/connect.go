package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// shake is the state of one connection of the connect scenario.
type shake struct {
	fd    int
	began time.Duration
	step  shakeStep
	in    []byte // what has arrived in this step
}

// shakeStep is what a connection waits for.
type shakeStep uint8

const (
	connecting shakeStep = iota
	opening              // the answer to the handshake
	closing              // the server's Close frame
	ending               // the end of the server's side
	free
)

// knocker runs the connect scenario.
type knocker struct {
	*run
	p       *sock.Poll
	dialer  *dialer
	goodbye []byte // the Close frame that is sent
	slots   []shake
	opened  uint64
	done    uint64
	buf     [4096]byte
}

// connect runs the connect scenario: a number of connections at a time open, close, and are replaced.
func (r *run) connect(p *sock.Poll) error {
	d, err := newDialer(r.target.Addr, "/echo", "")
	if err != nil {
		return err
	}
	k := &knocker{
		run: r, p: p, dialer: d, slots: make([]shake, r.scenario.Conns),
		goodbye: appendClient(nil, opClose, [4]byte{1, 2, 3, 4}, []byte{1000 >> 8, 1000 & 0xff}),
	}
	r.res.Conns = len(k.slots)
	r.begin()
	defer func() {
		for i := range k.slots {
			if k.slots[i].step != free {
				_ = unix.Close(k.slots[i].fd)
			}
		}
	}()
	for i := range k.slots {
		k.slots[i].step = free
	}
	for i := range k.slots {
		if err := k.open(i, r.since()); err != nil {
			return err
		}
	}
	return k.loop()
}

// loop runs until the measured time is over and every connection has ended.
func (k *knocker) loop() error {
	last := time.Duration(0)
	for {
		events, err := k.p.Wait(tick)
		if err != nil {
			return err
		}
		now := k.since()
		if len(events) > 0 {
			last = now
		}
		for i := range events {
			if err := k.event(int(events[i].Fd), now); err != nil {
				return err
			}
		}
		if err := k.step(now, k.done); err != nil {
			return err
		}
		if k.phase == draining && k.done == k.opened {
			k.res.Checked = k.done
			k.latencies()
			return nil
		}
		if err := stalled(last, now, k.opened-k.done); err != nil {
			return err
		}
	}
}

// open begins a connection in a free slot.
func (k *knocker) open(i int, now time.Duration) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("opening a socket: %w", err)
	}
	k.slots[i] = shake{fd: fd, began: now, in: k.slots[i].in[:0]}
	// Addresses of ours in turn: a port that the server still holds in TIME-WAIT is then not met again soon.
	from := unix.SockaddrInet4{Addr: [4]byte{127, 0, 1, byte(1 + k.opened%32)}}
	if err := errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1),
		unix.Bind(fd, &from),
	); err != nil {
		return fmt.Errorf("setting up a socket: %w", err)
	}
	k.opened++
	if err := unix.Connect(fd, &k.dialer.addr); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return fmt.Errorf("connecting: %w", err)
	}
	return k.p.Add(fd, i, watched)
}

// event moves one connection on as far as it goes.
func (k *knocker) event(i int, now time.Duration) error {
	c := &k.slots[i]
	if c.step == connecting {
		if n, err := sock.Send(c.fd, k.dialer.request); err != nil {
			return fmt.Errorf("opening a connection: %w", err)
		} else if n == 0 {
			return nil
		}
		c.step = opening
		return nil
	}
	for c.step != free {
		n, err := sock.Recv(c.fd, k.buf[:])
		if errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) {
			if c.step != ending {
				return errors.New("the server ended a connection before the closing handshake")
			}
			return k.ended(i, now)
		}
		if err != nil || n == 0 {
			return err
		}
		c.in = append(c.in, k.buf[:n]...)
		if err := k.advance(c); err != nil {
			return err
		}
	}
	return nil
}

// advance looks at what has arrived on a connection.
func (k *knocker) advance(c *shake) error {
	switch c.step {
	case opening:
		if !bytes.HasSuffix(c.in, []byte(headEnd)) {
			return nil
		}
		if _, err := checkResponse(c.in, k.dialer.accept); err != nil {
			return err
		}
		if _, err := sock.Send(c.fd, k.goodbye); err != nil {
			return fmt.Errorf("sending a close frame: %w", err)
		}
		c.in, c.step = c.in[:0], closing
	case closing:
		whole, err := checkClose(c.in, k.goodbye, k.target.Raw)
		if err != nil {
			return err
		}
		if whole {
			c.in, c.step = c.in[:0], ending
		}
	default:
		return fmt.Errorf("%d bytes came after the close frame", len(c.in))
	}
	return nil
}

// ended closes a connection and opens the next one in its place.
func (k *knocker) ended(i int, now time.Duration) error {
	c := &k.slots[i]
	_ = unix.Close(c.fd)
	c.step = free
	k.done++
	k.hist.add(now-c.began, 1)
	if k.phase == draining {
		return nil
	}
	return k.open(i, now)
}

// checkClose reports whether got is the whole answer to a close frame: any unmasked Close frame with a status code or
// without (RFC 6455, section 5.5.1), or the frame itself from a raw server.
func checkClose(got, sent []byte, raw bool) (whole bool, err error) {
	if raw {
		if !bytes.HasPrefix(sent, got) {
			return false, fmt.Errorf("the answer to a close frame is % x, want the same bytes", got)
		}
		return len(got) == len(sent), nil
	}
	if len(got) < 2 {
		return false, nil
	}
	size := int(got[1])
	if got[0] != finBit|opClose || size > 125 || size == 1 || len(got) > 2+size {
		return false, fmt.Errorf("the answer to a close frame is % x", got)
	}
	return len(got) == 2+size, nil
}
