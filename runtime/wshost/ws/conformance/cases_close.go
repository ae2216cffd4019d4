package conformance

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

func closing(d *deck) {
	d.group = "closing handshake"
	closeFrame := func(b body) []step { return one(fr{op: frame.Close, body: b}) }
	d.add("6455-5.5.1", "close without a code", closeFrame(body{}), append(exactly([]want{closed(1005), gone()}),
		exactly([]want{closed(1000), gone()})...))
	d.bad("6455-5.5.1", "close with half a status code", 1002, closeFrame(lit("\x03")))
	d.add("6455-5.5.1", "close with a code and no reason", closeFrame(closeBody(1000, "")), exactly([]want{closed(1000), gone()}))
	for _, n := range []int{1, 122, 123} {
		reason := string(blank(n, 'r').bytes())
		d.add("6455-5.5.1", fmt.Sprintf("close with a reason of %s", size(n)), closeFrame(closeBody(1000, reason)),
			append(exactly([]want{closedFor(1000, reason), gone()}), exactly([]want{closed(1000), gone()})...))
	}
	d.bad("6455-5.5.1", "close with a reason of 124 bytes", 1002, closeFrame(closeBody(1000, string(blank(124, 'r').bytes()))))
	d.add("6455-5.5.1", "close with a reason of more than one byte a character", closeFrame(closeBody(1000, "κόσμε \U0001F600")), exactly([]want{closed(1000), gone()}))
	for _, s := range invalidUTF8() {
		d.bad("6455-5.5.1", "close reason that is not UTF-8: "+s.about, 1007, closeFrame(closeBody(1000, "because "+s.bytes)))
	}
	codes(d)
	afterClose(d)
}

// codes tries every class of status code and its borders (RFC 6455, section 7.4, and the IANA registry).
func codes(d *deck) {
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999} {
		script := []step{closeWith(code)}
		want := append(exactly([]want{closed(code), gone()}), exactly([]want{closed(1000, 1005), gone()})...)
		for i := 2; i < len(want); i++ {
			want[i].outcome = NonStrict
		}
		section := "6455-7.4.1"
		switch {
		case code >= 3000:
			section = "6455-7.4.2"
		case code == 1010: // what a server makes of a code that is for clients is its own affair, and the reverse
			want = append(want, either(Informational, closed(1002), gone()))
		case code >= 1012:
			want = append(want, either(NonStrict, closed(1002), gone())) // registered after the RFC
		}
		d.add(section, fmt.Sprintf("close with code %d, which may be used", code), script, want)
	}
	for _, code := range []uint16{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 5001, 32767, 32768, 65535} {
		section := "6455-7.4.2"
		if code >= 1004 && code <= 1015 {
			section = "6455-7.4.1"
		}
		d.add(section, fmt.Sprintf("close with code %d, which must not be used", code), []step{closeWith(code)},
			[]alternative{
				either(OK, closed(1002), gone()), either(NonStrict, closed(1002), open()),
				either(NonStrict, closed(1000, 1005, 1007, 1008), gone()), either(NonStrict, gone()),
			})
	}
}

// afterClose sends something where nothing may come any more (RFC 6455, section 5.5.1).
func afterClose(d *deck) {
	const section = "6455-7.1.1"
	end := fr{op: frame.Close, body: closeBody(1000, "")}
	normal := exactly([]want{closed(1000), gone()})
	for _, f := range []fr{
		{op: frame.Text, body: lit("late")}, {op: frame.Binary, body: noise(1000)}, {op: frame.Ping, body: lit("late")},
		{op: frame.Pong, body: lit("late")}, {op: frame.Close, body: closeBody(1001, "")}, {op: 3, body: lit("late")},
		{op: frame.Text, rsv: 7, body: lit("late")}, {op: frame.Text, body: lit("\xff")}, {op: frame.Text, body: lit("late"), mask: maskWrong},
	} {
		d.add(section, "after the close frame: "+f.String(), []step{send{0, []fr{end, f}}}, normal)
	}
	d.add(section, "after the close frame: 256 KiB of text", []step{send{0, []fr{end, {op: frame.Text, body: words(1 << 18)}}}}, normal)
	d.add(section, "after the close frame: half a frame", []step{send{0, []fr{end, {op: frame.Binary, says: 1000}}}}, normal)
	d.add(section, "closing handshake byte by byte", []step{send{1, []fr{end}}}, normal)
	d.good(section, "message and close frame in order", one(fr{op: frame.Text, body: lit("last")}), echo(frame.Text, lit("last")))
}

// limits looks at what an endpoint is willing to hold. Whatever it does is its policy, if it answers and stays in order.
func limits(d *deck) {
	d.group = "limits"
	const section = "6455-10.4"
	policy := func(title string, script []step, events ...want) {
		want := append(tooBig(), either(Informational, gone()), either(Informational, closed(1011), gone()))
		for _, a := range exactly(append(events, closed(1000), gone())) {
			a.outcome = Informational
			want = append(want, a)
		}
		d.add(section, title, append(script, await{len(events)}, closeWith(1000)), want)
	}
	for _, n := range []int{32 << 20, 64 << 20} {
		policy("binary message of "+size(n), one(fr{op: frame.Binary, body: blank(n, 'x')}), echo(frame.Binary, blank(n, 'x')))
	}
	for _, n := range []int{1000, 20000, 200000} {
		policy(fmt.Sprintf("message with %d empty frames inside", n), []step{flood{n + 2, func(i int) fr {
			switch i {
			case 0:
				return fr{op: frame.Binary, more: true}
			case n + 1:
				return fr{op: frame.Continuation, body: lit("x")}
			}
			return fr{op: frame.Continuation, more: true}
		}}}, echo(frame.Binary, lit("x")))
	}
	b := noise(100000)
	policy("message of 100000 bytes in 1000 frames", []step{send{0, fragments(frame.Binary, b, 1000)}}, echo(frame.Binary, b))
	declared := one(fr{op: frame.Binary, form: 8, says: 1<<63 - 1, body: lit("x")})
	d.add(section, "frame that declares 2^63-1 bytes and sends one", append(declared, hold{}, drop{}),
		append(append(tooBig(), fails(1009)...), either(Informational, held(), gone())))
	pings := flood{20000, func(i int) fr { return fr{op: frame.Ping, body: lit(fmt.Sprintf("ping %d", i))} }}
	last := pong(lit("ping 19999"))
	d.add(section, "20000 pings in one write", []step{pings, lastPong{19999}, closeWith(1000)}, []alternative{
		{outcome: Informational, events: []want{last, closed(1000), gone()}, newest: true},
		{outcome: Informational, events: []want{is(evPong), closed(1008), gone()}, newest: true},
		{outcome: Informational, events: []want{is(evPong), closed(1008), open()}, newest: true},
		either(Informational, closed(1008), gone()), either(Informational, closed(1008), open()), either(Informational, gone()),
	})
}
