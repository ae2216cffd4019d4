package conformance

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func controls(d *deck) {
	d.group = "control frames"
	const section = "6455-5.5"
	d.good(section, "ping of 125 bytes", one(fr{op: frame.Ping, body: blank(125, 'p')}), pong(blank(125, 'p')))
	d.good(section, "pong of 125 bytes", one(fr{op: frame.Pong, body: blank(125, 'p')}))
	for _, op := range []frame.Opcode{frame.Ping, frame.Pong, frame.Close} {
		long := func(n int) body {
			if op == frame.Close {
				return closeBody(1000, string(blank(n-2, 'r').bytes()))
			}
			return blank(n, 'p')
		}
		short := long(2)
		d.bad(section, opName(op)+" of 126 bytes", 1002, one(fr{op: op, body: long(126)}))
		d.bad(section, opName(op)+" of 65536 bytes", 1002, one(fr{op: op, body: long(65536)}))
		for _, form := range []int{2, 8} {
			c := d.bad(section, fmt.Sprintf("%s of 2 bytes, its length in %d bytes", opName(op), form), 1002, one(fr{op: op, body: short, form: form}))
			c.want = append(c.want, either(NonStrict, pong(short), closed(1000), gone()), either(NonStrict, closed(1000), gone()))
		}
		d.bad(section, "unfinished "+opName(op), 1002, one(fr{op: op, body: short, more: true}))
		d.bad(section, "unfinished "+opName(op)+" and its continuation", 1002,
			[]step{send{frames: []fr{{op: op, body: short, more: true}, {op: frame.Continuation, body: lit("x")}}}})
		d.bad(section, "unfinished "+opName(op)+" inside a fragmented message", 1002,
			one(fr{op: frame.Text, more: true, body: lit("a")}, fr{op: op, body: short, more: true}, fr{op: frame.Continuation, body: lit("b")}))
		d.add(section, opName(op)+" of 126 bytes, refused before its payload", []step{split{fr{op: op, body: long(126)}, 0}, settle{}},
			append(fails(1002), late(1002, held())...))
	}
}

func pings(d *deck) {
	d.group = "pings and pongs"
	const section = "6455-5.5.2"
	for _, p := range []body{{}, lit("hello"), lit("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"), blank(125, 0xfe)} {
		about := p.about
		if about == "" {
			about = "nothing"
		}
		d.good(section, "ping with "+about, one(fr{op: frame.Ping, body: p}), pong(p))
		d.good(section, "ping with "+about+", byte by byte", []step{send{1, []fr{{op: frame.Ping, body: p}}}}, pong(p))
	}
	var script []step
	var pongs []want
	var flood []fr
	for i := range 10 {
		p := lit(fmt.Sprintf("ping %d", i))
		script = append(script, send{frames: []fr{{op: frame.Ping, body: p}}}, await{i + 1})
		pongs, flood = append(pongs, pong(p)), append(flood, fr{op: frame.Ping, body: p})
	}
	d.good(section, "ten pings, each pong awaited", script, pongs...)
	latest := alternative{outcome: OK, newest: true, events: []want{pongs[9], closed(1000), gone()}}
	d.add(section, "ten pings in one write: all pongs in order, or the newest (section 5.5.3)",
		[]step{send{0, flood}, lastPong{9}, closeWith(1000)}, append(exactly(append(pongs[:10:10], closed(1000), gone())), latest))
	d.add(section, "ten pings in chops of 3 bytes", []step{send{3, flood}, lastPong{9}, closeWith(1000)},
		append(exactly(append(pongs[:10:10], closed(1000), gone())), latest))
	// Section 5.5.2: as soon as is practical. What came behind the ping is answered behind the pong.
	asked, word := fr{op: frame.Ping, body: lit("p")}, lit("word")
	c := d.good(section, "ping with a message behind it in one write", []step{send{0, []fr{asked, {op: frame.Text, body: word}}}}, pong(lit("p")), echo(frame.Text, word))
	c.want = append(c.want, either(NonStrict, echo(frame.Text, word), pong(lit("p")), closed(1000), gone()))
	d.add(section, "ping with a close frame behind it in one write", []step{send{0, []fr{asked, {op: frame.Close, body: closeBody(1000, "")}}}},
		append(exactly([]want{pong(lit("p")), closed(1000), gone()}), either(NonStrict, closed(1000), gone())))
	const unasked = "6455-5.5.3"
	d.good(unasked, "unsolicited empty pong", one(fr{op: frame.Pong}))
	d.good(unasked, "unsolicited pong with a payload", one(fr{op: frame.Pong, body: lit("unasked")}))
	d.good(unasked, "unsolicited pong, then a ping with another payload", one(fr{op: frame.Pong, body: lit("unasked")}, fr{op: frame.Ping, body: lit("asked")}), pong(lit("asked")))
	d.good(unasked, "unsolicited pong, then a message", one(fr{op: frame.Pong, body: lit("unasked")}, fr{op: frame.Text, body: lit("x")}), echo(frame.Text, lit("x")))
}

