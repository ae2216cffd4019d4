package conformance

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// negotiation tries each parameter of RFC 7692, section 7.1. That the terms are kept to is seen from the messages that
// follow: what comes back is inflated with the window agreed and no larger one.
func negotiation(d *deck) {
	d.group = "deflate negotiation"
	far := distances()
	try := func(section, params string, subjects ...Subject) {
		c := d.good(section, fmt.Sprintf("terms %q: two messages of repeats at all distances", permessageDeflate+params),
			[]step{squeeze{op: frame.Binary, body: far}, await{1}, squeeze{op: frame.Binary, body: far}},
			echo(frame.Binary, far), echo(frame.Binary, far))
		c.deflate = &terms{params: params}
		if len(subjects) > 0 {
			c.subjects = subjects
		}
	}
	try("7692-5.1", "")
	try("7692-7.1.1.1", "; "+serverNoTakeover)
	try("7692-7.1.1.2", "; "+clientNoTakeover)
	try("7692-7.1.1.2", "; "+serverNoTakeover+"; "+clientNoTakeover)
	for n := 8; n <= 15; n++ {
		try("7692-7.1.2.1", fmt.Sprintf("; %s=%d", serverMaxBits, n))
		try("7692-7.1.2.2", fmt.Sprintf("; %s=%d", clientMaxBits, n))
	}
	try("7692-7.1.2.2", "; "+clientMaxBits, Server)
	try("7692-7.1.2.1", fmt.Sprintf("; %s=\"10\"", serverMaxBits))
	try("7692-7.1", fmt.Sprintf("; %s; %s; %s=9; %s=9", serverNoTakeover, clientNoTakeover, serverMaxBits, clientMaxBits))
	fallback := d.good("7692-5.1", "impossible terms first, possible ones second", []step{squeeze{op: frame.Binary, body: far}}, echo(frame.Binary, far))
	fallback.deflate = &terms{params: "; " + serverMaxBits + "=7", more: ", " + permessageDeflate}
	fallback.subjects = []Subject{Server}
	for _, params := range []string{
		"; unknown", "; unknown=1", "; " + serverNoTakeover + "=1", "; " + clientNoTakeover + "=1",
		"; " + serverNoTakeover + "; " + serverNoTakeover, "; " + serverMaxBits + "=10; " + serverMaxBits + "=10",
		"; " + serverMaxBits + "=7", "; " + serverMaxBits + "=16", "; " + serverMaxBits + "=010", "; " + serverMaxBits + "=x", "; " + serverMaxBits,
		"; " + clientMaxBits + "=7", "; " + clientMaxBits + "=16", "; " + clientMaxBits + "=010", "; " + clientMaxBits + "=-9",
	} {
		impossible(d, params)
	}
}

// impossible are terms that must be declined by a server, and must make a client fail.
func impossible(d *deck, params string) {
	hello := lit("hello")
	c := d.good("7692-7.1", fmt.Sprintf("impossible offer %q: declined", permessageDeflate+params),
		one(fr{op: frame.Text, body: hello}), echo(frame.Text, hello))
	c.deflate, c.subjects = &terms{params: params, bad: true}, []Subject{Server}
	c = d.add("7692-7.1", fmt.Sprintf("impossible answer %q: the client fails", permessageDeflate+params),
		append(one(fr{op: frame.Text, body: hello}), settle{}), []alternative{either(OK, gone()), either(NonStrict, closed(), gone())})
	c.deflate, c.subjects = &terms{params: params, bad: true}, []Subject{Client}
}

// distances is a payload that repeats pieces of itself just within and just beyond every window from 2^8 to 2^15.
func distances() body {
	return body{"96 KiB with repeats at all distances", func() []byte {
		b := noise(96 << 10).bytes()
		for bits := 8; bits <= 15; bits++ {
			for i, d := range []int{1<<bits - 40, 1<<bits + 40} {
				at := 40000 + bits*2000 + i*700
				copy(b[at:at+200], b[at-d:at-d+200])
			}
		}
		return b
	}}
}

// asBrowsers are the terms that browsers offer.
func asBrowsers() *terms { return &terms{offers: "; " + clientMaxBits} }

// combinations puts the four parameters together, each of the windows with each of the ways not to keep it.
func combinations(d *deck) {
	d.group = "deflate negotiation"
	far, short := distances(), noise(200) // the second short one is in every window
	try := func(params string) {
		d.good("7692-7.1", fmt.Sprintf("terms %q together: a message of repeats at all distances, then a short one twice", permessageDeflate+params),
			[]step{squeeze{op: frame.Binary, body: far}, await{1}, squeeze{op: frame.Binary, body: short}, squeeze{op: frame.Binary, body: short}},
			echo(frame.Binary, far), echo(frame.Binary, short), echo(frame.Binary, short)).deflate = &terms{params: params}
	}
	for n := 8; n <= 15; n++ {
		server, client := fmt.Sprintf("; %s=%d", serverMaxBits, n), fmt.Sprintf("; %s=%d", clientMaxBits, 23-n)
		for _, takeover := range []string{"", "; " + serverNoTakeover, "; " + clientNoTakeover, "; " + serverNoTakeover + "; " + clientNoTakeover} {
			try(takeover + server + client)
		}
	}
}

