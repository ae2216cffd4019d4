package ws

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// ErrSnapshot means a snapshot of another version, or one that no connection can have written.
var ErrSnapshot = errors.New("not a usable websocket snapshot")

// snapshotVersion changes when the meaning of a field does. A new field whose zero value means "as before" needs no
// new version.
const snapshotVersion = 1

// receiverState is all that a receiver knows. Times are distances, for two processes share no clock.
type receiverState struct {
	RSV       byte          `json:"rsv,omitempty"`        // reserved bits that extensions own
	Head      []byte        `json:"head,omitempty"`       // a header that is not whole yet
	Frame     []byte        `json:"frame,omitempty"`      // header of the frame whose payload is not whole yet
	Got       uint64        `json:"got,omitempty"`        // bytes of that payload received
	InMessage bool          `json:"in_message,omitempty"` // a message is not whole yet
	Opcode    frame.Opcode  `json:"opcode,omitempty"`     // of that message
	Fragments int           `json:"fragments,omitempty"`  // of that message
	Text      [3]uint8      `json:"text"`                 // see utf8State: need, lo, hi
	Held      []byte        `json:"held,omitempty"`       // payload of that message, unmasked
	Control   []byte        `json:"control,omitempty"`    // payload of a control frame, unmasked
	Closed    bool          `json:"closed,omitempty"`     // a close frame was received
	Pending   bool          `json:"pending,omitempty"`    // something is unfinished
	Age       time.Duration `json:"age,omitempty"`        // since it began, in nanoseconds
	Rate      time.Duration `json:"rate,omitempty"`       // how full the bucket of control frames is, in nanoseconds

	Compressed bool   `json:"compressed,omitempty"` // that message is
	Wire       uint64 `json:"wire,omitempty"`       // bytes of its frames as they were announced
	Inflate    []byte `json:"inflate,omitempty"`    // where the decompressor stands in it
}

// state writes the receiver down. The result shares no memory with it.
func (r *receiver) state() receiverState {
	s := receiverState{RSV: r.rsv(), Closed: r.closed, Rate: max(r.rate-r.set.clock(), 0)}
	p := r.part
	if p == nil || p.delivered {
		return s
	}
	s.Head, s.InMessage = clone(p.head[:p.headN]), p.inMessage
	if p.inFrame {
		s.Frame, s.Got = frame.AppendHeader(nil, p.h), p.got
		if p.h.Opcode.Control() {
			s.Control = clone(p.ctl[:p.ctlN])
		}
	}
	if p.inMessage {
		s.Opcode, s.Fragments, s.Held = p.op, p.fragments, clone(p.message())
		s.Text = [3]uint8{p.text.need, p.text.lo, p.text.hi}
		if p.compressed {
			s.Compressed, s.Wire, s.Inflate = true, p.wire, r.inflate.AppendState(nil)
		}
	}
	if s.Pending = !p.since.IsZero(); s.Pending {
		s.Age = r.set.now().Sub(p.since)
	}
	return s
}

// restoreReceiver makes a receiver that goes on where s was written. It refuses what no receiver can have written. c has
// its windows already; nil stands for no permessage-deflate.
func restoreReceiver(role frame.Role, set *settings, c *codec, s receiverState) (*receiver, error) {
	r := newReceiver(role, set)
	r.closed = s.Closed
	if c != nil {
		r.inflate, r.charged = c.receive, c.memory
	}
	if s.RSV != r.rsv() || s.Compressed && (c == nil || !s.InMessage) || len(s.Inflate) > 0 && !s.Compressed {
		return nil, fmt.Errorf("%w: its reserved bits are not those of its extensions", ErrSnapshot)
	}
	if _, n := frame.Parse(s.Head); n > 0 || len(s.Head) > frame.MaxHeader {
		return nil, fmt.Errorf("%w: its header is whole", ErrSnapshot)
	}
	r.rate = set.clock() + min(max(s.Rate, 0), controlWindow)
	if len(s.Head) == 0 && len(s.Frame) == 0 && !s.InMessage {
		if len(s.Held) > 0 {
			return nil, fmt.Errorf("%w: it holds payload of no message", ErrSnapshot)
		}
		return r, nil
	}
	r.part = set.memory.part()
	p := r.part
	p.inMessage, p.headN = s.InMessage, copy(p.head[:], s.Head)
	if err := r.restoreMessage(s); err != nil {
		return nil, err
	}
	if len(s.Frame) > 0 {
		if err := r.restoreFrame(s); err != nil {
			return nil, err
		}
	}
	// As after a read: what the close frame has cut short is not waited for any more.
	r.mark()
	if s.Pending && !p.since.IsZero() {
		p.since = p.since.Add(-max(s.Age, 0))
	}
	return r, nil
}

func (r *receiver) restoreMessage(s receiverState) error {
	p, most := r.part, r.set.limits.MessageSize
	if !s.InMessage {
		if len(s.Held) > 0 {
			return fmt.Errorf("%w: it holds payload of no message", ErrSnapshot)
		}
		return nil
	}
	if !s.Opcode.Data() || s.Fragments < 1 || s.Text[0] > 3 || s.Wire > math.MaxInt64 {
		return fmt.Errorf("%w: its message is impossible", ErrSnapshot)
	}
	if uint64(len(s.Held)) > uint64(most) {
		return fmt.Errorf("%w: its message is longer than its limit", ErrSnapshot)
	}
	if s.Compressed && r.inflate.Inflated() != len(s.Held) {
		return fmt.Errorf("%w: its compressed message is not what was inflated", ErrSnapshot)
	}
	p.op, p.fragments, p.compressed, p.wire = s.Opcode, s.Fragments, s.Compressed, s.Wire
	p.text = utf8State{s.Text[0], s.Text[1], s.Text[2]}
	if len(s.Held) > 0 || s.Compressed {
		r.move(r.set.memory.take(max(len(s.Held), 1), max(len(s.Held), firstBuffer)))
		p.held.b = append(p.held.b, s.Held...)
	}
	return nil
}

func (r *receiver) restoreFrame(s receiverState) error {
	p := r.part
	h, n := frame.Parse(s.Frame)
	first := h.Opcode.Data() && s.Fragments == 1
	ctx := frame.Context{Role: r.role, RSV: r.rsv(), Fragmented: s.InMessage && !first}
	switch {
	case n != len(s.Frame) || len(s.Head) > 0 || frame.Check(h, ctx) != nil || s.Got >= h.Length:
		return fmt.Errorf("%w: its frame is impossible", ErrSnapshot)
	case h.Opcode.Control() && uint64(len(s.Control)) != s.Got:
		return fmt.Errorf("%w: its control frame is impossible", ErrSnapshot)
	case h.Opcode.Data() && s.Compressed != (h.RSV&frame.RSV1 != 0):
		return fmt.Errorf("%w: its frame is not compressed as its message is", ErrSnapshot)
	case !h.Opcode.Control() && !s.Compressed:
		held, most := uint64(len(s.Held)), uint64(r.set.limits.MessageSize)
		if !s.InMessage || held < s.Got || h.Length-s.Got > most-min(held, most) {
			return fmt.Errorf("%w: its data frame is impossible", ErrSnapshot)
		}
	}
	p.inFrame, p.h, p.got, p.ctlN = true, h, s.Got, copy(p.ctl[:], s.Control)
	return nil
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
