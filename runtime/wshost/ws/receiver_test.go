package ws

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// wire makes a frame as a client sends it.
func wire(op frame.Opcode, fin bool, payload string) []byte {
	h := frame.Header{FIN: fin, Opcode: op, Length: uint64(len(payload)), Masked: true, Key: [4]byte{0xA1, 0xB2, 0xC3, 0xD4}}
	b := append(frame.AppendHeader(nil, h), payload...)
	frame.Mask(h.Key, 0, b[len(b)-len(payload):])
	return b
}

func join(frames ...[]byte) (all []byte) {
	for _, f := range frames {
		all = append(all, f...)
	}
	return all
}

// story is what a receiver made of a stream, in words that can be compared.
type story []string

// listen feeds p to r, at most step bytes at a time, and adds to the story. It returns false after an error.
func (s *story) listen(r *receiver, p []byte, step int) bool {
	p = append([]byte(nil), p...) // feed may change it
	for len(p) > 0 {
		piece := p[:min(step, len(p))]
		var ev event
		n, err := r.feed(piece, &ev)
		if err != nil {
			var pe *ProtocolError
			if !errors.As(err, &pe) {
				panic(err)
			}
			*s = append(*s, fmt.Sprintf("error %d %v", pe.Code, pe.Err))
			return false
		}
		if ev.kind != nothing {
			*s = append(*s, fmt.Sprintf("event %d %v %q %d %q", ev.kind, ev.op, ev.payload, ev.code, ev.reason))
		} else if n != len(piece) {
			panic("no event and bytes left over")
		}
		p = p[n:]
	}
	return true
}

func serverReceiver(l Limits) *receiver {
	r := newReceiver(frame.Server, newSettings(l.resolved(), newMemory()))
	clock := time.Unix(1e9, 0)
	r.set.now = func() time.Time { return clock }
	r.set.start = clock
	return r
}

// through writes r down as JSON, reads it back and makes a new receiver of it.
func through(t testing.TB, r *receiver) *receiver {
	t.Helper()
	b, err := json.Marshal(r.state())
	if err != nil {
		t.Fatal(err)
	}
	var s receiverState
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	again, err := restoreReceiver(r.role, r.set, nil, s)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if !reflect.DeepEqual(again.state(), r.state()) {
		t.Fatalf("%+v became %+v", r.state(), again.state())
	}
	return again
}

// mixed is a stream with everything in it: interleaved control frames, empty fragments, characters torn between
// frames, all three forms of length.
func mixed() []byte {
	euro := "\xe2\x82\xac"
	return join(
		wire(frame.Text, true, "hello"), wire(frame.Binary, true, ""), wire(frame.Ping, true, ""),
		wire(frame.Text, false, "caf\xc3"), wire(frame.Ping, true, "in between"), wire(frame.Continuation, false, "\xa9 "+euro[:1]),
		wire(frame.Continuation, false, ""), wire(frame.Pong, true, "unasked"), wire(frame.Continuation, false, euro[1:2]),
		wire(frame.Continuation, true, euro[2:]+"\xf0\x9f\x98\x80"),
		wire(frame.Binary, true, strings.Repeat("\x00\xff", 63)), wire(frame.Text, true, strings.Repeat("\u00e9", 200)),
		wire(frame.Binary, false, strings.Repeat("b", 130)), wire(frame.Continuation, true, ""),
		wire(frame.Ping, true, strings.Repeat("p", 125)), wire(frame.Text, false, ""), wire(frame.Continuation, true, ""),
		wire(frame.Close, true, "\x03\xe9going"), wire(frame.Text, true, "after the end"), []byte("and no frame at all"),
	)
}

