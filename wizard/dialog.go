package wizard

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/rolemgr/rolemgr/features"
)

// dialog is a question over a page. Its answer is the message of the button that was pressed; esc is the last button.
type dialog struct {
	title   string
	text    []string // paragraphs
	tree    []treeLine
	check   string // a check box below the tree; "" for none
	checked bool
	relabel func(checked bool) string // of the first button, when the box changes it
	field   *field                    // a line to be typed; nil for none
	buttons []dialogButton
	focus   int // in parts
	top     int // first line of the body that is shown
	fault   string
}

// dialogButton is a button and what it says to the wizard.
type dialogButton struct {
	label  string
	key    string // its letter
	answer func(d *dialog) any
}

// treeLine is a node in the tree of a dialog.
type treeLine struct {
	depth int
	text  string
	note  string
}

// field is a line of text that is being typed.
type field struct {
	label string
	text  string
}

// parts are what Tab goes through: the field, the check box, the buttons.
func (d *dialog) parts() int {
	n := len(d.buttons)
	if d.check != "" {
		n++
	}
	if d.field != nil {
		n++
	}
	return n
}

// part tells what the focus is on: 'f' the field, 'c' the check box, 'b' button i.
func (d *dialog) part() (kind byte, i int) {
	i = d.focus
	if d.field != nil {
		if i == 0 {
			return 'f', 0
		}
		i--
	}
	if d.check != "" {
		if i == len(d.buttons) {
			return 'c', 0
		}
	}
	return 'b', i
}

// key takes a key. done means that the dialog is over, with the answer.
func (d *dialog) key(k string) (answer any, done bool) {
	kind, i := d.part()
	d.fault = ""
	switch k {
	case "tab", "right":
		if kind == 'f' && k == "right" {
			return nil, false
		}
		d.focus = (d.focus + 1) % d.parts()
	case "shift+tab", "left":
		if kind == 'f' && k == "left" {
			return nil, false
		}
		d.focus = (d.focus + d.parts() - 1) % d.parts()
	case "up":
		d.top--
	case "down":
		d.top++
	case "pgup":
		d.top -= 5
	case "pgdown":
		d.top += 5
	case "esc":
		return d.press(len(d.buttons) - 1)
	case "enter":
		if kind != 'b' {
			i = 0
		}
		return d.press(i)
	case "backspace":
		if d.field != nil && d.field.text != "" {
			r := []rune(d.field.text)
			d.field.text = string(r[:len(r)-1])
		}
	default:
		return d.letter(k, kind, i)
	}
	return nil, false
}

// letter types into the field, ticks the box, or presses the button with that letter.
func (d *dialog) letter(k string, kind byte, i int) (answer any, done bool) {
	if kind == 'f' && printable(k) {
		d.field.text += k
		return nil, false
	}
	if k == " " {
		switch {
		case kind == 'b':
			return d.press(i)
		case kind == 'c':
			d.checked = !d.checked
		}
		return nil, false
	}
	k = strings.TrimPrefix(k, "alt+")
	if d.check != "" && k == "m" {
		d.checked = !d.checked
		return nil, false
	}
	for n, b := range d.buttons {
		if strings.EqualFold(k, b.key) {
			return d.press(n)
		}
	}
	return nil, false
}

// press presses a button. An answer of type dialogFault keeps the dialog open.
func (d *dialog) press(i int) (answer any, done bool) {
	answer = d.buttons[i].answer(d)
	if f, ok := answer.(dialogFault); ok {
		d.fault = string(f)
		return nil, false
	}
	return answer, true
}

// dialogFault is an answer that cannot be taken, with the reason.
type dialogFault string

// view draws the dialog in the middle of what is behind it: lines of w columns.
func (d *dialog) view(th *theme, behind []string, w int) []string {
	h := len(behind)
	width := min(w-4, 66)
	inner := width - 4
	tight := h < 18
	body, foot := d.body(th, inner, tight), d.foot(th, inner, tight)
	room := h - 4 - len(foot)
	if tight {
		room = h - 2 - len(foot)
	}
	room = max(room, 1)
	d.top = max(min(d.top, len(body)-room), 0)
	shown := th.scrolled(body, d.top, inner, min(room, len(body)))
	g := &th.glyph
	title := " " + d.title + " "
	if ansi.StringWidth(title) > inner {
		title = "" // it stands inside
	}
	box := []string{
		th.accent.Render(g.topLeft+g.rule) + th.bold.Render(title) +
			th.accent.Render(strings.Repeat(g.rule, max(width-3-ansi.StringWidth(title), 0))+g.topRight),
	}
	side := th.accent.Render(g.bar)
	line := func(s string) { box = append(box, side+" "+th.fit(s, inner)+" "+side) }
	for _, s := range shown {
		line(s)
	}
	for _, s := range foot {
		line(s)
	}
	box = append(box, th.accent.Render(g.bottomLeft+strings.Repeat(g.rule, width-2)+g.bottomRight))
	return th.over(behind, box, width, w)
}

