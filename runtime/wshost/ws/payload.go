package ws

import (
	"errors"
	"math"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// firstBuffer is the size in bytes of the first buffer for a payload that comes in pieces.
const firstBuffer = 512

// payload takes the next piece of the current frame's payload.
func (r *receiver) payload(piece []byte, ev *event) error {
	p := r.part
	if p.h.Masked {
		frame.Mask(p.h.Key, p.got, piece)
	}
	p.got += uint64(len(piece))
	if p.got == p.h.Length {
		p.inFrame = false
	}
	switch {
	case p.h.Opcode.Control():
		return r.control(piece, ev)
	case p.compressed:
		return r.inflated(piece, ev)
	}
	return r.data(piece, ev)
}

// data takes a piece of a message. A message that lies whole in one piece is handed out where it lies.
func (r *receiver) data(piece []byte, ev *event) error {
	p := r.part
	last := !p.inFrame && p.h.FIN
	if p.op == frame.Text {
		if err := p.text.take(piece, last); err != nil {
			return err
		}
	}
	if last && len(p.message()) == 0 {
		p.inMessage, p.delivered = false, true
		ev.kind, ev.op, ev.payload = gotMessage, p.op, piece
		return nil
	}
	r.hold(piece)
	if !last {
		return nil
	}
	p.inMessage, p.delivered = false, true
	ev.kind, ev.op, ev.payload = gotMessage, p.op, p.message()
	return nil
}

// hold appends to the message, or leaves its first piece where it lies when that is lent.
func (r *receiver) hold(piece []byte) {
	p := r.part
	if r.lending && p.held == nil && p.inFrame {
		p.loan.b = piece
		p.held = &p.loan
		return
	}
	if need := len(p.message()) + len(piece); p.held == nil || need > cap(p.held.b) || p.lent() {
		r.grow(need)
	}
	p.held.b = append(p.held.b, piece...)
}

// grow gives the message a buffer for need bytes and more. It is at most twice what has arrived, or four times when that
// is all of the message, and never outgrows the limits nor what the last frame has declared: a peer makes us hold memory
// by sending bytes, not by announcing them.
func (r *receiver) grow(need int) {
	p := r.part
	room := max(2*need, firstBuffer)
	if left := p.h.Length - p.got; p.h.FIN && left <= 3*uint64(need) {
		room = need + int(left)
	}
	if most := r.most(); int64(room) > most {
		room = int(most)
	}
	r.move(r.set.memory.take(need, room))
}

// lent reports whether the message lies in the driver's buffer.
func (p *partial) lent() bool { return p != nil && p.held == &p.loan }

// settle moves a message that is not whole yet out of the driver's buffer, which is about to be used again.
func (r *receiver) settle() {
	if p := r.part; p.lent() && !p.delivered {
		r.grow(len(p.held.b))
	}
}

// most returns how many bytes a message may have.
func (r *receiver) most() int64 {
	l := &r.set.limits
	return max(min(l.MessageSize, l.HeldMemory-r.charged), 0)
}

// move makes b the buffer of the message.
func (r *receiver) move(b *buffer) {
	p := r.part
	if p.held != nil {
		b.b = append(b.b, p.held.b...)
		if !p.lent() {
			r.set.memory.give(p.held)
		}
	}
	p.held = b
}

// room returns where the rest of the current frame, or a part of it, is to be read; the driver then calls filled, which
// saves a copy of great messages. It is nil unless n bytes of the frame are missing and there is room for them, or all
// of the frame fits behind what lies in the driver's buffer.
func (r *receiver) room(n int) []byte {
	p := r.part
	if p == nil || !p.inFrame || p.h.Opcode.Control() || p.compressed || p.held == nil {
		return nil
	}
	left := p.h.Length - p.got
	if p.lent() {
		if uint64(cap(p.held.b)-len(p.held.b)) >= left {
			return p.held.b[len(p.held.b):][:left]
		}
		r.settle()
	}
	if left < uint64(n) {
		return nil
	}
	if cap(p.held.b)-len(p.held.b) < n {
		if !p.h.FIN || left > uint64(len(p.held.b)) {
			return nil
		}
		whole := len(p.held.b) + int(left)
		r.move(r.set.memory.take(whole, whole))
	}
	free := p.held.b[len(p.held.b):cap(p.held.b)]
	return free[:min(uint64(len(free)), left)]
}

// filled takes n bytes that were read into what room returned.
func (r *receiver) filled(n int, ev *event) error {
	ev.kind = nothing
	p := r.part
	from := len(p.held.b)
	p.held.b = p.held.b[:from+n]
	piece := p.held.b[from:]
	if p.h.Masked {
		frame.Mask(p.h.Key, p.got, piece)
	}
	p.got += uint64(n)
	if p.got == p.h.Length {
		p.inFrame = false
	}
	last := !p.inFrame && p.h.FIN
	if p.op == frame.Text {
		if err := p.text.take(piece, last); err != nil {
			return err
		}
	}
	if !last {
		r.mark()
		return nil
	}
	p.inMessage, p.delivered = false, true
	r.mark()
	ev.kind, ev.op, ev.payload = gotMessage, p.op, p.message()
	return nil
}

// inflated takes a piece of a compressed message (RFC 7692, section 7.2.2). Nothing compressed is held: what arrives is
// inflated at once and counted while it grows.
func (r *receiver) inflated(piece []byte, ev *event) error {
	p := r.part
	last := !p.inFrame && p.h.FIN
	limit := int(min(r.most(), r.set.limits.HeldMemory-r.charged-int64(p.fragments)*fragmentCost, math.MaxInt))
	if p.held == nil {
		p.held = r.set.memory.take(firstBuffer, max(firstBuffer, min(4*len(piece), limit)))
	}
	before := len(p.held.b)
	b, err := r.inflate.Append(p.held.b, piece, limit)
	if err == nil && last {
		b, err = r.inflate.Finish(b, limit)
	}
	p.held.b = b // another array, when it needed more room: the old one has gone back
	if p.op == frame.Text {
		// Before the fault of the compressed bytes, which comes behind what they have brought so far.
		if err := p.text.take(b[before:], last && err == nil); err != nil {
			return err
		}
	}
	switch {
	case errors.Is(err, deflate.ErrTooLong):
		return failure(frame.MessageTooBig, "message is longer than %d bytes", limit)
	case err != nil:
		return &ProtocolError{Code: frame.InvalidPayload, Err: err}
	}
	if !last {
		return nil
	}
	p.inMessage, p.delivered = false, true
	ev.kind, ev.op, ev.payload = gotMessage, p.op, b
	return nil
}

// control takes a piece of a control frame, which may lie between the frames of a message.
func (r *receiver) control(piece []byte, ev *event) error {
	p := r.part
	whole := piece
	if p.inFrame || p.ctlN > 0 {
		p.ctlN += copy(p.ctl[p.ctlN:], piece)
		whole = p.ctl[:p.ctlN]
	}
	if p.inFrame {
		return nil
	}
	switch p.h.Opcode {
	case frame.Ping:
		ev.kind, ev.payload = gotPing, whole
		return nil
	case frame.Pong:
		ev.kind, ev.payload = gotPong, whole
		return nil
	}
	code, reason, err := frame.ParseClose(whole)
	if err == frame.ErrReasonUTF8 {
		return &ProtocolError{Code: frame.InvalidPayload, Err: err}
	}
	if err != nil {
		return &ProtocolError{Code: frame.ProtocolError, Err: err}
	}
	r.closed = true
	ev.kind, ev.code, ev.reason = gotClose, code, reason
	return nil
}
