package wizard

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/rolemgr/rolemgr/features"
)

// view draws the tree with its boxes in h lines of w columns. focused tells whether keys go to it.
func (t *tree) view(th *theme, sel *Selection, w, h int, focused bool) []string {
	rows, at := t.at()
	var out []string
	if t.filtering || t.filter != "" {
		cursor := ""
		if t.filtering {
			cursor = th.bold.Render("_")
		}
		out = append(out, th.fit(th.dim.Render("/ ")+t.filter+cursor, w))
		h--
	}
	t.height = max(h, 1)
	if len(rows) == 0 {
		return th.block(append(out, th.dim.Render("  nothing matches")), w, h+len(out))
	}
	t.top = scrollTo(t.top, at, len(rows), t.height)
	for i := t.top; i < min(t.top+t.height, len(rows)); i++ {
		out = append(out, t.rowView(th, sel, rows[i], i == at, focused, w))
	}
	return out
}

// rowView draws one node.
func (t *tree) rowView(th *theme, sel *Selection, r row, here, focused bool, w int) string {
	g := &th.glyph
	u, _ := t.cat.Unit(r.id)
	fold := " "
	switch {
	case r.open:
		fold = g.open
	case r.kids:
		fold = g.closed
	}
	cursor := " "
	if here {
		cursor = g.cursor
	}
	title, note := u.Title, note(sel, r.id)
	if r.why != "" {
		note = strings.TrimSpace(note + "  " + r.why)
	}
	box, style := g.clear, th.plain
	if sel != nil {
		changeable := sel.changeable(r.id)
		box = g.box(sel.Box(r.id), changeable)
		if !changeable {
			style = th.dim
		}
	}
	if here && focused {
		style = th.selected
	}
	left := cursor + strings.Repeat("  ", r.depth) + fold + " " + box + " "
	text := style.Render(left) + t.titleView(th, title, r, style)
	if r.why != "" {
		return th.pair(text, th.dim.Render(note), w-1)
	}
	if note == "" || ansi.StringWidth(text)+ansi.StringWidth(note)+2 > w {
		return th.fit(text, w) // the box says the same as the note, and so does the description
	}
	return th.spread(text, th.dim.Render(note)+" ", w)
}

// titleView draws a name with the letters that the filter found.
func (t *tree) titleView(th *theme, title string, r row, style interface{ Render(...string) string }) string {
	if r.from < 0 || t.filter == "" || r.from+len(t.filter) > len(title) {
		return style.Render(title)
	}
	to := r.from + len(t.filter)
	return style.Render(title[:r.from]) + th.match.Render(title[r.from:to]) + style.Render(title[to:])
}

// note is what stands behind the name of a node.
func note(sel *Selection, id features.ID) string {
	if sel == nil {
		return ""
	}
	text, installed, all := sel.Note(id)
	switch text {
	case "":
		return ""
	case "of":
		return fmt.Sprintf("(%d of %d installed)", installed, all)
	case "Not available":
		return "n/a"
	case "Not built yet":
		return "later"
	case "Other level":
		return "level"
	}
	return "(" + text + ")"
}

// changeable reports whether a press on the box of a node would do something.
func (s *Selection) changeable(id features.ID) bool {
	if s.mode == Remove {
		_, installed, _ := s.Note(id)
		return s.was[id] || installed > 0
	}
	if s.cat.Blocked(id, s.level) != nil {
		return false
	}
	_, installed, all := s.Note(id)
	return !s.was[id] || installed < all
}

// describe is the description pane of a node.
func describe(th *theme, cat *features.Catalog, sel *Selection, id features.ID, w int) []string {
	u, ok := cat.Unit(id)
	if !ok {
		return nil
	}
	out := wrapStyled(th.bold, u.Title, w)
	out = append(out, "")
	doc, _, _ := strings.Cut(u.Doc, "\n\n")
	out = append(out, wrap(plainText(doc), w)...)
	out = append(out, "")
	if sel != nil {
		if _, there, _ := sel.Note(id); sel.mode == Remove && !sel.was[id] && there == 0 {
			out = append(out, th.dim.Render("Not installed"), "")
		} else if p := cat.Blocked(id, sel.level); p != nil && !sel.was[id] && sel.mode == Add {
			out = append(out, wrapStyled(th.warning, th.glyph.warn+" "+p.Summary, w)...)
			switch {
			case u.Unavailable != nil && u.Unavailable.Instead != "":
				out = append(out, wrap("Instead: "+u.Unavailable.Instead, w)...)
			case p.Code == "level":
				out = append(out, wrap(upperFirst(p.Hint), w)...)
			}
			out = append(out, "")
		}
		if why := sel.picks[id].Why; why != "" && why != string(features.Requested) {
			what := "Selected: "
			if sel.was[id] {
				what = "Installed: "
			}
			out = append(out, wrapStyled(th.dim, what+why, w)...)
		}
	}
	return append(out, facts(th, cat, u, w)...)
}

// facts are the short lines at the end of a description.
func facts(th *theme, cat *features.Catalog, u features.Unit, w int) []string {
	var out []string
	add := func(key, value string) {
		lines := wrap(value, max(w-10, 8))
		for i, line := range lines {
			if i > 0 {
				key = ""
			}
			out = append(out, th.dim.Render(fmt.Sprintf("%-10s", key))+line)
		}
	}
	var needs []string
	for _, q := range u.Requires {
		n, _ := cat.Unit(q.ID)
		needs = append(needs, n.Title)
	}
	if len(needs) == 0 {
		needs = []string{"nothing else"}
	}
	add("Requires", strings.Join(needs, ", "))
	if u.Since != "" {
		add("Since", "IIS "+string(u.Since))
	}
	if n := len(u.Modules); n > 0 {
		add("Adds", count(n, "module", "modules"))
	}
	if u.WindowsName != "" {
		add("Name", u.WindowsName)
	}
	return out
}

// plainText takes the marks of Markdown away that a short text may have.
func plainText(s string) string {
	return strings.NewReplacer("**", "", "`", "", "\n", " ").Replace(s)
}

// wrapStyled wraps a text and gives every line a style.
func wrapStyled(style interface{ Render(...string) string }, text string, w int) []string {
	lines := wrap(text, w)
	for i := range lines {
		lines[i] = style.Render(lines[i])
	}
	return lines
}
