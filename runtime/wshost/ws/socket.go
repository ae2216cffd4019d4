package ws

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// Socket is a WebSocket connection that calls a Handler; see Upgrader.Serve and DialHandler. Its methods may be called
// at any time from anywhere, callbacks included, unless they say otherwise.
//
// Under the poller driver an idle socket is this struct and nothing else.
type Socket struct {
	h    Handler
	loop *loop // nil under the goroutine driver
	line *line // nil under the poller driver
	rx   receiver

	mu     sync.Mutex // guards what follows; held for moments, and for writes that do not wait
	q      *queue     // nil when nothing is to be written
	codec  *codec     // nil without permessage-deflate
	end    *ending    // nil until the closing handshake begins
	rare   *rare
	client *client // in Admission; nil for none
	data   any
	behind *Socket // what is relayed to leaves when the turn ends; see WriteFrom

	heard        time.Duration // on the settings' clock: when bytes arrived last
	began        time.Duration // when what is unfinished began; 0 for nothing
	sent         time.Duration // when the newest ping was sent
	pongAt, trip time.Duration // of the newest answer; 0 when there was none

	hold     atomic.Uint32 // why reading pauses
	gone     atomic.Bool   // the verdict is known: no message is delivered any more
	fd       int32         // under the poller driver; -1 after the end
	pingID   uint32        // of the newest ping
	closer   closer
	phase    phase
	corked   bool // its driver is working on what it read: what is written waits until that is used up
	asked    bool // the idle ping, the newest one, is not answered
	dirty    bool // the loop is about to write what was published
	watched  bool // the poller looks out for the line to take more
	finished bool // Closed has returned

	bytesIn, bytesOut, messagesIn, messagesOut int64
}

// rare is what few sockets need.
type rare struct {
	subprotocol string
	keys        *keys         // of a client
	rest        []byte        // what was read and not used up when reading paused
	pong        []byte        // the newest ping that is not answered, nil for none
	room        chan struct{} // closed when a full queue has room again
	flow        []*Socket     // that are not read until less waits; see WriteFrom
	done        chan struct{} // closed at the end
	extra       []byte
	onEnd       []func()
	groups      map[*Group]struct{} // that it is in
	moved       chan moved          // where Detach waits for the line
	dropped     int64
}

// ending is how a socket comes to its end.
type ending struct {
	err      error         // the verdict; nil while the peer's answer to our close frame is awaited
	deadline time.Duration // on the settings' clock; 0 for none
	linger   bool          // the peer is given time to read what we sent
}

// phase is what a driver does with a socket.
//
//	live      -> flushing   the verdict is known; what is queued goes out, input is ignored
//	          -> over       the line ended
//	flushing  -> lingering  our half of the line is closed, input is read and forgotten
//	          -> over
//	lingering -> over
type phase uint8

const (
	live      phase = 0
	flushing  phase = 1
	lingering phase = 2
	over      phase = 3
)

// Reasons for reading to pause, as bits of Socket.hold.
const (
	holdPaused  uint32 = 1  // Pause was called
	holdStalled uint32 = 2  // the queue is full
	holdMoving  uint32 = 4  // Detach waits
	holdFlow    uint32 = 16 // the socket that messages are relayed to has too much waiting
	holdRest    uint32 = 8  // what was read before is not used up
)

func (s *Socket) uncommon() *rare {
	if s.rare == nil {
		s.rare = new(rare)
	}
	return s.rare
}

// newSocket makes a socket that no driver has yet.
func newSocket(set *settings, role frame.Role, h Handler, c *codec, subprotocol string) *Socket {
	s := &Socket{h: h, codec: c, fd: -1, closer: closer{state: Open}, heard: set.clock()}
	s.rx = receiver{set: set, role: role}
	if c != nil {
		s.rx.inflate, s.rx.charged = c.receive, c.memory
	}
	if subprotocol != "" {
		s.uncommon().subprotocol = subprotocol
	}
	if role == frame.Client {
		s.uncommon().keys = new(keys)
	}
	return s
}

