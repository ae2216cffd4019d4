package conformance

import (
	"fmt"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// tooBig are the ways to refuse a message for its size, which is a matter of policy.
func tooBig() []alternative {
	return []alternative{
		either(Informational, closed(1009), gone()), either(Informational, closed(1009), open()),
		either(Informational, closed(1008), gone()), either(Informational, closed(1008), open()),
	}
}

func framing(d *deck) {
	d.group = "framing"
	for _, n := range []int{0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 4095, 4096, 65534, 65535, 65536, 65537} {
		b := noise(n)
		d.good("6455-5.2", "binary frame of "+size(n), one(fr{op: frame.Binary, body: b}), echo(frame.Binary, b))
	}
	for _, n := range []int{0, 1, 125} {
		for _, form := range []int{2, 8} {
			padded(d, n, form)
		}
	}
	for _, n := range []int{126, 65535} {
		padded(d, n, 8)
	}
	d.bad("6455-5.2", "length with its most significant bit set", 1002, one(fr{op: frame.Binary, form: 8, says: 1<<63 | 5}))
	d.bad("6455-5.2", "length of 64 ones", 1002, one(fr{op: frame.Binary, form: 8, says: 1<<64 - 1}))
	for _, n := range []int{1 << 18, 1 << 20, 4 << 20, 8 << 20, 16 << 20} {
		b := noise(n)
		c := d.good("6455-5.2", "binary frame of "+size(n), one(fr{op: frame.Binary, body: b}), echo(frame.Binary, b))
		c.want = append(c.want, tooBig()...)
	}
	chops(d)
}

// padded writes a length in more bytes than it needs. That is forbidden to whoever sends it; nothing is said of who
// receives it, so that taking it is tolerated.
func padded(d *deck, n, form int) {
	b := noise(n)
	d.add("6455-5.2", fmt.Sprintf("length %d written in %d bytes, not in its shortest form", n, form),
		append(one(fr{op: frame.Binary, body: b, form: form}), await{1}, closeWith(1000)),
		append(fails(1002), either(NonStrict, echo(frame.Binary, b), closed(1000), gone())))
}

// chops cuts the stream of bytes at all kinds of places: a receiver must not take a packet for a frame.
func chops(d *deck) {
	for _, n := range []int{0, 1, 125, 126, 300, 65536} {
		for _, chop := range []int{1, 2, 3, 7, 13, 64, 1460} {
			if chop > n+14 || n/chop > 10000 {
				continue
			}
			b := noise(n)
			d.good("6455-5.2", fmt.Sprintf("binary frame of %s in chops of %s", size(n), size(chop)),
				[]step{send{chop, []fr{{op: frame.Binary, body: b}}}}, echo(frame.Binary, b))
		}
	}
	for _, big := range []struct{ n, chop int }{
		{1 << 20, 997}, {1 << 20, 4096}, {1 << 20, 65536}, {4 << 20, 1460}, {4 << 20, 65537}, {16 << 20, 16000}, {16 << 20, 1 << 20},
	} {
		b := noise(big.n)
		c := d.good("6455-5.2", fmt.Sprintf("binary frame of %s in chops of %s", size(big.n), size(big.chop)),
			[]step{send{big.chop, []fr{{op: frame.Binary, body: b}}}}, echo(frame.Binary, b))
		c.want = append(c.want, tooBig()...)
	}
	var frames []fr
	var events []want
	for i := range 100 {
		b := lit(fmt.Sprintf("message %d", i))
		frames, events = append(frames, fr{op: frame.Text, body: b}), append(events, echo(frame.Text, b))
	}
	d.good("6455-5.2", "100 frames in one write", []step{send{0, frames}}, events...)
	d.good("6455-5.2", "100 frames in chops that cut across them", []step{send{11, frames}}, events...)
}

func echoes(d *deck) {
	d.group = "echo"
	for _, n := range []int{0, 1, 125, 126, 127, 128, 65535, 65536, 1 << 20} {
		b := words(n)
		c := d.good("6455-5.6", "text message of "+size(n), one(fr{op: frame.Text, body: b}), echo(frame.Text, b))
		if n > 65536 {
			c.want = append(c.want, tooBig()...)
		}
	}
	for _, c := range []byte{0x00, 0x7f, 0xff} {
		b := blank(1000, c)
		d.good("6455-5.6", fmt.Sprintf("binary message of bytes %#02x", c), one(fr{op: frame.Binary, body: b}), echo(frame.Binary, b))
	}
	d.good("6455-5.6", "text message of NUL characters", one(fr{op: frame.Text, body: blank(100, 0)}), echo(frame.Text, blank(100, 0)))
	d.good("6455-5.6", "binary message that is not UTF-8", one(fr{op: frame.Binary, body: lit("\xc0\xaf\xed\xa0\x80\xff")}),
		echo(frame.Binary, lit("\xc0\xaf\xed\xa0\x80\xff")))
	var script []step
	var events []want
	for i := range 50 {
		t, b := words(10*i), noise(37*i)
		script = append(script, send{frames: []fr{{op: frame.Text, body: t}}}, send{frames: []fr{{op: frame.Binary, body: b}}})
		events = append(events, echo(frame.Text, t), echo(frame.Binary, b))
	}
	d.good("6455-5.6", "text and binary in turn, in order", script, events...)
}

// fragments cuts a payload into n frames.
func fragments(op frame.Opcode, b body, n int) []fr {
	cut := fragment(op, b, n)
	out := make([]fr, n)
	for i := range out {
		out[i] = cut(i)
	}
	return out
}

// fragment makes the frames of a payload in n frames.
func fragment(op frame.Opcode, b body, n int) func(i int) fr {
	all := sync.OnceValue(b.bytes)
	return func(i int) fr {
		f := fr{op: op, more: i < n-1, body: body{about: fmt.Sprintf("part %d of %d", i+1, n), make: func() []byte {
			p := all()
			return p[i*len(p)/n : (i+1)*len(p)/n]
		}}}
		if i > 0 {
			f.op = frame.Continuation
		}
		return f
	}
}

func fragmentation(d *deck) {
	d.group = "fragmentation"
	const section = "6455-5.4"
	for _, op := range []frame.Opcode{frame.Text, frame.Binary} {
		for _, n := range []int{2, 3, 10, 255} {
			b := words(256)
			d.good(section, fmt.Sprintf("%s message in %d frames", opName(op), n), one(fragments(op, b, n)...), echo(op, b))
			d.good(section, fmt.Sprintf("%s message in %d frames in one write", opName(op), n), []step{send{0, fragments(op, b, n)}}, echo(op, b))
			d.good(section, fmt.Sprintf("%s message in %d frames byte by byte", opName(op), n), []step{send{1, fragments(op, b, n)}}, echo(op, b))
		}
		empty := fr{op: op, more: true}
		last := fr{op: frame.Continuation}
		mid := fr{op: frame.Continuation, more: true}
		x, y := lit("x"), fr{op: frame.Continuation, more: true, body: lit("x")}
		d.good(section, opName(op)+" message of two empty frames", one(empty, last), echo(op, body{}))
		d.good(section, opName(op)+" message of ten empty frames", one(empty, mid, mid, mid, mid, mid, mid, mid, mid, last), echo(op, body{}))
		d.good(section, opName(op)+" message with its payload in the middle frame alone", one(empty, y, last), echo(op, x))
		d.good(section, opName(op)+" message with its payload in the last frame alone", one(empty, mid, fr{op: frame.Continuation, body: x}), echo(op, x))
	}
	interleaved(d)
	first, next, end := fr{op: frame.Text, more: true, body: lit("a")}, fr{op: frame.Continuation, more: true, body: lit("b")}, fr{op: frame.Continuation, body: lit("c")}
	d.bad(section, "continuation without a message, final", 1002, one(end))
	d.bad(section, "continuation without a message, unfinished", 1002, one(next, end))
	d.bad(section, "continuation after a whole message", 1002, append(one(fr{op: frame.Text, body: lit("x")}), await{1}, one(end)[0]), echo(frame.Text, lit("x")))
	d.bad(section, "continuation after a fragmented message", 1002, append(one(first, end), await{1}, one(end)[0]), echo(frame.Text, lit("ac")))
	for _, op := range []frame.Opcode{frame.Text, frame.Binary} {
		d.bad(section, "new "+opName(op)+" message inside a fragmented one", 1002, one(first, fr{op: op, body: lit("x")}, end))
		d.bad(section, "new unfinished "+opName(op)+" message inside a fragmented one", 1002, one(first, next, fr{op: op, more: true, body: lit("x")}, end))
	}
	d.add(section, "closing handshake inside a fragmented message", append(one(first), closeWith(1000)), exactly([]want{closed(1000), gone()}))
	b := noise(1 << 20)
	c := d.good(section, "binary message of 1 MiB in 1024 frames", []step{send{0, fragments(frame.Binary, b, 1024)}}, echo(frame.Binary, b))
	c.want = append(c.want, tooBig()...)
}

// interleaved puts control frames between fragments (RFC 6455, section 5.4).
func interleaved(d *deck) {
	const section = "6455-5.4"
	first, end := fr{op: frame.Text, more: true, body: lit("frag")}, fr{op: frame.Continuation, body: lit("ment")}
	message := echo(frame.Text, lit("fragment"))
	ping := func(p string) fr { return fr{op: frame.Ping, body: lit(p)} }
	// The answer to a ping should not wait for the end of the message, but may.
	prompt := func(title string, script []step) {
		c := d.good(section, title, script, pong(lit("p")), message)
		c.want = append(c.want, either(NonStrict, message, pong(lit("p")), closed(1000), gone()))
	}
	prompt("ping between two frames", one(first, ping("p"), end))
	prompt("ping between two frames, byte by byte", []step{send{1, []fr{first, ping("p"), end}}})
	prompt("ping between two frames in one write", []step{send{0, []fr{first, ping("p"), end}}})
	d.good(section, "ping between two frames, its pong awaited", append(append(one(first, ping("p")), await{1}), one(end)...), pong(lit("p")), message)
	d.good(section, "empty ping between two frames, its pong awaited", append(append(one(first, fr{op: frame.Ping}), await{1}), one(end)...), pong(body{}), message)
	d.good(section, "unsolicited pong between two frames", one(first, fr{op: frame.Pong, body: lit("x")}, end), message)
	mid := fr{op: frame.Continuation, more: true}
	d.good(section, "pings between empty frames, each pong awaited",
		append(append(one(first, ping("1")), await{1}), append(append(one(mid, ping("2")), await{2}), one(mid, end)...)...),
		pong(lit("1")), pong(lit("2")), message)
}
