package wizard

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// The least that a screen must have. A smaller one says so instead of drawing something broken.
const (
	minWidth  = 40
	minHeight = 12
)

// navWidth is the width of the navigation pane with its margin; below navFrom columns there is none.
const (
	navWidth = 24
	navFrom  = 76
)

// fit cuts a line at w columns, with the ellipsis of the theme, or fills it up with spaces.
func (t *theme) fit(line string, w int) string {
	if w <= 0 {
		return ""
	}
	n := ansi.StringWidth(line)
	if n > w {
		return ansi.Truncate(line, w, t.glyph.ellipsis)
	}
	return line + strings.Repeat(" ", w-n)
}

// spread puts left and right at the ends of a line of w columns. Left is cut first.
func (t *theme) spread(left, right string, w int) string {
	r := ansi.StringWidth(right)
	if r >= w {
		return t.fit(right, w)
	}
	return t.fit(left, w-r) + right
}

// pair puts left and right at the ends of a line of w columns. Right is cut first, and left out where little would be
// left of it.
func (t *theme) pair(left, right string, w int) string {
	const least = 8 // columns of a note that still say something
	room := w - ansi.StringWidth(left) - 2
	if n := ansi.StringWidth(right); n > room {
		if room < least {
			return t.fit(left, w)
		}
		right = ansi.Truncate(right, room, t.glyph.ellipsis)
	}
	return t.spread(left, right, w)
}

// scrolled returns the h lines of a list that are shown from top on. What is below is counted in the last of them.
func (t *theme) scrolled(list []string, top, w, h int) []string {
	out := t.block(list[min(top, len(list)):min(top+h, len(list))], w, h)
	if left := len(list) - top - h; left > 0 && h > 0 {
		out[h-1] = t.spread("", t.dim.Render(fmt.Sprintf("%s %d more", t.glyph.more, left+1)), w)
	}
	return out
}

// treeLines draws a tree with a dim note at the end of each line. When one of the long reasons does not fit, all of them
// give way to a shorter one.
func (t *theme) treeLines(lines []treeLine, w int) []string {
	const long, short = "default service of ", "by default"
	tight := false
	for _, l := range lines {
		tight = tight || strings.HasPrefix(l.note, long) && 2*l.depth+ansi.StringWidth(l.text)+ansi.StringWidth(l.note)+2 > w
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if tight && strings.HasPrefix(l.note, long) {
			l.note = short
		}
		out[i] = t.pair(strings.Repeat("  ", l.depth)+l.text, t.dim.Render(l.note), w)
	}
	return out
}

// block makes exactly h lines of w columns.
func (t *theme) block(lines []string, w, h int) []string {
	out := make([]string, 0, h)
	for i := range h {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out = append(out, t.fit(line, w))
	}
	return out
}

// beside joins two blocks of one height with a thin rule between them.
func (t *theme) beside(left, right []string) []string {
	out := make([]string, len(left))
	for i := range left {
		out[i] = left[i] + t.dim.Render(t.glyph.bar) + " " + right[i]
	}
	return out
}

// rule is a thin line.
func (t *theme) rule(w int) string { return t.dim.Render(strings.Repeat(t.glyph.rule, max(w, 0))) }

// wrap breaks a text into lines of w columns at most. Empty lines stay; what a terminal would obey does not: errors and
// command lines hold what others have written.
func wrap(text string, w int) []string {
	if w < 1 {
		return nil
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = ansi.Wrap(harmless(line), w, "")
	}
	return strings.Split(strings.Join(lines, "\n"), "\n")
}

// window of a list: which of n rows are shown in h lines, so that row at is among them, beginning near top.
func scrollTo(top, at, n, h int) int {
	top = min(top, at)
	top = max(top, at-h+1)
	return max(min(top, n-h), 0)
}

// thousands writes a number with separators.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// count writes "1 socket" or "1,204 sockets".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return thousands(n) + " " + many
}
