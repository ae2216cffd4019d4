package ws

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// event is what the receiver has understood. Payloads are valid until the next call of feed or release.
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

// receiver understands the bytes of a peer. It does no I/O, keeps no time but what its settings tell, and gives the
// same events for the same bytes however they are cut; all it knows can be written down (see receiverState). Between
// two messages it holds nothing but this struct.
type receiver struct {
	set     *settings
	part    *partial              // what is unfinished; nil when nothing is
	inflate *deflate.Decompressor // nil without permessage-deflate
	rate    time.Duration         // on the settings' clock: when the bucket of control frames will be empty again
	charged int64                 // bytes that the owner holds elsewhere for this connection: queue, windows; they count as held
	role    frame.Role
	closed  bool // a close frame was received: what follows means nothing (RFC 6455, section 5.5.1)
	lending bool // what is fed may be kept until settle, and the rest of its message be put behind it
}

// partial is a frame or message that is not whole yet, or a message that was handed out last.
type partial struct {
	head  [frame.MaxHeader]byte // a header that is not whole yet
	headN int

	inFrame bool
	h       frame.Header // of the current frame
	got     uint64       // payload bytes of it consumed

	inMessage  bool // between the first and the last frame of a message
	op         frame.Opcode
	fragments  int
	text       utf8State
	compressed bool    // the message is (RFC 7692, section 6)
	wire       uint64  // bytes of it as they were on the wire
	held       *buffer // the message so far, once it does not fit into one piece
	loan       buffer  // what held points to while the message lies in the driver's buffer
	delivered  bool    // held was handed out and may be used again

	ctl  [frame.MaxControl]byte // payload of a control frame so far
	ctlN int

	since time.Time // when it began; zero when nothing is unfinished
}

// message returns what is held of the message so far.
func (p *partial) message() []byte {
	if p == nil || p.held == nil {
		return nil
	}
	return p.held.b
}

func newReceiver(role frame.Role, set *settings) *receiver { return &receiver{set: set, role: role} }

// rsv returns the reserved bits that extensions own.
func (r *receiver) rsv() byte {
	if r.inflate != nil {
		return frame.RSV1
	}
	return 0
}

// feed consumes n bytes of p, which it may change, and puts at most one event into ev. An event of kind nothing means
// that all of p is consumed. The error is a *ProtocolError; after one the receiver must not be used. Events go through a
// pointer so that they do not grow the stack of whoever waits in a goroutine of its own.
func (r *receiver) feed(p []byte, ev *event) (n int, err error) {
	r.release()
	ev.kind = nothing
	if r.closed {
		return len(p), nil
	}
	if r.part == nil {
		if n, err = r.whole(p, ev); n > 0 {
			return n, err
		}
		if len(p) == 0 {
			return 0, nil
		}
		r.part = r.set.memory.part()
	}
	return r.pieces(p, ev)
}

// pieces is feed for everything but a message that lies whole in p.
func (r *receiver) pieces(p []byte, ev *event) (n int, err error) {
	for n < len(p) {
		if !r.part.inFrame {
			k, whole := r.part.header(p[n:])
			n += k
			if !whole {
				break
			}
			if err := r.begin(); err != nil {
				return n, err
			}
		}
		piece := p[n:]
		if left := r.part.h.Length - r.part.got; uint64(len(piece)) > left {
			piece = piece[:left]
		}
		n += len(piece)
		if err = r.payload(piece, ev); err != nil || ev.kind != nothing {
			break
		}
	}
	r.mark()
	return n, err
}

// whole takes a message that lies in p as one whole frame, the usual case, and hands it out where it lies. n is 0 for
// everything else. It must judge as begin and data do, which a test holds it to.
func (r *receiver) whole(p []byte, ev *event) (n int, err error) {
	if len(p) < 2 || p[0] != 0x80|byte(frame.Text) && p[0] != 0x80|byte(frame.Binary) {
		return 0, nil
	}
	h, n := frame.Parse(p)
	if n == 0 || h.Length > uint64(len(p)-n) || h.Masked != (r.role == frame.Server) || !h.Minimal() ||
		h.Length > uint64(r.set.limits.MessageSize) || int64(h.Length)+fragmentCost > r.set.limits.HeldMemory-r.charged {
		return 0, nil
	}
	payload := p[n : n+int(h.Length)]
	if h.Masked {
		frame.Mask(h.Key, 0, payload)
	}
	if h.Opcode == frame.Text {
		if err := new(utf8State).take(payload, true); err != nil {
			return len(p), err
		}
	}
	ev.kind, ev.op, ev.payload = gotMessage, h.Opcode, payload
	return n + len(payload), nil
}

