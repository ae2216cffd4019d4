package main

import (
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// brokenLines breaks the lines of a text between words at the width of a terminal, which would break them anywhere. What
// is written begins at the start of a line. It is as safe for concurrent use as what it writes to.
type brokenLines struct {
	w     io.Writer
	width func() int // columns, 0 when unknown
}

// Write writes p with its lines broken.
func (b brokenLines) Write(p []byte) (int, error) {
	lines := strings.Split(string(p), "\n")
	for i, line := range lines {
		lines[i] = breakLine(line, b.width())
	}
	if _, err := io.WriteString(b.w, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(p), nil
}

// breakLine breaks a line; what follows stands below where its text begins.
func breakLine(line string, width int) string {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	if width == 0 || ansi.StringWidth(line) < width || width-indent < 20 {
		return line
	}
	margin := strings.Repeat(" ", indent)
	room := width - indent - 1 // a terminal that wraps on its own may do so after the last column
	end := strings.HasSuffix(text, " ")
	text = margin + strings.ReplaceAll(ansi.Wrap(strings.TrimRight(text, " "), room, ""), "\n", "\n"+margin)
	if end { // of a prompt
		text += " "
	}
	return text
}

// terminalLines is standard output for people who read lines on a terminal.
func (c *cli) terminalLines() io.Writer {
	if !c.OutTTY || c.Screen == nil {
		return c.Out
	}
	screen := c.Screen
	return brokenLines{c.Out, func() int { return terminalWidth(screen) }}
}

var _ io.Writer = brokenLines{}
