package ws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Close performs the closing handshake with code and reason (at most 123 bytes of UTF-8) and closes the connection.
// NoStatus with an empty reason sends a close frame without a code. Messages that still arrive are discarded, unless
// a Read is in progress and takes them. It waits for at most Limits.CloseTimeout and is safe to call more than once:
// later calls wait for the same end. It returns nil when the peer has closed too.
func (c *Conn) Close(code frame.CloseCode, reason string) error {
	payload, err := c.closePayload(code, reason)
	if err != nil {
		return fmt.Errorf("websocket close: %w", err)
	}
	c.sendClose(payload)
	select {
	case c.reading <- struct{}{}:
		c.keepDelivered()
		for err = nil; err == nil; {
			_, err = c.next(context.Background())
		}
		<-c.reading
	case <-c.done:
	}
	if err := c.over(); err != nil {
		var ended *CloseError
		if !errors.As(err, &ended) {
			return fmt.Errorf("websocket close: %w", err)
		}
		return nil
	}
	return fmt.Errorf("websocket close: %w", ErrDetached)
}

// keepDelivered leaves the message that Read returned last to its owner, who may still be using it while another
// goroutine closes: what is read from now on goes elsewhere. The caller holds the read lock.
func (c *Conn) keepDelivered() {
	buf := make([]byte, max(readBuffer, c.w-c.r))
	c.w = copy(buf, c.buf[c.r:c.w])
	c.buf, c.r = buf, 0
	if c.rx.part != nil && c.rx.part.delivered {
		c.rx.part = nil
	}
}

// Cut ends the connection at once, without a closing handshake; operations in progress fail with ErrCut. It may be
// called at any time from anywhere and is safe to call more than once.
func (c *Conn) Cut() { _ = c.finish(ErrCut) }

// Shutdown starts the closing handshake and returns at once; a Read in progress or to come completes it. The
// connection is cut after Limits.CloseTimeout, even when nobody reads. A code that may not be sent becomes 1001, a
// reason that is too long is cut.
func (c *Conn) Shutdown(code uint16, reason string) {
	for len(reason) > frame.MaxReason {
		_, n := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-n]
	}
	payload, err := c.closePayload(frame.CloseCode(code), reason)
	if err != nil {
		payload, _ = frame.AppendClose(nil, frame.GoingAway, "")
	}
	c.startCutter()
	// Writing may have to wait for a writer and for the peer; the cutter ends both.
	go c.sendClose(payload)
}

func (c *Conn) closePayload(code frame.CloseCode, reason string) ([]byte, error) {
	if code != frame.NoStatus && !code.MaySend(c.tx.role) {
		return nil, fmt.Errorf("%w: %s", frame.ErrCloseCode, code)
	}
	return frame.AppendClose(nil, code, reason)
}

// startCutter makes sure that the connection ends within Limits.CloseTimeout from now.
func (c *Conn) startCutter() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.limits.CloseTimeout <= 0 || c.cutter != nil || c.ended {
		return
	}
	c.cutter = time.AfterFunc(c.limits.CloseTimeout, func() {
		_ = c.finish(fmt.Errorf("websocket peer has not closed for %v: %w", c.limits.CloseTimeout, os.ErrDeadlineExceeded))
	})
}

// sendClose sends our close frame, unless it is sent already or the connection has ended.
func (c *Conn) sendClose(payload []byte) {
	c.startCutter()
	if c.acquire(context.Background(), c.writing) != nil {
		return
	}
	defer func() { <-c.writing }()
	c.mu.Lock()
	due := !c.ended && c.closer.take(sent)
	c.mu.Unlock()
	if due {
		_ = c.send(context.Background(), frame.Close, payload, c.limits.WriteTimeout) // ends the connection itself
	}
}

// peerClosed completes the closing handshake after the peer's close frame and ends the connection.
func (c *Conn) peerClosed(ev event) error {
	c.mu.Lock()
	c.closer.take(received)
	ended := &CloseError{Code: ev.code, Reason: ev.reason, Sent: c.closer.first}
	c.verdict = ended
	c.mu.Unlock()
	// The answer repeats the code (RFC 6455, section 5.5.1); the codes that may come in may go out again.
	payload, _ := frame.AppendClose(nil, ev.code, "")
	c.sendClose(payload)
	switch {
	case c.tx.role == frame.Client && c.over() == nil:
		c.drain() // the server closes the line first (RFC 6455, section 7.1.1)
	case c.r < c.w:
		c.linger() // the peer goes on sending, and must be able to read the answer all the same
	}
	return c.finish(ended)
}

// fail ends the connection because the peer broke the protocol or a limit: it says so with a close frame, and gives
// the peer a moment to read it.
func (c *Conn) fail(p *ProtocolError) error {
	c.mu.Lock()
	c.verdict = p
	c.mu.Unlock()
	payload, err := frame.AppendClose(nil, p.Code, clip(p.Err.Error()))
	if err != nil {
		payload, _ = frame.AppendClose(nil, p.Code, "")
	}
	c.sendClose(payload)
	c.linger()
	return c.finish(p)
}

// linger ends our half of the line and drains the other. Closing a line at once while bytes are unread would reset it,
// and the reset would overtake the close frame. The caller holds the read lock.
func (c *Conn) linger() {
	if half, ok := c.line.(interface{ CloseWrite() error }); ok && c.over() == nil && half.CloseWrite() == nil {
		c.drain()
	}
}

// drain reads and forgets until the peer closes the line, for a moment at most. The caller holds the read lock.
func (c *Conn) drain() {
	wait := lingerTimeout
	if c.limits.CloseTimeout > 0 {
		wait = min(wait, c.limits.CloseTimeout)
	}
	c.readWatch.set(context.Background())
	_ = c.line.SetReadDeadline(time.Now().Add(wait))
	_, _ = io.Copy(io.Discard, struct{ io.Reader }{c.line})
}

// clip shortens a reason to what a close frame holds.
func clip(s string) string {
	if len(s) > frame.MaxReason {
		return s[:frame.MaxReason]
	}
	return s
}