// release takes back the message that was handed out last.
func (r *receiver) release() {
	if r.part == nil || !r.part.delivered && !r.part.idle() {
		return
	}
	r.set.memory.forget(r.part)
	r.part = nil
}

// header completes h from b and tells how many bytes of b belong to it.
func (p *partial) header(b []byte) (n int, whole bool) {
	if p.headN == 0 {
		if h, k := frame.Parse(b); k > 0 {
			p.h = h
			return k, true
		}
	}
	m := copy(p.head[p.headN:], b)
	h, k := frame.Parse(p.head[:p.headN+m])
	if k == 0 {
		p.headN += m
		return m, false
	}
	n, p.headN, p.h = k-p.headN, 0, h
	return n, true
}

// begin judges a header by the rules and the limits, before any byte of its payload is looked at or made room for.
func (r *receiver) begin() error {
	p := r.part
	if v := frame.Check(p.h, frame.Context{Role: r.role, RSV: r.rsv(), Fragmented: p.inMessage}); v != nil {
		return &ProtocolError{Code: v.Code, Err: v}
	}
	p.inFrame, p.got, p.ctlN = true, 0, 0
	if p.h.Opcode.Control() {
		return r.charge()
	}
	if p.h.Opcode.Data() {
		p.inMessage, p.op, p.fragments, p.text, p.wire = true, p.h.Opcode, 0, utf8State{}, 0
		p.compressed = p.h.RSV&frame.RSV1 != 0
	}
	p.fragments++
	return r.admit()
}

// admit holds the message against the limits, with the declared length of the frame that has just begun. A compressed
// message is counted as it inflates; on the wire it may be as long as one that DEFLATE could not shorten.
func (r *receiver) admit() error {
	l, p := &r.set.limits, r.part
	if p.fragments > l.Fragments {
		return failure(frame.PolicyViolation, "message has more than %d fragments", l.Fragments)
	}
	// Nothing is added to a declared length before it is known to be small: it may be anything up to 2^63-1.
	held, most, payload := uint64(len(p.message())), uint64(l.MessageSize), uint64(len(p.message()))
	if p.compressed {
		held, most = p.wire, most+most/8+1024
	}
	if p.h.Length > most-held {
		return failure(frame.MessageTooBig, "message is longer than %d bytes", l.MessageSize)
	}
	if p.compressed {
		p.wire += p.h.Length
	} else {
		payload += p.h.Length
	}
	allowed := uint64(max(l.HeldMemory-r.charged, 0))
	if payload > allowed {
		return failure(frame.MessageTooBig, "message needs more than %d bytes of memory", l.HeldMemory)
	}
	if uint64(p.fragments)*fragmentCost > allowed-payload {
		return failure(frame.PolicyViolation, "fragments need more than %d bytes of memory", l.HeldMemory)
	}
	return nil
}

// charge takes a ping or pong from the bucket of control frames. rate runs ahead of the clock by one interval for
// each, and may be ahead by as much as the window; a close frame is the last one anyway.
func (r *receiver) charge() error {
	limit := r.set.limits.ControlRate
	if limit < 0 || r.part.h.Opcode == frame.Close {
		return nil
	}
	now := r.set.clock()
	r.rate = max(r.rate, now) + time.Second/time.Duration(limit)
	if r.rate-now > controlWindow {
		return failure(frame.PolicyViolation, "more than %d control frames a second", limit)
	}
	return nil
}

// since returns when something unfinished began, or zero.
func (r *receiver) since() time.Time {
	if r.part == nil {
		return time.Time{}
	}
	return r.part.since
}

// idle reports whether nothing is unfinished.
func (p *partial) idle() bool { return !p.inFrame && !p.inMessage && p.headN == 0 }

// mark notes when something unfinished began. What is handed out stays until release.
func (r *receiver) mark() {
	p := r.part
	switch {
	case r.closed || p.idle():
		p.since = time.Time{}
	case p.since.IsZero():
		p.since = r.set.now()
	}
}
