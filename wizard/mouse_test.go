package wizard

import (
	"fmt"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
)

// clickOn clicks the first letter of a text on the screen, dx columns from it.
func (d *driver) clickOn(t *testing.T, text string, dx int) {
	t.Helper()
	for y, line := range d.lines() {
		before, _, found := strings.Cut(line, text)
		if found {
			d.send(tea.MouseMsg{X: ansi.StringWidth(before) + dx, Y: y, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
			d.settle()
			return
		}
	}
	t.Fatalf("%q is not on the screen\n%s", text, d.text())
}

// With the mouse one gets through the whole wizard, on every size: buttons, pages of the pane, rows, boxes, signs.
func TestMouse(t *testing.T) {
	for _, size := range [][2]int{{60, 20}, {80, 24}, {120, 40}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			d := drive(t, newFake(realCatalog(t)), AddWizard, size[0], size[1])
			s := d.m.win.s
			d.clickOn(t, "Skip this page", 0)
			if !s.SkipBefore {
				t.Error("a click on the box does not tick it")
			}
			d.clickOn(t, "Next", 0)
			d.clickOn(t, "Next", 3)
			if s.Page != PageServer {
				t.Fatalf("two clicks on Next lead to %q", s.Label(s.Page))
			}
			d.clickOn(t, "Select an offline", 0)
			if d.m.win.dlg == nil {
				t.Fatal("the line for an offline home folder cannot be clicked")
			}
			d.press("esc")
			s.Chosen = -1
			d.clickOn(t, "( ) web01", 0)
			if s.Chosen != 0 {
				t.Error("a click on a server does not choose it")
			}
			d.clickOn(t, "Next", 0)
			d.clickOn(t, "▸", 0) // opens the role
			d.shows("FTP Server")
			d.clickOn(t, "Management Tools", 0)
			if got := d.cursor(); got != "management-tools" {
				t.Errorf("a click on Management Tools puts the cursor on %q", got)
			}
			d.clickOn(t, "[ ] Web Server (IIS)", 1)
			if !s.Sel.New("web-server") {
				t.Error("a click on the box of the role does not tick it")
			}
			d.clickOn(t, "▾", 0) // folds it
			if strings.Contains(d.text(), "FTP Server") {
				t.Error("a click on the sign does not fold")
			}
			if size[0] >= navFrom {
				d.clickOn(t, "  Confirmation", 3)
			} else {
				for range 4 {
					d.clickOn(t, "Next", 0)
				}
			}
			if s.Page != PageConfirm {
				t.Fatalf("it shows %q", s.Label(s.Page))
			}
			d.clickOn(t, "Restart the", 0)
			if d.m.win.dlg == nil {
				t.Error("the restart box cannot be clicked")
			}
			d.press("esc")
			d.clickOn(t, "[ Install ]", 3)
			if s.Page != PageResults {
				t.Error("a click on Install does not begin the change")
			}
			d.finish()
		})
	}
}

// A click beside everything, and one on a button that cannot be pressed, do no harm.
func TestClicksThatMeanNothing(t *testing.T) {
	d := drive(t, newFake(realCatalog(t)), AddWizard, 80, 24)
	for y := range 24 {
		for x := range 80 {
			d.m.win.click(&d.m.th, x, y, 80, 23)
			d.m.win.dlg = nil
		}
	}
	d = drive(t, newFake(realCatalog(t)), AddWizard, 80, 24)
	d.clickOn(t, "Previous", 0)
	d.shows("this is the first page")
}

// The mouse is off until it is asked for, and remembered.
func TestMouseIsOff(t *testing.T) {
	d := drive(t, newFake(realCatalog(t)), AddWizard, 80, 24)
	if d.m.mem.Mouse {
		t.Fatal("the mouse is on at first")
	}
	d.press("ctrl+t")
	d.shows("the mouse is on")
	if !d.m.mem.Mouse {
		t.Error("it is not remembered")
	}
	d.press("ctrl+t")
	if d.m.mem.Mouse {
		t.Error("it cannot be turned off")
	}
}

// Letters that the terminal sends at once are as many keys: fast typing, and what is pasted.
func TestLettersTogether(t *testing.T) {
	d := drive(t, newFake(realCatalog(t)), AddWizard, 80, 24)
	d.toPage(PageRoles)
	for _, text := range []string{"/websocket", "protocol"} {
		d.send(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text), Paste: text != "/websocket"})
		d.settle()
		if text == "/websocket" {
			d.shows("WebSocket Protocol", "/ websocket")
		}
	}
	d.shows("/ websocketprotocol", "nothing matches")
}
