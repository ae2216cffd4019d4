package conformance

import (
	"context"
	"errors"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// session is one connection of one case, after its opening handshake.
type session struct {
	role     frame.Role // of the judge
	conn     net.Conn
	keys     *rand.Rand // masking keys: the same in every run
	pace     *pace
	agreed   *agreed // what was negotiated; nil without compression
	deflater *deflater

	sentClose bool
	mid       bool // a frame is on its way in pieces: nothing may be sent in between

	mu     sync.Mutex
	events []event
	pings  [][]byte      // of the peer's own, not answered yet
	news   chan struct{} // an event has come
}

// newSession makes a session on a line. in is what is read from it, with what the handshake has read too far.
func newSession(conn net.Conn, in io.Reader, role frame.Role, c Case, a *agreed, o Options) *session {
	h := fnv.New64a()
	_, _ = io.WriteString(h, c.ID) // a hash never fails
	s := &session{
		role: role, conn: conn, pace: newPace(o), agreed: a,
		keys: rand.New(rand.NewPCG(h.Sum64(), 13)), news: make(chan struct{}, 1),
	}
	if a != nil {
		s.deflater = a.deflater(role)
	}
	_ = conn.SetDeadline(time.Time{}) // that of the handshake; one that stays is seen as the end of the line
	go s.listen(in)
	return s
}

// play runs the script to the end of the connection and returns what was seen.
func (s *session) play(ctx context.Context, script []step) []event {
	defer s.conn.Close()
	defer context.AfterFunc(ctx, func() { s.conn.Close() })()
	for _, st := range script {
		if err := st.do(s); err != nil {
			break
		}
	}
	s.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// finish completes the closing handshake. A server closes the line first (RFC 6455, section 7.1.1): a judge that is the
// client waits for that, and one that is the server does it.
func (s *session) finish() {
	var last event
	over := s.await(func(e event) bool { last = e; return e.ends() })
	switch {
	case !over:
		s.note(event{kind: evSilence})
	case last.kind == evClose:
		if !s.sentClose && !s.mid {
			b := closeBody(last.code, last.reason)
			if last.code == 1005 {
				b = body{}
			}
			_ = send{frames: []fr{{op: frame.Close, body: b}}}.do(s) // the peer may be gone already
		}
		if s.role == frame.Server {
			s.note(event{kind: evGone})
			return
		}
		if !s.wait(4*s.pace.patience, func(e event) bool { return e.kind == evGone || e.kind == evBreach }) {
			s.note(event{kind: evOpen})
		}
	}
}

// maxWrite bounds one write, so that bytes are seen to move: 256 KiB.
const maxWrite = 256 << 10

// write sends bytes in chops. A line that cannot be written to any more ends the script: what the peer did about it is
// told by what is read.
func (s *session) write(b []byte, chop int) error {
	if chop <= 0 {
		chop = maxWrite
	}
	s.pace.owe(len(b))
	for len(b) > 0 {
		n := min(chop, len(b))
		_ = s.conn.SetWriteDeadline(time.Now().Add(s.pace.silence())) // a line that cannot have one fails at the write
		if _, err := s.conn.Write(b[:n]); err != nil {
			if timedOut(err) {
				s.pace.giveUp()
			}
			return errStop
		}
		s.pace.moved()
		b = b[n:]
	}
	return nil
}

// note adds an event. Nothing comes after the end of the line.
func (s *session) note(e event) {
	s.mu.Lock()
	if n := len(s.events); n == 0 || s.events[n-1].kind != evGone && s.events[n-1].kind != evSkip {
		s.events = append(s.events, e)
	}
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// await goes through the events, old and new, until is holds for one, or the peer has done nothing for too long.
func (s *session) await(is func(event) bool) bool { return s.watch(s.pace.wholeCase(), is) }

// wait goes through the events, old and new, until is holds for one or the time is over.
func (s *session) wait(d time.Duration, is func(event) bool) bool {
	return s.watch(s.pace.moment(d), is)
}

// watch goes through the events until is holds for one or the watch has run out.
func (s *session) watch(w *stopwatch, is func(event) bool) bool {
	defer w.stop()
	for next := 0; ; {
		s.answerPings()
		s.mu.Lock()
		events := s.events
		s.mu.Unlock()
		for ; next < len(events); next++ {
			if is(events[next]) {
				return true
			}
		}
		if w.spent() {
			return false
		}
		select {
		case <-s.news:
		case <-w.tick():
			if w.over() {
				return false
			}
		}
	}
}

// answerPings answers the newest ping that the peer has sent of its own, unless a frame of ours is half sent.
func (s *session) answerPings() {
	s.mu.Lock()
	pings := s.pings
	s.pings = nil
	s.mu.Unlock()
	if len(pings) == 0 || s.mid || s.sentClose {
		return
	}
	newest := string(pings[len(pings)-1])
	_ = send{frames: []fr{{op: frame.Pong, body: lit(newest)}}}.do(s) // a dead line is noticed by the reader
}

// listen reads frames until the line ends.
func (s *session) listen(in io.Reader) {
	w := &watcher{role: s.role, agreed: s.agreed, atWork: s.pace.atWork}
	if s.agreed != nil {
		w.inflater = s.agreed.inflater(s.role)
	}
	for {
		e, err := w.next(meter{in, s.pace})
		var breach *breachError
		switch {
		case errors.As(err, &breach):
			s.note(event{kind: evBreach, reason: breach.what})
			return
		case err != nil:
			var late net.Error
			if !errors.As(err, &late) || !late.Timeout() {
				s.note(event{kind: evGone})
			}
			return
		}
		if e.kind == evPing {
			s.mu.Lock()
			s.pings = append(s.pings, w.ping)
			s.mu.Unlock()
		}
		s.note(e)
	}
}
