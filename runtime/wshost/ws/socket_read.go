package ws

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// consume gives what was read to the receiver and to the handler, and writes the replies. It is called by the driver
// alone. now is on the settings' clock. The answer is whether the socket is on its way to its end.
func (s *Socket) consume(b []byte, now time.Duration) bool {
	t := s.cork(len(b), now)
	t.run(b)
	return t.end()
}

// consumeFilled is consume for n bytes that were read into the room of the receiver.
func (s *Socket) consumeFilled(n int, now time.Duration) bool {
	t := s.cork(n, now)
	if !t.ignore {
		t.guard(func() { t.take(s.rx.filled(n, &t.ev), false) })
	}
	return t.end()
}

// open calls the handler for the first time, and then with what came behind the opening handshake.
func (s *Socket) open(unread []byte, now time.Duration) bool {
	t := s.cork(len(unread), now)
	t.guard(func() { s.h.Opened(s) })
	t.run(unread)
	return t.end()
}

// cork begins a turn.
func (s *Socket) cork(n int, now time.Duration) *turn {
	s.mu.Lock()
	s.corked = true
	s.bytesIn += int64(n)
	s.heard, s.asked = now, false
	ignore := s.phase != live // the closing handshake is over, and what follows means nothing
	s.chargeLocked()
	s.mu.Unlock()
	t := s.rx.set.memory.turn()
	t.s, t.ignore = s, ignore
	return t
}

// chargeLocked tells the receiver how much is held elsewhere.
func (s *Socket) chargeLocked() {
	if s.codec == nil && s.q == nil {
		s.rx.charged = 0
		return
	}
	s.rx.charged = 0
	if s.codec != nil {
		s.rx.charged = s.codec.memory
	}
	if s.q != nil {
		s.rx.charged += s.q.held()
	}
}

// turn is the work on the bytes of one read. It is lent: between reads nobody has one.
type turn struct {
	s        *Socket
	ev       event
	messages int64
	ignore   bool // what was read means nothing any more
	pinged   bool
	pingN    int
	ping     [frame.MaxControl]byte // the newest ping
}

// guard calls f, which calls the handler. A handler that panics fails its socket, as net/http does with a connection,
// but the peer is told so.
func (t *turn) guard(f func()) {
	defer func() {
		if v := recover(); v != nil {
			t.s.panicked(v)
		}
	}()
	f()
}

// run feeds b. When reading is to pause in between, what is left is kept.
func (t *turn) run(b []byte) {
	if len(b) == 0 || t.ignore {
		return
	}
	defer func() {
		if v := recover(); v != nil {
			t.s.panicked(v)
		}
	}()
	s := t.s
	for len(b) > 0 {
		if s.hold.Load() != 0 && t.keep(b) {
			return
		}
		n, err := s.rx.feed(b, &t.ev)
		b = b[n:]
		if err == nil && t.ev.kind == gotMessage && !t.pinged {
			t.messages++
			if s.h.Message(s, t.ev.op, t.ev.payload); s.gone.Load() {
				return
			}
			continue
		}
		if !t.take(err, len(b) > 0) {
			return
		}
	}
}

// keep puts aside what cannot be used up while reading pauses.
func (t *turn) keep(b []byte) bool {
	s := t.s
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hold.Load() == 0 {
		return false
	}
	r := s.uncommon()
	r.rest = append(r.rest, b...)
	s.hold.Or(holdRest)
	return true
}

// again uses up what was kept, once nothing else holds it back. It is called by the driver alone.
func (s *Socket) again(now time.Duration) bool {
	s.mu.Lock()
	var rest []byte
	if s.hold.CompareAndSwap(holdRest, 0) {
		rest, s.rare.rest = s.rare.rest, nil
	}
	s.mu.Unlock()
	t := s.cork(0, now)
	t.run(rest)
	return t.end()
}

// take does what an event asks for, and reports whether more may follow.
func (t *turn) take(err error, more bool) bool {
	s, ev := t.s, &t.ev
	if err != nil {
		s.mu.Lock()
		s.failLocked(err.(*ProtocolError)) // the receiver returns no others
		s.mu.Unlock()
		return false
	}
	switch ev.kind {
	case gotMessage:
		if t.pinged {
			t.answer() // what came first is answered first
		}
		t.messages++
		s.h.Message(s, ev.op, ev.payload)
		return !s.gone.Load()
	case gotPing:
		t.pinged, t.pingN = true, copy(t.ping[:], ev.payload)
	case gotPong:
		s.ponged(ev.payload)
	case gotClose:
		if t.pinged {
			t.answer()
		}
		s.mu.Lock()
		s.peerClosedLocked(*ev, more)
		s.mu.Unlock()
		return false
	}
	return true
}

// answer sends the pong that is due.
func (t *turn) answer() {
	t.pinged = false
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	if t.s.phase == live && t.s.closer.state == Open {
		t.s.pongLocked(t.ping[:t.pingN])
	}
}

