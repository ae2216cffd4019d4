package wizard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const consoleNav = 20 // columns of the navigation pane

// view draws Server Manager in h lines of w columns.
func (c *console) view(th *theme, tasks []*task, w, h int) []string {
	g := &th.glyph
	bar, at := c.menuBar(th)
	flag := g.flag
	switch n, bad := unseen(tasks); {
	case bad:
		flag = th.failure.Render(fmt.Sprintf("%s %d%s", g.flag, n, g.warn))
	case n > 0:
		flag = th.accent.Render(fmt.Sprintf("%s %d", g.flag, n))
	case slices.ContainsFunc(tasks, func(t *task) bool { return t.State == taskRunning }):
		flag = th.accent.Render(g.flag + g.busy)
	}
	right := flag + "  " + bar + " "
	left := " " + th.bold.Render("Server Manager") + " " + th.dim.Render(g.next) + " " + c.name(c.place)
	out := []string{th.spread(left, "  "+right, w), th.rule(w)}
	status := c.statusLines(th, w)
	room := max(h-len(out)-1-len(status), 1)
	page := c.page(th, tasks, w, room)
	if c.menu >= 0 {
		page = c.dropDown(th, page, w-ansi.StringWidth(bar)-1+at[c.menu], w)
	}
	out = append(out, th.block(page, w, room)...)
	return append(append(out, th.rule(w)), status...)
}

// statusLines are what was just said, or when the server was last looked at.
func (c *console) statusLines(th *theme, w int) []string {
	switch {
	case c.status != "":
		return th.said(c.status, c.serious, w)
	case c.loading:
		return []string{th.fit("  "+th.dim.Render("Refreshing"+th.glyph.ellipsis), w)}
	}
	return []string{th.fit("  "+th.dim.Render("Last refreshed "+c.info.at.Format("15:04:05")), w)}
}

// page is the navigation pane beside the current place.
func (c *console) page(th *theme, tasks []*task, w, h int) []string {
	if w < navFrom {
		return indent(th.block(c.body(th, tasks, w-2, h), w-2, h), 1)
	}
	var nav []string
	for i, p := range c.pages() {
		style, sign := th.plain, " "
		if p == c.place {
			style, sign = th.current, th.glyph.current
		}
		nav = append(nav, fmt.Sprintf(" %s %s", style.Render(sign+" "+th.fit(c.name(p), consoleNav-7)), th.dim.Render(fmt.Sprint(i+1))))
	}
	left := th.block(nav, consoleNav, h)
	body := th.block(c.body(th, tasks, w-consoleNav-2, h), w-consoleNav-2, h)
	out := make([]string, h)
	for i := range out {
		out[i] = left[i] + " " + body[i]
	}
	return out
}

// body is the current place.
func (c *console) body(th *theme, tasks []*task, w, h int) []string {
	var lines []string
	at := -1
	switch {
	case c.info.at.IsZero():
		return []string{"", th.dim.Render("Looking at the server" + th.glyph.ellipsis)}
	case c.place == atDashboard:
		lines, at = c.dashboard(th, w)
	case c.place == atTask:
		lines = c.taskLines(th, w)
	default:
		lines, at = c.table(th, w)
	}
	c.lines, c.room = len(lines), h
	if at >= 0 {
		c.top = scrollTo(c.top, at, len(lines), h-1)
	}
	c.top = max(min(c.top, len(lines)-h), 0)
	return th.scrolled(lines, c.top, w, h)
}

// dashboard draws the tiles, as many beside one another as there is room for. at is the line of the cursor.
func (c *console) dashboard(th *theme, w int) (lines []string, at int) {
	const gap = 2
	tiles := c.tiles()
	perRow := max(min((w+gap)/(28+gap), 3), 1)
	tw := min((w-gap*(perRow-1))/perRow, 40)
	counts := fmt.Sprintf("Roles %d %s Groups 0 %s Servers 1", len(c.info.roles), "·", "·")
	if th.ascii {
		counts = strings.ReplaceAll(counts, "·", "|")
	}
	lines = []string{th.spread(th.bold.Render("ROLES AND SERVER GROUPS"), th.dim.Render(" "+counts), w), ""}
	at = 0
	index := 0
	for len(tiles) > 0 {
		n := min(perRow, len(tiles))
		var boxes [][]string
		height := 0
		for _, t := range tiles[:n] {
			box, here := c.tile(th, t, tw, index)
			if here >= 0 {
				at = len(lines) + here
			}
			index += len(t.rows)
			boxes = append(boxes, box)
			height = max(height, len(box))
		}
		for y := range height {
			line := ""
			for i, box := range boxes {
				if i > 0 {
					line += strings.Repeat(" ", gap)
				}
				part := ""
				if y < len(box) {
					part = box[y]
				}
				line += th.fit(part, tw)
			}
			lines = append(lines, line)
		}
		lines = append(lines, "")
		tiles = tiles[n:]
	}
	return lines, at
}

