package ws

import (
	"testing"
	"unicode/utf8"
)

// mendable reports by trial whether some continuation makes p valid.
func mendable(p []byte) bool {
	tails := []byte{0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF}
	try := func(extra ...byte) bool { return utf8.Valid(append(p[:len(p):len(p)], extra...)) }
	if try() {
		return true
	}
	for _, a := range tails {
		if try(a) {
			return true
		}
		for _, b := range tails {
			if try(a, b) {
				return true
			}
			for _, c := range tails {
				if try(a, b, c) {
					return true
				}
			}
		}
	}
	return false
}

func TestUTF8StateAgreesWithTrial(t *testing.T) {
	edges := []byte{0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF}
	seen := 0
	var walk func(p []byte, s utf8State)
	walk = func(p []byte, s utf8State) {
		seen++
		if s.whole() != utf8.Valid(p) {
			t.Fatalf("%x: whole %v", p, s.whole())
		}
		if len(p) == 5 {
			return
		}
		for _, b := range edges {
			next, q := s, append(p[:len(p):len(p)], b)
			ok := next.feed([]byte{b})
			if ok != mendable(q) {
				t.Fatalf("%x: feed says %v", q, ok)
			}
			var atOnce utf8State
			if atOnce.feed(q) != ok || ok && atOnce.need != next.need {
				t.Fatalf("%x: at once it ends otherwise", q)
			}
			if ok && (b >= 0x80 || len(p) < 2) {
				walk(q, next)
			}
		}
	}
	walk(nil, utf8State{})
	for b := range 256 { // every lead byte
		var s utf8State
		if s.feed([]byte{byte(b)}) != mendable([]byte{byte(b)}) {
			t.Errorf("lead byte %x", b)
		}
	}
	if seen < 1000 {
		t.Errorf("only %d sequences were tried", seen)
	}
}
