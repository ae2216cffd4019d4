package conformance

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// deck collects cases and numbers them within their section.
type deck struct {
	cases []Case
	count map[string]int
	group string
}

// add adds a case for servers and clients alike and returns it for changes. Section is "6455-5.4".
func (d *deck) add(section, title string, script []step, want []alternative) *Case {
	d.count[section]++
	rfc, sec, _ := strings.Cut(section, "-")
	d.cases = append(d.cases, Case{
		ID: fmt.Sprintf("%s-%02d", section, d.count[section]), Group: d.group, Title: title,
		Section: "RFC " + rfc + ", section " + sec, subjects: []Subject{Server, Client}, script: script, want: want,
	})
	return &d.cases[len(d.cases)-1]
}

// grouped returns the cases with those of a group together, wherever they were added.
func (d *deck) grouped() []Case {
	first := map[string]int{}
	for i, c := range d.cases {
		if _, ok := first[c.Group]; !ok {
			first[c.Group] = i
		}
	}
	slices.SortStableFunc(d.cases, func(a, b Case) int { return first[a.Group] - first[b.Group] })
	return d.cases
}

// good adds a case of legal behaviour: after script the events must have come, and a normal closing handshake follows.
func (d *deck) good(section, title string, script []step, events ...want) *Case {
	script = append(script, await{len(events)}, closeWith(1000))
	return d.add(section, title, script, exactly(append(events, closed(1000), gone())))
}

// bad adds a case of a breach that must end the connection with code. What came before it should still be answered.
func (d *deck) bad(section, title string, code uint16, script []step, before ...want) *Case {
	return d.add(section, title, append(script, settle{}), fails(code, before...))
}

// body is a payload that is made when it is needed: a list of cases holds no megabytes.
type body struct {
	about string
	make  func() []byte
}

func (b body) bytes() []byte {
	if b.make == nil {
		return nil
	}
	return b.make()
}

// lit is a payload given byte by byte.
func lit(p string) body {
	about := fmt.Sprintf("%d bytes", len(p))
	switch {
	case len(p) == 0:
		about = "nothing"
	case len(p) <= 48:
		about = fmt.Sprintf("%+q", p)
	}
	return body{about, func() []byte { return []byte(p) }}
}

// words is a text of n bytes, partly of more than one byte a character.
func words(n int) body {
	return body{size(n) + " of text", func() []byte {
		b := bytes.Repeat([]byte("the quick brown fox \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 jumps; "), n/30+1)[:n]
		for i := n - 1; i >= 0 && b[i] >= 0x80; i-- { // no character is cut in two
			b[i] = '.'
		}
		return b
	}}
}

// noise is n bytes that look random and are always the same.
func noise(n int) body {
	return body{size(n) + " of noise", func() []byte {
		b := make([]byte, n)
		_, _ = rand.NewChaCha8([32]byte{6, 4, 5, 5, byte(n)}).Read(b) // it never fails
		return b
	}}
}

// blank is n bytes of one value.
func blank(n int, c byte) body {
	return body{fmt.Sprintf("%s of %q", size(n), c), func() []byte { return bytes.Repeat([]byte{c}, n) }}
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n == 1:
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}

// opName names an opcode in descriptions.
func opName(op frame.Opcode) string { return op.String() }
