package ws

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// drive reads a stream as a loop does: at first into a buffer that is used again for every turn, and then where the
// receiver has room for the rest of a frame. A turn ends when turn bytes were read.
func (s *story) drive(r *receiver, stream []byte, first, direct, turn int, behind int) {
	shared := make([]byte, first+behind)
	for len(stream) > 0 {
		for i := range shared {
			shared[i] = '!' // what was left there is not to be used any more
		}
		left := turn
		if r.room(direct) == nil {
			n := copy(shared[:first], stream)
			stream, left = stream[n:], left-n
			r.lending = true
			ok := s.chew(r, shared[:n])
			r.lending = false
			if !ok {
				return
			}
		}
		for room := r.room(direct); left > 0 && len(stream) > 0 && room != nil; room = r.room(direct) {
			n := copy(room[:min(len(room), left)], stream)
			stream, left = stream[n:], left-n
			var ev event
			if !s.hear(r.filled(n, &ev), ev) {
				return
			}
		}
		r.settle()
	}
}

// chew feeds what lies in the driver's buffer, in place.
func (s *story) chew(r *receiver, p []byte) bool {
	for len(p) > 0 {
		var ev event
		n, err := r.feed(p, &ev)
		if !s.hear(err, ev) {
			return false
		}
		p = p[n:]
	}
	return true
}

func (s *story) hear(err error, ev event) bool {
	var pe *ProtocolError
	switch {
	case errors.As(err, &pe):
		*s = append(*s, fmt.Sprintf("error %d %v", pe.Code, pe.Err))
	case ev.kind != nothing:
		*s = append(*s, fmt.Sprintf("event %d %v %q %d %q", ev.kind, ev.op, ev.payload, ev.code, ev.reason))
	}
	return err == nil
}

func TestReadingInPlaceChangesNothing(t *testing.T) {
	text := func(n int) string { return strings.Repeat("0123456789é", n/12+1)[:n/12*12] }
	for name, stream := range map[string][]byte{
		"mixed": mixed(),
		"great": join(wire(frame.Text, true, "before"), wire(frame.Text, true, text(3000)), wire(frame.Ping, true, "p"),
			wire(frame.Binary, true, text(500)), wire(frame.Text, true, text(120)), wire(frame.Text, true, text(2000))),
		"fragments": join(wire(frame.Text, false, text(600)), wire(frame.Ping, true, "p"), wire(frame.Continuation, false, text(1200)),
			wire(frame.Continuation, false, ""), wire(frame.Continuation, true, text(700)), wire(frame.Text, true, "after")),
		"broken text": join(wire(frame.Text, false, text(600)), wire(frame.Continuation, true, text(300)+"\xff"+text(900))),
		"too long":    join(wire(frame.Binary, true, text(1200)), wire(frame.Binary, false, text(2400)), wire(frame.Continuation, true, text(2400))),
	} {
		var want story
		want.listen(serverReceiver(Limits{MessageSize: 4096}), stream, len(stream))
		for first := 1; first < 700; first += 1 + first/4 {
			for _, behind := range []int{0, 1, 130, 4096} {
				for _, turn := range []int{30, 1000, 1 << 20} {
					for _, direct := range []int{1, 1000} {
						var got story
						got.drive(serverReceiver(Limits{MessageSize: 4096}), stream, first, direct, turn, behind)
						if !reflect.DeepEqual(got, want) {
							t.Fatalf("%s, %d bytes and %d behind them, %d a turn, in place from %d:\n%q\nat once:\n%q", name, first, behind, turn, direct, got, want)
						}
					}
				}
			}
		}
	}
}

// TestLentMessagesStayOutOfThePool holds the receiver to what it may give away: a loop's buffer is the loop's own.
func TestLentMessagesStayOutOfThePool(t *testing.T) {
	stream := wire(frame.Binary, true, strings.Repeat("x", 1000))
	for _, end := range []string{"delivered", "settled", "forgotten"} {
		r := serverReceiver(Limits{})
		shared := make([]byte, 8+1024) // behind the header there is a size that the pool has
		var ev event
		n := copy(shared, stream[:600])
		r.lending = true
		if _, err := r.feed(shared[:n], &ev); err != nil || !r.part.lent() {
			t.Fatalf("%v, lent: %v", err, r.part.lent())
		}
		r.lending = false
		switch end {
		case "delivered":
			room := r.room(1)
			if err := r.filled(copy(room, stream[n:]), &ev); err != nil || ev.kind != gotMessage || &ev.payload[0] != &shared[n-592] {
				t.Fatalf("%v, %v in place: %v", err, ev.kind, len(ev.payload))
			}
			r.settle()
			r.release()
		case "settled":
			if r.settle(); r.part.lent() || len(r.part.message()) != 592 {
				t.Fatalf("%d bytes, lent: %v", len(r.part.message()), r.part.lent())
			}
		case "forgotten":
			r.set.memory.forget(r.part)
			r.part = nil
		}
		for range 8 {
			if b := r.set.memory.take(1024, 1024).b[:1]; &b[0] == &shared[8] {
				t.Errorf("%s: the pool has the loop's buffer", end)
			}
		}
	}
}
