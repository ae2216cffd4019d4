package ws

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Pong is a ping's answer.
type Pong struct {
	At        time.Time     // when it arrived; zero when there was none yet
	RoundTrip time.Duration // since the ping was sent
}

type ping struct {
	sent time.Time
	back chan struct{} // closed when the pong is here; nil when nobody waits
	trip time.Duration
}

// maxPings bounds the pings that are remembered: those of a peer that never answers are forgotten, oldest first.
const maxPings = 16

// LastPong returns the newest answer to any ping, also to the pings that Limits.PingInterval sends.
func (c *Conn) LastPong() Pong {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lastPong
}

// Ping sends a ping and waits for its pong, which needs a Read in progress. It returns the round-trip time. A pong to
// a later ping counts too: a peer need answer only the newest one (RFC 6455, section 5.5.3).
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	if err := c.acquire(ctx, c.writing); err != nil {
		return 0, fmt.Errorf("websocket ping: %w", err)
	}
	p, id, err := c.ping(ctx, make(chan struct{}))
	c.endWrite()
	if err == nil {
		select {
		case <-p.back:
			return p.trip, nil
		case <-c.done:
			err = c.err
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	c.mu.Lock()
	delete(c.pings, id)
	c.mu.Unlock()
	return 0, fmt.Errorf("websocket ping: %w", err)
}

// ping sends a ping; the caller holds the write lock.
func (c *Conn) ping(ctx context.Context, back chan struct{}) (*ping, uint64, error) {
	if err := c.writable(); err != nil {
		return nil, 0, err
	}
	p := &ping{sent: time.Now(), back: back}
	c.mu.Lock()
	c.pingID++
	id := c.pingID
	if c.pings == nil {
		c.pings = map[uint64]*ping{}
	}
	c.pings[id] = p
	if len(c.pings) > maxPings {
		c.forget()
	}
	c.mu.Unlock()
	var payload [8]byte
	binary.BigEndian.PutUint64(payload[:], id)
	return p, id, c.send(ctx, frame.Ping, payload[:], c.limits.WriteTimeout)
}

// forget drops the oldest ping that nobody waits for; the caller holds mu.
func (c *Conn) forget() {
	oldest := uint64(0)
	for id, p := range c.pings {
		if p.back == nil && (oldest == 0 || id < oldest) {
			oldest = id
		}
	}
	delete(c.pings, oldest)
}

// alive sends the ping of Limits.PingInterval. When a write is in progress there is no need: it will tell by itself
// whether the peer is still there. After the closing handshake has begun its own deadline holds.
func (c *Conn) alive(now time.Time) {
	c.heard = now
	select {
	case c.writing <- struct{}{}:
		if _, _, err := c.ping(context.Background(), nil); err == nil {
			c.asked = now
		}
		c.endWrite()
	default:
	}
}

// ponged takes a pong: it answers its ping and all that were sent before. Unknown pongs are legal and mean nothing
// (RFC 6455, section 5.5.3).
func (c *Conn) ponged(payload []byte) {
	if len(payload) != 8 {
		return
	}
	id := binary.BigEndian.Uint64(payload)
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.pings[id]
	if p == nil {
		return
	}
	now := time.Now()
	c.lastPong = Pong{At: now, RoundTrip: now.Sub(p.sent)}
	for k, q := range c.pings {
		if k <= id {
			q.trip = now.Sub(q.sent)
			if q.back != nil {
				close(q.back)
			}
			delete(c.pings, k)
		}
	}
}

// flushPong answers the newest ping, unless a write is in progress: whoever writes calls it afterwards. So a reader
// never waits for a writer, and a flood of pings is worth one pong.
func (c *Conn) flushPong() {
	for c.pongDue() {
		select {
		case c.writing <- struct{}{}:
		default:
			return
		}
		if c.writable() == nil {
			c.mu.Lock()
			payload := c.pong
			c.pong = nil
			c.mu.Unlock()
			if payload != nil {
				_ = c.send(context.Background(), frame.Pong, payload, c.limits.WriteTimeout) // ends the connection itself
			}
		}
		<-c.writing
	}
}

func (c *Conn) pongDue() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pong != nil && c.open()
}