// body is what can be scrolled: text and tree, and a title that is too long for the frame.
func (d *dialog) body(th *theme, w int, tight bool) []string {
	var out []string
	gap := func() {
		if !tight && len(out) > 0 {
			out = append(out, "")
		}
	}
	if ansi.StringWidth(d.title)+2 > w {
		out = wrapStyled(th.bold, d.title, w)
	}
	for _, p := range d.text {
		gap()
		out = append(out, wrap(p, w)...)
	}
	if len(d.tree) > 0 {
		gap()
		out = append(out, th.treeLines(d.tree, w)...)
	}
	return out
}

// foot is what stays: the field, the box, a fault, the buttons.
func (d *dialog) foot(th *theme, w int, tight bool) []string {
	kind, at := d.part()
	var out []string
	gap := func() {
		if !tight {
			out = append(out, "")
		}
	}
	gap()
	if d.field != nil {
		label := d.field.label + " "
		text := d.field.text + "_"
		room := max(w-ansi.StringWidth(label), 8)
		if n := ansi.StringWidth(text); n > room {
			text = ansi.TruncateLeft(text, n-room+1, th.glyph.ellipsis)
		}
		style := th.plain
		if kind == 'f' {
			style = th.selected
		}
		out = append(out, th.dim.Render(label)+style.Render(text))
		gap()
	}
	if d.check != "" {
		box, style := th.glyph.clear, th.plain
		if d.checked {
			box = th.glyph.ticked
		}
		cursor := " "
		if kind == 'c' {
			style, cursor = th.selected, th.glyph.cursor
		}
		out = append(out, style.Render(cursor+box+" "+d.check))
		gap()
	}
	if d.fault != "" {
		out = append(out, wrapStyled(th.failure, th.glyph.failed+" "+upperFirst(d.fault), w)...)
		gap()
	}
	var row []string
	for i, b := range d.buttons {
		label := b.label
		if i == 0 && d.relabel != nil {
			label = d.relabel(d.checked)
		}
		row = append(row, th.buttonView(label, true, kind == 'b' && i == at))
	}
	text := strings.Join(row, " ")
	return append(out, strings.Repeat(" ", max(w-ansi.StringWidth(text), 0))+text)
}

// buttonView draws a button. Brackets say that it can be pressed, the sign before it that it has the focus.
func (t *theme) buttonView(label string, enabled, focused bool) string {
	switch {
	case !enabled && focused: // a press says why it cannot be pressed
		return t.accent.Render(t.glyph.cursor) + t.disabled.Render("  "+label+"  ")
	case !enabled:
		return t.disabled.Render("   " + label + "  ")
	case focused:
		return t.accent.Render(t.glyph.cursor) + t.chosen.Render("[ "+label+" ]")
	}
	return t.button.Render(" [ " + label + " ]")
}

// over puts a box of width columns into the middle of what is behind it, which is dimmed. Where little would be left of
// the lines beside the box, they are blank.
func (t *theme) over(behind, box []string, width, w int) []string {
	const readable = 5 // columns beside the box
	out := make([]string, len(behind))
	above, left := max((len(behind)-len(box))/2, 0), max((w-width)/2, 0)
	for i, line := range behind {
		line = t.fit(ansi.Strip(line), w)
		if left < readable && i >= above && i < above+len(box) {
			line = strings.Repeat(" ", w)
		}
		if i < above || i >= above+len(box) {
			out[i] = t.dim.Render(line)
			continue
		}
		out[i] = t.dim.Render(t.fit(ansi.Cut(line, 0, left-1), left)) + box[i-above] +
			t.dim.Render(t.fit(" "+ansi.Cut(line, left+width+1, w), w-left-width))
	}
	return out
}

// additions makes the tree of a proposal: what comes or goes, below the groups that it stands in.
func additions(cat *features.Catalog, extras []Extra) []treeLine {
	listed, shown := map[features.ID]Extra{}, map[features.ID]bool{}
	for _, e := range extras {
		listed[e.ID], shown[e.ID] = e, true
		for _, a := range cat.Ancestors(e.ID) {
			shown[a] = true
		}
	}
	var out []treeLine
	for _, u := range cat.Units() {
		if !shown[u.ID] {
			continue
		}
		l := treeLine{depth: cat.Depth(u.ID), text: u.Title}
		if e, ok := listed[u.ID]; ok {
			l.note = e.Why
			if e.Tool {
				l.text = "[Tools] " + l.text
			}
		}
		out = append(out, l)
	}
	return out
}
