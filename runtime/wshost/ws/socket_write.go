package ws

import (
	"context"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// bigWrite is the payload in bytes from which a frame leaves from where it is, without a copy into the queue.
const bigWrite = 16 << 10

// Write sends one message and never waits: what the line does not take is queued. p is not kept. Text must be valid
// UTF-8, or ErrText is returned. When Limits.QueueSize is reached Limits.SlowConsumer says what happens. After the
// closing handshake has begun it returns ErrClosing.
func (s *Socket) Write(op frame.Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return err
	}
	s.mu.Lock()
	err := s.writeLocked(op, p)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("websocket write: %w", err)
	}
	return nil
}

// How many bytes may wait at a socket before those that are relayed to it are not read any more, and of how few left they
// are read again.
const (
	flowHigh = 256 << 10
	flowLow  = 64 << 10
)

// WriteFrom is Write for relays, called with a message of src: while more than 256 KiB wait for the peer of s, src is not
// read. What waits therefore stays below that and one message, and with a greater QueueSize never reaches its limit.
// Messages of src that came with one read leave with one write, as replies do.
func (s *Socket) WriteFrom(src *Socket, op frame.Opcode, p []byte) error {
	if !op.Data() {
		return fmt.Errorf("websocket write: %v is not a kind of message", op)
	}
	later := src.relayTo(s)
	s.mu.Lock() // text that was received has been checked
	corked := s.corked
	s.corked = corked || later
	err := s.writeLocked(op, p)
	s.corked = corked
	high := s.q != nil && s.q.held() >= flowHigh
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("websocket write: %w", err)
	}
	if high {
		s.holdBack(src)
	}
	return nil
}

// relayTo notes that what is written to dst in this turn of s leaves when the turn ends, and reports whether it does.
func (s *Socket) relayTo(dst *Socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.corked || s.behind != nil && s.behind != dst || s == dst {
		return false
	}
	s.behind = dst
	return true
}

// relayed writes what another socket's turn has left in the queue. A turn of its own that is in progress does so itself.
func (s *Socket) relayed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.q != nil && s.q.size > 0 && s.phase != over {
		s.pushLocked()
	}
}

// holdBack has src not read until little waits at s.
func (s *Socket) holdBack(src *Socket) {
	src.stop(holdFlow)
	s.mu.Lock()
	high := s.phase == live && s.q != nil && s.q.held() > flowLow
	if high {
		r := s.uncommon()
		r.flow = append(r.flow, src)
	}
	s.mu.Unlock()
	if !high {
		src.goOn(holdFlow)
	}
}

// flowLocked lets those be read that wait for s to have less.
func (s *Socket) flowLocked() {
	if s.rare == nil || s.rare.flow == nil || s.phase == live && s.q != nil && s.q.held() > flowLow {
		return
	}
	held := s.rare.flow
	s.rare.flow = nil
	go func() { // each has a lock of its own, and may be about to do the same to s
		for _, src := range held {
			src.goOn(holdFlow)
		}
	}()
}

// checkMessage reports what keeps p from being sent.
func checkMessage(op frame.Opcode, p []byte) error {
	if !op.Data() {
		return fmt.Errorf("websocket write: %v is not a kind of message", op)
	}
	if op == frame.Text && !utf8.Valid(p) {
		return fmt.Errorf("websocket write: %w", ErrText)
	}
	return nil
}

// WriteWait is Write for those that may wait: it waits for room in the queue until ctx ends. It must not be called in a
// callback, which would wait for itself.
func (s *Socket) WriteWait(ctx context.Context, op frame.Opcode, p []byte) error {
	if err := checkMessage(op, p); err != nil {
		return err
	}
	for {
		s.mu.Lock()
		if !s.fullLocked() || s.writableLocked() != nil {
			err := s.writeLocked(op, p)
			s.mu.Unlock()
			if err != nil {
				return fmt.Errorf("websocket write: %w", err)
			}
			return nil
		}
		r := s.uncommon()
		if r.room == nil {
			r.room = make(chan struct{})
		}
		room := r.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return fmt.Errorf("websocket write: %w", ctx.Err())
		}
	}
}