func compression(d *deck) {
	d.group = "deflate messages"
	plain := func(c *Case) *Case {
		c.deflate = asBrowsers()
		return c
	}
	for _, n := range []int{0, 1, 125, 126, 4096, 65536, 1 << 20} {
		for _, op := range []frame.Opcode{frame.Text, frame.Binary} {
			b := words(n)
			plain(d.good("7692-7.2", fmt.Sprintf("compressed %s message of %s", opName(op), size(n)), []step{squeeze{op: op, body: b}}, echo(op, b)))
		}
	}
	b := words(10000)
	for _, n := range []int{2, 3, 50} {
		plain(d.good("7692-6.1", fmt.Sprintf("compressed message in %d frames", n), []step{squeeze{op: frame.Text, body: b, frames: n}}, echo(frame.Text, b)))
	}
	plain(d.good("7692-6", "message without compression", one(fr{op: frame.Text, body: b}), echo(frame.Text, b)))
	plain(d.good("7692-6", "messages with and without compression in turn",
		[]step{squeeze{op: frame.Text, body: b}, send{frames: []fr{{op: frame.Text, body: lit("plain")}}}, squeeze{op: frame.Text, body: b}},
		echo(frame.Text, b), echo(frame.Text, lit("plain")), echo(frame.Text, b)))
	var script []step
	var events []want
	for i := range 30 {
		w := words(500 + 97*i)
		script, events = append(script, squeeze{op: frame.Text, body: w}), append(events, echo(frame.Text, w))
	}
	plain(d.good("7692-7.1.1", "30 messages that look back at one another", script, events...))
	reservedInDeflate(d, plain)
	streams(d, plain)
	brokenStreams(d, plain)
	for _, n := range []int{4000, 130000} {
		zeros := blank(1+258*n, 0)
		stream := crafted{op: frame.Binary, about: "a zero, and " + fmt.Sprint(n) + " times 258 more", holds: zeros, stream: func(*agreed) []byte {
			w := &bitWriter{}
			w.block(1, false)
			w.symbol(0)
			for range n {
				w.match(258, 1)
			}
			w.end()
			return w.message()
		}}
		plain(d.add("7692-8", "bomb: "+zeros.about, []step{stream, await{1}, closeWith(1000)},
			append(tooBig(), either(Informational, gone()), either(Informational, closed(1011), gone()),
				either(Informational, echo(frame.Binary, zeros), closed(1000), gone()))))
	}
}

// reservedInDeflate tries the reserved bits when RSV1 has a meaning (RFC 7692, section 6).
func reservedInDeflate(d *deck, plain func(*Case) *Case) {
	hello := lit("hello")
	stream := lit("\xca\x48\xcd\xc9\xc9\x07\x00") // "Hello", RFC 7692, section 7.2.3.1
	for _, op := range []frame.Opcode{frame.Ping, frame.Pong, frame.Close} {
		p := hello
		if op == frame.Close {
			p = closeBody(1000, "")
		}
		plain(d.bad("7692-6", "RSV1 on a "+opName(op), 1002, one(fr{op: op, rsv: frame.RSV1, body: p})))
	}
	plain(d.bad("7692-6.1", "RSV1 on a continuation of a compressed message", 1002,
		one(fr{op: frame.Text, rsv: frame.RSV1, more: true, body: stream}, fr{op: frame.Continuation, rsv: frame.RSV1, body: stream})))
	plain(d.bad("7692-6.1", "RSV1 on a continuation of a message without compression", 1002,
		one(fr{op: frame.Text, more: true, body: hello}, fr{op: frame.Continuation, rsv: frame.RSV1, body: stream})))
	for _, rsv := range []byte{1, 2, 3, 5, 6, 7} {
		plain(d.bad("7692-6", fmt.Sprintf("RSV %03b with compression agreed", rsv), 1002, one(fr{op: frame.Text, rsv: rsv, body: stream})))
	}
}

// reservedOnBinary tries the bits that stay reserved on messages that would be good without them.
func reservedOnBinary(d *deck) {
	d.group = "deflate messages"
	for _, rsv := range []byte{frame.RSV3, frame.RSV2, frame.RSV2 | frame.RSV3} {
		d.bad("7692-6", fmt.Sprintf("RSV %03b with compression agreed, on a binary message that is good otherwise", rsv), 1002,
			one(fr{op: frame.Binary, rsv: rsv, body: lit("hello")})).deflate = asBrowsers()
	}
}

