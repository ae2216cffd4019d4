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
	body := max(h-len(out)-3, 1)
	if w.dlg != nil {
		out = append(out, w.dlg.view(th, width, body)...)
	} else {
		out = append(out, w.body(th, width, body)...)
	}
	return append(out, th.rule(width), w.statusLine(th, width), w.buttonLine(th, width))
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

// statusLine is what was just refused or said; else what is selected.
func (w *window) statusLine(th *theme, width int) string {
	switch {
	case w.serious:
		return th.fit(" "+th.warning.Render(th.glyph.warn+" "+w.status), width)
	case w.status != "":
		return th.fit(" "+w.status, width)
	}
	text := selectedLine(w.s)
	if w.s.Page < PageRoles || w.s.Page == PageResults {
		text = ""
	}
	return th.fit("  "+th.dim.Render(text), width)
}

// buttonLine is the row of buttons at the right.
func (w *window) buttonLine(th *theme, width int) string {
	var parts []string
	for i, b := range w.buttons() {
		label := strings.NewReplacer("<", th.glyph.prev, ">", th.glyph.next).Replace(b.label)
		focused := w.area == onButtons && i == w.button && w.dlg == nil
		text := th.buttonView(label, b.why == "", focused)
		if i == 2 && width >= 66 {
			text = "  " + text
		}
		parts = append(parts, text)
	}
	row := strings.Join(parts, "")
	return strings.Repeat(" ", max(width-ansi.StringWidth(row)-1, 0)) + row
}

// hintLine is the last line of the screen: keys that do something here and now.
func hintLine(th *theme, hints []hint, width int) string {
	text := ""
	for _, h := range hints {
		part := th.bold.Render(h.key) + " " + th.dim.Render(h.does)
		if text != "" {
			part = th.dim.Render(" · ") + part
		}
		if ansi.StringWidth(text)+ansi.StringWidth(part) > width-12 {
			break
		}
		text += part
	}
	if text != "" {
		text += th.dim.Render(" · ")
	}
	return th.fit(" "+text+th.bold.Render("?")+" "+th.dim.Render("keys"), width)
}