// writableLocked reports whether messages and pings may still be sent.
func (s *Socket) writableLocked() error {
	if s.phase != live || s.closer.state != Open {
		return ErrClosing
	}
	return nil
}

// fullLocked reports whether the queue has reached its limit.
func (s *Socket) fullLocked() bool { return s.q != nil && s.q.held() >= s.rx.set.limits.QueueSize }

func (s *Socket) writeLocked(op frame.Opcode, p []byte) error {
	if err := s.writableLocked(); err != nil {
		return err
	}
	if s.fullLocked() && s.corked && s.loop != nil && !s.watched {
		s.flushLocked()
	}
	if s.fullLocked() {
		if err := s.makeRoomLocked(); err != nil {
			return err
		}
	}
	s.messagesOut++
	tx := s.sender()
	if len(p) >= bigWrite && s.loop != nil && tx.role == frame.Server && !tx.compresses(op) && !s.watched {
		s.writeThroughLocked(&tx, op, p)
		return nil
	}
	return s.frameLocked(&tx, op, p, s.rx.set.limits.SlowConsumer == DropOldest && op.Data())
}

// sender puts together what makes frames.
func (s *Socket) sender() sender {
	tx := sender{role: s.rx.role}
	if s.codec != nil {
		tx.deflate = s.codec.send
	}
	if tx.role == frame.Client {
		tx.key = s.rare.keys.next
	}
	return tx
}

// frameLocked queues a frame and writes it unless more is to come.
func (s *Socket) frameLocked(tx *sender, op frame.Opcode, p []byte, drop bool) error {
	if s.q == nil {
		s.q = s.rx.set.memory.queue()
	}
	room := len(p) + frame.MaxHeader
	if tx.compresses(op) {
		room += len(p)/8 + 64
	}
	b := s.q.tail(s.rx.set.memory, room, drop)
	before := len(b)
	b, err := tx.append(b, op, p)
	if err != nil {
		return err // of the source of masking keys; the queue is as before
	}
	s.q.keep(b, len(b)-before)
	s.pushLocked()
	if s.fullLocked() && s.rx.set.limits.SlowConsumer == Block {
		s.stopLocked(holdStalled)
	}
	return nil
}

// pushLocked writes what is queued, unless the driver is about to.
func (s *Socket) pushLocked() {
	switch {
	case s.line != nil:
		if !s.corked && !s.line.flushing && !s.line.writeNow(s) {
			s.line.flushing = true
			go s.flushLine()
		}
	case s.loop != nil && !s.watched && (!s.corked || s.q.size >= queueMost):
		s.flushLocked()
	}
}

// makeRoomLocked does what the policy says about a full queue. An error means that the message is not to be queued.
func (s *Socket) makeRoomLocked() error {
	switch s.rx.set.limits.SlowConsumer {
	case DropOldest:
		for s.fullLocked() && s.q.dropOldest(s.rx.set.memory) {
			s.uncommon().dropped++
		}
		return nil // what is under way may fill the queue; the newest message waits behind it, and goes when one more comes
	case CloseSlow:
		s.slowLocked()
		return ErrQueueFull
	}
	s.stopLocked(holdStalled)
	return ErrQueueFull
}

// slowLocked closes because the peer takes less than is sent.
func (s *Socket) slowLocked() {
	s.failLocked(failure(frame.TryAgainLater, "peer does not take what is sent: %d bytes wait", s.q.size))
}

