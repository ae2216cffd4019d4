package ws

import (
	"fmt"
	"io"
	"os"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Close starts the closing handshake with code and reason (at most 123 bytes of UTF-8) and returns at once; Closed is
// called when it is over, after Limits.CloseTimeout at the latest. NoStatus with an empty reason sends a close frame
// without a code. Messages that still arrive are delivered. Once closing has begun it does nothing and returns nil.
func (s *Socket) Close(code frame.CloseCode, reason string) error {
	if code != frame.NoStatus && !code.MaySend(s.rx.role) {
		return fmt.Errorf("websocket close: %w: %s", frame.ErrCloseCode, code)
	}
	payload, err := frame.AppendClose(nil, code, reason)
	if err != nil {
		return fmt.Errorf("websocket close: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sendCloseLocked(payload)
	return nil
}

// Shutdown is Close for those that cannot mend its errors: a code that may not be sent becomes 1001, a reason that is
// too long is cut.
func (s *Socket) Shutdown(code uint16, reason string) {
	for len(reason) > frame.MaxReason {
		_, n := utf8.DecodeLastRuneInString(reason)
		reason = reason[:len(reason)-n]
	}
	if s.Close(frame.CloseCode(code), reason) != nil {
		_ = s.Close(frame.GoingAway, "")
	}
}

// Cut ends the connection at once, without a closing handshake.
func (s *Socket) Cut() {
	s.mu.Lock()
	if s.phase == over {
		s.mu.Unlock()
		return
	}
	e := s.endingLocked()
	e.err = keep(e.err, ErrCut)
	e.deadline = 1
	s.gone.Store(true)
	s.driverCutLocked()
	s.mu.Unlock()
}

// keep returns the first error.
func keep(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func (s *Socket) endingLocked() *ending {
	if s.end == nil {
		s.end = new(ending)
	}
	return s.end
}

// within bounds the rest of the socket's life to d from now; 0 is no bound. An earlier bound stays.
func (s *Socket) withinLocked(d time.Duration) {
	e := s.endingLocked()
	if at := s.rx.set.clock() + d; d > 0 && at > 0 && (e.deadline == 0 || at < e.deadline) { // a sum that is not overflows
		e.deadline = max(at, 1)
	}
}

// sendCloseLocked queues our close frame, unless one was sent already.
func (s *Socket) sendCloseLocked(payload []byte) {
	if s.phase != live || !s.closer.take(sent) {
		return
	}
	s.withinLocked(s.rx.set.limits.CloseTimeout)
	tx := s.sender()
	if err := s.frameLocked(&tx, frame.Close, payload, false); err != nil {
		s.brokenLocked(err)
	}
}

// peerClosedLocked completes the closing handshake after the peer's close frame. A peer that goes on sending, as more
// tells, must be able to read the answer all the same.
func (s *Socket) peerClosedLocked(ev event, more bool) {
	if s.phase != live {
		return
	}
	s.closer.take(received)
	e := s.endingLocked()
	e.err = &CloseError{Code: ev.code, Reason: ev.reason, Sent: s.closer.first}
	e.linger = more || s.rx.role == frame.Client // a server closes the line first (RFC 6455, section 7.1.1)
	if s.closer.state == CloseReceived {
		// The answer repeats the code (RFC 6455, section 5.5.1); the codes that may come in may go out again.
		payload, _ := frame.AppendClose(nil, ev.code, "")
		s.sendCloseLocked(payload)
	}
	s.withinLocked(s.lingerTime())
	if s.phase == live {
		s.phase = flushing
	}
	s.driverFlushLocked()
}

// failLocked ends the socket because the peer broke the protocol or a limit: it says so with a close frame and gives the
// peer a moment to read it.
func (s *Socket) failLocked(p *ProtocolError) {
	if s.phase != live {
		return
	}
	payload, err := frame.AppendClose(nil, p.Code, clip(p.Err.Error()))
	if err != nil {
		payload, _ = frame.AppendClose(nil, p.Code, "")
	}
	if s.q != nil && p.Code == frame.TryAgainLater {
		s.q.dropUnbegun(s.rx.set.memory) // the peer does not take it anyway
	}
	s.sendCloseLocked(payload)
	if s.phase != live {
		return // the line is broken
	}
	e := s.endingLocked()
	e.err = p
	s.gone.Store(true)
	s.withinLocked(s.rx.set.limits.CloseTimeout)
	s.phase = flushing
	e.linger = true
	s.hold.And(holdMoving)
	s.driverFlushLocked()
}

// lingerTime is how long a peer is given to close its half of the line.
func (s *Socket) lingerTime() time.Duration {
	if d := s.rx.set.limits.CloseTimeout; d > 0 {
		return min(d, lingerTimeout)
	}
	return lingerTimeout
}

// brokenLocked notes that the line has failed; the driver ends the socket.
func (s *Socket) brokenLocked(err error) {
	e := s.endingLocked()
	e.err = keep(e.err, fmt.Errorf("websocket line was cut after a failed write: %w", err))
	e.deadline = 1
	if s.q != nil {
		s.rx.set.memory.forgetQueue(s.q)
		s.q = nil
	}
	s.driverCutLocked()
}

// lost returns why a read that failed with err ends the socket.
func (s *Socket) lost(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil && s.end.err != nil {
		return s.end.err
	}
	if err == nil || err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return fmt.Errorf("websocket read: %w: %w", io.ErrUnexpectedEOF, err)
}

// finish is the end of a socket whose line is closed. It is called by the driver, once.
func (s *Socket) finish(err error) {
	s.mu.Lock()
	s.phase = over
	s.closer.take(cut)
	if s.q != nil {
		s.rx.set.memory.forgetQueue(s.q)
		s.q = nil
	}
	s.refuseMoveLocked()
	s.codec.release()
	s.client.leave()
	if p := s.rx.part; p != nil {
		s.rx.part = nil
		s.rx.set.memory.forget(p)
	}
	if s.rare != nil && s.rare.room != nil {
		close(s.rare.room)
		s.rare.room = nil
	}
	s.flowLocked()
	s.mu.Unlock()
	s.closed(err)
	s.mu.Lock()
	var after []func()
	var groups []*Group
	if s.rare != nil {
		after, s.rare.onEnd = s.rare.onEnd, nil
		for g := range s.rare.groups {
			groups = append(groups, g)
		}
		if s.rare.done != nil {
			close(s.rare.done)
		}
	}
	s.finished = true
	s.mu.Unlock()
	for _, g := range groups {
		g.Leave(s)
	}
	for _, f := range after {
		f()
	}
}

// closed calls the handler for the last time.
func (s *Socket) closed(err error) {
	defer func() { _ = recover() }() // there is nobody left to tell
	s.h.Closed(s, err)
}

func errNotClosed(d time.Duration) error {
	return fmt.Errorf("websocket peer has not closed for %v: %w", d, os.ErrDeadlineExceeded)
}

func errNotWritten(d time.Duration) error {
	return fmt.Errorf("websocket peer has not taken what was sent for %v: %w", d, os.ErrDeadlineExceeded)
}

func errNotAnswered(d time.Duration) error {
	return fmt.Errorf("websocket peer has not answered a ping for %v: %w", d, os.ErrDeadlineExceeded)
}

// verdict returns why a socket ends that was ended from this side.
func (s *Socket) verdict() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil && s.end.err != nil {
		return s.end.err
	}
	return ErrCut
}

// driverFlushLocked has the driver end the socket once everything is written.
func (s *Socket) driverFlushLocked() {
	switch {
	case s.corked:
	case s.loop != nil:
		s.loop.inbox.Post(task{s: s})
	case s.line != nil && !s.line.flushing:
		s.line.flushing = true
		go s.flushLine()
	}
}

// driverCutLocked has the driver end the socket now.
func (s *Socket) driverCutLocked() {
	if s.loop != nil {
		s.loop.inbox.Post(task{s: s})
		return
	}
	if s.line == nil {
		return // no driver has it yet; the one that comes sees to it
	}
	s.line.cut()
	s.driverWake()
}
