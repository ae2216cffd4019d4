package wizard

import (
	"slices"
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
)

// window is a wizard on the screen: the frame around the pages, and where the keys go. The answers are in the session;
// the window forgets nothing that matters when it is closed.
type window struct {
	s    *Session
	page map[PageID]page
	dlg  *dialog

	area   area
	button int // with the focus, in buttons()
	nav    int // with the focus, in s.Pages()

	status  string // what was just said, until the next key
	serious bool   // it is a refusal
	task    *task  // on the Results page
	covered bool   // a question of the model stands over it
}

// area is where the keys go.
type area uint8

const (
	onPage area = iota
	onButtons
	onNav
)

// page is one page of a wizard. It answers keys with messages and does not know the next page.
type page interface {
	// key takes a key. taken is false when it means nothing here; msg may be nil.
	key(k string) (msg tea.Msg, taken bool)
	// typing reports whether letters are text now, and not keys.
	typing() bool
	// view draws the page in h lines of w columns. focused tells whether keys go to it.
	view(th *theme, w, h int, focused bool) []string
	// hints are the keys that do something here and now.
	hints() []hint
}

// hint is a key and what it does.
type hint struct{ key, does string }

// What pages and dialogs say to the window.
type (
	toggleMsg struct{ id features.ID }
	acceptMsg struct {
		proposal *Proposal
		tools    bool
	}
	chooseMsg  struct{ row int }
	openMsg    struct{ home string } // an offline home folder
	refuseMsg  struct{ reason, hint string }
	askMsg     struct{ dlg *dialog }
	restartMsg struct{ on bool }
	skipMsg    struct{ on bool }
	exportMsg  struct{ path string }
)

// What the window says to the model.
type (
	closeMsg      struct{} // the window is to be closed
	startMsg      struct{ s *Session }
	switchModeMsg struct{ mode Mode }
	needStateMsg  struct{ s *Session }
	needPlanMsg   struct{ s *Session }
)

// newWindow shows a session.
func newWindow(s *Session, cat *features.Catalog) *window {
	w := &window{s: s}
	w.page = map[PageID]page{
		PageBefore: &beforePage{s: s}, PageType: &typePage{}, PageServer: &serverPage{s: s},
		PageRoles:    &treePage{s: s, id: PageRoles, cat: cat, tree: newTree(cat, s.Roots(PageRoles))},
		PageFeatures: &treePage{s: s, id: PageFeatures, cat: cat, tree: newTree(cat, s.Roots(PageFeatures))},
		PageRoleInfo: &infoPage{},
		PageServices: &treePage{s: s, id: PageServices, cat: cat, tree: newTree(cat, s.Roots(PageServices))},
		PageConfirm:  &confirmPage{s: s, cat: cat},
		PageResults:  &resultsPage{w: w},
	}
	return w
}

// current is the page that is shown.
func (w *window) current() page { return w.page[w.s.Page] }

// key takes a key and returns what follows from it.
func (w *window) key(k string) tea.Msg {
	if w.dlg != nil {
		answer, done := w.dlg.key(k)
		if done {
			w.dlg = nil
		}
		return answer
	}
	w.status, w.serious = "", false
	if w.area == onPage && w.current().typing() {
		msg, _ := w.current().key(k)
		return msg
	}
	if msg, taken := w.frameKey(k); taken {
		return msg
	}
	switch w.area {
	case onButtons:
		return w.buttonKey(k)
	case onNav:
		return w.navKey(k)
	}
	msg, taken := w.current().key(k)
	if !taken && k == "enter" {
		return w.press(w.preferred())
	}
	return msg
}

// frameKey takes the keys that mean the same on every page.
func (w *window) frameKey(k string) (msg tea.Msg, taken bool) {
	switch k {
	case "tab":
		w.move(1)
		return nil, true
	case "shift+tab":
		w.move(-1)
		return nil, true
	case "esc":
		if w.area != onPage {
			w.area = onPage
			return nil, true
		}
		if msg, taken := w.current().key(k); taken {
			return msg, true
		}
		return w.press(len(w.buttons()) - 1), true
	}
	letter := strings.TrimPrefix(k, "alt+")
	for i, b := range w.buttons() {
		if letter == b.key {
			return w.press(i), true
		}
	}
	return nil, false
}

// button is a button of the frame.
type button struct {
	label string
	key   string
	why   string // why it cannot be pressed, "" when it can
	act   func() tea.Msg
}

// buttons are the buttons of the current page with their states.
func (w *window) buttons() []button {
	s := w.s
	if s.Page == PageResults {
		return []button{{label: "Close", key: "c", act: func() tea.Msg { return closeMsg{} }}}
	}
	_, noPrev := s.Previous()
	_, noNext := s.Next()
	_, noStart := s.CanStart()
	return []button{
		{"< Previous", "p", noPrev, func() tea.Msg { p, _ := s.Previous(); return w.show(p) }},
		{"Next >", "n", noNext, func() tea.Msg { p, _ := s.Next(); return w.show(p) }},
		{s.Verb(), strings.ToLower(s.Verb()[:1]), noStart, func() tea.Msg { return startMsg{s} }},
		{"Cancel", "c", "", func() tea.Msg { return closeMsg{} }},
	}
}

