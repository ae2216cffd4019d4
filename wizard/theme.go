package wizard

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
)

// Look is what the terminal can show.
type Look struct {
	Color bool // false: no colours at all (NO_COLOR)
	Dark  bool // the background is dark
	ASCII bool // only the letters of ASCII: the terminal is not UTF-8
}

// theme is every colour, style and glyph of the wizard: one accent, one warning, one error, and otherwise the terminal's
// own foreground, bold and dim. A colour is never the only sign: what it marks has a glyph or a word too.
type theme struct {
	accent, warning, failure, success lipgloss.Style
	bold, dim, plain                  lipgloss.Style
	selected                          lipgloss.Style // the row under the cursor
	current                           lipgloss.Style // the current page
	button, chosen, disabled          lipgloss.Style // buttons: enabled, with the focus, not to be pressed
	match                             lipgloss.Style // the letters that a filter found
	glyph                             glyphs
	ascii                             bool
}

// glyphs are the signs that are not letters. Each is one column wide, but for the boxes, which are three.
type glyphs struct {
	clear, partial, ticked  string
	there, never            string // boxes that cannot be pressed: installed already, not to be had
	open, closed            string // of a node
	radioOn, radioOff       string
	cursor, current         string
	rule, bar               string
	barFull, barEmpty       string
	ok, failed, busy, warn  string
	dot                     string
	prev, next              string
	ellipsis                string
	topLeft, topRight       string
	bottomLeft, bottomRight string
	flag                    string
	more                    string
	sparks                  string // eight heights, lowest first
}

func unicodeGlyphs() glyphs {
	return glyphs{
		clear: "[ ]", partial: "[■]", ticked: "[✓]", there: " ✓ ", never: " · ", open: "▾", closed: "▸",
		radioOn: "(•)", radioOff: "( )", cursor: "❯", current: "▌", rule: "─", bar: "│", barFull: "█", barEmpty: "░",
		ok: "✓", failed: "✗", busy: "…", warn: "!", dot: "●", prev: "‹", next: "›", ellipsis: "…",
		topLeft: "┌", topRight: "┐", bottomLeft: "└", bottomRight: "┘", flag: "⚑", more: "▾", sparks: "▁▂▃▄▅▆▇█",
	}
}

func asciiGlyphs() glyphs {
	return glyphs{
		clear: "[ ]", partial: "[#]", ticked: "[x]", there: " x ", never: " - ", open: "-", closed: "+",
		radioOn: "(*)", radioOff: "( )", cursor: ">", current: "|", rule: "-", bar: "|", barFull: "#", barEmpty: ".",
		ok: "+", failed: "x", busy: "~", warn: "!", dot: "*", prev: "<", next: ">", ellipsis: "~",
		topLeft: "+", topRight: "+", bottomLeft: "+", bottomRight: "+", flag: "N", more: "v", sparks: "._-=+*%#",
	}
}

// newTheme makes the theme of a look. w is where it will be written; nothing is asked of it.
func newTheme(l Look, w io.Writer) theme {
	r := lipgloss.NewRenderer(w)
	r.SetHasDarkBackground(l.Dark)
	r.SetColorProfile(termenv.Ascii)
	if l.Color {
		r.SetColorProfile(termenv.ANSI256)
	}
	color := func(light, dark string) lipgloss.AdaptiveColor {
		return lipgloss.AdaptiveColor{Light: light, Dark: dark}
	}
	s := r.NewStyle()
	accent := color("25", "75")
	t := theme{
		accent: s.Foreground(accent), warning: s.Foreground(color("130", "214")), failure: s.Foreground(color("160", "203")),
		success: s.Foreground(color("28", "78")),
		bold:    s.Bold(true), dim: s.Faint(true), plain: s,
		selected: s.Foreground(accent).Bold(true), current: s.Foreground(accent).Bold(true),
		button: s, chosen: s.Foreground(accent).Bold(true).Reverse(true), disabled: s.Faint(true),
		match: s.Underline(true), glyph: unicodeGlyphs(),
	}
	if !l.Color {
		// Without colours termenv drops bold and the rest as well: the signs alone must do.
		t.chosen = s
	}
	if l.ASCII {
		t.glyph, t.ascii = asciiGlyphs(), true
	}
	return t
}

// box returns the glyph of a check box. Only one that can be pressed has brackets, as with buttons.
func (g *glyphs) box(b Box, changeable bool) string {
	switch {
	case !changeable && b == Clear:
		return g.never
	case !changeable:
		return g.there
	}
	switch b {
	case Ticked:
		return g.ticked
	case Partial:
		return g.partial
	}
	return g.clear
}
