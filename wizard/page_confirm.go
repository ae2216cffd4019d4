package wizard

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// confirmPage is Confirmation: the plan, and what can still be said about how it is carried out.
type confirmPage struct {
	s      *Session
	cat    *features.Catalog
	cursor int // in options
	top    int // first line of the list that is shown
	room   int // lines of the list that were shown
	lines  int // lines of the list

	drawnAt int // first line of the controls at the last view
}

// confirmOption is a control above the list.
type confirmOption struct {
	text string
	act  func() tea.Msg
}

// options are the controls. They are as wide as the page, where that is known.
func (p *confirmPage) options(th *glyphs, w int) []confirmOption {
	box := th.clear
	if p.s.Restart {
		box = th.ticked
	}
	text := " Restart the destination server automatically if required"
	if w < len(text)+len(box)+2 {
		text = " Restart the server automatically if required"
	}
	restart := confirmOption{box + text, func() tea.Msg {
		if p.s.Restart {
			return restartMsg{false}
		}
		return askMsg{yesNo("Restart the server?",
			"If a restart is required, the server restarts without further notice. No change of this program has required one so far. Allow it?",
			true, restartMsg{true})}
	}}
	if p.s.Mode == Remove {
		return []confirmOption{restart}
	}
	return []confirmOption{
		restart,
		{"Export configuration settings" + th.ellipsis, func() tea.Msg {
			if ok, why := p.s.canExport(); !ok {
				return refuseMsg{reason: why}
			}
			return askMsg{exportDialog()}
		}},
		{"Specify an alternate source path" + th.ellipsis + "  not needed", func() tea.Msg {
			return refuseMsg{reason: "an alternate source path is not needed: everything that can be installed is in this program"}
		}},
	}
}

// canExport reports whether there is something to write down.
func (s *Session) canExport() (ok bool, why string) {
	if !s.planned || s.PlanErr != nil {
		return false, "there is no plan to export yet"
	}
	return true, ""
}

// exportDialog asks for a file.
func exportDialog() *dialog {
	return &dialog{
		title: "Export configuration settings",
		text:  []string{"Writes what you selected as a short file that can be edited by hand. It can be used without installing anything now: rolemgr install --file FILE"},
		field: &field{label: "File", text: "DeploymentConfigTemplate.toml"},
		buttons: []dialogButton{
			{"Save", "", func(d *dialog) any {
				if strings.TrimSpace(d.field.text) == "" {
					return dialogFault("name a file")
				}
				return exportMsg{strings.TrimSpace(d.field.text)}
			}},
			{"Cancel", "", func(*dialog) any { return nil }},
		},
	}
}

func (p *confirmPage) typing() bool { return false }

func (p *confirmPage) key(k string) (tea.Msg, bool) {
	g := unicodeGlyphs()
	options := p.options(&g, 0)
	switch k {
	case "up", "k":
		p.cursor = max(p.cursor-1, 0)
	case "down", "j":
		if p.cursor == len(options)-1 {
			p.top++
		}
		p.cursor = min(p.cursor+1, len(options)-1)
	case "pgup":
		p.top -= max(p.room-1, 1)
	case "pgdown":
		p.top += max(p.room-1, 1)
	case "home":
		p.top = 0
	case "end":
		p.top = p.lines
	case " ":
		return options[min(p.cursor, len(options)-1)].act(), true
	case "e":
		if p.s.Mode == Add {
			return options[1].act(), true
		}
		return nil, false
	default:
		return nil, false
	}
	p.top = max(min(p.top, p.lines-p.room), 0)
	return nil, true
}

func (p *confirmPage) hints() []hint {
	h := []hint{{"space", "choose"}}
	if p.s.Mode == Add || p.lines > p.room {
		h = append([]hint{{"↑↓", "move"}}, h...)
	}
	if p.top+p.room < p.lines {
		h = append(h, hint{"pgdn", "more"})
	}
	if p.s.Mode == Add {
		h = append(h, hint{"e", "export"})
	}
	return h
}

