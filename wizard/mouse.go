package wizard

import (
	"strings"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// clicker is a page that can be clicked. x and y count from its upper left corner.
type clicker interface {
	click(x, y int) tea.Msg
}

// toggleMouse turns the mouse on or off. It is off at first: with it the terminal's own selecting and copying is lost.
func (m *model) toggleMouse() tea.Cmd {
	m.mem.Mouse = !m.mem.Mouse
	if m.mem.Mouse {
		m.say("the mouse is on; ctrl+t turns it off, and text can be selected again", false)
		return m.save()
	}
	m.say("the mouse is off", false)
	return m.save()
}

// mouse takes an event of the mouse: the wheel is the arrow keys, a click is what the focus and a press would do.
func (m *model) mouse(ev tea.MouseMsg) tea.Cmd {
	switch {
	case ev.Button == tea.MouseButtonWheelUp:
		return m.key("up")
	case ev.Button == tea.MouseButtonWheelDown:
		return m.key("down")
	case ev.Button != tea.MouseButtonLeft || ev.Action != tea.MouseActionPress || m.win == nil || m.dlg != nil || m.help:
		return nil
	}
	return m.follow(m.win.take(m.win.click(&m.th, ev.X, ev.Y, m.w, m.h-1)))
}

// click is a click on the wizard, which is drawn in height lines of width columns.
func (w *window) click(th *theme, x, y, width, height int) tea.Msg {
	w.status, w.serious = "", false
	if w.dlg != nil {
		return nil // a question is answered with the keyboard: a slip of the hand is no answer
	}
	const top = 2 // title and rule
	switch {
	case y == height-1:
		return w.clickButton(th, x, width)
	case y < top || y >= height-3:
		return nil
	case width >= navFrom && x < navWidth:
		pages := w.s.Pages()
		if i := y - top; i < len(pages) {
			w.area, w.nav = onNav, i
			return w.navKey("enter")
		}
		return nil
	}
	if c, ok := w.current().(clicker); ok {
		left := 1
		if width >= navFrom {
			left = navWidth + 1
		}
		w.area = onPage
		return c.click(x-left, y-top-2)
	}
	return nil
}

// clickButton presses the button at a column.
func (w *window) clickButton(th *theme, x, width int) tea.Msg {
	plain := ansi.Strip(w.buttonLine(th, width))
	for i, b := range w.buttons() {
		label := strings.NewReplacer("<", th.glyph.prev, ">", th.glyph.next).Replace(b.label)
		before, _, found := strings.Cut(plain, label)
		if from := ansi.StringWidth(before); found && x >= from-2 && x < from+ansi.StringWidth(label)+2 {
			return w.press(i)
		}
	}
	return nil
}

// click puts the cursor on a row; on the box it ticks, on the sign before it folds.
func (p *treePage) click(x, y int) tea.Msg {
	rows, _ := p.tree.at()
	i := y - p.drawnAt + p.tree.top
	if p.full || p.tree.filtering || y < p.drawnAt || i >= len(rows) || y >= p.drawnAt+p.tree.height || x > p.drawnTo {
		return nil
	}
	r := rows[i]
	p.tree.cursor = r.id
	switch at := x - 1 - 2*r.depth; {
	case at >= 0 && at < 2 && r.open:
		delete(p.tree.open, r.id)
	case at >= 0 && at < 2 && r.kids:
		p.tree.open[r.id] = true
	case at >= 2 && at < 5:
		return toggleMsg{r.id}
	}
	return nil
}

// click ticks the box at the bottom.
func (p *beforePage) click(_, y int) tea.Msg {
	if y == p.boxAt {
		msg, _ := p.key(" ")
		return msg
	}
	return nil
}

// click chooses a row of the pool, or the line for another home folder.
func (p *serverPage) click(_, y int) tea.Msg {
	rows := p.visible()
	switch i := y - p.drawnAt; {
	case i >= 0 && i < len(rows):
		p.cursor = i
		return chooseMsg{rows[i]}
	case i == len(rows)+2:
		p.cursor = len(rows)
		return askMsg{offlineDialog()}
	}
	return nil
}

// click chooses a control.
func (p *confirmPage) click(_, y int) tea.Msg {
	g := unicodeGlyphs()
	options := p.options(&g, 0)
	if i := y - p.drawnAt; i >= 0 && i < len(options) {
		p.cursor = i
		return options[i].act()
	}
	return nil
}