// tile draws one box; first is the index of its first row. here is the line of the cursor in it, -1 for none.
func (c *console) tile(th *theme, t tile, w, first int) (box []string, here int) {
	g, inner := &th.glyph, w-2
	here = -1
	edge, worst := th.dim, noSign
	for _, r := range t.rows {
		worst = max(worst, r.sign)
	}
	switch worst {
	case warned:
		edge = th.warning
	case failed:
		edge = th.failure
	}
	title, number := " "+t.title+" ", ""
	if t.count != "" {
		number = " " + t.count + " "
	}
	fill := max(inner-1-ansi.StringWidth(title)-ansi.StringWidth(number)-1, 0)
	box = append(box, edge.Render(g.topLeft+g.rule)+th.bold.Render(title)+
		edge.Render(strings.Repeat(g.rule, fill))+th.bold.Render(number)+edge.Render(g.rule+g.topRight))
	for i, r := range t.rows {
		cursor, style := " ", th.plain
		if first+i == c.cursor {
			cursor, style, here = g.cursor, th.selected, len(box)
		}
		value := ""
		if len(r.cells) > 1 {
			value = " " + r.cells[1] + " "
		}
		line := th.spread(style.Render(cursor)+th.signView(r.sign)+" "+style.Render(r.cells[0]), value, inner)
		box = append(box, edge.Render(g.bar)+line+edge.Render(g.bar))
	}
	return append(box, edge.Render(g.bottomLeft+strings.Repeat(g.rule, inner)+g.bottomRight)), here
}

// signView is the glyph of a sign.
func (t *theme) signView(s sign) string {
	switch s {
	case good:
		return t.success.Render(t.glyph.dot)
	case warned:
		return t.warning.Render(t.glyph.warn)
	case failed:
		return t.failure.Render(t.glyph.failed)
	}
	return " "
}

// table draws the rows of a place in columns. at is the line of the cursor, -1 when nothing can be pressed.
func (c *console) table(th *theme, w int) (lines []string, at int) {
	rows := c.rows()
	at = -1
	item := 0
	for i := 0; i < len(rows); {
		end := i + 1 // a heading and what stands below it have columns in common
		for end < len(rows) && !rows[end].head {
			end++
		}
		widths := columnWidths(rows[i:end], w-4)
		for _, r := range rows[i:end] {
			here := r.act != nil && item == c.cursor
			if r.act != nil {
				item++
			}
			if here {
				at = len(lines)
			}
			lines = append(lines, c.rowLines(th, r, widths, w, here)...)
		}
		i = end
	}
	return lines, at
}

// rowLines draws one row.
func (c *console) rowLines(th *theme, r crow, widths []int, w int, here bool) []string {
	switch {
	case r.wrap && !r.head:
		var out []string
		for i, line := range wrap(r.cells[0], w-4) {
			sign := " "
			if i == 0 {
				sign = th.signView(r.sign)
			}
			out = append(out, "  "+sign+" "+line)
		}
		return out
	case len(r.cells) == 1 && r.cells[0] == "":
		return []string{""}
	}
	text := ""
	for i, cell := range r.cells {
		if i == len(r.cells)-1 {
			text += cell
			break
		}
		text += th.fit(cell, widths[i]) + "  "
	}
	switch {
	case r.head:
		return []string{th.fit("    "+th.bold.Render(text), w)}
	case here:
		return []string{th.fit(th.selected.Render(th.glyph.cursor)+" "+th.signView(r.sign)+" "+th.selected.Render(text), w)}
	}
	return []string{th.fit("  "+th.signView(r.sign)+" "+text, w)}
}

// columnWidths are the widths of all columns but the last: what stands in them, the widest cut until all fit.
func columnWidths(rows []crow, w int) []int {
	var widths []int
	for _, r := range rows {
		if r.wrap || len(r.cells) < 2 {
			continue
		}
		for i, cell := range r.cells {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	total := func() int {
		n := 2 * max(len(widths)-1, 0)
		for _, x := range widths {
			n += x
		}
		return n
	}
	for total() > w {
		widest := 0
		for i, x := range widths {
			if x > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= 8 {
			break
		}
		widths[widest]--
	}
	return widths
}
