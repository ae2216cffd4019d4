package wizard

import (
	"fmt"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
)

// treePage is Server Roles, Features or Role Services: the tree with its description pane.
type treePage struct {
	s    *Session
	id   PageID
	cat  *features.Catalog
	tree *tree
	full bool // the description takes the page

	drawnAt, drawnTo int // first line and last column of the rows at the last view
}

func (p *treePage) typing() bool { return p.tree.filtering }

func (p *treePage) key(k string) (tea.Msg, bool) {
	if len(p.tree.roots) == 0 {
		return nil, false
	}
	if p.tree.filtering {
		p.tree.key(k)
		return nil, true
	}
	switch k {
	case " ":
		if rows, i := p.tree.at(); len(rows) > 0 {
			return toggleMsg{rows[i].id}, true
		}
		return nil, true
	case "d":
		p.full = !p.full
		return nil, true
	case "esc":
		if p.full {
			p.full = false
			return nil, true
		}
	}
	return nil, p.tree.key(k)
}

func (p *treePage) hints() []hint {
	if p.tree.filtering {
		h := []hint{{"enter", "done"}, {"esc", "clear"}}
		if rows, _ := p.tree.at(); len(rows) > 1 {
			h = append([]hint{{"↑↓", "among matches"}}, h...)
		}
		return h
	}
	if p.s.Sel == nil {
		return nil
	}
	var h []hint
	if len(p.tree.roots) == 0 {
		return nil
	}
	rows, i := p.tree.at()
	if len(rows) == 0 {
		return []hint{{"/", "find"}}
	}
	if p.s.Sel != nil && p.s.Sel.changeable(rows[i].id) {
		h = append(h, hint{"space", "tick"})
	}
	switch {
	case rows[i].open && p.tree.filter == "":
		h = append(h, hint{"←", "fold"})
	case rows[i].kids && p.tree.filter == "":
		h = append(h, hint{"→", "expand"})
	}
	return append(h, hint{"/", "find"}, hint{"d", "description"})
}

// instruction is the line above the tree.
func (p *treePage) instruction() string {
	switch {
	case p.s.Mode == Remove && p.id == PageFeatures:
		return "To remove features, clear their check boxes."
	case p.s.Mode == Remove:
		return "To remove roles or role services, clear their check boxes."
	case p.id == PageFeatures:
		return "Select one or more features to install."
	case p.id == PageServices:
		return "Select the role services to install for Web Server (IIS)."
	}
	return "Select one or more roles to install."
}

func (p *treePage) view(th *theme, w, h int, focused bool) []string {
	if p.s.Sel == nil {
		return []string{th.dim.Render("Reading what is installed" + th.glyph.ellipsis)}
	}
	out := append(wrap(p.instruction(), w), "")
	if len(p.tree.roots) == 0 {
		return append(out, wrap("This server has no features beside the roles: everything that can be installed is a role service of Web Server (IIS).", w)...)
	}
	h -= len(out)
	p.drawnAt, p.drawnTo = len(out)+1, w
	if p.tree.filter != "" {
		p.drawnAt++
	}
	rows, i := p.tree.at()
	var about []string
	pane := paneWidth(w)
	if p.full {
		pane = w
	}
	if len(rows) > 0 {
		about = describe(th, p.cat, p.s.Sel, rows[i].id, max(pane-2, 12))
		if why := rows[i].why; why != "" && why != inDescription {
			about = append(wrapStyled(th.dim, "Found by its name "+why, max(pane-2, 12)), append([]string{""}, about...)...)
		}
	}
	switch {
	case p.full:
		return append(out, th.block(about, w, h)...)
	case pane == 0: // too narrow for two panes: the first lines of the description stand below
		p.drawnAt-- // there is no heading
		below := 0
		if h >= 10 {
			below = 3
		}
		out = append(out, th.block(p.tree.view(th, p.s.Sel, w, h-below, focused), w, h-below)...)
		if below > 0 && len(rows) > 0 {
			short := describe(th, p.cat, p.s.Sel, rows[i].id, w)
			out = append(out, th.rule(w))
			out = append(out, th.block(short[min(2, len(short)):], w, below-1)...)
		}
		return out
	}
	left := w - pane
	p.drawnTo = left
	tree := th.block(append([]string{th.bold.Render(p.heading())}, p.tree.view(th, p.s.Sel, left-1, h-1, focused)...), left-1, h)
	right := th.block(append([]string{th.bold.Render("Description")}, about...), pane-2, h)
	return append(out, th.beside(tree, right)...)
}

func (p *treePage) heading() string {
	switch p.id {
	case PageFeatures:
		return "Features"
	case PageServices:
		return "Role services"
	}
	return "Roles"
}

// paneWidth is the width of the description pane beside a tree, 0 when there is no room for it.
func paneWidth(w int) int {
	if w < 54 {
		return 0
	}
	return min(max(w/3, 20), 44)
}

// selectedLine counts the ticks for the status line.
func selectedLine(s *Session) string {
	if s.Sel == nil {
		return ""
	}
	n := s.Sel.Count()
	if s.Mode == Remove {
		return fmt.Sprintf("%s to remove", thousands(n))
	}
	if pulled := s.Sel.pulled(); pulled > 0 {
		return fmt.Sprintf("%s selected, %s of them required or by default", thousands(n), thousands(pulled))
	}
	return fmt.Sprintf("%s selected", thousands(n))
}

// infoPage is Web Server Role (IIS).
type infoPage struct {
	top  int
	more bool // there was more than what was shown at the last view
}

func (p *infoPage) typing() bool { return false }

func (p *infoPage) key(k string) (tea.Msg, bool) {
	switch k {
	case "up", "k":
		p.top--
	case "down", "j":
		p.top++
	default:
		return nil, false
	}
	return nil, true
}

func (p *infoPage) hints() []hint {
	if p.more {
		return []hint{{"↑↓", "scroll"}}
	}
	return nil
}

func infoText() []string {
	return []string{
		"A web server is a program that answers requests over HTTP, and holds connections open for applications that talk both ways. The Web Server (IIS) role serves sites with the configuration model of IIS: applicationHost.config, web.config, modules that are installed one by one.",
		"Things to note:",
		"* The default installation serves static content, with minor customisation such as default documents and HTTP errors, keeps a log, and filters requests. Everything else is off until it is installed.",
		"* WebSocket Protocol is under Application Development. It is not part of the default installation.",
		"* Installing and removing role services never closes a connection that the change does not concern.",
		"More information about Web Server IIS: rolemgr show web-server",
	}
}

func (p *infoPage) view(th *theme, w, h int, _ bool) []string {
	var out []string
	for _, text := range infoText() {
		first, indent := "", ""
		if len(text) > 2 && text[:2] == "* " {
			text, first, indent = text[2:], "  - ", "    "
		} else if len(out) > 0 {
			out = append(out, "")
		}
		for i, line := range wrap(text, w-len(indent)) {
			if i > 0 {
				first = indent
			}
			out = append(out, first+line)
		}
	}
	p.top, p.more = max(min(p.top, len(out)-h), 0), len(out) > h
	return th.scrolled(out, p.top, w, h)
}
