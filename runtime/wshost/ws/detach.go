package ws

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Snapshot is all the state of a connection between two system calls, made to be written down with encoding/json and
// to be read by another process that has been given the line.
type Snapshot struct {
	Version     int           `json:"version"` // 1
	Role        string        `json:"role"`    // "server" or "client"
	Subprotocol string        `json:"subprotocol,omitempty"`
	State       State         `json:"state"`
	ClosedFirst bool          `json:"closed_first,omitempty"` // this side began the closing handshake
	Limits      Limits        `json:"limits"`                 // with defaults filled in; times in nanoseconds
	Unread      []byte        `json:"unread,omitempty"`       // read from the line and not parsed yet
	Receiver    receiverState `json:"receiver"`
	Pong        []byte        `json:"pong"` // what the newest unanswered ping carried; null for none
	PingID      uint64        `json:"ping_id,omitempty"`
	Counts      Counts        `json:"counts"`

	Compression *compressionState `json:"compression,omitempty"` // permessage-deflate; null for none
	Queued      []byte            `json:"queued,omitempty"`      // frames that are on their way to the peer, without what is out already
	Extra       []byte            `json:"extra,omitempty"`       // the owner's: identity, subscriptions; the engine passes it on
}

// Detach takes the line away from c: it waits for a Write in progress, interrupts a Read in progress, and returns the
// line with all that the connection knows. Everything on c fails with ErrDetached from then on; messages that Read has
// returned stay valid. When ctx ends first nothing has changed, except that the Read in
// progress may have been interrupted; it may be called again. Pings that are waited for fail.
func (c *Conn) Detach(ctx context.Context) (net.Conn, *Snapshot, error) {
	c.mu.Lock()
	if c.ended || !c.leaving.CompareAndSwap(false, true) {
		c.mu.Unlock()
		return nil, nil, fmt.Errorf("websocket detach: %w", ErrClosing)
	}
	c.mu.Unlock()
	_ = c.line.SetReadDeadline(past()) // a reader that misses it looks at leaving
	// Readers first: a reader may need the write lock to finish, a writer never needs the read lock.
	err := c.acquire(ctx, c.reading)
	if err == nil {
		if err = c.acquire(ctx, c.writing); err != nil {
			<-c.reading
		}
	}
	if err != nil {
		c.leaving.Store(false)
		return nil, nil, fmt.Errorf("websocket detach: %w", err)
	}
	defer func() { <-c.reading; <-c.writing }()
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		<-c.done
		return nil, nil, fmt.Errorf("websocket detach: %w", c.err)
	}
	c.ended, c.err = true, ErrDetached
	s := &Snapshot{
		Version: snapshotVersion, Role: c.tx.role.String(), Subprotocol: c.subprotocol,
		State: c.closer.state, ClosedFirst: c.closer.first, Limits: *c.limits, Compression: c.codec.state(),
		Unread: clone(c.buf[c.r:c.w]), Receiver: c.rx.state(), Pong: c.pong, PingID: c.pingID, Counts: c.Counts(),
	}
	c.closer.take(cut)
	if c.cutter != nil {
		c.cutter.Stop()
	}
	c.mu.Unlock()
	c.readWatch.stop()
	c.writeWatch.stop()
	c.codec.release()
	c.client.leave()
	close(c.done)
	_ = c.line.SetDeadline(time.Time{})
	return c.line, s, nil
}

// Restore makes a connection of line that goes on where s was taken. It returns ErrSnapshot for a snapshot of another
// version or one that cannot be; line is then left alone. Idle time counts from now.
func Restore(line net.Conn, s *Snapshot) (*Conn, error) {
	p, err := s.revive(nil)
	if err != nil {
		return nil, err
	}
	c := newConn(line, p.rx.role, p.rx.set, s.Subprotocol, p.codec, s.Unread)
	c.rx, c.pong, c.pingID = p.rx, s.Pong, s.PingID
	c.closer = closer{state: s.State, first: s.ClosedFirst}
	c.bytesIn.Store(s.Counts.BytesIn)
	c.bytesOut.Store(s.Counts.BytesOut)
	c.messagesIn.Store(s.Counts.MessagesIn)
	c.messagesOut.Store(s.Counts.MessagesOut)
	if s.State == CloseSent {
		c.startCutter()
	}
	if len(s.Queued) > 0 {
		c.writing <- struct{}{} // nothing may be written before it
		go c.catchUp(clone(s.Queued))
	}
	return c, nil
}

// catchUp writes what was on its way when the line was handed over; the write lock is held.
func (c *Conn) catchUp(b []byte) {
	c.allow(c.limits.WriteTimeout)
	n, err := c.pieces(context.Background(), b, c.limits.WriteTimeout)
	c.bytesOut.Add(n)
	if err != nil {
		_ = c.finish(fmt.Errorf("websocket line was cut after a failed write: %w", err))
	}
	c.unlimit()
	c.endWrite()
}

// revived is the part of a snapshot that both kinds of connection have.
type revived struct {
	rx    *receiver
	codec *codec
}

// revive makes what s describes, with the settings of like where those are the same; like may be nil.
func (s *Snapshot) revive(like *settings) (p revived, err error) {
	var role frame.Role
	switch s.Role {
	case "server":
		role = frame.Server
	case "client":
		role = frame.Client
	default:
		return p, fmt.Errorf("%w: role %q", ErrSnapshot, s.Role)
	}
	if s.Version != snapshotVersion {
		return p, fmt.Errorf("%w: version %d instead of %d", ErrSnapshot, s.Version, snapshotVersion)
	}
	if s.State != Open && s.State != CloseSent || len(s.Pong) > frame.MaxControl || !s.Limits.sound() {
		return p, fmt.Errorf("%w: %v connection", ErrSnapshot, s.State)
	}
	set := newSettings(s.Limits, newMemory())
	if like != nil {
		if set.memory = like.memory; like.limits == s.Limits {
			set = like
		} else {
			set.squeeze, set.budget = like.squeeze, like.budget
		}
	}
	if p.codec, err = restoreCodec(set, role, s.Compression, s.Receiver.Inflate); err != nil {
		return p, err
	}
	p.rx, err = restoreReceiver(role, set, p.codec, s.Receiver)
	if err != nil {
		p.codec.release()
	}
	return p, err
}
