package ws

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// announce is the header of a masked frame of any length, without its payload.
func announce(op frame.Opcode, fin bool, length uint64) []byte {
	return frame.AppendHeader(nil, frame.Header{FIN: fin, Opcode: op, Length: length, Masked: true})
}

// outcome feeds frames and returns the last line of the story, "" for none.
func outcome(r *receiver, frames ...[]byte) string {
	var s story
	b := join(frames...)
	s.listen(r, b, max(len(b), 1))
	if len(s) == 0 {
		return ""
	}
	return s[len(s)-1]
}

func repeat(n int, f []byte) []byte { return []byte(strings.Repeat(string(f), n)) }

// Every limit of the receiver, on its near side and on its far side.
func TestReceiverLimits(t *testing.T) {
	s := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct {
		name   string
		limits Limits
		frames []byte
		want   string // how the last line of the story begins
	}{
		{"message size: at it", Limits{MessageSize: 1000}, wire(frame.Binary, true, s(1000)), "event 1"},
		{"message size: beyond, by the header alone", Limits{MessageSize: 1000}, announce(frame.Binary, true, 1001), "error 1009"},
		{"message size: fragments at it", Limits{MessageSize: 1000}, join(wire(frame.Binary, false, s(600)), wire(frame.Continuation, true, s(400))), "event 1"},
		{"message size: fragments beyond", Limits{MessageSize: 1000}, join(wire(frame.Binary, false, s(600)), announce(frame.Continuation, true, 401)), "error 1009"},
		{"message size: default at it", Limits{}, announce(frame.Binary, true, 4<<20), ""},
		{"message size: default beyond", Limits{}, announce(frame.Binary, true, 4<<20+1), "error 1009"},
		{"message size: 1 GiB", Limits{}, announce(frame.Text, true, 1<<30), "error 1009"},
		{"message size: 2^63-1", Limits{}, announce(frame.Text, true, 1<<63-1), "error 1009"},
		{"message size: 2^63-1 behind a byte", Limits{MessageSize: -1}, join(wire(frame.Binary, false, "x"), announce(frame.Continuation, true, 1<<63-1)), "error 1009"},
		{"message size: 2^63", Limits{}, announce(frame.Text, true, 1<<63), "error 1002"},
		{"message size: 2^64-1", Limits{MessageSize: -1}, announce(frame.Text, true, 1<<64-1), "error 1002"},
		{"message size: off", Limits{MessageSize: -1}, announce(frame.Text, true, 1<<63-1-fragmentCost), ""},
		{"held memory: payload at it", Limits{HeldMemory: 1000}, announce(frame.Binary, true, 1000-fragmentCost), ""},
		{"held memory: payload beyond", Limits{HeldMemory: 1000}, announce(frame.Binary, true, 1001), "error 1009"},
		{"held memory: bookkeeping at it", Limits{HeldMemory: 10 * fragmentCost}, join(wire(frame.Binary, false, ""), repeat(8, wire(frame.Continuation, false, "")), wire(frame.Continuation, true, "")), "event 1"},
		{"held memory: bookkeeping beyond", Limits{HeldMemory: 10 * fragmentCost}, join(wire(frame.Binary, false, ""), repeat(10, wire(frame.Continuation, false, ""))), "error 1008"},
		{"held memory: bookkeeping counts with payload", Limits{HeldMemory: 10 * fragmentCost}, join(wire(frame.Binary, false, "x"), repeat(9, wire(frame.Continuation, false, ""))), "error 1008"},
		{"held memory: a new message starts anew", Limits{HeldMemory: 10 * fragmentCost}, repeat(3, join(wire(frame.Binary, false, ""), repeat(8, wire(frame.Continuation, false, "")), wire(frame.Continuation, true, ""))), "event 1"},
		{"held memory: default at it", Limits{MessageSize: 1000, QueueSize: 4096, Fragments: -1}, join(wire(frame.Binary, false, s(1000)), repeat((1000+4096+256<<10)/fragmentCost-1, wire(frame.Continuation, false, ""))), ""},
		{"held memory: default beyond", Limits{MessageSize: 1000, QueueSize: 4096, Fragments: -1}, join(wire(frame.Binary, false, s(1000)), repeat((1000+4096+256<<10)/fragmentCost, wire(frame.Continuation, false, ""))), "error 1008"},
		{"fragments: at it", Limits{Fragments: 3}, join(wire(frame.Binary, false, ""), wire(frame.Continuation, false, ""), wire(frame.Continuation, true, "")), "event 1"},
		{"fragments: beyond", Limits{Fragments: 3}, join(wire(frame.Binary, false, ""), repeat(3, wire(frame.Continuation, false, ""))), "error 1008"},
		{"fragments: default at it", Limits{}, join(wire(frame.Binary, false, ""), repeat(65534, wire(frame.Continuation, false, "")), wire(frame.Continuation, true, "")), "event 1"},
		{"fragments: default beyond", Limits{}, join(wire(frame.Binary, false, ""), repeat(65536, wire(frame.Continuation, false, ""))), "error 1008"},
		{"fragments: off", Limits{Fragments: -1, HeldMemory: -1}, join(wire(frame.Binary, false, ""), repeat(70000, wire(frame.Continuation, false, ""))), ""},
		{"control rate: burst at it", Limits{ControlRate: 2}, repeat(20, wire(frame.Ping, true, "")), "event 2"},
		{"control rate: burst beyond", Limits{ControlRate: 2}, repeat(21, wire(frame.Ping, true, "")), "error 1008"},
		{"control rate: pongs count", Limits{ControlRate: 2}, join(repeat(20, wire(frame.Pong, true, "")), announce(frame.Pong, true, 5)), "error 1008"},
		{"control rate: a close frame always may", Limits{ControlRate: 2}, join(repeat(20, wire(frame.Ping, true, "")), wire(frame.Close, true, "")), "event 4"},
		{"control rate: default at it", Limits{}, repeat(1000, wire(frame.Ping, true, "")), "event 2"},
		{"control rate: default beyond", Limits{}, repeat(1001, wire(frame.Ping, true, "")), "error 1008"},
		{"control rate: off", Limits{ControlRate: -1}, repeat(5000, wire(frame.Ping, true, "")), "event 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := outcome(serverReceiver(c.limits), c.frames); !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
				t.Errorf("got %.100q, want %q", got, c.want)
			}
		})
	}
}