// preferred is the default button: what Enter presses where a page has no use for it.
func (w *window) preferred() int {
	switch w.s.Page {
	case PageResults:
		return 0
	case PageConfirm:
		return 2
	}
	return 1
}

// press presses a button, or says why it cannot be pressed.
func (w *window) press(i int) tea.Msg {
	b := w.buttons()[i]
	if b.why != "" {
		w.refuse(b.why)
		return nil
	}
	return b.act()
}

// show goes to a page and asks for what that page needs to know.
func (w *window) show(p PageID) tea.Msg {
	w.s.Go(p)
	w.area = onPage
	w.button = w.preferred()
	return w.needs()
}

// needs asks for what the current page has to know.
func (w *window) needs() tea.Msg {
	if w.s.NeedsPlan() {
		return needPlanMsg{w.s}
	}
	if _, ok := w.s.Server(); ok && w.s.Sel == nil {
		return needStateMsg{w.s}
	}
	return nil
}

// refuse says in the footer why something cannot be done.
func (w *window) refuse(why string) { w.status, w.serious = why, true }

// move takes the focus on: page, buttons, navigation pane.
func (w *window) move(by int) {
	last := len(w.buttons()) - 1
	switch {
	case w.area == onButtons && by > 0 && w.button < last:
		w.button++
	case w.area == onButtons && by < 0 && w.button > 0:
		w.button--
	default:
		w.area = area((int(w.area) + by + 3) % 3)
		w.nav = max(slices.Index(w.s.Pages(), w.s.Page), 0)
		w.button = w.preferred()
		if w.area == onButtons {
			w.button = 0
			if by < 0 {
				w.button = last
			}
		}
	}
}

func (w *window) buttonKey(k string) tea.Msg {
	n := len(w.buttons())
	switch k {
	case "left", "up", "h", "k":
		w.button = (w.button + n - 1) % n
	case "right", "down", "l", "j":
		w.button = (w.button + 1) % n
	case "enter", " ":
		return w.press(w.button)
	}
	return nil
}

func (w *window) navKey(k string) tea.Msg {
	pages := w.s.Pages()
	switch k {
	case "up", "k":
		w.nav = max(w.nav-1, 0)
	case "down", "j":
		w.nav = min(w.nav+1, len(pages)-1)
	case "home":
		w.nav = 0
	case "end":
		w.nav = len(pages) - 1
	case "enter", " ":
		p := pages[min(w.nav, len(pages)-1)]
		if ok, why := w.s.Reachable(p); !ok {
			w.refuse(why)
			return nil
		}
		return w.show(p)
	}
	return nil
}

// take takes what a page or a dialog said, and returns what follows for the model.
func (w *window) take(msg tea.Msg) tea.Msg {
	switch m := msg.(type) {
	case toggleMsg:
		return w.toggle(m.id)
	case acceptMsg:
		if err := w.s.Accept(m.proposal, m.tools); err != nil {
			w.refuse(err.Error())
		}
		return w.needs()
	case chooseMsg:
		w.s.Choose(m.row)
		return w.needs()
	case refuseMsg:
		why := m.reason
		if m.hint != "" {
			why += "; " + m.hint
		}
		w.refuse(why)
		return nil
	case askMsg:
		w.dlg = m.dlg
		return nil
	case restartMsg:
		w.s.Restart = m.on
		return nil
	}
	return msg
}

// toggle ticks or clears a node. When more follows than was asked for, a dialog asks first.
func (w *window) toggle(id features.ID) tea.Msg {
	p, err := w.s.Toggle(id)
	switch {
	case err != nil:
		refused := err.(*RefusedError)
		return w.take(refuseMsg{refused.Reason, refused.Hint})
	case p != nil:
		w.dlg = confirmDialog(w.s.cat, w.s.Mode, p)
	}
	return w.needs()
}

// hints are the keys that do something here and now.
func (w *window) hints() []hint {
	if w.dlg != nil {
		return w.dlg.hints()
	}
	switch w.area {
	case onButtons:
		return []hint{{"←→", "choose"}, {"enter", "press"}, {"tab", "go on"}}
	case onNav:
		return []hint{{"↑↓", "choose"}, {"enter", "go to the page"}, {"tab", "go on"}}
	}
	h := w.current().hints()
	if w.current().typing() {
		return h
	}
	// The default button is the key that everybody needs; rarer ones fall off the line first.
	buttons := w.buttons()
	first := w.preferred()
	if b := buttons[first]; b.why == "" {
		h = slices.Insert(h, min(len(h), 2), hint{b.key, buttonName(b)})
	}
	for i, b := range buttons {
		if b.why == "" && i != first {
			h = append(h, hint{b.key, buttonName(b)})
		}
	}
	return h
}

// buttonName is what a button does, for the line of keys.
func buttonName(b button) string { return strings.ToLower(strings.Trim(b.label, "<> ")) }
