package ws

import "github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"

// payload takes the next piece of the current frame's payload.
func (r *receiver) payload(piece []byte) (event, error) {
	if r.h.Masked {
		frame.Mask(r.h.Key, r.got, piece)
	}
	r.got += uint64(len(piece))
	if r.got == r.h.Length {
		r.inFrame = false
	}
	if r.h.Opcode.Control() {
		return r.control(piece)
	}
	return r.data(piece)
}

// data takes a piece of a message. A message that lies whole in one piece is handed out where it lies.
func (r *receiver) data(piece []byte) (event, error) {
	if r.op == frame.Text && !r.text.feed(piece) {
		return event{}, failure(frame.InvalidPayload, "text is not valid UTF-8")
	}
	last := !r.inFrame && r.h.FIN
	if last && r.op == frame.Text && !r.text.whole() {
		return event{}, failure(frame.InvalidPayload, "text ends within a character")
	}
	if last {
		r.inMessage, r.delivered = false, true
		if len(r.msg) == 0 {
			return event{kind: gotMessage, op: r.op, payload: piece}, nil
		}
	}
	r.hold(piece)
	if last {
		return event{kind: gotMessage, op: r.op, payload: r.msg}, nil
	}
	return event{}, nil
}

// hold appends to the message. The buffer at most doubles, and never outgrows the limits nor what the last frame has
// declared: a peer makes us hold memory by sending bytes, not by announcing them.
func (r *receiver) hold(piece []byte) {
	need := len(r.msg) + len(piece)
	if need > cap(r.msg) {
		room := max(2*cap(r.msg), firstBuffer)
		if left := r.h.Length - r.got; r.h.FIN && left < uint64(room) {
			room = min(room, need+int(left))
		}
		if most := min(r.limits.MessageSize, r.limits.HeldMemory); int64(room) > most {
			room = int(most)
		}
		grown := make([]byte, len(r.msg), max(room, need))
		copy(grown, r.msg)
		r.msg = grown
	}
	r.msg = append(r.msg, piece...)
}

// control takes a piece of a control frame, which may lie between the frames of a message.
func (r *receiver) control(piece []byte) (event, error) {
	whole := piece
	if r.inFrame || r.ctlN > 0 {
		r.ctlN += copy(r.ctl[r.ctlN:], piece)
		whole = r.ctl[:r.ctlN]
	}
	if r.inFrame {
		return event{}, nil
	}
	switch r.h.Opcode {
	case frame.Ping:
		return event{kind: gotPing, payload: whole}, nil
	case frame.Pong:
		return event{kind: gotPong, payload: whole}, nil
	}
	code, reason, err := frame.ParseClose(whole)
	if err == frame.ErrReasonUTF8 {
		return event{}, &ProtocolError{Code: frame.InvalidPayload, Err: err}
	}
	if err != nil {
		return event{}, &ProtocolError{Code: frame.ProtocolError, Err: err}
	}
	r.closed = true
	return event{kind: gotClose, code: code, reason: reason}, nil
}
