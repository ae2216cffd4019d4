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

// Write sends one message. Text must be valid UTF-8, or ErrText is returned. It blocks while the peer takes at least
// 256 KiB, or what is left of the message, in each Limits.WriteTimeout, and until ctx ends; after a failed write the connection is cut, for part of a frame may be out.
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

// send writes one frame; the caller holds the write lock. When it fails after the first byte may have left, the connection is cut.
func (c *Conn) send(ctx context.Context, op frame.Opcode, p []byte, limit time.Duration) error {
	c.writeWatch.set(ctx)
	c.allow(limit)
	if err := ctx.Err(); err != nil {
		c.unlimit()
		return err // nothing is out yet
	}
	n, err := c.emit(ctx, op, p, limit)
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

// allow gives what is written next its time.
func (c *Conn) allow(limit time.Duration) {
	var at time.Time
	if limit > 0 {
		at = time.Now().Add(limit)
	}
	_ = c.line.SetWriteDeadline(at) // fails only on a closed line, which the write tells
}

// emit writes one frame. The payload of a great one is not copied: its head leaves behind the header, the rest from
// where it is, in pieces that have the time limit each, for a slow line is not a dead one.
func (c *Conn) emit(ctx context.Context, op frame.Opcode, p []byte, limit time.Duration) (n int64, err error) {
	defer func() {
		if cap(c.out) > keepOut {
			c.out = nil
		}
	}()
	if c.tx.role == frame.Client || len(p) <= outBuffer || c.tx.compresses(op) {
		if c.out, err = c.tx.append(c.out[:0], op, p); err != nil {
			return 0, err
		}
		c.allow(limit) // anew: the peer is not to blame for the time that compressing took
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return c.pieces(ctx, c.out, limit)
	}
	if c.out, _, err = c.tx.header(c.out[:0], op, len(p)); err != nil {
		return 0, err
	}
	c.out = append(c.out, p[:outBuffer]...)
	if n, err = c.pieces(ctx, c.out, limit); err != nil {
		return n, err
	}
	m, err := c.pieces(ctx, p[outBuffer:], limit)
	return n + m, err
}

// pieces writes b, giving every piece its time anew.
func (c *Conn) pieces(ctx context.Context, b []byte, limit time.Duration) (n int64, err error) {
	for len(b) > 0 {
		m, err := c.line.Write(b[:min(len(b), writePiece)])
		n += int64(m)
		if err != nil {
			return n, err
		}
		if b = b[m:]; len(b) == 0 {
			break
		}
		c.allow(limit)
		if err := ctx.Err(); err != nil {
			return n, err // the new time would hide that the context has ended
		}
	}
	return n, nil
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