func (p *confirmPage) view(th *theme, w, h int, focused bool) []string {
	server := ""
	if srv, ok := p.s.Server(); ok {
		server = srv.Name
	}
	what, verb, where := "install", "Install", "on "
	if p.s.Mode == Remove {
		what, verb, where = "remove", "Remove", "from "
	}
	tight := h < 20
	out := append(wrap("To "+what+" the following roles, role services, or features "+where+server+", press "+verb+".", w), "")
	if tight {
		out = []string{th.fit("To "+what+" the following "+where+server+", press "+verb+".", w)}
	}
	p.drawnAt = len(out)
	for i, o := range p.options(&th.glyph, w) {
		out = append(out, th.option(o.text, focused && i == p.cursor, w))
	}
	if h >= 14 {
		out = append(out, "")
	}
	foot := p.foot(th, w, tight)
	list := p.list(th, w)
	p.lines, p.room = len(list), max(h-len(out)-len(foot), 1)
	p.top = max(min(p.top, p.lines-p.room), 0)
	return append(append(out, th.scrolled(list, p.top, w, p.room)...), foot...)
}

// foot is the blast radius and the command that does the same.
func (p *confirmPage) foot(th *theme, w int, tight bool) []string {
	if !p.s.planned || p.s.PlanErr != nil {
		return nil
	}
	sockets := th.dim.Render("0 live sockets would be closed")
	if n := p.s.Plan.Cuts; n > 0 {
		sockets = th.warning.Render(th.glyph.warn + " " + count(n, "live socket", "live sockets") + " would be closed")
	}
	out := []string{th.fit(sockets, w)}
	if line := "Same as: " + commandText(p.s.Command()); tight && len(line) <= w {
		return append(out, th.dim.Render("Same as: ")+commandText(p.s.Command()))
	}
	out = append(out, wrapStyled(th.dim, "Same thing as a command:", w)...)
	for _, line := range wrap(commandText(p.s.Command()), w-2) {
		out = append(out, "  "+line)
	}
	return out
}

// list is the plan: what happens, grouped below what it stands in.
func (p *confirmPage) list(th *theme, w int) []string {
	switch {
	case !p.s.planned:
		return []string{th.dim.Render("Making the plan" + th.glyph.ellipsis)}
	case p.s.PlanErr != nil:
		return p.refused(th, w)
	}
	var out []string
	for _, d := range p.s.Diags {
		if d.Severity == diag.Warning {
			out = append(out, wrapStyled(th.warning, th.glyph.warn+" "+d.Summary, w)...)
		}
	}
	return append(out, th.treeLines(changeTree(p.cat, p.s.Mode, p.s.Plan.Changes), w)...)
}

func (p *confirmPage) refused(th *theme, w int) []string {
	out := wrapStyled(th.failure, th.glyph.failed+" The selection cannot be carried out.", w)
	for _, d := range p.s.Diags {
		out = append(out, "")
		out = append(out, wrap(d.Summary, w)...)
		if d.Hint != "" {
			out = append(out, wrapStyled(th.dim, d.Hint, w)...)
		}
	}
	if len(p.s.Diags) == 0 {
		out = append(out, "")
		out = append(out, wrap(p.s.PlanErr.Error(), w)...)
	}
	return out
}

// changeTree lists the changes of a plan. Additions stand below their groups, as on the original; removals come
// dependents first.
func changeTree(cat *features.Catalog, mode Mode, changes []plan.Change) []treeLine {
	byUnit, shown := map[features.ID]plan.Change{}, map[features.ID]bool{}
	var out []treeLine
	for _, c := range changes {
		if c.Action == plan.Keep {
			continue
		}
		if _, known := cat.Unit(c.Unit); !known || mode == Remove {
			out = append(out, treeLine{text: c.Title, note: changeNote(c)})
			continue
		}
		byUnit[c.Unit], shown[c.Unit] = c, true
		for _, a := range cat.Ancestors(c.Unit) {
			shown[a] = true
		}
	}
	for _, u := range cat.Units() {
		if !shown[u.ID] {
			continue
		}
		l := treeLine{depth: cat.Depth(u.ID), text: u.Title}
		if c, ok := byUnit[u.ID]; ok {
			l.note = changeNote(c)
		} else {
			l.note = "installed"
		}
		out = append(out, l)
	}
	return out
}

// changeNote is why a change is part of a plan.
func changeNote(c plan.Change) string {
	note := c.Why
	if note == string(features.Requested) {
		note = ""
	}
	switch c.Action {
	case plan.Refresh:
		note = "refreshed: " + note
	case plan.Repair:
		note = "repaired: " + note
	case plan.Mark:
		note = "only the record changes"
	}
	if c.Sockets > 0 {
		closes := "closes " + count(c.Sockets, "live socket", "live sockets")
		note = strings.TrimSuffix(closes+", "+note, ", ")
	}
	return note
}
