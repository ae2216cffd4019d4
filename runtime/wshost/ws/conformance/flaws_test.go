package conformance

import (
	"context"
	"encoding/binary"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// whole ends a message and echoes it.
func (e *echoer) whole() bool {
	op, p := e.op, e.message
	e.op, e.message = 0, nil
	if e.squeezed {
		var err error
		raw := p
		if p, err = e.inflate.message(p); err != nil && !e.is("takes what is not DEFLATE") {
			e.fail(1007)
			return false
		}
		if err != nil {
			p = raw
		}
	}
	if e.tooLong(uint64(len(p))) && !e.is("limit: not after inflating") && (e.squeezed || !e.is("limit: each frame alone")) {
		e.refuseLength()
		return false
	}
	if op == frame.Text && (len(e.pending) > 0 || !e.text(p)) {
		e.fail(1007)
		return false
	}
	h := frame.Header{FIN: true, Opcode: op}
	switch {
	case e.is("drops empty messages") && len(p) == 0:
		return true
	case e.is("text for binary") && op == frame.Binary && utf8.Valid(p) && len(p) == 1:
		h.Opcode = frame.Text
	case e.is("loses the last byte of 65536") && len(p) == 65536:
		p = p[:65535]
	case e.is("sizes: 4096 frames") && len(p) == 1<<20 && e.frames == 4096, e.is("sizes: 256 compressed frames") && e.squeezed && len(p) == 4<<20 && e.frames == 256:
		p = p[:len(p)-1]
	case e.is("loses bytes 00") && len(p) == 1000 && p[0] == 0:
		p = nil
	case e.is("stops at final blocks") && e.squeezed && string(p) == "one two three":
		p = p[:8]
	}
	if e.squeezed {
		h.RSV, p = frame.RSV1, e.deflate.compress(p)
	}
	e.send(h, p)
	if e.late != nil {
		e.send(frame.Header{FIN: true, Opcode: frame.Pong}, e.late)
		e.late = nil
	}
	return true
}

// next is the first byte of what has come with the frame at hand, 0 for none.
func (e *echoer) next() byte {
	if e.in.Buffered() == 0 {
		return 0
	}
	b, _ := e.in.Peek(1) // it is there
	return b[0]
}

func (e *echoer) control(h frame.Header, p []byte) bool {
	switch h.Opcode {
	case frame.Pong:
		if e.is("answers pongs") {
			e.send(frame.Header{FIN: true, Opcode: frame.Ping}, p)
			e.send(frame.Header{FIN: true, Opcode: frame.Pong}, p)
		}
		return true
	case frame.Ping:
		switch {
		case e.is("no pongs"):
			return true
		case e.is("no pong to a ping before a close frame") && e.next() == 0x88:
			return true
		case e.is("pongs after the next message") && e.next() == 0x81:
			e.late = p
			return true
		case e.is("empty pongs"):
			p = nil
		case e.is("pongs after the message") && e.op != 0:
			e.late = p
			return true
		}
		e.send(frame.Header{FIN: true, Opcode: frame.Pong}, p)
		return true
	}
	return e.close(p)
}

// close answers a close frame.
func (e *echoer) close(p []byte) bool {
	switch {
	case e.is("no close frame"):
		return false
	case e.is("ignores close frames"):
		return true
	case len(p) == 1 && e.is("half a close code"):
		p = nil
	case len(p) == 1:
		e.fail(1002)
		return false
	case len(p) >= 2:
		code := binary.BigEndian.Uint16(p)
		if !onWire(code) && !(e.is("code 5000") && code >= 5000) && !(e.is("code 1005") && code == 1005) && !e.is("any code") {
			e.fail(1002)
			return false
		}
		if !utf8.Valid(p[2:]) && !e.is("any reason") {
			e.fail(1007)
			return false
		}
		if e.is("answers 1000 to all") {
			p = binary.BigEndian.AppendUint16(nil, 1000)
		}
		if e.is("refuses 1012") && code >= 1012 && code <= 1014 {
			e.fail(1002)
			return false
		}
	}
	e.send(frame.Header{FIN: true, Opcode: frame.Close}, p)
	return e.is("goes on after the close frame")
}

// judged runs the suite against a server with a flaw.
func judged(t *testing.T, flaw, match string, patience time.Duration, concurrency int) *Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	r, err := Run(ctx, Options{
		URL: flawed{flaw}.start(t), Match: match, Concurrency: concurrency, Deadline: 6 * patience, Patience: patience, once: true,
		MessageSize: flawed{flaw}.limit() % maxMessage, // unknown, but for those that are about it
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ids(r *Report, outcomes ...Outcome) (list []string) {
	for _, res := range r.Results {
		if slices.Contains(outcomes, res.Outcome) {
			list = append(list, res.ID+" "+res.Group+": "+res.Title)
		}
	}
	return list
}

func TestFlawlessServer(t *testing.T) {
	match := "!MiB,!limits"
	if UnderRace {
		match += ",!repeats at all distances" // with its million steps for each message
	}
	r := judged(t, "", match, 5*time.Second, 8)
	for _, res := range r.Results {
		if res.Outcome != OK && res.Outcome != Informational {
			t.Errorf("%s %s: %s, expected %v, seen %q", res.Outcome, res.ID, res.Title, res.Expected, res.Seen)
		}
	}
	if again := judged(t, "", match, 5*time.Second, 8); !slices.Equal(ids(again, OK), ids(r, OK)) {
		t.Error("a second run differs")
	}
}

// flaw is what a server gets wrong, and the cases that must notice: of those that are run, these and no others.
type flaw struct{ name, run, notice string }

func flaws() []flaw {
	const (
		opening = "opening handshake"
		frames  = "framing,echo,fragmentation,control frames,reserved,masking,!MiB"
		control = "fragmentation,control frames,pings and,!limits,6455-5.6-10?,6455-5.4-50"
		closes  = "closing handshake"
		text    = "UTF-8,6455-8.1-*"
		deflate = "deflate,6455-8.1-23?,!bomb"
		late    = "|noticed before"
	)
	single := `(frame|message) of 1 byte|payload in the (middle|last) frame|after a whole message|, 1 byte$`
	return []flaw{
		{"no close frame", "!limits,!MiB", ""},
		{"any version", opening, `Version|for its version`},
		{"no version list", opening, `Version`},
		{"no key needed", opening, `Keys?( |$)|for its key`},
		{"any method", opening, `method`},
		{"HTTP/1.0", opening, `HTTP/1\.0`},
		{"no host", opening, `without Host`},
		{"any upgrade", opening, `"Upgrade: (h2c|websockets)"|without Upgrade`},
		{"any connection", opening, `"Connection: (keep-alive|not-upgrade)"|without Connection`},
		{"runs the request behind a refusal", opening, `method|HTTP/1\.0|without Host|Keys?( |$)|Version|a second request|malformed extensions ("=|"a|"rolemgr)|a body`},
		{"invents a subprotocol", opening, `subprotocol`},
		{"takes unknown extensions", opening, `an extension that no server knows`},
		{"masks its frames", frames, single},
		{"sets RSV3", frames, single},
		{"sends a reserved opcode", frames, single},
		{"writes long lengths", frames, single},
		{"reserved bits", frames, `reserved bits: `},
		{"reserved opcodes", frames, `reserved opcodes: `},
		{"unmasked frames", frames, `masking: (frame masked by|masking wrong)`},
		{"fragmented control frames", frames, `control frames: unfinished (ping|close|pong( inside|$))`},
		{"long control frames", frames, `control frames: (ping|pong|close) of (126|65536) bytes`},
		{"stray continuations", frames, `fragmentation: continuation (without|after)`},
		{"messages inside messages", frames, `fragmentation: new `},
		{"long lengths", frames, `not in its shortest form|its length in [28] bytes`},
		{"lengths of 2^63", frames, `most significant|64 ones`},
		{"drops empty messages", frames, `(frame|message) of 0 bytes|empty frames$|in turn`},
		{"loses the last byte of 65536", frames, `(frame|message) of 65536`},
		{"loses bytes 00", frames, `bytes 0x00`},
		{"text for binary", frames, `binary message with its payload in`},
		{"no pongs", control, `: (empty )?pings? (of 125|with|between)|ten pings|pings between|then a ping with|ping in the gap|ping inside a compressed`},
		{"empty pongs", control, `: pings? (of 125|with [^n]|between)|ten pings|pings between|then a ping with|ping in the gap|ping inside a compressed`},
		{"answers pongs", control, `: pong of 125|unsolicited`},
		{"pongs after the message", control, `: (empty )?pings? between|ping in the gap|ping inside a compressed`},
		{"text: anything", text, `: invalid|compressed text|broken|half a character at`},
		{"text: surrogates", text, `: invalid: (surrogate|pair)|compressed text` + late},
		{"text: overlong", text, `: invalid: overlong .* in [234]` + late},
		{"text: beyond Unicode", text, `: invalid: U\+1` + late},
		{"text: cut at the end", text, `: invalid: message that ends|half a character at` + late},
		{"fails without a close frame", closes, `which must not|half a status|not UTF-8|124`},
		{"fails with 1000", closes, `which must not|half a status|not UTF-8|124`},
		{"ignores close frames", "6455-7.1.1-*", `.`},
		{"leaves the line open", "6455-7.1.1-*", `.`},
		{"goes on after the close frame", "6455-7.1.1-*", `.`},
		{"half a close code", closes, `half a status`},
		{"code 5000", closes, `code (5\d\d\d|\d{5})`},
		{"code 1005", closes, `code 1005`},
		{"any code", closes, `which must not`},
		{"any reason", closes, `not UTF-8`},
		{"answers 1000 to all", closes, `code (100[1-9]|101|[34])\d*, which may`},
		{"refuses 1012", closes, `code 101[234],`},
		{"takes any offer", deflate, `impossible offer`},
		{"forgets server_no_context_takeover", deflate, `terms.*server_no_context`},
		{"forgets server_max_window_bits", deflate, `terms.*server_max_window`},
		{"client_max_window_bits unasked", deflate, `terms "permessage-deflate"|possible ones second`},
		{"window too large", deflate, `terms.*server_max_window_bits=("|\\"|[89]|1[0-4])`},
		{"takeover in spite of the terms", deflate, `terms "permessage-deflate; server_no_context_takeover(; client_no_context_takeover)?"|; server_no_context.* together`},
		{"forgets the inbound window", deflate, `terms "permessage-deflate(; (server_max_window_bits=[^;]*|server_no_context_takeover|client_max_window_bits(=1[345])?))?"|permessage-deflate(; server_no_context_takeover)?; server_max_window_bits=\d+; client_max_window_bits=\d+" together|` +
			`in turn|look back|: (one block in the fixed code|a stored block|a block marked as final|two blocks|a hundred empty blocks), twice|into the message before`},
		{"reserved bits", deflate, `with compression agreed|RSV1 on`},
		{"takes what is not DEFLATE", deflate, `not DEFLATE`},
		{"reserved bits on compressed lines", deflate, `on a binary message that is good`},
		{"window too large without takeover", deflate, `server_no_context_takeover; .*server_max_window_bits=([89]|1[0-4])`},
		{"fragmented pongs", "control frames", `unfinished pong`},
		{"stops at final blocks", deflate, `a final one`},
		{"RSV1 on control frames", deflate, `RSV1 on a (ping|pong|close)`},
		{"RSV1 on continuations", deflate, `RSV1 on a continuation`},
	}
}

// TestFlawsAreNoticed holds each flaw to the cases that notice it, and each case to be noticed by one flaw at least: a
// case that cannot fail says nothing.
func TestFlawsAreNoticed(t *testing.T) {
	if testing.Short() || UnderRace {
		t.Skip("waits for what broken servers never send; make test runs it without the race detector, too")
	}
	var mu sync.Mutex
	noticed := map[string]bool{}
	var wg sync.WaitGroup
	turn := make(chan struct{}, 6) // they wait more than they work: more at once than t.Parallel allows
	for _, f := range append(flaws(), moreFlaws()...) {
		wg.Go(func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			t.Run(f.name, func(t *testing.T) {
				for _, id := range f.judge(t) {
					mu.Lock()
					noticed[id] = true
					mu.Unlock()
				}
			})
		})
	}
	wg.Wait()
	cases, err := Choose(Server, "!MiB,!limits,!bomb")
	if err != nil {
		t.Fatal(err)
	}
	// The flawed server reads requests with net/http, which refuses these two before the flaw can see them.
	noticed["6455-4.2.1-14"], noticed["6455-9.1-06"] = true, true
	for _, c := range cases {
		if informational := c.Expects()[0].Outcome == Informational; !noticed[c.ID] && !informational {
			t.Errorf("no flaw makes %s fail: %s", c.ID, c.Title)
		}
	}
}

// judge runs the suite and returns the ids of the cases that noticed the flaw. A flaw without a pattern spoils nearly
// everything. Broken servers keep a case waiting, so little patience is had with them; what should not have noticed is
// asked again with much, for a busy machine is as slow as a broken server.
func (f flaw) judge(t *testing.T) (noticed []string) {
	r := judged(t, f.name, f.run, 700*time.Millisecond, 32)
	notice := regexp.MustCompile(f.notice)
	var doubtful []string
	for _, name := range ids(r, Failed, NonStrict) {
		id := strings.Fields(name)[0]
		if f.notice != "" && !notice.MatchString(name) {
			doubtful = append(doubtful, id)
			continue
		}
		noticed = append(noticed, id)
	}
	if len(doubtful) > 0 {
		for _, name := range ids(judged(t, f.name, strings.Join(doubtful, ","), 10*time.Second, 2), Failed, NonStrict) {
			t.Errorf("should not have noticed: %s", name)
		}
	}
	for _, name := range ids(r, OK) {
		if f.notice != "" && notice.MatchString(name) {
			t.Errorf("should have noticed: %s", name)
		}
	}
	if len(noticed) == 0 {
		t.Error("no case has noticed it")
	}
	return noticed
}
