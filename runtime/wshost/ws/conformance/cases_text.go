package conformance

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// sequence is a row of the table of UTF-8.
type sequence struct {
	about string
	bytes string
	bad   int // offset of the byte at which it is certainly no UTF-8; its length when only the end shows that
}

// validUTF8 are sequences at the borders of every range (RFC 3629, section 4).
func validUTF8() []sequence {
	var out []sequence
	for _, r := range []rune{
		0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xfff, 0x1000, 0xcfff, 0xd000, 0xd7ff, 0xe000, 0xfdd0, 0xfeff, 0xfffd, 0xfffe, 0xffff,
		0x10000, 0x1f600, 0x1fffe, 0x3ffff, 0x40000, 0xfffff, 0x100000, 0x10fffe, 0x10ffff,
	} {
		out = append(out, sequence{about: fmt.Sprintf("U+%04X", r), bytes: string(r)})
	}
	return append(out,
		sequence{about: "Greek word", bytes: "κόσμε"},
		sequence{about: "combining and joined characters", bytes: "e\u0301 \U0001F469\u200D\U0001F680"},
		sequence{about: "every length in turn", bytes: "a\u00e9\u20ac\U0001F600\u20ac\u00e9a"})
}

// invalidUTF8 is the table of what is not UTF-8.
func invalidUTF8() []sequence {
	out := []sequence{
		{"overlong NUL in 2 bytes", "\xc0\x80", 0}, {"overlong slash in 2 bytes", "\xc0\xaf", 0}, {"overlong U+007F in 2 bytes", "\xc1\xbf", 0},
		{"overlong NUL in 3 bytes", "\xe0\x80\x80", 1}, {"overlong slash in 3 bytes", "\xe0\x80\xaf", 1}, {"overlong U+07FF in 3 bytes", "\xe0\x9f\xbf", 1},
		{"overlong NUL in 4 bytes", "\xf0\x80\x80\x80", 1}, {"overlong slash in 4 bytes", "\xf0\x80\x80\xaf", 1}, {"overlong U+FFFF in 4 bytes", "\xf0\x8f\xbf\xbf", 1},
		{"overlong in 5 bytes", "\xf8\x80\x80\x80\xaf", 0}, {"overlong in 6 bytes", "\xfc\x80\x80\x80\x80\xaf", 0},
		{"surrogate U+D800", "\xed\xa0\x80", 1}, {"surrogate U+DB7F", "\xed\xad\xbf", 1}, {"surrogate U+DBFF", "\xed\xaf\xbf", 1},
		{"surrogate U+DC00", "\xed\xb0\x80", 1}, {"surrogate U+DFFF", "\xed\xbf\xbf", 1}, {"pair of surrogates", "\xed\xa0\x80\xed\xb0\x80", 1},
		{"U+110000, beyond Unicode", "\xf4\x90\x80\x80", 1}, {"U+13FFFF", "\xf4\xbf\xbf\xbf", 1}, {"U+140000", "\xf5\x80\x80\x80", 0},
		{"U+1FFFFF", "\xf7\xbf\xbf\xbf", 0}, {"5 bytes", "\xfb\xbf\xbf\xbf\xbf", 0}, {"6 bytes", "\xfd\xbf\xbf\xbf\xbf\xbf", 0},
		{"byte FE", "\xfe", 0}, {"byte FF", "\xff", 0}, {"FE FF", "\xfe\xff", 0},
		{"continuation byte 80 alone", "\x80", 0}, {"continuation byte BF alone", "\xbf", 0}, {"two continuation bytes alone", "\x80\xbf", 0},
		{"one continuation byte too many", "\xc3\xa9\x80", 2},
		{"C2 followed by a letter", "\xc2a", 1}, {"DF followed by C2", "\xdf\xc2\x80", 1}, {"E1 followed by a letter", "\xe1a", 1},
		{"E1 80 followed by a letter", "\xe1\x80a", 2}, {"F1 followed by a letter", "\xf1a", 1}, {"F1 80 followed by a letter", "\xf1\x80a", 2},
		{"F1 80 80 followed by a letter", "\xf1\x80\x80a", 3}, {"EF BF followed by C0", "\xef\xbf\xc0", 2}, {"F4 8F BF followed by C0", "\xf4\x8f\xbf\xc0", 3},
	}
	for _, s := range []string{"\xc2", "\xdf", "\xe0", "\xe1\x80", "\xef\xbf", "\xf0", "\xf0\x90", "\xf1\x80\x80", "\xf4\x8f\xbf"} {
		out = append(out, sequence{fmt.Sprintf("message that ends in % X", s), s, len(s)})
	}
	return out
}

