package ws

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// moved is a line on its way to another engine.
type moved struct {
	line net.Conn
	snap *Snapshot
	err  error
}

// Detach takes the line away from s with all that the socket knows, between two reads: what was read and not used up, a
// message that is not whole, the windows of permessage-deflate, what waits to be written. Closed is called with
// ErrDetached. When ctx ends first nothing has changed. It must not be called in a callback.
func (s *Socket) Detach(ctx context.Context) (net.Conn, *Snapshot, error) {
	s.mu.Lock()
	if s.phase != live || s.hold.Load()&holdMoving != 0 || s.loop == nil && s.line == nil {
		s.mu.Unlock()
		return nil, nil, fmt.Errorf("websocket detach: %w", ErrClosing)
	}
	r := s.uncommon()
	r.moved = make(chan moved, 1)
	to := r.moved
	s.stopLocked(holdMoving)
	if s.loop != nil {
		l := s.loop
		l.inbox.Post(task{do: func() { l.move(s) }})
	} else {
		s.line.interrupt()
		s.driverWake()
	}
	s.mu.Unlock()
	select {
	case m := <-to:
		return m.line, m.snap, m.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	called := r.moved == to // nobody has begun with it
	if called {
		r.moved = nil
		if s.line != nil {
			_ = s.line.conn.SetWriteDeadline(time.Time{})
		}
	}
	s.mu.Unlock()
	if called {
		s.goOn(holdMoving)
		s.mu.Lock()
		if s.q != nil && s.phase == live {
			s.pushLocked()
		}
		s.mu.Unlock()
		return nil, nil, fmt.Errorf("websocket detach: %w", ctx.Err())
	}
	m := <-to
	return m.line, m.snap, m.err
}

// moving returns where Detach waits for the line, once nobody writes to it any more; nil when nobody waits.
func (s *Socket) moving() chan moved {
	for {
		s.mu.Lock()
		if s.hold.Load()&holdMoving == 0 || s.rare.moved == nil {
			s.mu.Unlock()
			return nil
		}
		if s.phase != live || s.end != nil && s.end.err != nil {
			s.refuseMoveLocked()
			s.mu.Unlock()
			return nil
		}
		if s.line == nil || !s.line.flushing {
			to := s.rare.moved
			s.rare.moved = nil
			s.phase = over
			s.mu.Unlock()
			return to
		}
		s.mu.Unlock()
		<-s.line.wake
	}
}

// refuseMoveLocked tells Detach that the socket came to its end first.
func (s *Socket) refuseMoveLocked() {
	if s.rare != nil && s.rare.moved != nil {
		s.rare.moved <- moved{err: fmt.Errorf("websocket detach: %w", ErrClosing)}
		s.rare.moved = nil
	}
}

// move hands a socket of the loop over.
func (l *loop) move(s *Socket) {
	to := s.moving()
	if to == nil {
		l.look(s)
		return
	}
	_ = l.poll.Remove(s.fd)
	line, err := l.give(l.release(s))
	if err != nil {
		to <- moved{err: fmt.Errorf("websocket detach: %w", err)}
		s.finish(fmt.Errorf("websocket line was lost in a detach: %w", err))
		return
	}
	to <- s.pack(line)
	s.finish(ErrDetached)
}

// give makes a line of a released descriptor that the Go scheduler knows.
func (l *loop) give(fd int32) (net.Conn, error) {
	if line, ok := l.fresh[fd]; ok {
		delete(l.fresh, fd)
		return line, nil
	}
	return poller.Give(fd)
}

// pack writes the socket down.
func (s *Socket) pack(line net.Conn) moved {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := &Snapshot{
		Version: snapshotVersion, Role: s.rx.role.String(), Subprotocol: s.Subprotocol(), State: s.closer.state,
		ClosedFirst: s.closer.first, Limits: s.rx.set.limits, Receiver: s.rx.state(), Compression: s.codec.state(),
		PingID: uint64(s.pingID), Counts: Counts{s.bytesIn, s.bytesOut, s.messagesIn, s.messagesOut},
	}
	if s.q != nil {
		snap.Queued = s.q.bytes()
	}
	if r := s.rare; r != nil {
		snap.Unread, snap.Pong, snap.Extra = r.rest, r.pong, r.extra
	}
	_ = line.SetDeadline(time.Time{})
	return moved{line: line, snap: snap}
}

// SetExtra keeps what Detach puts into Snapshot.Extra: what the owner must know to go on elsewhere.
func (s *Socket) SetExtra(b []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uncommon().extra = b
}

// Restore makes a socket of line that goes on where snap was taken, with the driver and the compression budget of u; its
// limits are those of the snapshot. Opened is called as for a new one. It returns ErrSnapshot for a snapshot of another
// version or one that cannot be; line is then left alone.
func (u *Upgrader) Restore(line net.Conn, snap *Snapshot, h Handler) (*Socket, error) {
	p, err := snap.revive(u.settings())
	if err != nil {
		return nil, err
	}
	s := newSocket(p.rx.set, p.rx.role, h, p.codec, snap.Subprotocol)
	s.rx = *p.rx
	s.closer = closer{state: snap.State, first: snap.ClosedFirst}
	s.bytesIn, s.bytesOut = snap.Counts.BytesIn-int64(len(snap.Unread)), snap.Counts.BytesOut
	s.messagesIn, s.messagesOut = snap.Counts.MessagesIn, snap.Counts.MessagesOut
	s.pingID = uint32(snap.PingID)
	if snap.Pong != nil {
		s.uncommon().pong = snap.Pong
	}
	if n := len(snap.Queued); n > 0 {
		s.q = s.rx.set.memory.queue()
		s.q.keep(append(s.q.tail(s.rx.set.memory, n, false), snap.Queued...), n)
		if s.fullLocked() && s.rx.set.limits.SlowConsumer == Block {
			s.hold.Store(holdStalled) // replies to what was read would find no room
		}
	}
	if snap.Extra != nil {
		s.uncommon().extra = snap.Extra
	}
	if remote := line.RemoteAddr(); remote != nil {
		s.client, _ = u.admission().admit(remote.String(), true)
	}
	if snap.State == CloseSent {
		s.withinLocked(s.rx.set.limits.CloseTimeout)
	}
	if err := u.engine().drive(u.Driver, s, &opened{line: line, unread: clone(snap.Unread)}); err != nil {
		s.client.leave()
		s.codec.release()
		return nil, fmt.Errorf("websocket restore: %w", err)
	}
	return s, nil
}