// streams are legal ways to write a compressed message that compressors seldom use (RFC 7692, section 7.2.3).
func streams(d *deck, plain func(*Case) *Case) {
	hello := lit("Hello")
	try := func(section, about string, holds body, stream func(*agreed) []byte) *Case {
		again := crafted{op: frame.Text, about: about, stream: stream, holds: holds}
		return plain(d.good(section, about+", twice, then an ordinary one", []step{again, again, squeeze{op: frame.Text, body: hello}},
			echo(frame.Text, holds), echo(frame.Text, holds), echo(frame.Text, hello)))
	}
	raw := func(p string) func(*agreed) []byte { return func(*agreed) []byte { return []byte(p) } }
	try("7692-7.2.3.1", "one block in the fixed code", hello, raw("\xf2\x48\xcd\xc9\xc9\x07\x00"))
	try("7692-7.2.3.3", "a stored block", hello, raw("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"))
	try("7692-7.2.3.4", "a block marked as final", hello, raw("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"))
	try("7692-7.2.3.5", "two blocks", hello, raw("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"))
	try("7692-7.2.3.6", "empty message of one stored block", body{}, raw("\x00"))
	try("7692-7.2.3.6", "empty message of one block in the fixed code", body{}, raw("\x02\x00"))
	try("7692-7.2.3", "a stored block, a final one and one in the fixed code", lit("one two three"), func(*agreed) []byte {
		w := &bitWriter{}
		w.stored([]byte("one "), false)
		w.stored([]byte("two "), true)
		w.block(1, false)
		for _, c := range []byte("three") {
			w.symbol(uint32(c))
		}
		w.end()
		return w.message()
	})
	try("7692-7.2.3", "a hundred empty blocks", hello, func(*agreed) []byte {
		w := &bitWriter{}
		for range 100 {
			w.stored(nil, false)
		}
		w.stored([]byte("Hello"), false)
		return w.message()
	})
	// A letter, then for each length from 3 to 258 as many more of it.
	try("7692-7.2.3", "a match of every length at distance one", blank(1+(3+258)*256/2, 'a'), func(*agreed) []byte {
		w := &bitWriter{}
		w.block(1, false)
		w.symbol('a')
		for n := 3; n <= 258; n++ {
			w.match(n, 1)
		}
		w.end()
		return w.message()
	})
	edge(d, plain)
}

// edge refers to the very first byte of the window agreed, in the message before.
func edge(d *deck, plain func(*Case) *Case) {
	base := noise(32768)
	got := body{"the first 258 bytes of the message before", func() []byte { return base.bytes()[:258] }}
	back := crafted{op: frame.Binary, about: "a match over 32768 bytes into the message before", holds: got, stream: func(*agreed) []byte {
		w := &bitWriter{}
		w.block(1, false)
		w.match(258, 32768)
		w.end()
		return w.message()
	}}
	c := plain(d.good("7692-7.1.1.2", "match over the whole window into the message before",
		[]step{needTakeover{}, squeeze{op: frame.Binary, body: base}, await{1}, back}, echo(frame.Binary, base), echo(frame.Binary, got)))
	c.want = append(c.want, either(Skipped, skipped()))
}

// brokenStreams are payloads that are no DEFLATE.
func brokenStreams(d *deck, plain func(*Case) *Case) {
	for _, s := range []struct{ about, stream string }{
		{"a block of the reserved type", "\x07"}, {"a stored block with a wrong check of its length", "\x00\x05\x00\x00\x00Hello\x00"},
		{"a stream that ends inside a stored block", "\x00\xff\x00\x00\xffHello"}, {"bytes FF", "\xff\xff\xff\xff"},
		{"a match before the beginning", "\x02\x07\x00"}, {"a dynamic block with impossible codes", "\x04\x00\x00\x00\x00\x00"},
	} {
		plain(d.add("7692-7.2.2", "not DEFLATE: "+s.about, append(one(fr{op: frame.Binary, rsv: frame.RSV1, body: lit(s.stream)}), settle{}),
			failsWith([]uint16{1002, 1007})))
	}
	invalid := body{"text with a surrogate", func() []byte { return []byte("text \xed\xa0\x80 more") }}
	plain(d.bad("6455-8.1", "compressed text that is not UTF-8", 1007, []step{squeeze{op: frame.Text, body: invalid}}))
	plain(d.bad("6455-8.1", "compressed text that is not UTF-8, in five frames", 1007, []step{squeeze{op: frame.Text, body: invalid, frames: 5}}))
	plain(d.good("6455-5.4", "ping inside a compressed message", []step{
		send{frames: []fr{{op: frame.Text, rsv: frame.RSV1, more: true, body: lit("\xf2\x48\xcd")}}},
		send{frames: []fr{{op: frame.Ping, body: lit("p")}}}, await{1},
		send{frames: []fr{{op: frame.Continuation, body: lit("\xc9\xc9\x07\x00")}}},
	}, pong(lit("p")), echo(frame.Text, lit("Hello"))))
}
