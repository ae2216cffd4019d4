package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Read returns the next complete message. The payload is valid until the next call of Read. A closing handshake
// ends with a *CloseError, a line that is cut without one with io.ErrUnexpectedEOF, a peer that breaks the protocol
// or a limit with a *ProtocolError, a detached connection with ErrDetached. When ctx ends first, the connection stays
// as it is and may be read again.
func (c *Conn) Read(ctx context.Context) (frame.Opcode, []byte, error) {
	if err := c.acquire(ctx, c.reading); err != nil {
		return 0, nil, fmt.Errorf("websocket read: %w", err)
	}
	defer func() { <-c.reading }()
	for {
		ev, err := c.next(ctx)
		if err != nil {
			return 0, nil, err
		}
		if ev.kind == gotMessage {
			c.messagesIn.Add(1)
			return ev.op, ev.payload, nil
		}
	}
}

// acquire takes a lock, unless the connection ends or ctx does.
func (c *Conn) acquire(ctx context.Context, lock chan struct{}) error {
	select {
	case lock <- struct{}{}:
		return nil
	default:
	}
	select {
	case lock <- struct{}{}:
		return nil
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// next returns the next event, after doing what the protocol asks for by itself.
func (c *Conn) next(ctx context.Context) (event, error) {
	for {
		if err := c.over(); err != nil {
			return event{}, err
		}
		if c.leaving.Load() {
			return event{}, ErrDetached
		}
		if c.r == c.w {
			c.flushPong()
			if err := c.fill(ctx); err != nil {
				return event{}, err
			}
		}
		var ev event
		n, err := c.rx.feed(c.buf[c.r:c.w], &ev)
		c.r += n
		if err != nil {
			var p *ProtocolError
			errors.As(err, &p)
			return event{}, c.fail(p)
		}
		switch ev.kind {
		case gotPing:
			c.mu.Lock()
			c.pong = append(make([]byte, 0, len(ev.payload)), ev.payload...)
			c.mu.Unlock()
		case gotPong:
			c.ponged(ev.payload)
		case gotClose:
			c.flushPong()
			return event{}, c.peerClosed(ev)
		case gotMessage:
			c.flushPong() // the next Read may be long in coming
			return ev, nil
		}
	}
}

// fill reads once. It wakes up for whatever is due and returns when bytes arrived, or when reading is over.
func (c *Conn) fill(ctx context.Context) error {
	c.readWatch.set(ctx) // a deadline that it has set before wakes us once in vain
	c.resize()
	c.rx.release() // a great message is not held while waiting for the next
	c.resume()
	for {
		at := c.due()
		if !at.IsZero() && at.Before(c.soonest) {
			at = c.soonest
		}
		c.arm(at)
		// Only now: whoever ends ctx or detaches afterwards sets the deadline after us.
		if err := ctx.Err(); err != nil {
			c.armed = past()
			return fmt.Errorf("websocket read: %w", err)
		}
		if c.leaving.Load() {
			return ErrDetached
		}
		n, err := c.line.Read(c.buf)
		if n > 0 {
			c.r, c.w = 0, n
			c.bytesIn.Add(int64(n))
			if !at.IsZero() || c.limits.PingInterval > 0 {
				c.looked = time.Now()
				c.heard, c.asked = c.looked, time.Time{}
			}
			return nil
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded):
			c.armed = past()
			if err := c.overdue(at); err != nil {
				return err
			}
		case errors.Is(err, net.ErrClosed), errors.Is(err, io.EOF):
			return c.finish(io.ErrUnexpectedEOF)
		default:
			return c.finish(fmt.Errorf("websocket read: %w: %w", io.ErrUnexpectedEOF, err))
		}
	}
}

// resize fits the buffer to what the peer sends: it doubles when a read filled it and shrinks after a quiet while.
func (c *Conn) resize() {
	size := len(c.buf)
	switch {
	case c.w == size && size < maxReadBuffer:
		c.buf, c.lean = make([]byte, min(2*size, maxReadBuffer)), 0
	case size > readBuffer && c.w < size/4:
		if c.lean++; c.lean >= 8 {
			c.buf, c.lean = make([]byte, max(size/2, readBuffer)), 0
		}
	default:
		c.lean = 0
	}
	c.r, c.w = 0, 0
}

// resume grants the grace when reading goes on after a pause. Who reads steadily gets it once: a peer that sends a byte
// now and then must not earn it again with each.
func (c *Conn) resume() {
	if c.due().IsZero() {
		return
	}
	now := time.Now()
	if now.Sub(c.looked) >= grace {
		c.soonest = now.Add(grace)
	}
	c.looked = now
}

// due returns when reading must be interrupted at the latest, or zero.
func (c *Conn) due() time.Time {
	var t time.Time
	if d := c.limits.AssemblyTimeout; d > 0 && !c.rx.since().IsZero() {
		t = c.rx.since().Add(d)
	}
	if at := c.aliveUntil(); !at.IsZero() && (t.IsZero() || at.Before(t)) {
		t = at
	}
	return t
}

// aliveUntil returns when silence calls for a ping, or for the end when a ping was sent already.
func (c *Conn) aliveUntil() time.Time {
	switch {
	case c.limits.PingInterval <= 0:
		return time.Time{}
	case c.asked.IsZero():
		return c.heard.Add(c.limits.PingInterval)
	case c.limits.PongTimeout <= 0:
		return time.Time{}
	}
	return c.asked.Add(c.limits.PongTimeout)
}

// arm sets the read deadline. One that is early already is left alone: waking up once in vain is cheaper than a
// system timer moved for each read.
func (c *Conn) arm(at time.Time) {
	if c.armed.Equal(at) || !c.armed.IsZero() && !c.armed.Equal(past()) && (at.IsZero() || c.armed.Before(at)) {
		return
	}
	c.armed = at
	_ = c.line.SetReadDeadline(at) // fails only on a closed line, which the next read tells
}

// overdue does what is due after a read was interrupted: nothing before the time that due gave.
func (c *Conn) overdue(at time.Time) error {
	now := time.Now()
	if at.IsZero() || now.Before(at) {
		return nil
	}
	if d := c.limits.AssemblyTimeout; d > 0 && !c.rx.since().IsZero() && now.Sub(c.rx.since()) >= d {
		return c.fail(failure(frame.PolicyViolation, "message is not complete after %v", d))
	}
	if at := c.aliveUntil(); at.IsZero() || now.Before(at) {
		return nil
	}
	if !c.asked.IsZero() {
		return c.finish(fmt.Errorf("websocket peer has not answered a ping for %v: %w", c.limits.PongTimeout, os.ErrDeadlineExceeded))
	}
	c.alive(now)
	return nil
}

// grace is for bytes that lie ready on a line that was not read for long: nothing is overdue before they are seen.
const grace = 100 * time.Millisecond

// past is a deadline that has passed.
func past() time.Time { return time.Unix(1, 0) }
