package wizard

import (
	"math/rand/v2"
	"reflect"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
)

// chosen is what a person would miss: the page, the ticks, the cursor, what was typed.
type chosen struct {
	page   PageID
	wish   features.Wish
	cursor features.ID
	open   int
	filter string
	field  string
	focus  int
	box    bool
	area   area
	button int
	nav    int
	row    int
	title  string
	task   taskState
}

// remembered looks at a wizard.
func (d *driver) remembered() chosen {
	c := chosen{}
	w := d.m.win
	dlg := d.m.dlg
	if w != nil {
		c.page, c.area, c.button, c.nav = w.s.Page, w.area, w.button, w.nav
		c.row = w.s.Chosen
		if w.s.Sel != nil {
			c.wish = w.s.Sel.Wish()
		}
		switch p := w.current().(type) {
		case *treePage:
			c.cursor, c.open, c.filter = p.tree.cursor, len(p.tree.open), p.tree.filter
		case *serverPage:
			c.filter = p.filter
		case *confirmPage:
			c.focus = p.cursor
		}
		if w.task != nil {
			c.task = w.task.State
		}
		if dlg == nil {
			dlg = w.dlg
		}
	}
	if dlg != nil {
		c.title, c.focus, c.box = dlg.title, dlg.focus, dlg.checked
		if dlg.field != nil {
			c.field = dlg.field.text
		}
	}
	return c
}

// TestResizeStorm gives every page and dialog a hundred sizes. Nothing that was chosen is lost, every screen has exactly
// the size of the terminal, and back at its first size it is what it was, but for where a text was scrolled to.
func TestResizeStorm(t *testing.T) {
	bundled, rich := realCatalog(t), richCatalog(t)
	rnd := rand.New(rand.NewPCG(4, 2026))
	for _, sc := range scenes() {
		cat := bundled
		if sc.rich {
			cat = rich
		}
		t.Run(sc.name, func(t *testing.T) {
			d := play(t, cat, sc, [2]int{100, 30}, Look{Color: true, Dark: true})
			before, screen := d.remembered(), d.text()
			for range 100 {
				w, h := 1+rnd.IntN(300), 1+rnd.IntN(100)
				if rnd.IntN(4) == 0 { // small ones more often: it is there that lines break
					w, h = 1+rnd.IntN(60), 1+rnd.IntN(20)
				}
				d.resize(w, h)
			}
			for _, size := range [][2]int{{1, 1}, {300, 100}, {minWidth, minHeight}, {300, minHeight}, {minWidth, 100}} {
				d.resize(size[0], size[1])
			}
			d.resize(100, 30)
			if after := d.remembered(); !reflect.DeepEqual(after, before) {
				t.Errorf("after the storm %+v,\nbefore it %+v", after, before)
			}
			if scrolls(sc.name) {
				return
			}
			if now := d.text(); now != screen {
				t.Errorf("after the storm the screen is\n%s\nbefore it was\n%s", now, screen)
			}
		})
	}
}

// scrolls reports whether a scene was scrolled: where to cannot be kept on a screen that shows all of it.
func scrolls(name string) bool {
	switch name {
	case "confirm-scrolled", "roles-dialog-scrolled":
		return true
	}
	return false
}

func (d *driver) resize(w, h int) {
	d.t.Helper()
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	d.checkSize()
}

// TestHintsDoSomething presses every key that the last line of a scene names. Something must follow from each.
func TestHintsDoSomething(t *testing.T) {
	bundled, rich := realCatalog(t), richCatalog(t)
	for _, sc := range scenes() {
		cat := bundled
		if sc.rich {
			cat = rich
		}
		for _, size := range goldenSizes() {
			first := play(t, cat, sc, size, Look{})
			for _, keys := range first.hinted() {
				useful := false
				for _, k := range keys {
					d := play(t, cat, sc, size, Look{})
					d.forgetRefusal()
					screen, waiting := d.m.View(), len(d.pending)
					d.send(keyMsg(k))
					useful = useful || d.m.View() != screen || len(d.pending) > waiting
					d.close()
				}
				if !useful {
					t.Errorf("%s at %v: the last line names %v, which does nothing there", sc.name, size, keys)
				}
			}
			first.close()
		}
	}
}
