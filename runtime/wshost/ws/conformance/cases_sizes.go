package conformance

import (
	"fmt"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// sizes are messages up to 16 MiB, whole, in frames and in chops of many sizes. An endpoint may find them too big.
func sizes(d *deck) {
	d.group = "sizes"
	try := func(section, title string, script []step, e want) *Case {
		c := d.good(section, title, script, e)
		c.want = append(c.want, tooBig()...)
		return c
	}
	for _, n := range []int{4 << 20, 16 << 20} {
		b := words(n)
		try("6455-5.6", "text message of "+size(n), one(fr{op: frame.Text, body: b}), echo(frame.Text, b))
	}
	inFrames := func(op frame.Opcode, n, each int) {
		b := words(n)
		try("6455-5.4", fmt.Sprintf("%s message of %s in frames of %s", opName(op), size(n), size(each)),
			[]step{flood{n / each, fragment(op, b, n/each)}}, echo(op, b))
	}
	for _, each := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10} {
		inFrames(frame.Text, 1<<20, each)
		inFrames(frame.Binary, 1<<20, each)
	}
	for _, each := range []int{256, 4 << 10, 64 << 10, 1 << 20} {
		inFrames(frame.Text, 16<<20, each)
	}
	for _, c := range []struct{ n, chop int }{
		{1 << 20, 64}, {1 << 20, 128}, {1 << 20, 256}, {1 << 20, 512}, {1 << 20, 1024}, {1 << 20, 2048},
		{4 << 20, 4095}, {8 << 20, 8192}, {16 << 20, 4096}, {16 << 20, 32767}, {16 << 20, 65536},
	} {
		b := words(c.n)
		try("6455-5.2", fmt.Sprintf("text frame of %s in chops of %s", size(c.n), size(c.chop)),
			[]step{send{c.chop, []fr{{op: frame.Text, body: b}}}}, echo(frame.Text, b))
	}
	for _, n := range []int{4 << 20, 16 << 20} {
		for _, frames := range []int{1, 256} {
			b := words(n)
			try("7692-7.2", fmt.Sprintf("compressed text message of %s in %d frames", size(n), frames),
				[]step{squeeze{op: frame.Text, body: b, frames: frames}}, echo(frame.Text, b)).deflate = asBrowsers()
		}
	}
}

// known is a case on the limit that an endpoint is known to have: it is made when that is known.
type known func(limit int) ([]step, []alternative)

// someLimit stands for a limit that is not known, in descriptions.
const someLimit = 1 << 16

// knownLimits holds an endpoint to the limit that it is set to, from both sides.
func knownLimits(d *deck) {
	d.group = "known limit"
	add := func(section, title string, k known) *Case {
		c := d.add(section, title, nil, nil)
		c.script, c.want = k(someLimit)
		c.known = k
		return c
	}
	const section = "6455-10.4"
	fits := func(title string, frames func(b body) []fr) {
		add(section, title, func(n int) ([]step, []alternative) {
			b := blank(n, 'x')
			return []step{send{0, frames(b)}, await{1}, closeWith(1000)}, exactly([]want{echo(frame.Binary, b), closed(1000), gone()})
		})
	}
	over := func(title string, frames func(b body) []fr) {
		add(section, title, func(n int) ([]step, []alternative) {
			return []step{send{0, frames(blank(n+1, 'x'))}, settle{}}, fails(1009)
		})
	}
	whole := func(b body) []fr { return []fr{{op: frame.Binary, body: b}} }
	parts := func(b body) []fr { return fragments(frame.Binary, b, 7) }
	fits("message as long as the limit", whole)
	fits("message as long as the limit, in 7 frames", parts)
	over("message of a byte more than the limit", whole)
	over("message of a byte more than the limit, in 7 frames", parts)
	add(section, "frame that declares a byte more than the limit, refused before its payload", func(n int) ([]step, []alternative) {
		return []step{split{fr{op: frame.Binary, body: blank(n+1, 'x')}, 0}, settle{}}, append(fails(1009), late(1009, held())...)
	})
	add(section, "message that passes the limit and does not end, refused where it does", func(n int) ([]step, []alternative) {
		f := []fr{{op: frame.Binary, more: true, body: blank(n, 'x')}, {op: frame.Continuation, more: true, body: lit("x")}}
		return []step{send{0, f}, hold{}, send{0, []fr{{op: frame.Continuation}}}, settle{}}, append(fails(1009), late(1009, held())...)
	})
	compressedLimits(add)
}

// compressedLimits looks at what a message holds, which is what a limit is about (RFC 7692, section 8).
func compressedLimits(add func(section, title string, k known) *Case) {
	const section = "7692-8"
	try := func(title string, frames int, length func(limit int) int, whole bool) {
		add(section, title, func(n int) ([]step, []alternative) {
			b := blank(length(n), 'x')
			message := squeeze{op: frame.Binary, body: b, frames: frames}
			if whole {
				return []step{message, await{1}, closeWith(1000)}, exactly([]want{echo(frame.Binary, b), closed(1000), gone()})
			}
			return []step{message, settle{}}, fails(1009)
		}).deflate = asBrowsers()
	}
	same, more := func(n int) int { return n }, func(n int) int { return n + 1 }
	try("compressed message that holds as much as the limit", 1, same, true)
	try("compressed message that holds a byte more than the limit", 1, more, false)
	try("compressed message that holds a byte more than the limit, in 5 frames", 5, more, false)
	try("compressed message that holds 32 times the limit, 64 MiB at most", 1, func(n int) int { return max(n+1, min(32*n, 64<<20)) }, false)
}

// at makes a case on a known limit; it reports whether the case can be run.
func (c Case) at(limit int) (Case, bool) {
	switch {
	case c.known == nil:
		return c, true
	case limit <= 0:
		return c, false
	}
	c.script, c.want = c.known(limit)
	return c, true
}

// limitUnknown is what is seen of such a case otherwise.
const limitUnknown = "the limit is not known"

// pressure looks at what becomes of answers that are not read. To hold them all is to be at the mercy of every peer.
func pressure(d *deck) {
	d.group = "slow readers"
	d.add("6455-10.4", "64 MiB of messages whose echoes are not read", []step{unread{64 << 10, 64 << 20}}, []alternative{
		either(Informational, is(evFull), gone()), either(Informational, gone()), either(Informational, is(evTaken), gone()),
	})
}

// unread sends messages of a size and reads nothing, until the peer takes no more for a moment or all is sent.
type unread struct{ each, all int }

func (u unread) do(s *session) error {
	s.pace.deaf.Lock() // until the line is closed: what was echoed by then is no matter
	defer s.pace.deaf.Unlock()
	defer s.conn.Close()
	defer s.note(event{kind: evGone})
	b := fr{op: frame.Binary, body: blank(u.each, 'x')}.encode(s)
	for sent := 0; sent < u.all; sent += u.each {
		_ = s.conn.SetWriteDeadline(time.Now().Add(4 * s.pace.patience)) // as in session.write
		if _, err := s.conn.Write(b); err != nil {
			if timedOut(err) {
				s.note(event{kind: evFull})
			}
			return errStop
		}
	}
	s.note(event{kind: evTaken})
	return errStop
}

func (u unread) String() string {
	return fmt.Sprintf("send %s in binary messages of %s and read nothing, until the peer takes no more for a moment; then cut the line",
		size(u.all), size(u.each))
}
