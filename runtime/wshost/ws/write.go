package ws

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Write sends one message. Text must be valid UTF-8, or ErrText is returned. It blocks for at most
// Limits.WriteTimeout or until ctx ends; after a failed write the connection is cut, for part of a frame may be out.
// After the closing handshake has begun it returns ErrClosing.
func (c *Conn) Write(ctx context.Context, op frame.Opcode, p []byte) error {
	if !op.Data() {
		return fmt.Errorf("websocket write: %v is not a kind of message", op)
	}
	if op == frame.Text && !utf8.Valid(p) {
		return fmt.Errorf("websocket write: %w", ErrText)
	}
	if err := c.acquire(ctx, c.writing); err != nil {
		return fmt.Errorf("websocket write: %w", err)
	}
	defer c.endWrite()
	if err := c.writable(); err != nil {
		return fmt.Errorf("websocket write: %w", err)
	}
	if err := c.send(ctx, op, p, c.limits.WriteTimeout); err != nil {
		return fmt.Errorf("websocket write: %w", err)
	}
	c.messagesOut.Add(1)
	return nil
}

// writable reports whether messages and pings may still be sent.
func (c *Conn) writable() error {
	if err := c.over(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.open():
		return nil
	case c.leaving.Load():
		return ErrDetached
	}
	return ErrClosing
}

// open reports whether nothing speaks against sending; the caller holds mu.
func (c *Conn) open() bool {
	return !c.ended && !c.leaving.Load() && c.verdict == nil && c.closer.state == Open
}

// endWrite gives the write lock back and sends the pong that came due meanwhile.
func (c *Conn) endWrite() {
	<-c.writing
	c.flushPong()
}

// send writes one frame; the caller holds the write lock. The frame leaves with one system call where the line
// allows it. When it fails after the first byte may have left, the connection is cut.
func (c *Conn) send(ctx context.Context, op frame.Opcode, p []byte, limit time.Duration) error {
	c.writeWatch.set(ctx)
	var at time.Time
	if limit > 0 {
		at = time.Now().Add(limit)
	}
	_ = c.line.SetWriteDeadline(at) // fails only on a closed line, which the write tells
	if err := ctx.Err(); err != nil {
		c.unlimit()
		return err // nothing is out yet
	}
	n, err := c.emit(op, p)
	c.bytesOut.Add(n)
	if err == nil {
		c.unlimit()
		return nil
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	_ = c.finish(fmt.Errorf("websocket line was cut after a failed write: %w", err))
	return err
}

// layer is a line that lies on another, as a *tls.Conn does. It may write while it is read: TLS answers a change of keys
// (RFC 8446, section 4.6.3).
type layer interface{ NetConn() net.Conn }

// unlimit takes deadline and context of a write that is over off a layer, so that they do not hit what it writes by
// itself. Elsewhere they may stay: the next write brings its own.
func (c *Conn) unlimit() {
	if _, ok := c.line.(layer); ok {
		c.writeWatch.set(context.Background())
		_ = c.line.SetWriteDeadline(time.Time{})
	}
}

func (c *Conn) emit(op frame.Opcode, p []byte) (n int64, err error) {
	defer func() {
		if cap(c.out) > keepOut {
			c.out = nil
		}
	}()
	if c.tx.role == frame.Client || len(p) <= outBuffer || !gathers(c.line) {
		if c.out, err = c.tx.append(c.out[:0], op, p); err != nil {
			return 0, err
		}
		m, err := c.line.Write(c.out)
		return int64(m), err
	}
	if c.out, _, err = c.tx.header(c.out[:0], op, len(p)); err != nil {
		return 0, err
	}
	c.vec = [2][]byte{c.out, p}
	c.parts = c.vec[:]
	n, err = c.parts.WriteTo(c.line)
	c.vec = [2][]byte{} // the caller's payload must not be kept alive
	return n, err
}

// gathers reports whether line writes several buffers with one system call.
func gathers(line net.Conn) bool {
	switch line.(type) {
	case *net.TCPConn, *net.UnixConn:
		return true
	}
	return false
}

// keys hands out masking keys from a stock of randomness.
type keys struct {
	stock [256]byte
	left  int
}

func (k *keys) next() (key [4]byte, err error) {
	if k.left == 0 {
		if _, err = rand.Read(k.stock[:]); err != nil {
			return key, err
		}
		k.left = len(k.stock)
	}
	k.left -= len(key)
	copy(key[:], k.stock[k.left:])
	return key, nil
}