// writeThroughLocked writes what is queued and a frame behind it with one call; only what the line does not take is
// copied.
func (s *Socket) writeThroughLocked(tx *sender, op frame.Opcode, p []byte) {
	if s.q == nil {
		s.q = s.rx.set.memory.queue()
	}
	b := s.q.tail(s.rx.set.memory, frame.MaxHeader, false)
	before := len(b)
	b = appendPlain(b, 0x80|byte(op), len(p)) // only servers come here
	s.q.keep(b, len(b)-before)
	var room [poller.MaxVector][]byte
	bs := s.q.vector(room[:0])
	size := int(s.q.size)
	sent := 0
	if len(bs) < poller.MaxVector {
		n, _, err := poller.WriteVector(s.fd, append(bs, p))
		if err != nil {
			s.brokenLocked(err)
			return
		}
		s.bytesOut += int64(n)
		s.q.advance(s.rx.set.memory, min(n, size))
		sent = max(n-size, 0)
	}
	if rest := p[sent:]; len(rest) > 0 {
		b := s.q.tail(s.rx.set.memory, len(rest), false)
		s.q.keep(append(b, rest...), len(rest))
		if k := len(s.q.segs) - 1; k >= 0 {
			s.q.segs[k].begun = true
		}
	}
	s.settleLocked()
}

// flushLocked writes what is queued as far as the line takes it, under the poller driver.
func (s *Socket) flushLocked() {
	for s.q != nil && s.q.size > 0 {
		var n int
		var err error
		switch {
		case len(s.q.segs) == 0 && s.endsLocked():
			n, _, err = poller.WriteLast(s.fd, s.q.own[s.q.out:])
		case len(s.q.segs) == 0:
			n, _, err = poller.WriteNow(s.fd, s.q.own[s.q.out:])
		default:
			var room [poller.MaxVector][]byte
			n, _, err = poller.WriteVector(s.fd, s.q.vector(room[:0]))
		}
		if err != nil {
			s.brokenLocked(err)
			return
		}
		size := s.q.size
		s.bytesOut += int64(n)
		s.q.advance(s.rx.set.memory, n)
		if n == 0 || s.q.size > 0 && len(s.q.segs) < poller.MaxVector && int64(n) < size {
			break // the line took a part: the next call would take nothing
		}
	}
	s.settleLocked()
}

// endsLocked reports whether at least our half of the line is closed once what is queued is out.
func (s *Socket) endsLocked() bool { return s.phase == flushing && s.rx.role == frame.Server }

// settleLocked gives an empty queue back, or has the poller tell when the line takes more.
func (s *Socket) settleLocked() {
	if s.q == nil {
		return
	}
	if s.q.size == 0 {
		s.rx.set.memory.forgetQueue(s.q)
		s.q = nil
		if s.watched {
			s.watched = false
			s.watchLocked()
		}
	} else if !s.watched {
		s.watched = true
		s.timeLocked(s.rx.set.clock())
		s.watchLocked()
	}
	if s.fullLocked() && s.rx.set.limits.SlowConsumer == Block {
		s.stopLocked(holdStalled)
		return
	}
	s.roomLocked()
}

// roomLocked goes on with what waited for room in the queue.
func (s *Socket) roomLocked() {
	s.flowLocked()
	if s.q != nil && s.q.held() > s.rx.set.limits.QueueSize/2 {
		return
	}
	if s.rare != nil && s.rare.room != nil {
		close(s.rare.room)
		s.rare.room = nil
	}
	if s.hold.Load()&holdStalled != 0 {
		if s.hold.And(^holdStalled)&^holdStalled&^holdRest == 0 {
			s.driverWake()
		}
	}
}

// Ping sends a ping; LastPong tells when it was answered. Limits.PingInterval sends pings by itself.
func (s *Socket) Ping() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.writableLocked(); err != nil {
		return fmt.Errorf("websocket ping: %w", err)
	}
	return s.pingLocked()
}

func (s *Socket) pingLocked() error {
	s.pingID++
	s.sent = s.rx.set.clock()
	tx := s.sender()
	return s.frameLocked(&tx, frame.Ping, binary.BigEndian.AppendUint64(nil, uint64(s.pingID)), false)
}
