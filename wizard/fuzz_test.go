package wizard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
)

// maxOps bounds what one input does: what is wrong is wrong soon.
const maxOps = 80

// fuzzKeys are every key that is bound somewhere, letters that are not, and keys that no terminal should send here.
func fuzzKeys() []string {
	return []string{
		"up", "down", "left", "right", "h", "j", "k", "l", "g", "G", "home", "end", "pgup", "pgdown",
		"tab", "shift+tab", "enter", " ", "esc", "backspace", "delete", "/", "*", "?", "f1", "f5",
		"n", "p", "i", "r", "c", "d", "o", "e", "a", "q", "s", "y", "m", "w", "b", "t", "v", "u", "x", "1", "2", "W", "é", "世",
		"alt+n", "alt+p", "alt+i", "alt+r", "alt+c", "alt+m", "alt+t", "alt+v", "alt+h", "alt+q", "alt+left", "alt+right",
		"ctrl+t", "ctrl+c", "ctrl+a", "ctrl+l", "ctrl+z",
	}
}

// What an input does beside keys.
const (
	opResize  = 0
	opMouse   = 1
	opAnswer  = 2 // one of the commands that wait is answered, in any order
	opAnswer2 = 3
	opEvent   = 4 // the transaction goes on
	opEvent2  = 5
	opEvent3  = 6
	opOther   = 7 // somebody else changes the server
	opTypes   = 8 // a path is typed, or something to be found
	opCount   = 9
)

// fuzzServers are the servers that an input may meet.
func fuzzServers() []func(*fakeTarget) {
	return []func(*fakeTarget){
		func(*fakeTarget) {},
		withSockets(3),
		failing(14, false),
		failing(20, true),
		func(f *fakeTarget) { f.stateErr = errors.New("permission denied") },
		func(f *fakeTarget) { f.planErr = errors.New("permission denied") },
		func(f *fakeTarget) { f.refusal = errors.New("another rolemgr is changing this server") },
		installed("static-content"),
	}
}

// input is a fuzzer's bytes being read.
type input struct {
	data []byte
	ops  int
}

func (in *input) next() int {
	if len(in.data) == 0 {
		return 0
	}
	b := in.data[0]
	in.data = in.data[1:]
	return int(b)
}

func (in *input) more() bool { return len(in.data) > 0 && in.ops < maxOps }

// playInput starts a model as an input says and does what it says. check is called after every step; it may be nil.
func playInput(t testing.TB, cats [2]*features.Catalog, data []byte, check func(d *driver)) *driver {
	in := &input{data: data}
	head := in.next()
	f := newFake(cats[head>>2&1])
	fuzzServers()[head>>3&7](f)
	d := drive(t, f, Start(head%3), 80, 24)
	keys := fuzzKeys()
	for in.more() && !d.quit {
		in.ops++
		op := in.next() % (len(keys) + opCount)
		if op < len(keys) {
			d.send(keyMsg(keys[op]))
		} else {
			d.special(op-len(keys), in)
		}
		if check != nil && !d.quit {
			check(d)
		}
	}
	return d
}

// special does what is not a key.
func (d *driver) special(op int, in *input) {
	switch op {
	case opResize:
		d.send(tea.WindowSizeMsg{Width: 1 + in.next()%140, Height: 1 + in.next()%50})
	case opMouse:
		d.send(tea.MouseMsg{X: in.next() % 140, Y: in.next() % 50, Button: tea.MouseButtonLeft, Action: tea.MouseActionPress})
	case opAnswer, opAnswer2:
		if n := len(d.pending); n > 0 {
			d.run(in.next() % n)
		}
	case opEvent, opEvent2, opEvent3:
		if d.m.running != nil {
			d.advance()
		}
	case opOther:
		if d.m.running == nil {
			p, _, err := d.fake.Plan(d.m.ctx, plan.Request{Wish: features.Wish{Install: []features.ID{"http-errors"}}})
			if err == nil {
				d.fake.commit(p)
			}
		}
	case opTypes:
		text := []string{"/srv/web02", "websocket", "static", "zzz", "web-"}[in.next()%5]
		for _, r := range text {
			d.send(keyMsg(string(r)))
		}
	}
}