func text(d *deck) {
	d.group = "UTF-8"
	const section = "6455-5.6"
	for _, s := range validUTF8() {
		whole := "<" + s.bytes + ">"
		d.good(section, "valid: "+s.about, one(fr{op: frame.Text, body: lit(s.bytes)}), echo(frame.Text, lit(s.bytes)))
		d.good(section, "valid: "+s.about+", a frame for each byte", one(fragments(frame.Text, lit(whole), len(whole))...), echo(frame.Text, lit(whole)))
		d.good(section, "valid: "+s.about+", byte by byte", []step{send{1, []fr{{op: frame.Text, body: lit(whole)}}}}, echo(frame.Text, lit(whole)))
	}
	boundaries(d)
	for _, s := range invalidUTF8() {
		invalidText(d, s)
	}
	b := words(60000)
	broken := body{"60000 bytes of text and one byte FF", func() []byte { return append(b.bytes(), 0xff) }}
	d.bad("6455-8.1", "long text that is broken at its very end", 1007, one(fr{op: frame.Text, body: broken}))
	d.bad("6455-8.1", "second message broken, first one good", 1007,
		append(one(fr{op: frame.Text, body: lit("good")}), await{1}, one(fr{op: frame.Text, body: lit("\xff")})[0]), echo(frame.Text, lit("good")))
	d.good("6455-8.1", "message that ends in half a character is not continued by the next binary one",
		one(fr{op: frame.Binary, body: lit("\xc3")}, fr{op: frame.Binary, body: lit("\xa9")}), echo(frame.Binary, lit("\xc3")), echo(frame.Binary, lit("\xa9")))
	d.bad("6455-8.1", "half a character at the end of one message, its other half in the next", 1007,
		one(fr{op: frame.Text, body: lit("\xc3")}, fr{op: frame.Text, body: lit("\xa9")}))
}

// boundaries splits each length of character at each byte over two frames, with a ping in the gap.
func boundaries(d *deck) {
	for _, r := range []rune{0xe9, 0x20ac, 0x1f600} {
		c := string(r)
		for at := 1; at < len(c); at++ {
			script := append(append(one(fr{op: frame.Text, more: true, body: lit(c[:at])}, fr{op: frame.Ping, body: lit("p")}), await{1}),
				one(fr{op: frame.Continuation, body: lit(c[at:])})...)
			d.good("6455-5.6", fmt.Sprintf("valid: U+%04X split after %s, a ping in the gap", r, size(at)), script,
				pong(lit("p")), echo(frame.Text, lit(c)))
		}
	}
}

// invalidText tries one row of the table whole, in pieces, and with a look at where it is noticed: RFC 6455,
// section 8.1 lets an endpoint fail at the end of the message, but one that reads as it receives fails at the byte.
func invalidText(d *deck, s sequence) {
	const section = "6455-8.1"
	before, after := "good \u00e9 ", " more"
	if s.bad == len(s.bytes) {
		after = ""
	}
	whole := before + s.bytes + after
	d.bad(section, "invalid: "+s.about, 1007, one(fr{op: frame.Text, body: lit(whole)}))
	d.bad(section, "invalid: "+s.about+", alone", 1007, one(fr{op: frame.Text, body: lit(s.bytes)}))
	d.bad(section, "invalid: "+s.about+", a frame for each byte", 1007, []step{send{0, fragments(frame.Text, lit(whole), len(whole))}})
	if s.bad == len(s.bytes) {
		d.bad(section, "invalid: "+s.about+", and an empty last frame", 1007,
			one(fr{op: frame.Text, more: true, body: lit(whole)}, fr{op: frame.Continuation}))
		return
	}
	at := len(before) + s.bad + 1
	inFrame := []step{split{fr{op: frame.Text, body: lit(whole + "   ")}, at}, settle{}}
	d.add(section, "invalid: "+s.about+", noticed before the frame ends", inFrame, append(fails(1007), late(1007, held())...))
	between := append(append(one(fr{op: frame.Text, more: true, body: lit(whole[:at])}, fr{op: frame.Ping, body: lit("p")}), await{1}),
		append(one(fr{op: frame.Continuation, body: lit(whole[at:])}), settle{})...)
	d.add(section, "invalid: "+s.about+", noticed before the message ends", between, append(fails(1007), late(1007, pong(lit("p")))...))
}
