package ws

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// event is what the receiver has understood. Payloads are valid until the next call of feed.
type event struct {
	kind    eventKind
	op      frame.Opcode // of a message
	payload []byte       // of a message, ping or pong
	code    frame.CloseCode
	reason  string
}

type eventKind uint8

const (
	nothing    eventKind = 0
	gotMessage eventKind = 1
	gotPing    eventKind = 2
	gotPong    eventKind = 3
	gotClose   eventKind = 4
)

const (
	firstBuffer = 512      // bytes of the first buffer for a payload that comes in pieces
	keepBuffer  = 64 << 10 // a greater buffer is given back once its message was delivered
)

// receiver understands the bytes of a peer. It does no I/O, keeps no time but what now tells, and gives the same
// events for the same bytes however they are cut; all it knows can be written down (see receiverState).
type receiver struct {
	role   frame.Role
	limits Limits // resolved
	rsv    byte   // bits that negotiated extensions own
	now    func() time.Time

	head  [frame.MaxHeader]byte // a header that is not whole yet
	headN int

	inFrame bool
	h       frame.Header // of the current frame
	got     uint64       // payload bytes of it consumed

	inMessage bool // between the first and the last frame of a message
	op        frame.Opcode
	fragments int
	text      utf8State
	msg       []byte // the message so far, once it does not fit into one piece
	delivered bool   // msg was handed out and may be used again

	ctl  [frame.MaxControl]byte // payload of a control frame so far
	ctlN int

	closed bool      // a close frame was received: what follows means nothing (RFC 6455, section 5.5.1)
	since  time.Time // when the unfinished frame or message began; zero when there is none
	rate   time.Time // when the bucket of control frames will be empty again
}

func newReceiver(role frame.Role, limits Limits) *receiver {
	return &receiver{role: role, limits: limits, now: time.Now}
}

// feed consumes n bytes of p, which it may change, and returns at most one event. An event of kind nothing means
// that all of p is consumed. The error is a *ProtocolError; after one the receiver must not be used.
func (r *receiver) feed(p []byte) (n int, ev event, err error) {
	r.release()
	if r.closed {
		return len(p), event{}, nil
	}
	for n < len(p) {
		if !r.inFrame {
			k, whole := r.header(p[n:])
			n += k
			if !whole {
				break
			}
			if err := r.begin(); err != nil {
				return n, event{}, err
			}
		}
		piece := p[n:]
		if left := r.h.Length - r.got; uint64(len(piece)) > left {
			piece = piece[:left]
		}
		n += len(piece)
		if ev, err = r.payload(piece); err != nil || ev.kind != nothing {
			break
		}
	}
	r.mark()
	return n, ev, err
}

// release takes back the message that was handed out last.
func (r *receiver) release() {
	if !r.delivered {
		return
	}
	r.delivered, r.msg = false, r.msg[:0]
	if cap(r.msg) > keepBuffer {
		r.msg = nil
	}
}

// header completes r.h from p and tells how many bytes of p belong to it.
func (r *receiver) header(p []byte) (n int, whole bool) {
	if r.headN == 0 {
		if h, k := frame.Parse(p); k > 0 {
			r.h = h
			return k, true
		}
	}
	m := copy(r.head[r.headN:], p)
	h, k := frame.Parse(r.head[:r.headN+m])
	if k == 0 {
		r.headN += m
		return m, false
	}
	n, r.headN, r.h = k-r.headN, 0, h
	return n, true
}

// begin judges a header by the rules and the limits, before any byte of its payload is looked at or made room for.
func (r *receiver) begin() error {
	if v := frame.Check(r.h, frame.Context{Role: r.role, RSV: r.rsv, Fragmented: r.inMessage}); v != nil {
		return &ProtocolError{Code: v.Code, Err: v}
	}
	r.inFrame, r.got, r.ctlN = true, 0, 0
	if r.h.Opcode.Control() {
		return r.charge()
	}
	if r.h.Opcode.Data() {
		r.inMessage, r.op, r.fragments, r.text = true, r.h.Opcode, 0, utf8State{}
	}
	r.fragments++
	return r.admit()
}

// admit holds the message against the limits, with the declared length of the frame that has just begun.
func (r *receiver) admit() error {
	l := &r.limits
	if r.fragments > l.Fragments {
		return failure(frame.PolicyViolation, "message has more than %d fragments", l.Fragments)
	}
	// Nothing is added to a declared length before it is known to be small: it may be anything up to 2^63-1.
	if held := uint64(len(r.msg)); r.h.Length > uint64(l.MessageSize)-held {
		return failure(frame.MessageTooBig, "message is longer than %d bytes", l.MessageSize)
	}
	payload := uint64(len(r.msg)) + r.h.Length
	if payload > uint64(l.HeldMemory) {
		return failure(frame.MessageTooBig, "message needs more than %d bytes of memory", l.HeldMemory)
	}
	if uint64(r.fragments)*fragmentCost > uint64(l.HeldMemory)-payload {
		return failure(frame.PolicyViolation, "fragments need more than %d bytes of memory", l.HeldMemory)
	}
	return nil
}

// charge takes a ping or pong from the bucket of control frames. rate runs ahead of the clock by one interval for
// each, and may be ahead by as much as the window; a close frame is the last one anyway.
func (r *receiver) charge() error {
	if r.limits.ControlRate < 0 || r.h.Opcode == frame.Close {
		return nil
	}
	now := r.now()
	if r.rate.Before(now) {
		r.rate = now
	}
	r.rate = r.rate.Add(time.Second / time.Duration(r.limits.ControlRate))
	if r.rate.Sub(now) > controlWindow {
		return failure(frame.PolicyViolation, "more than %d control frames a second", r.limits.ControlRate)
	}
	return nil
}

// mark notes when something unfinished began, or that nothing is unfinished.
func (r *receiver) mark() {
	switch {
	case r.closed || !r.inFrame && !r.inMessage && r.headN == 0:
		r.since = time.Time{}
	case r.since.IsZero():
		r.since = r.now()
	}
}
