package ws

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// FuzzReceiver: the same bytes mean the same however they are cut, and also when the receiver is written down and
// read back in between. What is held never outgrows what the limits allow.
func FuzzReceiver(f *testing.F) {
	f.Add(mixed(), uint64(1), true)
	f.Add(join(wire(frame.Text, false, "\xe2"), wire(frame.Continuation, true, "\x82\xac")), uint64(2), true)
	f.Add(join(wire(frame.Binary, true, "0123456789012345678901234567890123456789")), uint64(3), true)
	f.Add([]byte("\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"), uint64(4), false)
	f.Add([]byte("\x01\x03abc\x80\x02de\x89\x00\x88\x02\x03\xe8"), uint64(5), false)
	f.Fuzz(func(t *testing.T, b []byte, seed uint64, server bool) {
		limits := Limits{MessageSize: 300, HeldMemory: 700, Fragments: 6, ControlRate: 1}
		fresh := func() *receiver {
			r := serverReceiver(limits)
			if !server {
				r.role = frame.Client
			}
			return r
		}
		var whole, cut, restored story
		whole.listen(fresh(), b, len(b))
		rng := rand.New(rand.NewPCG(seed, 0))
		r1, r2 := fresh(), fresh()
		for rest := b; len(rest) > 0; {
			n := 1 + rng.IntN(min(len(rest), 40))
			ok1, ok2 := cut.listen(r1, rest[:n], n), restored.listen(r2, rest[:n], 1+rng.IntN(n))
			if ok1 != ok2 {
				t.Fatalf("%q and %q", cut, restored)
			}
			if !ok1 {
				break
			}
			if cap(r1.part.message()) > firstBuffer+2*300 {
				t.Fatalf("%d bytes are held for a limit of 300", cap(r1.part.message()))
			}
			rest = rest[n:]
			if rng.IntN(3) == 0 {
				r2 = through(t, r2)
			}
		}
		if !reflect.DeepEqual(cut, whole) || !reflect.DeepEqual(restored, whole) {
			t.Fatalf("%x\nwhole    %q\ncut      %q\nrestored %q", b, whole, cut, restored)
		}
	})
}

// FuzzRestore: a snapshot that comes from anywhere is refused or makes a receiver that works.
func FuzzRestore(f *testing.F) {
	f.Add([]byte{0x81}, []byte(nil), uint64(0), false, byte(0), 0, []byte(nil), []byte(nil), byte(0))
	f.Add([]byte(nil), []byte("\x81\x85abcd"), uint64(2), true, byte(1), 1, []byte("he"), []byte(nil), byte(0))
	f.Add([]byte(nil), []byte("\x89\x85abcd"), uint64(2), false, byte(0), 0, []byte(nil), []byte("he"), byte(0))
	f.Fuzz(func(t *testing.T, head, fr []byte, got uint64, in bool, op byte, fragments int, held, control []byte, need byte) {
		s := receiverState{
			Head: head, Frame: fr, Got: got, InMessage: in, Opcode: frame.Opcode(op), Fragments: fragments, Held: held,
			Control: control, Text: [3]uint8{need, 0x80, 0xBF},
		}
		r, err := restoreReceiver(frame.Server, newSettings(Limits{MessageSize: 1000}.resolved(), newMemory()), nil, s)
		if err != nil {
			return
		}
		var told story
		told.listen(r, mixed(), 3)
	})
}
