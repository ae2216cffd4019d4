package frame

import (
	"bytes"
	"testing"
	"unicode/utf8"
)

// FuzzHeader: a header that was parsed is written as the same bytes when its length was minimal, and as a shorter
// form of the same header when not; what is cut off is never parsed.
func FuzzHeader(f *testing.F) {
	for _, seed := range []string{"", "\x81", "\x81\x05", "\x82\x7e\x00\x7d", "\x82\xfe\x01\x00\x01\x02\x03\x04", "\x88\x80\x00\x00\x00\x00", "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, n := Parse(b)
		if n == 0 {
			if len(b) >= MaxHeader || h != (Header{}) {
				t.Fatalf("%d bytes are not enough, or %+v came of nothing", len(b), h)
			}
			return
		}
		for cut := range n {
			if _, m := Parse(b[:cut]); m != 0 {
				t.Fatalf("%x parses although %x is the whole header", b[:cut], b[:n])
			}
		}
		again := AppendHeader(nil, h)
		if h.Minimal() != bytes.Equal(again, b[:n]) {
			t.Fatalf("%x: minimal %v, written as %x", b[:n], h.Minimal(), again)
		}
		h2, n2 := Parse(again)
		h.Extended = h2.Extended
		if h2 != h || n2 != len(again) || n2 > n {
			t.Fatalf("%x: %+v became %+v", b[:n], h, h2)
		}
		if v := Check(h2, Context{Role: Server}); v == nil && (!h.Masked || h.RSV != 0 || h.Length>>63 != 0) {
			t.Fatalf("%+v passes", h2)
		}
	})
}

// FuzzClose: what parses is valid and is written as the same bytes.
func FuzzClose(f *testing.F) {
	for _, seed := range []string{"", "\x03", "\x03\xe8", "\x03\xe9going away", "\x03\xed", "\x03\xe8\xff", "\x0f\xa0\xe2\x82\xac"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		code, reason, err := ParseClose(p)
		if err != nil {
			return
		}
		if !utf8.ValidString(reason) || code != NoStatus && !code.MayReceive() {
			t.Fatalf("ParseClose(%q) = %v, %q", p, code, reason)
		}
		if again, err := AppendClose(nil, code, reason); err != nil || !bytes.Equal(again, p) {
			t.Fatalf("%q became %q, %v", p, again, err)
		}
	})
}