func TestReceiverUnderstandsAMixedStream(t *testing.T) {
	var got story
	got.listen(serverReceiver(Limits{}), mixed(), 1<<20)
	want := story{
		`event 1 text "hello" 0 ""`, `event 1 binary "" 0 ""`, `event 2 continuation "" 0 ""`,
		`event 2 continuation "in between" 0 ""`, `event 3 continuation "unasked" 0 ""`, `event 1 text "café €😀" 0 ""`,
		fmt.Sprintf("event 1 binary %q 0 \"\"", strings.Repeat("\x00\xff", 63)), fmt.Sprintf("event 1 text %q 0 \"\"", strings.Repeat("é", 200)),
		fmt.Sprintf("event 1 binary %q 0 \"\"", strings.Repeat("b", 130)), fmt.Sprintf("event 2 continuation %q 0 \"\"", strings.Repeat("p", 125)),
		`event 1 text "" 0 ""`, `event 4 continuation "" 1001 "going"`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestChunkingChangesNothing(t *testing.T) {
	for _, stream := range [][]byte{
		mixed(),
		join(wire(frame.Text, false, "abc"), wire(frame.Continuation, false, "\xe2\x82"), wire(frame.Ping, true, "x"), wire(frame.Continuation, true, "x")),
		join(wire(frame.Text, true, "ok"), wire(frame.Text, false, "frag"), wire(frame.Text, true, "again")),
		join(wire(frame.Close, true, "\x03\xe8\xff")),
	} {
		var whole story
		whole.listen(serverReceiver(Limits{}), stream, len(stream))
		for step := 1; step < 40; step++ {
			var got story
			got.listen(serverReceiver(Limits{}), stream, step)
			if !reflect.DeepEqual(got, whole) {
				t.Fatalf("%d bytes at a time:\n%q\nat once:\n%q", step, got, whole)
			}
		}
	}
}

func TestRestoreAtEveryByte(t *testing.T) {
	stream := mixed()
	var whole story
	whole.listen(serverReceiver(Limits{}), stream, len(stream))
	for cut := range len(stream) + 1 {
		for _, step := range []int{1, 7, len(stream)} {
			var got story
			r := serverReceiver(Limits{})
			got.listen(r, stream[:cut], step)
			got.listen(through(t, r), stream[cut:], step)
			if !reflect.DeepEqual(got, whole) {
				t.Fatalf("cut at %d, %d at a time:\n%q\nuncut:\n%q", cut, step, got, whole)
			}
		}
	}
	long := join(wire(frame.Text, false, "start"), wire(frame.Continuation, true, strings.Repeat("é", 40000)))
	whole = nil
	whole.listen(serverReceiver(Limits{}), long, len(long))
	for _, cut := range []int{11, 12, 13, 19, 20, 21, 24, 25, 26, 27, 40000, 65536, len(long) - 1} {
		var got story
		r := serverReceiver(Limits{})
		got.listen(r, long[:cut], 4096)
		got.listen(through(t, r), long[cut:], 4096)
		if !reflect.DeepEqual(got, whole) {
			t.Fatalf("long frame cut at %d gives another message", cut)
		}
	}
}

func TestUTF8FailsAtTheFirstImpossibleByte(t *testing.T) {
	for _, c := range []struct {
		frames []string // fragments of one text; the last byte sent is the impossible one
		rest   bool     // whether the frame promises more than is sent
	}{
		{[]string{"\xff"}, true}, {[]string{"ok\x80"}, true}, {[]string{"\xc0"}, true}, {[]string{"\xe0\x9f"}, true},
		{[]string{"\xed\xa0"}, true}, {[]string{"\xf4\x90"}, true}, {[]string{"\xf5"}, true}, {[]string{"\xe2\x82", "A"}, true},
		{[]string{"\xe2", "", "\xff"}, true}, {[]string{strings.Repeat("plain text ", 30) + "\xf0\x8f"}, true},
		{[]string{"ends early \xe2\x82"}, false}, {[]string{"\xf0\x9f\x98", ""}, false},
	} {
		var stream []byte
		for i, text := range c.frames {
			op, last := frame.Continuation, i == len(c.frames)-1
			if i == 0 {
				op = frame.Text
			}
			b := wire(op, last, text)
			if last && c.rest {
				const unsent = "this is promised and never sent"
				b = wire(op, true, text+unsent)
				b = b[:len(b)-len(unsent)]
			}
			stream = append(stream, b...)
		}
		r := serverReceiver(Limits{})
		var got story
		end := len(stream) - 1
		if !got.listen(r, stream[:end], end) || len(got) != 0 {
			t.Errorf("%q: too early: %q", c.frames, got)
		}
		if got.listen(r, stream[end:], 1); len(got) != 1 || !strings.HasPrefix(got[0], "error 1007 ") {
			t.Errorf("%q: %q", c.frames, got)
		}
	}
}

func TestRulesReachTheReceiver(t *testing.T) {
	unmasked := frame.AppendHeader(nil, frame.Header{FIN: true, Opcode: frame.Text})
	for name, b := range map[string][]byte{
		"unmasked":             unmasked,
		"continuation":         wire(frame.Continuation, true, ""),
		"reserved bit":         append([]byte{0xC1}, wire(frame.Text, true, "")[1:]...),
		"message in a message": join(wire(frame.Text, false, "a"), wire(frame.Binary, true, "")),
		"close with one byte":  wire(frame.Close, true, "x"),
		"close with 1005":      wire(frame.Close, true, "\x03\xed"),
		"close with 2999":      wire(frame.Close, true, "\x0b\xb7"),
		"close with 999":       wire(frame.Close, true, "\x03\xe7"),
		"close with 5000":      wire(frame.Close, true, "\x13\x88"),
	} {
		var got story
		got.listen(serverReceiver(Limits{}), b, 1)
		if len(got) != 1 || !strings.HasPrefix(got[0], "error 1002 ") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