// end writes the replies of the turn.
func (t *turn) end() (ending bool) {
	s, messages := t.s, t.messages
	s.rx.release()
	if t.pinged {
		t.answer()
	}
	s.rx.set.memory.forgetTurn(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	// What was relayed goes first: our own peer may have to be waited for below.
	for s.behind != nil {
		behind := s.behind
		s.behind = nil
		s.mu.Unlock() // never two locks at once: the other socket may be relaying to this one
		behind.relayed()
		s.mu.Lock()
	}
	return s.uncorkLocked(messages)
}

// uncorkLocked counts the messages of a turn and writes what was written in it.
func (s *Socket) uncorkLocked(messages int64) (ending bool) {
	s.messagesIn += messages
	if since := s.rx.since(); since.IsZero() {
		s.began = 0
	} else {
		s.began = max(since.Sub(s.rx.set.start), 1)
	}
	s.corked = false
	if s.q == nil {
		s.latePongLocked()
	}
	switch {
	case s.line != nil && !s.line.flushing && (s.q != nil || s.phase == flushing):
		s.line.flushing = true
		s.mu.Unlock()
		s.flushLine() // here, and not in a goroutine: who does not take our replies is not read either
		s.mu.Lock()
	case s.loop != nil && s.q != nil:
		if s.pushLocked(); s.q == nil {
			s.latePongLocked()
		}
	}
	return s.end != nil
}

// pongLocked answers a ping. While the peer takes nothing only the newest one is kept (RFC 6455, section 5.5.3).
func (s *Socket) pongLocked(payload []byte) {
	if s.watched || s.line != nil && s.line.flushing {
		s.uncommon().pong = append(make([]byte, 0, len(payload)), payload...)
		return
	}
	tx := s.sender()
	_ = s.frameLocked(&tx, frame.Pong, payload, false) // fails for want of randomness only; the next ping comes
}

// latePongLocked sends the pong that was kept.
func (s *Socket) latePongLocked() {
	if s.rare == nil || s.rare.pong == nil || s.phase != live || s.closer.state != Open {
		return
	}
	payload := s.rare.pong
	s.rare.pong = nil
	tx := s.sender()
	_ = s.frameLocked(&tx, frame.Pong, payload, false)
}

// ponged takes a pong. Unknown ones are legal and mean nothing (RFC 6455, section 5.5.3).
func (s *Socket) ponged(payload []byte) {
	if len(payload) != 8 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent != 0 && binary.BigEndian.Uint64(payload) == uint64(s.pingID) {
		at := s.rx.set.clock()
		s.pongAt, s.trip, s.sent = max(at, 1), at-s.sent, 0
	}
}

// panicked ends a socket whose handler has panicked with v.
func (s *Socket) panicked(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase != live {
		return
	}
	s.failLocked(failure(frame.InternalError, "handler failed"))
	s.endingLocked().err = fmt.Errorf("websocket handler panicked: %v\n%s", v, debug.Stack())
}

// tick does what is overdue, and returns false when the line has to be cut at once. It is called now and then, by the
// driver's sweep.
func (s *Socket) tick(now time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := &s.rx.set.limits
	if s.end != nil && s.end.deadline != 0 && now >= s.end.deadline {
		if s.end.err == nil {
			s.end.err = errNotClosed(l.CloseTimeout)
		}
		return false
	}
	if s.stuckLocked(now) {
		s.endingLocked().err = keep(s.end.err, errNotWritten(l.WriteTimeout))
		return false
	}
	if s.phase != live {
		return true
	}
	if d := l.AssemblyTimeout; d > 0 && s.began != 0 && now-s.began >= d && s.hold.Load() == 0 {
		s.failLocked(failure(frame.PolicyViolation, "message is not complete after %v", d))
		return true
	}
	if l.PingInterval <= 0 || s.hold.Load() != 0 {
		return true
	}
	switch {
	case s.asked:
		if l.PongTimeout > 0 && now-s.heard >= l.PingInterval+l.PongTimeout {
			s.endingLocked().err = keep(s.end.err, errNotAnswered(l.PongTimeout))
			return false
		}
	case now-s.heard >= l.PingInterval && s.closer.state == Open && s.q == nil:
		s.asked = s.pingLocked() == nil
	}
	return true
}

// stuckLocked reports whether the peer has not taken Limits.WriteTimeout's worth of bytes.
func (s *Socket) stuckLocked(now time.Duration) bool {
	d := s.rx.set.limits.WriteTimeout
	if d <= 0 || s.q == nil || s.q.since == 0 || now-s.q.since < d {
		return false
	}
	if s.bytesOut-s.q.then < s.q.want {
		return true
	}
	s.timeLocked(now)
	return false
}

// timeLocked gives the peer Limits.WriteTimeout from now to take the next of what is queued.
func (s *Socket) timeLocked(now time.Duration) {
	s.q.since, s.q.then, s.q.want = max(now, 1), s.bytesOut, min(writePiece, s.q.size)
}

// turn lends a turn.
func (m *memory) turn() *turn {
	if t, ok := m.turns.Get().(*turn); ok {
		return t
	}
	return new(turn)
}

// forgetTurn takes t back.
func (m *memory) forgetTurn(t *turn) {
	t.s, t.messages, t.pinged = nil, 0, false
	t.ev = event{}
	m.turns.Put(t)
}
