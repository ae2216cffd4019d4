package main

import (
	"strings"
	"testing"
)

func TestBrokenLines(t *testing.T) {
	for _, tt := range []struct {
		width    int
		in, want string
	}{
		{0, strings.Repeat("word ", 40), strings.Repeat("word ", 40)},
		{40, "short\n\n  lines\n", "short\n\n  lines\n"},
		{30, "  Static Content: default service of Web Server (IIS)\nnext", "  Static Content: default\n  service of Web Server (IIS)\nnext"},
		{30, "Number, /word, or Enter for the next page: ", "Number, /word, or Enter for\nthe next page: "},
		{30, strings.Repeat("x", 50), strings.Repeat("x", 29) + "\n" + strings.Repeat("x", 21)},
		{10, strings.Repeat("too narrow ", 4), strings.Repeat("too narrow ", 4)},
	} {
		var b strings.Builder
		n, err := brokenLines{&b, func() int { return tt.width }}.Write([]byte(tt.in))
		if err != nil || n != len(tt.in) || b.String() != tt.want {
			t.Errorf("at %d columns: %q became\n%q; want\n%q (%d, %v)", tt.width, tt.in, b.String(), tt.want, n, err)
		}
		for line := range strings.Lines(b.String()) {
			if tt.width >= 30 && len(strings.TrimRight(line, "\n")) >= tt.width {
				t.Errorf("%q does not fit into %d columns", line, tt.width)
			}
		}
	}
}