// lastPong waits for the pong to the ping with that number.
type lastPong struct{ n int }

func (l lastPong) do(s *session) error {
	last := pong(lit(fmt.Sprintf("ping %d", l.n)))
	ended := false
	if s.await(func(e event) bool { ended = e.ends(); return ended || last.is(e) }) && !ended {
		return nil
	}
	return errStop
}

func (l lastPong) String() string { return "wait for the pong to the last ping" }

func reserved(d *deck) {
	d.group = "reserved bits"
	hello := lit("hello")
	for rsv := byte(1); rsv < 8; rsv++ {
		for _, op := range []frame.Opcode{frame.Text, frame.Binary, frame.Close, frame.Ping, frame.Pong} {
			b := hello
			if op == frame.Close {
				b = closeBody(1000, "")
			}
			d.bad("6455-5.2", fmt.Sprintf("%s with RSV %03b and no extension", opName(op), rsv), 1002, one(fr{op: op, rsv: rsv, body: b}))
		}
		d.bad("6455-5.2", fmt.Sprintf("continuation with RSV %03b and no extension", rsv), 1002,
			one(fr{op: frame.Text, more: true, body: hello}, fr{op: frame.Continuation, rsv: rsv, body: hello}))
	}
	d.bad("6455-5.2", "RSV 100 after a good message", 1002,
		append(one(fr{op: frame.Text, body: hello}), await{1}, one(fr{op: frame.Text, rsv: 4, body: hello})[0]), echo(frame.Text, hello))
	d.group = "reserved opcodes"
	for _, op := range []frame.Opcode{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		d.bad("6455-5.2", fmt.Sprintf("opcode %#x, empty", byte(op)), 1002, one(fr{op: op}))
		d.bad("6455-5.2", fmt.Sprintf("opcode %#x with a payload", byte(op)), 1002, one(fr{op: op, body: hello}))
		d.bad("6455-5.2", fmt.Sprintf("opcode %#x inside a fragmented message", byte(op)), 1002,
			one(fr{op: frame.Text, more: true, body: hello}, fr{op: op, body: hello}, fr{op: frame.Continuation, body: hello}))
		d.bad("6455-5.2", fmt.Sprintf("opcode %#x after a good message", byte(op)), 1002,
			append(one(fr{op: frame.Text, body: hello}), await{1}, one(fr{op: op, body: hello})[0]), echo(frame.Text, hello))
	}
}

func masking(d *deck) {
	d.group = "masking"
	const section = "6455-5.1"
	hello := lit("hello")
	for _, f := range []fr{
		{op: frame.Text, body: hello}, {op: frame.Text}, {op: frame.Binary, body: noise(1000)},
		{op: frame.Ping, body: hello}, {op: frame.Pong}, {op: frame.Close, body: closeBody(1000, "")}, {op: frame.Close},
	} {
		f.mask = maskWrong
		about := "empty " + opName(f.op)
		if f.body.make != nil {
			about = opName(f.op) + " with " + f.body.about
		}
		d.bad(section, "frame masked by a server or not by a client: "+about, 1002, one(f))
	}
	d.bad(section, "masking wrong on the second frame of a message alone", 1002,
		one(fr{op: frame.Text, more: true, body: hello}, fr{op: frame.Continuation, body: hello, mask: maskWrong}))
	for _, k := range []masks{maskZero, maskLetter} {
		for _, n := range []int{1, 3, 4, 5, 1000} {
			c := d.good("6455-5.3", fmt.Sprintf("%s, %s", fr{op: frame.Binary, mask: k}, size(n)),
				one(fr{op: frame.Binary, body: noise(n), mask: k}), echo(frame.Binary, noise(n)))
			c.subjects = []Subject{Server} // a server masks nothing
		}
	}
	b := noise(1027)
	c := d.good("6455-5.3", "masked fragments whose lengths are no multiples of four", one(fragments(frame.Binary, b, 79)...), echo(frame.Binary, b))
	c.subjects = []Subject{Server}
}