// Subprotocol returns the subprotocol chosen in the opening handshake, "" for none.
func (s *Socket) Subprotocol() string {
	if s.rare == nil {
		return ""
	}
	return s.rare.subprotocol
}

// RemoteAddr returns the peer's address. Under the poller driver it is asked for at each call, and nil after the end.
func (s *Socket) RemoteAddr() net.Addr {
	if s.line != nil {
		return s.line.conn.RemoteAddr()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == over {
		return nil
	}
	return poller.RemoteAddr(s.fd)
}

// State returns where the connection stands.
func (s *Socket) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closer.state
}

// Counts returns what has passed so far.
func (s *Socket) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Counts{s.bytesIn, s.bytesOut, s.messagesIn, s.messagesOut}
}

// Queued returns how many bytes wait for the peer to take them.
func (s *Socket) Queued() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.q == nil {
		return 0
	}
	return s.q.size
}

// Dropped returns how many messages the policy DropOldest has dropped.
func (s *Socket) Dropped() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rare == nil {
		return 0
	}
	return s.rare.dropped
}

// LastPong returns the newest answer to any ping, also to those of Limits.PingInterval.
func (s *Socket) LastPong() Pong {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pongAt == 0 {
		return Pong{}
	}
	return Pong{At: s.rx.set.start.Add(s.pongAt), RoundTrip: s.trip}
}

// Compressed reports whether permessage-deflate was agreed on.
func (s *Socket) Compressed() bool { return s.codec != nil }

// Data returns what SetData has stored, nil before.
func (s *Socket) Data() any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.data
}

// SetData keeps v with the socket.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = v
}

// OnEnd has f called after the Closed callback, or at once when that is past.
func (s *Socket) OnEnd(f func()) {
	s.mu.Lock()
	if s.finished {
		s.mu.Unlock()
		f()
		return
	}
	r := s.uncommon()
	r.onEnd = append(r.onEnd, f)
	s.mu.Unlock()
}

// Done returns a channel that is closed after the Closed callback.
func (s *Socket) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.uncommon()
	if r.done == nil {
		r.done = make(chan struct{})
		if s.finished {
			close(r.done)
		}
	}
	return r.done
}

// Pause stops reading from the peer, and so the callbacks of messages, until Resume.
func (s *Socket) Pause() { s.stop(holdPaused) }

// Resume goes on reading after Pause.
func (s *Socket) Resume() { s.goOn(holdPaused) }

// stop pauses reading for one more reason.
func (s *Socket) stop(why uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopLocked(why)
}

func (s *Socket) stopLocked(why uint32) {
	if s.hold.Or(why) == 0 {
		s.watchLocked()
	}
}

// goOn takes a reason away; the driver begins to read again when it was the last.
func (s *Socket) goOn(why uint32) {
	s.mu.Lock()
	resumed := s.hold.And(^why)&^why&^holdRest == 0
	s.mu.Unlock()
	if resumed {
		s.driverWake()
	}
}

// driverWake makes the driver look at the socket.
func (s *Socket) driverWake() {
	if s.loop != nil {
		s.loop.inbox.Post(task{s: s})
		return
	}
	if s.line == nil {
		return // no driver has it yet; the one that comes looks by itself
	}
	select {
	case s.line.wake <- struct{}{}:
	default:
	}
}

// watchLocked tells the poller what the socket waits for.
func (s *Socket) watchLocked() {
	if s.loop == nil || s.phase == over || s.fd < 0 {
		return
	}
	_ = s.loop.poll.Modify(s.fd, s.interestLocked()) // fails only when the poller is closed, and then the socket is too
}

// interestLocked is what the socket waits for.
func (s *Socket) interestLocked() poller.Interest {
	var i poller.Interest
	if s.hold.Load() == 0 || s.phase != live {
		i = poller.Read
	}
	if s.watched {
		i |= poller.Write
	}
	return i
}
