package requestfiltering

import (
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLimitedBody(t *testing.T) {
	for _, c := range []struct {
		body     string
		limit    int64
		exceeded bool
	}{
		{"", 0, false}, {"a", 0, true}, {"abcd", 4, false}, {"abcde", 4, true}, {"abcd", 1 << 40, false},
	} {
		for name, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "with end": iotest.DataErrReader} {
			b := &limitedBody{ReadCloser: io.NopCloser(wrap(strings.NewReader(c.body))), left: c.limit, refusal: tooLong(uint32(c.limit))}
			got, err := io.ReadAll(b)
			if b.exceeded.Load() != c.exceeded || errors.Is(err, b.refusal) != c.exceeded {
				t.Errorf("%q, limit %d, %s: exceeded %v, %v", c.body, c.limit, name, b.exceeded.Load(), err)
			}
			if want := c.body[:min(int64(len(c.body)), c.limit)]; string(got) != want {
				t.Errorf("%q, limit %d, %s: passed %q on, want %q", c.body, c.limit, name, got, want)
			}
			if n, err := b.Read(make([]byte, 1)); c.exceeded && (n != 0 || !errors.Is(err, b.refusal)) {
				t.Errorf("%q: a later read gives %d, %v", c.body, n, err)
			}
		}
	}
}

func TestUnescape(t *testing.T) {
	for _, c := range []struct {
		in, out string
		bare    bool
	}{
		{"", "", false}, {"plain", "plain", false}, {"%41", "A", false}, {"%6a%6A", "jj", false}, {"%2541", "%41", false},
		{"%", "%", true}, {"%4", "%4", true}, {"%zz", "%zz", true}, {"100%", "100%", true}, {"%%41", "%A", true}, {"a+b", "a+b", false},
	} {
		if got := unescape(c.in); got != c.out {
			t.Errorf("unescape(%q) = %q, want %q", c.in, got, c.out)
		}
		if got := barePercent(c.in); got != c.bare {
			t.Errorf("barePercent(%q) = %v", c.in, got)
		}
	}
}

// FuzzUnescape holds unescape to the standard library where that accepts the text, and to leaving it alone elsewhere.
func FuzzUnescape(f *testing.F) {
	for _, s := range []string{"%41%zz", "%25%32%35", "%", "a%2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := url.PathUnescape(s)
		if (err != nil) != barePercent(s) {
			t.Errorf("barePercent(%q) = %v, but the standard library says %v", s, barePercent(s), err)
		}
		if err == nil && unescape(s) != want {
			t.Errorf("unescape(%q) = %q, want %q", s, unescape(s), want)
		}
	})
}
