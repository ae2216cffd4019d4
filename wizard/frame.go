package wizard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// view draws the wizard in h lines of w columns: title, navigation pane, page, status, buttons. The line with the keys
// is the model's.
func (w *window) view(th *theme, width, h int) []string {
	title, label := "Add Roles and Features Wizard", "DESTINATION SERVER  "
	if w.s.Mode == Remove {
		title = "Remove Roles and Features Wizard"
	}
	if width < 72 {
		label = ""
	}
	name := "No servers are selected"
	if srv, ok := w.s.Server(); ok {
		name = srv.Name
	}
	out := []string{
		th.spread(" "+th.bold.Render(title), "  "+th.dim.Render(label)+name+" ", width),
		th.rule(width),
	}
	status := w.statusLines(th, width)
	body := max(h-len(out)-2-len(status), 1)
	page := w.body(th, width, body)
	if w.dlg != nil {
		page = w.dlg.view(th, page, width)
	}
	out = append(out, page...)
	out = append(append(out, th.rule(width)), status...)
	return append(out, w.buttonLine(th, width))
}

// body is the navigation pane beside the page; on a narrow screen a line tells where one is.
func (w *window) body(th *theme, width, h int) []string {
	heading := th.bold.Render(w.s.Heading(w.s.Page))
	if width < navFrom {
		pages := w.s.Pages()
		at := slices.Index(pages, w.s.Page) + 1
		where := th.dim.Render(w.s.Label(w.s.Page) + "  " + fmt.Sprintf("%d of %d", at, len(pages)))
		if w.area == onNav {
			p := pages[min(w.nav, len(pages)-1)]
			where = th.selected.Render(th.glyph.cursor + " " + w.s.Label(p))
		}
		page := w.current().view(th, width-2, h-2, w.area == onPage)
		lines := append([]string{th.spread(heading, " "+where, width-2), ""}, page...)
		return indent(th.block(lines, width-2, h), 1)
	}
	inner := width - navWidth - 2
	page := append([]string{heading, ""}, w.current().view(th, inner, h-2, w.area == onPage)...)
	left, right := th.block(w.navView(th), navWidth, h), th.block(page, inner, h)
	out := make([]string, h)
	for i := range out {
		out[i] = left[i] + " " + right[i]
	}
	return out
}

func indent(lines []string, by int) []string {
	for i := range lines {
		lines[i] = strings.Repeat(" ", by) + lines[i]
	}
	return lines
}

// navView is the navigation pane: the current page, those that can be reached, and those that cannot yet.
func (w *window) navView(th *theme) []string {
	var out []string
	for i, p := range w.s.Pages() {
		style, sign := th.plain, " "
		switch ok, _ := w.s.Reachable(p); {
		case p == w.s.Page:
			style, sign = th.current, th.glyph.current
		case !ok:
			style = th.dim
		}
		label := w.s.Label(p)
		if p == PageServices && w.s.Mode == Add {
			label = "  " + label
		}
		if w.area == onNav && i == w.nav {
			style, sign = th.selected, th.glyph.cursor
		}
		out = append(out, " "+style.Render(sign+" "+label))
	}
	return out
}

// statusLines are what was just refused or said, on two lines where it is long; else what is selected.
func (w *window) statusLines(th *theme, width int) []string {
	if w.status == "" {
		text := selectedLine(w.s)
		if w.s.Page < PageRoles || w.s.Page == PageResults {
			text = ""
		}
		return []string{th.fit("  "+th.dim.Render(text), width)}
	}
	return th.said(w.status, w.serious, width)
}

// said is what was just refused or said, on two lines where it is long.
func (t *theme) said(text string, serious bool, width int) []string {
	sign, rest, style := "  ", "  ", t.plain
	if serious {
		sign, rest, style = " "+t.glyph.warn+" ", "   ", t.warning
	}
	lines := wrap(text, width-4)
	if len(lines) > 2 {
		lines = []string{lines[0], t.fit(strings.Join(lines[1:], " "), width-4)}
	}
	for i := range lines {
		lines[i] = t.fit(style.Render(sign+lines[i]), width)
		sign = rest
	}
	return lines
}

// buttonLine is the row of buttons at the right.
func (w *window) buttonLine(th *theme, width int) string {
	var parts []string
	for i, b := range w.buttons() {
		label := strings.NewReplacer("<", th.glyph.prev, ">", th.glyph.next).Replace(b.label)
		focused := w.area == onButtons && i == w.button && w.dlg == nil
		text := th.buttonView(label, b.why == "" && w.dlg == nil && !w.covered, focused)
		if i == 2 && width >= 66 {
			text = "  " + text
		}
		parts = append(parts, text)
	}
	row := strings.Join(parts, "")
	return strings.Repeat(" ", max(width-ansi.StringWidth(row)-1, 0)) + row
}

// hintLine is the last line of the screen: keys that do something here and now. The last of them is kept, whatever else
// there is no room for.
func hintLine(th *theme, hints []hint, width int) string {
	text, between := "", " · "
	if th.ascii {
		between = " | "
	}
	show := func(h hint) string { return th.bold.Render(th.keyName(h.key)) + " " + th.dim.Render(h.does) }
	for i, h := range hints {
		part := show(h)
		if text != "" {
			part = th.dim.Render(between) + part
		}
		room := width - 2
		if i < len(hints)-1 {
			room -= ansi.StringWidth(show(hints[len(hints)-1])) + 3
		}
		if ansi.StringWidth(text)+ansi.StringWidth(part) <= room {
			text += part
		}
	}
	return th.fit(" "+text, width)
}

// keyName is the name of a key, in letters where the terminal has no arrows.
func (t *theme) keyName(key string) string {
	if !t.ascii {
		return key
	}
	return strings.NewReplacer("↑↓", "up/down", "←→", "left/right", "↑", "up", "↓", "down", "←", "left", "→", "right").Replace(key)
}
