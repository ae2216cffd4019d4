package wizard

import (
	"fmt"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// beforePage is Before You Begin.
type beforePage struct {
	s     *Session
	boxAt int // line of the check box at the last view
}

func (p *beforePage) typing() bool { return false }

func (p *beforePage) key(k string) (tea.Msg, bool) {
	switch k {
	case " ":
		p.s.SkipBefore = !p.s.SkipBefore
		return skipMsg{p.s.SkipBefore}, true
	case "o":
		other := Remove
		if p.s.Mode == Remove {
			other = Add
		}
		return switchModeMsg{other}, true
	}
	return nil, false
}

func (p *beforePage) hints() []hint {
	other := "remove instead"
	if p.s.Mode == Remove {
		other = "add instead"
	}
	return []hint{{"space", "tick"}, {"o", other}}
}

// lines are what the page says, without its check box.
func (p *beforePage) lines() []string {
	if p.s.Mode == Remove {
		return []string{
			"This wizard helps you remove roles, role services, or features from a server.",
			"Before you continue, verify that:",
			"* What they serve is no longer needed, or is served elsewhere",
			"* People are warned: Confirmation tells how many live sockets are closed",
			"Files that people own, such as sites, stay where they are.",
		}
	}
	return []string{
		"This wizard helps you install roles, role services, or features on a server.",
		"Before you continue, verify that:",
		"* The administrator account has a strong password",
		"* Network settings, such as static addresses, are configured",
		"* The newest security updates are installed",
		"Nothing changes before you press Install.",
	}
}

func (p *beforePage) view(th *theme, w, h int, focused bool) []string {
	var out []string
	for _, text := range p.lines() {
		if bullet, ok := strings.CutPrefix(text, "* "); ok {
			for i, line := range wrap(bullet, w-4) {
				sign := "  "
				if i == 0 {
					sign = "- "
				}
				out = append(out, "  "+sign+line)
			}
			continue
		}
		if len(out) > 0 {
			out = append(out, "")
		}
		out = append(out, wrap(text, w)...)
	}
	out = th.block(out, w, max(h-2, 0))
	p.boxAt = len(out) + 1
	box := th.glyph.clear
	if p.s.SkipBefore {
		box = th.glyph.ticked
	}
	return append(out, "", th.option(box+" Skip this page by default", focused, w))
}

// option draws a line that the cursor is on.
func (t *theme) option(text string, focused bool, w int) string {
	if focused {
		return t.fit(t.selected.Render(t.glyph.cursor+" "+text), w)
	}
	return t.fit("  "+text, w)
}

// typePage is Installation Type.
type typePage struct{ row int }

// installType is one of the two answers.
type installType struct{ title, text, why string }

func installTypes() []installType {
	return []installType{
		{"Role-based or feature-based installation", "Configure a single server by adding roles, role services, and features.", ""},
		{"Remote Desktop Services installation", "Install role services for virtual desktops and session-based desktops.",
			"Remote Desktop Services exist only on Windows; rolemgr manages the web server"},
	}
}

func (p *typePage) typing() bool { return false }

func (p *typePage) key(k string) (tea.Msg, bool) {
	switch k {
	case "up", "k":
		p.row = 0
	case "down", "j":
		p.row = 1
	case " ":
	case "enter":
		if p.row == 0 {
			return nil, false
		}
	default:
		return nil, false
	}
	if p.row == 1 && (k == " " || k == "enter") {
		return refuseMsg{reason: installTypes()[1].why}, true
	}
	return nil, true
}

func (p *typePage) hints() []hint { return []hint{{"↑↓", "move"}} }

func (p *typePage) view(th *theme, w, _ int, focused bool) []string {
	out := append(wrap("Select the installation type.", w), "")
	for i, t := range installTypes() {
		radio, style := th.glyph.radioOff, th.plain
		if i == 0 {
			radio = th.glyph.radioOn
		}
		if t.why != "" {
			style = th.dim
		}
		title := radio + " " + t.title
		note := ""
		if t.why != "" {
			note = th.dim.Render("n/a")
		}
		line := "  " + style.Render(title)
		if focused && i == p.row {
			line = th.selected.Render(th.glyph.cursor + " " + title)
		}
		out = append(out, th.spread(line, " "+note, w))
		for _, line := range wrap(t.text, w-6) {
			out = append(out, "      "+th.dim.Render(line))
		}
		out = append(out, "")
	}
	return out
}

// serverPage is Server Selection: the server pool with its filter, or a home folder named by hand.
type serverPage struct {
	s         *Session
	cursor    int // row of the visible pool; len(pool) is the line for an offline home folder
	filter    string
	filtering bool
	drawnAt   int // first line of the pool at the last view
}

func (p *serverPage) typing() bool { return p.filtering }

// visible returns the rows of the pool that the filter lets through.
func (p *serverPage) visible() []int {
	var rows []int
	for i, srv := range p.s.Pool {
		all := strings.ToLower(srv.Name + " " + srv.Address + " " + srv.System + " " + srv.Home)
		if strings.Contains(all, strings.ToLower(p.filter)) {
			rows = append(rows, i)
		}
	}
	return rows
}

func (p *serverPage) key(k string) (tea.Msg, bool) {
	if p.filtering {
		return p.filterKey(k), true
	}
	rows := p.visible()
	switch k {
	case "up", "k":
		p.cursor = max(p.cursor-1, 0)
	case "down", "j":
		p.cursor = min(p.cursor+1, len(rows))
	case "home":
		p.cursor = 0
	case "end":
		p.cursor = len(rows)
	case "/":
		p.filtering = true
	case " ", "enter":
		if p.cursor < len(rows) {
			if k == "enter" && rows[p.cursor] == p.s.Chosen {
				return nil, false // the default button's
			}
			return chooseMsg{rows[p.cursor]}, true
		}
		return askMsg{offlineDialog()}, true
	case "o":
		return askMsg{offlineDialog()}, true
	case "esc":
		had := p.filter != ""
		p.filter = ""
		return nil, had
	default:
		return nil, false
	}
	return nil, true
}

func (p *serverPage) filterKey(k string) tea.Msg {
	switch k {
	case "enter", "tab", "up", "down":
		p.filtering = false
	case "esc":
		p.filtering, p.filter = false, ""
	case "backspace":
		if r := []rune(p.filter); len(r) > 0 {
			p.filter = string(r[:len(r)-1])
		} else {
			p.filtering = false
		}
	default:
		if printable(k) {
			p.filter += k
		}
	}
	p.cursor = min(p.cursor, len(p.visible()))
	return nil
}

// offlineDialog asks for a home folder.
func offlineDialog() *dialog {
	return &dialog{
		title: "Select an offline home folder",
		text: []string{
			"The home folder of a server that is not in the pool. It need not exist yet: the first installation makes it.",
		},
		field: &field{label: "Home folder"},
		buttons: []dialogButton{
			{"OK", "", func(d *dialog) any {
				if strings.TrimSpace(d.field.text) == "" {
					return dialogFault("name a folder, as in /srv/web02")
				}
				return openMsg{strings.TrimSpace(d.field.text)}
			}},
			{"Cancel", "", func(*dialog) any { return nil }},
		},
	}
}

func (p *serverPage) hints() []hint {
	if p.filtering {
		return []hint{{"enter", "done"}, {"esc", "clear"}}
	}
	var h []hint
	rows := p.visible()
	if len(rows) > 0 {
		h = append(h, hint{"↑↓", "move"})
	}
	if p.cursor >= len(rows) || rows[p.cursor] != p.s.Chosen {
		h = append(h, hint{"space", "choose"})
	}
	return append(h, hint{"/", "filter"}, hint{"o", "offline home folder"})
}

func (p *serverPage) view(th *theme, w, h int, focused bool) []string {
	out := append(wrap("Select the server to change.", w), "",
		th.fit(th.glyph.radioOn+" Select a server from the server pool", w), "")
	rows := p.visible()
	name, addr := p.columns(w)
	filter := p.filter
	if p.filtering {
		filter += "_"
	}
	out = append(out, th.spread(th.bold.Render("Server Pool"), th.dim.Render("Filter: ")+th.fit(filter, 14), w),
		th.dim.Render(th.fit("    "+th.fit("Name", name)+th.fit("IP Address", addr)+"Operating System", w)))
	p.drawnAt = len(out)
	for i, r := range rows {
		srv := p.s.Pool[r]
		radio := th.glyph.radioOff
		if r == p.s.Chosen {
			radio = th.glyph.radioOn
		}
		line := radio + " " + th.fit(srv.Name, name-2) + th.fit(srv.Address, addr-1) + " " + srv.System
		out = append(out, th.option(line, focused && i == p.cursor, w))
	}
	out = append(out, th.dim.Render(fmt.Sprintf("%d Computer(s) found", len(rows))), "")
	out = append(out, th.option("Select an offline home folder"+th.glyph.ellipsis, focused && p.cursor == len(rows), w), "")
	if srv, ok := p.s.Server(); ok {
		out = append(out, th.dim.Render(th.fit("Home folder  "+srv.Home, w)), "")
	}
	if len(out)+2 <= h {
		for _, line := range wrap("The pool shows the servers that this rolemgr knows: the local one, and home folders that were named here.", w) {
			out = append(out, th.dim.Render(line))
		}
	}
	return out
}

// columns are the widths of the first two columns of the pool: what stands in them, within bounds.
func (p *serverPage) columns(w int) (name, addr int) {
	name, addr = 8, 12
	for _, srv := range p.s.Pool {
		name, addr = max(name, ansi.StringWidth(srv.Name)+4), max(addr, ansi.StringWidth(srv.Address)+2)
	}
	return min(name, max(w/3, 12)), min(addr, max(w/3, 13))
}
