package conformance

import (
	"io"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// flawedLimit is the limit of servers whose flaw is about it, and of the one without a flaw.
const flawedLimit = 300_000

func (f flawed) limit() int {
	if f.is("") || strings.HasPrefix(f.flaw, "limit: ") {
		return flawedLimit
	}
	return maxMessage
}

// tooLong reports whether a message of n bytes is refused.
func (f flawed) tooLong(n uint64) bool {
	limit := uint64(f.limit())
	switch f.flaw {
	case "limit: a byte early":
		limit--
	case "limit: a byte late":
		limit++
	case "limit: none":
		limit = maxMessage
	}
	return n > limit
}

// fits looks at a header before the payload is read, and refuses a message that has become too long.
func (e *echoer) fits(h frame.Header) bool {
	n := h.Length
	if h.Opcode == frame.Continuation && !e.is("limit: each frame alone") {
		n += uint64(len(e.message))
	}
	if !e.tooLong(n) {
		return true
	}
	if e.is("limit: seen after the payload") {
		_, _ = io.CopyN(io.Discard, e.in, int64(h.Length))
	}
	e.refuseLength()
	return false
}

func (e *echoer) refuseLength() {
	if e.is("limit: told with 1011") {
		e.fail(1011)
		return
	}
	e.fail(1009)
}

// moreFlaws are the flaws about limits, sizes and the order of answers.
func moreFlaws() []flaw {
	return []flaw{
		{"no pong to a ping before a close frame", "pings and", `: ping with a close frame`},
		{"pongs after the next message", "pings and", `: ping with a message`},
		{"limit: none", "known limit", `more than|passes|32 times`},
		{"limit: a byte early", "known limit", `as long as|as much as`},
		{"limit: a byte late", "known limit", `a byte more|passes`},
		{"limit: each frame alone", "known limit", `: message of a byte more than the limit, in 7|passes the limit`},
		{"limit: not after inflating", "known limit", `compressed message that holds (a byte|32)`},
		{"limit: seen after the payload", "known limit", `before its payload`},
		{"limit: told with 1011", "known limit", `more than|passes|32 times`},
		{"sizes: 4096 frames", "1 MiB in frames", `frames of 256 bytes`},
		{"sizes: 256 compressed frames", "compressed text message of", `4 MiB in 256 frames`},
	}
}