// invariant fails the test when something is not as it must always be.
func (d *driver) invariant() {
	d.t.Helper()
	d.checkSize()
	for _, w := range append([]*window{d.m.win}, d.m.drafts[Add], d.m.drafts[Remove]) {
		if w != nil && w.s.Sel != nil {
			d.checkBoxes(w.s)
		}
	}
}

// checkBoxes holds the boxes to the wish: they show what the catalogue makes of it, and what was asked for is among it.
func (d *driver) checkBoxes(s *Session) {
	d.t.Helper()
	sel := s.Sel
	wish := sel.Wish()
	asked := fmt.Sprint(s.Mode, wish, s.State.Serial, s.Planned())
	if d.looked[sel] == asked {
		return // nothing has changed since it was looked at
	}
	d.looked[sel] = asked
	fresh, err := s.cat.Resolve(wish, sel.installed, sel.level)
	if err != nil {
		d.t.Fatalf("the wish %+v is refused: %v", wish, err)
	}
	on, added := map[features.ID]bool{}, map[features.ID]bool{}
	for _, p := range fresh.Picks {
		on[p.ID], added[p.ID] = true, p.New
	}
	for _, u := range s.cat.Units() {
		below := slices.ContainsFunc(append(s.cat.Descendants(u.ID), u.ID), func(id features.ID) bool { return on[id] })
		if box := sel.Box(u.ID); (box == Clear) == below {
			d.t.Fatalf("the box of %s is %d, and %v that something of it will be there: %+v", u.ID, box, below, wish)
		}
		switch {
		case s.Mode == Add && sel.was[u.ID] && !on[u.ID]:
			d.t.Fatalf("Add Roles and Features removes %s: %+v", u.ID, wish)
		case s.Mode == Remove && added[u.ID]:
			d.t.Fatalf("Remove Roles and Features adds %s: %+v", u.ID, wish)
		}
	}
	for _, id := range wish.Install {
		if !on[id] {
			d.t.Fatalf("%s is asked for and not ticked: %+v", id, wish)
		}
	}
	for _, id := range wish.Remove {
		if on[id] {
			d.t.Fatalf("%s is not wanted and ticked: %+v", id, wish)
		}
	}
	if !s.Started() && s.Planned() && s.PlanErr == nil && s.Plan.BaseSerial == s.State.Serial {
		for _, c := range s.Plan.Changes {
			if c.Action == plan.Add && !added[c.Unit] || c.Action == plan.Remove && on[c.Unit] {
				d.t.Fatalf("the plan shown does %s to %s, the boxes say something else: %+v", c.Action, c.Unit, wish)
			}
		}
	}
}

// leave takes the way out: Esc closes what is open, Ctrl-C ends the program, and where a change is being carried out it
// asks once. It fails the test when the program goes on.
func (d *driver) leave(escapes int) {
	d.t.Helper()
	for range escapes {
		if d.quit {
			return
		}
		d.press("esc")
	}
	for range 3 {
		if d.quit {
			return
		}
		if d.press("ctrl+c"); d.m.dlg != nil {
			d.press("q")
		}
		d.finish()
	}
	if !d.quit {
		d.t.Fatalf("there is no way out of this screen:\n%s", d.text())
	}
}

// hinted returns the keys that the last line names.
func (d *driver) hinted() [][]string {
	if d.m.w < minWidth || d.m.h < minHeight {
		return nil
	}
	lines := d.lines()
	var out [][]string
	for _, part := range strings.Split(lines[len(lines)-1], "·") {
		key, _, _ := strings.Cut(strings.TrimSpace(part), " ")
		switch key {
		case "":
		case "↑↓":
			out = append(out, []string{"up", "down"})
		case "←→":
			out = append(out, []string{"left", "right"})
		case "→":
			out = append(out, []string{"right"})
		case "←":
			out = append(out, []string{"left"})
		case "pgdn":
			out = append(out, []string{"pgdown"})
		case "space":
			out = append(out, []string{" "})
		case "any":
			out = append(out, []string{"x"})
		default:
			out = append(out, []string{strings.ToLower(key)})
		}
	}
	return out
}

// forgetRefusal takes away what was said last, so that a key which says the same again is seen to do something.
func (d *driver) forgetRefusal() {
	if w := d.m.win; w != nil {
		w.status, w.serious = "", false
		if w.dlg != nil {
			w.dlg.fault = ""
		}
	}
	if d.m.dlg != nil {
		d.m.dlg.fault = ""
	}
}

// checkHints plays an input again for each key that the last line names, and presses the key: something must follow.
func checkHints(t testing.TB, cats [2]*features.Catalog, data []byte, d *driver) {
	t.Helper()
	for _, keys := range d.hinted() {
		useful := false
		for _, k := range keys {
			again := playInput(t, cats, data, nil)
			again.forgetRefusal()
			screen, waiting := again.m.View(), len(again.pending)
			again.send(keyMsg(k))
			useful = useful || again.m.View() != screen || len(again.pending) > waiting
			again.close()
		}
		if !useful {
			t.Fatalf("the last line names %v, which does nothing here:\n%s", keys, d.text())
		}
	}
}

// FuzzKeys sends random keys, sizes and clicks, and lets answers and events come when they come.
func FuzzKeys(f *testing.F) {
	cats := [2]*features.Catalog{realCatalog(f), richCatalog(f)}
	for _, seed := range fuzzSeeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := playInput(t, cats, data, (*driver).invariant)
		if d.quit {
			d.close()
			return
		}
		checkHints(t, cats, data, d)
		// Two ways out: at once, and through what is open.
		again := playInput(t, cats, data, nil)
		again.leave(0)
		again.close()
		d.leave(12)
		d.close()
	})
}

// fuzzSeeds are the roads that a person takes.
func fuzzSeeds() [][]byte {
	keys := fuzzKeys()
	road := func(head byte, names ...string) []byte {
		out := []byte{head}
		answer := func() {
			for range 4 {
				out = append(out, byte(len(keys)+opAnswer), 0)
			}
		}
		answer()
		for _, n := range names {
			switch n {
			case "event":
				out = append(out, byte(len(keys)+opEvent))
				continue
			case "websocket":
				out = append(out, byte(len(keys)+opTypes), 1)
			case "folder":
				out = append(out, byte(len(keys)+opTypes), 0)
			case "other":
				out = append(out, byte(len(keys)+opOther))
			case "small":
				out = append(out, byte(len(keys)+opResize), 59, 19)
			default:
				out = append(out, byte(slices.Index(keys, n)))
			}
			answer()
		}
		return out
	}
	return [][]byte{
		road(1, "enter", "enter", "enter", "/", "websocket", "enter", " ", "enter", "n", "n", "n", "n", "i", "event", "event", "event"),
		road(1, "n", "n", "n", "/", "websocket", "enter", " ", "enter", "c"),
		road(1, "n", "n", "o", "folder", "enter", "n", " ", "enter", "n", "n"),
		road(1|1<<2, "n", "n", "n", "/", "websocket", "enter", " ", "tab", "tab", " ", "enter", "n", "e", "enter"),
		road(2|1<<3, "n", "n", "/", "websocket", "enter", " ", "n", "n", "r", "event", "event", "ctrl+c", "s", "event"),
		road(2|7<<3, "n", "n", " ", "enter", "small", "tab", "tab", "shift+tab", "end", "enter"),
		road(1|2<<3, "n", "n", "n", " ", "n", "n", "n", "n", "other", "i", "event", "event", "ctrl+c", "q", "event"),
		road(1|4<<3, "n", "n", "n", "?", "x", "ctrl+t", "d"),
		road(0, "alt+m", "enter", "n", "n", "n", " ", "enter", "esc", "r", "q"),
	}
}