func TestControlRateRefillsWithTime(t *testing.T) {
	r := serverReceiver(Limits{ControlRate: 2})
	clock := r.set.now()
	r.set.now = func() time.Time { return clock }
	ping := wire(frame.Ping, true, "")
	outcome(r, repeat(20, ping))
	clock = clock.Add(500 * time.Millisecond)
	if got := outcome(r, ping); !strings.HasPrefix(got, "event 2") {
		t.Fatalf("half a second makes room for one of two a second: %s", got)
	}
	if got := outcome(through(t, r), ping); !strings.HasPrefix(got, "error 1008") {
		t.Errorf("and for no second one, also after a restore: %s", got)
	}
	r = serverReceiver(Limits{ControlRate: 2})
	r.set.now = func() time.Time { return clock }
	for range 1000 {
		clock = clock.Add(500 * time.Millisecond)
		if got := outcome(r, ping); !strings.HasPrefix(got, "event 2") {
			t.Fatal(got)
		}
	}
}

// A declared length must not make the receiver hold memory.
func TestDeclaredLengthAllocatesNothing(t *testing.T) {
	for _, first := range []byte{0x82, 0x02} {
		r := serverReceiver(Limits{MessageSize: 1 << 40})
		b := append([]byte{first, 0xFF}, binary.BigEndian.AppendUint64(nil, 1<<39)...)
		b = append(b, make([]byte, 4+100)...)
		if got := outcome(r, b); got != "" {
			t.Fatal(got)
		}
		if len(r.part.message()) != 100 || cap(r.part.message()) > firstBuffer {
			t.Errorf("100 bytes of 512 GiB arrived, %d are held", cap(r.part.message()))
		}
		for range 100 {
			outcome(r, make([]byte, 1000))
			if cap(r.part.message()) > 2*len(r.part.message())+firstBuffer {
				t.Fatalf("%d bytes are held for %d received", cap(r.part.message()), len(r.part.message()))
			}
		}
	}
}

// The buffer of a message in fragments grows ahead of what has arrived, but not beyond what may arrive.
func TestTheBufferStaysWithinTheLimits(t *testing.T) {
	for _, l := range []Limits{{MessageSize: 100000}, {MessageSize: 1 << 20, HeldMemory: 100000}} {
		r := serverReceiver(l)
		outcome(r, wire(frame.Binary, false, strings.Repeat("x", 60000)))
		for range 36 {
			if got := outcome(r, wire(frame.Continuation, false, strings.Repeat("x", 1000))); got != "" || cap(r.part.message()) > 100000 {
				t.Fatalf("%d of at most 100000 bytes are held in %d: %s", len(r.part.message()), cap(r.part.message()), got)
			}
		}
	}
}

func TestLimitsResolve(t *testing.T) {
	const second = time.Second
	if got, want := (Limits{}).resolved(), (Limits{4 << 20, 9<<20 + 256<<10, 65536, 100, 60 * second, 10 * second, 1 << 20, Block, 30 * second, 20 * second, 5 * second, 10 * second}); got != want {
		t.Errorf("defaults are %+v", got)
	}
	const most = 1<<63 - 1
	if got, want := (Limits{-1, -1, -1, -1, -1, -1, -1, CloseSlow, -1, -1, -1, -1}).resolved(), (Limits{most, most, most, -1, 0, 0, most, CloseSlow, 0, 0, 0, 0}); got != want {
		t.Errorf("all off is %+v", got)
	}
	if got := (Limits{MessageSize: most}).resolved().HeldMemory; got != most {
		t.Errorf("held memory is %d for the greatest message", got)
	}
	own := Limits{1, 2, 3, 4, 5, 6, 7, DropOldest, 8, 9, 10, 11}
	if got := own.resolved(); got != own || !got.sound() {
		t.Errorf("own limits became %+v", got)
	}
}
