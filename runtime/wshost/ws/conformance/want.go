package conformance

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

type eventKind uint8

const (
	evMessage eventKind = 1 // a whole message
	evPing    eventKind = 2 // a ping of the peer's own; it is answered and not judged
	evPong    eventKind = 3
	evClose   eventKind = 4  // a close frame
	evGone    eventKind = 5  // the line was closed, in whatever way
	evBreach  eventKind = 6  // the peer itself broke a rule
	evHeld    eventKind = 7  // a pause passed and nothing happened
	evOpen    eventKind = 8  // the closing handshake is over and the line is still open
	evSilence eventKind = 9  // the deadline passed
	evSkip    eventKind = 10 // the case does not apply on the terms agreed
	evFull    eventKind = 11 // the peer takes no more bytes
	evTaken   eventKind = 12 // the peer has taken everything
)

// event is what was seen. Of payloads only a digest is kept.
type event struct {
	kind   eventKind
	op     frame.Opcode
	size   int
	sum    [sha256.Size]byte
	head   []byte // of the payload, for people
	code   uint16 // 1005 for a close frame without one
	reason string // of a close frame; what was broken
}

// answer reports whether e is something that a script waits for.
func (e event) answer() bool { return e.kind == evMessage || e.kind == evPong || e.kind == evClose }

// ends reports whether the connection is over for the peer.
func (e event) ends() bool {
	return e.kind == evClose || e.kind == evGone || e.kind == evBreach || e.kind == evSkip
}

func (e event) String() string {
	switch e.kind {
	case evMessage:
		return fmt.Sprintf("%s message of %s%s", opName(e.op), size(e.size), e.shown())
	case evPing:
		return "ping" + e.shown()
	case evPong:
		return "pong" + e.shown()
	case evClose:
		if e.reason != "" {
			return fmt.Sprintf("close %d %+q", e.code, e.reason)
		}
		if e.code == 1005 {
			return "close without a code"
		}
		return fmt.Sprintf("close %d", e.code)
	case evGone:
		return "line closed"
	case evBreach:
		return "breach by the peer: " + e.reason
	case evHeld:
		return "nothing for a moment"
	case evOpen:
		return "line left open"
	case evSkip:
		return "the terms agreed do not allow it"
	case evFull:
		return "the peer stops reading"
	case evTaken:
		return "the peer takes it all"
	}
	return "nothing until the deadline"
}

func (e event) shown() string {
	switch {
	case len(e.head) == 0:
		return ""
	case e.size > len(e.head):
		return fmt.Sprintf(" %+q...", e.head)
	}
	return fmt.Sprintf(" %+q", e.head)
}

// digest fills in what is kept of a payload.
func (e event) digest(p []byte) event {
	e.size, e.sum, e.head = len(p), sha256.Sum256(p), slices.Clone(p[:min(len(p), 24)])
	return e
}

// want is one event that is expected.
type want struct {
	about string
	is    func(event) bool
}

// echo is a message with that payload.
func echo(op frame.Opcode, b body) want {
	about := b.about
	if b.make == nil {
		about = "nothing"
	}
	sum := digestOf(b)
	return want{fmt.Sprintf("%s message: %s", opName(op), about), func(e event) bool {
		return e.kind == evMessage && e.op == op && e.sum == sum()
	}}
}

// pong is a pong with that payload.
func pong(b body) want {
	about := "pong"
	if b.make != nil {
		about += ": " + b.about
	}
	sum := digestOf(b)
	return want{about, func(e event) bool { return e.kind == evPong && e.sum == sum() }}
}

// digestOf computes the digest of a payload when it is needed, once.
func digestOf(b body) func() [sha256.Size]byte {
	return sync.OnceValue(func() [sha256.Size]byte { return sha256.Sum256(b.bytes()) })
}

// closed is a close frame with one of the codes, with any when none is given.
func closed(codes ...uint16) want {
	about := "any close frame"
	var names []string
	for _, c := range codes {
		names = append(names, fmt.Sprint(c))
	}
	if len(codes) > 0 {
		about = "close " + strings.ReplaceAll(strings.Join(names, " or "), "1005", "without a code")
	}
	return want{about, func(e event) bool {
		return e.kind == evClose && (len(codes) == 0 || slices.Contains(codes, e.code))
	}}
}

// closedFor is a close frame with that code and reason.
func closedFor(code uint16, reason string) want {
	return want{fmt.Sprintf("close %d with the same reason", code), func(e event) bool {
		return e.kind == evClose && e.code == code && e.reason == reason
	}}
}

func gone() want { return is(evGone) }
func held() want { return is(evHeld) }
func open() want { return is(evOpen) }

func is(k eventKind) want {
	return want{event{kind: k}.String(), func(e event) bool { return e.kind == k }}
}

// alternative is a behaviour and what it means.
type alternative struct {
	outcome Outcome
	events  []want
	newest  bool // of pongs in a row only the last one counts (RFC 6455, section 5.5.3)
}

func (a alternative) String() string {
	var s []string
	for _, w := range a.events {
		s = append(s, w.about)
	}
	if len(s) > 8 {
		s = append(append(s[:3:3], fmt.Sprintf("... %d events in all", len(s))), s[len(s)-2:]...)
	}
	return strings.Join(s, ", then ")
}

func (a alternative) matches(seen []event) bool {
	if a.newest {
		var kept []event
		for i, e := range seen {
			if e.kind != evPong || i+1 == len(seen) || seen[i+1].kind != evPong {
				kept = append(kept, e)
			}
		}
		seen = kept
	}
	if len(seen) != len(a.events) {
		return false
	}
	for i, w := range a.events {
		if !w.is(seen[i]) {
			return false
		}
	}
	return true
}

// judge returns the outcome of the first alternative that describes what was seen.
func judge(alternatives []alternative, seen []event) Outcome {
	seen = slices.DeleteFunc(slices.Clone(seen), func(e event) bool { return e.kind == evPing })
	for _, a := range alternatives {
		if a.matches(seen) {
			return a.outcome
		}
	}
	return Failed
}

// either is one alternative.
func either(o Outcome, events ...want) alternative { return alternative{outcome: o, events: events} }

// exactly expects these events and no other. A line left open after the closing handshake is not strict.
func exactly(events []want) []alternative {
	out := []alternative{{outcome: OK, events: events}}
	if n := len(events); n > 0 && events[n-1].about == gone().about {
		out = append(out, either(NonStrict, append(slices.Clone(events[:n-1]), open())...))
	}
	return out
}

// fails expects the connection to be failed with code, after the events that came before. RFC 6455, section 7.1.7
// recommends a close frame and does not demand it.
func fails(code uint16, before ...want) []alternative { return failsWith([]uint16{code}, before...) }

func failsWith(codes []uint16, before ...want) []alternative {
	with := func(events ...want) []want { return append(slices.Clone(before), events...) }
	out := []alternative{
		either(OK, with(closed(codes...), gone())...),
		either(NonStrict, with(closed(codes...), open())...),
		either(NonStrict, with(closed(), gone())...),
		either(NonStrict, with(gone())...),
	}
	if len(before) > 0 {
		out = append(out, either(NonStrict, closed(codes...), gone()), either(NonStrict, gone()))
	}
	return out
}

// late is a breach that was noticed after something else had happened first.
func late(code uint16, first want) []alternative {
	return []alternative{
		either(NonStrict, first, closed(code), gone()), either(NonStrict, first, closed(code), open()),
		either(NonStrict, first, closed(), gone()), either(NonStrict, first, gone()),
	}
}
