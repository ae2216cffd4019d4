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
}

// state writes the receiver down. The result shares no memory with it.
func (r *receiver) state() receiverState {
	now := r.now()
	s := receiverState{
		RSV: r.rsv, Head: clone(r.head[:r.headN]), InMessage: r.inMessage, Closed: r.closed,
		Pending: !r.since.IsZero(),
	}
	if r.inFrame {
		s.Frame, s.Got = frame.AppendHeader(nil, r.h), r.got
		if r.h.Opcode.Control() {
			s.Control = clone(r.ctl[:r.ctlN])
		}
	}
	if r.inMessage {
		s.Opcode, s.Fragments, s.Held = r.op, r.fragments, clone(r.msg)
		s.Text = [3]uint8{r.text.need, r.text.lo, r.text.hi}
	}
	if s.Pending {
		s.Age = now.Sub(r.since)
	}
	if ahead := r.rate.Sub(now); !r.rate.IsZero() && ahead > 0 {
		s.Rate = ahead
	}
	return s
}

// restoreReceiver makes a receiver that goes on where s was written. It refuses what no receiver can have written.
func restoreReceiver(role frame.Role, limits Limits, s receiverState) (*receiver, error) {
	r := newReceiver(role, limits)
	now := r.now()
	r.rsv, r.inMessage, r.closed, r.headN = s.RSV, s.InMessage, s.Closed, copy(r.head[:], s.Head)
	if _, n := frame.Parse(s.Head); n > 0 {
		return nil, fmt.Errorf("%w: its header is whole", ErrSnapshot)
	}
	if s.InMessage {
		if !s.Opcode.Data() || s.Fragments < 1 || s.Text[0] > 3 {
			return nil, fmt.Errorf("%w: its message is impossible", ErrSnapshot)
		}
		r.op, r.fragments, r.msg = s.Opcode, s.Fragments, clone(s.Held)
		r.text = utf8State{s.Text[0], s.Text[1], s.Text[2]}
	} else if len(s.Held) > 0 {
		return nil, fmt.Errorf("%w: it holds payload of no message", ErrSnapshot)
	}
	if len(s.Frame) > 0 {
		if err := r.restoreFrame(s); err != nil {
			return nil, err
		}
	}
	if uint64(len(r.msg)) > uint64(limits.MessageSize) {
		return nil, fmt.Errorf("%w: its message is longer than its limit", ErrSnapshot)
	}
	if s.Pending {
		r.since = now.Add(-max(s.Age, 0))
	}
	r.rate = now.Add(min(max(s.Rate, 0), controlWindow))
	return r, nil
}

func (r *receiver) restoreFrame(s receiverState) error {
	h, n := frame.Parse(s.Frame)
	first := h.Opcode.Data() && s.Fragments == 1
	ctx := frame.Context{Role: r.role, RSV: r.rsv, Fragmented: s.InMessage && !first}
	switch {
	case n != len(s.Frame) || len(s.Head) > 0 || frame.Check(h, ctx) != nil || s.Got >= h.Length:
		return fmt.Errorf("%w: its frame is impossible", ErrSnapshot)
	case h.Opcode.Control() && uint64(len(s.Control)) != s.Got:
		return fmt.Errorf("%w: its control frame is impossible", ErrSnapshot)
	case !h.Opcode.Control():
		held := uint64(len(s.Held))
		if !s.InMessage || held < s.Got || held > math.MaxInt64 || h.Length-s.Got > uint64(r.limits.MessageSize)-min(held, uint64(r.limits.MessageSize)) {
			return fmt.Errorf("%w: its data frame is impossible", ErrSnapshot)
		}
	}
	r.inFrame, r.h, r.got, r.ctlN = true, h, s.Got, copy(r.ctl[:], s.Control)
	return nil
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }
