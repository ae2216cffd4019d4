package wizard

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
)

// testPatience bounds failures, not successes.
const testPatience = 20 * time.Second

// driver is the terminal and the runtime of a model: it sends keys, runs commands when the test wants them to run, and
// looks at what is shown.
type driver struct {
	t    testing.TB
	m    *model
	fake *fakeTarget
	gone chan struct{}

	pending   []tea.Cmd // returned by the model and not run yet
	inbox     chan tea.Msg
	listening bool
	quit      bool
	timers    int // commands that wait for the clock; they are never run

	exported map[string]plan.Request
	memory   []byte // what was kept last
	released bool
	looked   map[*Selection]string // what its boxes were held to last
}

// drive starts a model at a size and has it know what it asks for at first.
func drive(t testing.TB, f *fakeTarget, start Start, w, h int, edit ...func(*Options)) *driver {
	d := &driver{t: t, fake: f, gone: make(chan struct{}), inbox: make(chan tea.Msg, 1), exported: map[string]plan.Request{},
		looked: map[*Selection]string{},
	}
	if f.gate == nil {
		f.gate = make(chan struct{})
	}
	o := Options{
		Out: discard{}, Start: start, Catalog: f.cat, Target: f, Version: "test", Now: testNow,
		Local: Server{Name: "web01", Address: "192.0.2.7", System: "Debian GNU/Linux 13 (trixie)", Home: "/srv/web01"},
		Open: func(home string) (target.Target, Server, error) {
			if !filepath.IsAbs(home) {
				return nil, Server{}, fmt.Errorf("the home folder %q is not an absolute path; begin it with /", home)
			}
			other := newFake(f.cat)
			other.name, other.gate = homeName(home), f.gate
			return other, Server{
				Name: filepath.Base(home), Address: "-", System: "Debian GNU/Linux 13 (trixie)", Home: home, Offline: true, Named: true,
			}, nil
		},
		Export: func(path string, r plan.Request) error {
			if strings.HasPrefix(path, "/proc/") {
				return fmt.Errorf("write %q: permission denied", path)
			}
			d.exported[path] = r
			return nil
		},
		Keep: func(text []byte) error { d.memory = text; return nil },
	}
	for _, e := range edit {
		e(&o)
	}
	d.m = newModel(context.Background(), o, d.gone)
	d.queue(d.m.Init())
	d.send(tea.WindowSizeMsg{Width: w, Height: h})
	t.Cleanup(d.close)
	return d
}

// discard is a terminal that nobody looks at.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// close lets a transaction that is under way run to its end, as Run does.
func (d *driver) close() {
	if d.released {
		return
	}
	d.released = true
	close(d.gone)
	close(d.fake.gate)
	if d.m.running != nil {
		d.m.running.cancel()
	}
	d.m.waiter.Wait()
}

// send gives the model a message and draws the screen, as Bubble Tea does after each.
func (d *driver) send(msg tea.Msg) {
	_, cmd := d.m.Update(msg)
	d.m.View()
	d.queue(cmd)
}

// queue keeps a command until the test runs it. The one that waits for events of a transaction waits at once, as it
// would in a program.
func (d *driver) queue(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	name := runtime.FuncForPC(reflect.ValueOf(cmd).Pointer()).Name()
	switch {
	case strings.Contains(name, ".listen"):
		if d.listening {
			d.t.Fatal("two commands wait for the events of one transaction")
		}
		d.listening = true
		go func() { d.inbox <- cmd() }()
	case strings.Contains(name, "bubbletea.Tick") || strings.Contains(name, "bubbletea.Every"):
		d.timers++
	default:
		d.pending = append(d.pending, cmd)
	}
}

// run runs one of the commands that wait.
func (d *driver) run(i int) {
	cmd := d.pending[i]
	d.pending = slices.Delete(d.pending, i, i+1)
	d.deliver(d.call(cmd))
}

// call runs a command. One that does not come back is a command that a person would wait for in vain.
func (d *driver) call(cmd tea.Cmd) tea.Msg {
	d.t.Helper()
	answer := make(chan tea.Msg, 1)
	go func() { answer <- cmd() }()
	select {
	case msg := <-answer:
		return msg
	case <-time.After(testPatience):
		d.t.Fatalf("the command %s does not end", runtime.FuncForPC(reflect.ValueOf(cmd).Pointer()).Name())
		return nil
	}
}

// deliver gives the model an answer, as the runtime of Bubble Tea does.
func (d *driver) deliver(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.QuitMsg:
		d.quit = true
		return
	case tea.BatchMsg:
		for _, c := range msg {
			d.queue(c)
		}
		return
	}
	// A sequence is of a type that Bubble Tea does not export.
	if v := reflect.ValueOf(msg); v.Kind() == reflect.Slice && v.Type().Elem() == reflect.TypeFor[tea.Cmd]() {
		for i := range v.Len() {
			if c := v.Index(i).Interface().(tea.Cmd); c != nil {
				d.deliver(d.call(c))
			}
		}
		return
	}
	d.send(msg)
}

// settle runs commands until none is left.
func (d *driver) settle() {
	d.t.Helper()
	for n := 0; len(d.pending) > 0; n++ {
		if n > 1000 {
			d.t.Fatal("the model asks for ever new commands")
		}
		d.run(0)
	}
}

// advance lets the transaction go on by one event, and gives the model that event.
func (d *driver) advance() {
	d.t.Helper()
	if !d.listening {
		d.t.Fatal("a transaction runs and the model does not listen")
	}
	select {
	case d.fake.gate <- struct{}{}:
	case <-time.After(testPatience):
		d.t.Fatal("the transaction does not go on")
	}
	select {
	case msg := <-d.inbox:
		d.listening = false
		d.send(msg)
	case <-time.After(testPatience):
		d.t.Fatal("no event came of the transaction")
	}
}

// finish lets the transaction run to its end.
func (d *driver) finish() {
	d.t.Helper()
	for n := 0; d.m.running != nil; n++ {
		if n > 1000 {
			d.t.Fatal("the transaction does not end")
		}
		d.advance()
	}
	d.settle()
}

// press sends keys and runs what follows from each.
func (d *driver) press(keys ...string) *driver {
	d.t.Helper()
	for _, k := range keys {
		d.send(keyMsg(k))
		d.settle()
	}
	return d
}

// typed sends a text letter by letter.
func (d *driver) typed(text string) *driver {
	d.t.Helper()
	for _, r := range text {
		d.press(string(r))
	}
	return d
}

func (d *driver) lines() []string { return strings.Split(ansi.Strip(d.m.View()), "\n") }

func (d *driver) text() string { return strings.Join(d.lines(), "\n") }

// shows fails the test when a text is not on the screen.
func (d *driver) shows(texts ...string) {
	d.t.Helper()
	screen := d.text()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			d.t.Fatalf("the screen does not show %q:\n%s", text, screen)
		}
	}
}

// checkSize fails the test when a screen is not exactly as high as the terminal, or a line wider.
func (d *driver) checkSize() {
	d.t.Helper()
	if fault := sizeFault(d.m.View(), d.m.w, d.m.h); fault != "" {
		d.t.Fatalf("%dx%d: %s:\n%s", d.m.w, d.m.h, fault, d.text())
	}
}

// sizeFault says what is wrong with the size of a screen, "" when nothing is.
func sizeFault(view string, w, h int) string {
	lines := strings.Split(view, "\n")
	if len(lines) != h {
		return fmt.Sprintf("%d lines", len(lines))
	}
	for i, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			return fmt.Sprintf("line %d has %d columns", i+1, n)
		}
	}
	return ""
}

// keyMsg makes the key of a name.
func keyMsg(name string) tea.KeyMsg {
	base, alt := name, false
	if rest, ok := strings.CutPrefix(name, "alt+"); ok {
		base, alt = rest, true
	}
	if base == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}, Alt: alt}
	}
	if len([]rune(base)) == 1 {
		return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(base), Alt: alt}
	}
	for t := tea.KeyType(-100); t < 130; t++ {
		if t != tea.KeyRunes && t != tea.KeySpace && (tea.Key{Type: t}).String() == base {
			return tea.KeyMsg{Type: t, Alt: alt}
		}
	}
	panic("no key is called " + name)
}

// toPage presses Next until a page is shown.
func (d *driver) toPage(p PageID) *driver {
	d.t.Helper()
	for n := 0; d.m.win.s.Page != p; n++ {
		if n > 9 {
			d.t.Fatalf("Next does not lead to page %d:\n%s", p, d.text())
		}
		d.press("n")
	}
	return d
}

// find puts the cursor of the tree on the first match of a text.
func (d *driver) find(text string) *driver {
	d.t.Helper()
	return d.press("/").typed(text).press("enter", "esc")
}

// tickWebSocket ticks WebSocket Protocol on the page Server Roles and takes what it needs.
func (d *driver) tickWebSocket() *driver {
	d.t.Helper()
	d.toPage(PageRoles).find("websocket protocol").press(" ")
	if d.m.win.dlg != nil {
		d.press("enter")
	}
	return d
}

// begin ticks, goes to Confirmation and presses Install.
func (d *driver) begin() *driver {
	d.t.Helper()
	return d.tickWebSocket().toPage(PageConfirm).press("i")
}

// The road of the seed document, by keys alone.
func TestSeedRoad(t *testing.T) {
	cat := realCatalog(t)
	for _, size := range [][2]int{{60, 20}, {80, 24}, {120, 40}} {
		d := drive(t, newFake(cat), AddWizard, size[0], size[1])
		d.settle()
		d.shows("Before you begin")
		d.press("enter").shows("Select installation type")
		d.press("enter").shows("Select destination server")
		d.press("enter").shows("Select server roles")
		d.press("right", "down", "right")
		d.find("application development").press("right")
		for n := 0; d.cursor() != "websocket"; n++ {
			if n > 20 {
				t.Fatalf("the arrow does not come to WebSocket Protocol:\n%s", d.text())
			}
			d.press("down")
		}
		d.press(" ").shows("Add features that are required for WebSocket", "[ Add Features ]")
		d.press("enter")
		if !d.m.win.s.Sel.New("websocket") {
			t.Fatal("WebSocket Protocol is not ticked")
		}
		for _, heading := range []string{"Select features", "Web Server Role (IIS)", "Select role services", "Confirm installation selections"} {
			d.press("enter").shows(heading)
		}
		d.shows("rolemgr install websocket")
		d.press("enter").shows("Installation started on web01")
		d.finish()
		d.shows("Installation succeeded on web01.", "100 %")
		d.press("enter")
		if !d.quit {
			t.Error("Close does not end the program")
		}
		if st := d.fake.st; !slices.ContainsFunc(st.Features, func(f state.Feature) bool { return f.ID == "websocket" && f.Reason == "requested" }) {
			t.Errorf("the server holds %+v", st.Features)
		}
	}
}

// cursor is the node under the cursor of the tree that is shown.
func (d *driver) cursor() features.ID {
	p, ok := d.m.win.current().(*treePage)
	if !ok {
		return ""
	}
	rows, i := p.tree.at()
	if len(rows) == 0 {
		return ""
	}
	return rows[i].id
}
