package wizard

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// manager opens Server Manager.
func manager(t *testing.T, f *fakeTarget, w, h int, edit ...func(*Options)) *driver {
	t.Helper()
	d := drive(t, f, ServerManager, w, h, edit...)
	d.settle()
	return d
}

// withHome has the console read logs from a folder.
func withHome(dir string) func(*Options) { return func(o *Options) { o.Local.Home = dir } }

// Every entry of every menu does something, or says why it cannot, at every size.
func TestMenus(t *testing.T) {
	cat := realCatalog(t)
	fresh := func() *fakeTarget {
		f := newFake(cat)
		if err := f.install("websocket"); err != nil {
			t.Fatal(err)
		}
		return f
	}
	for _, size := range goldenSizes() {
		for i, key := range []string{"m", "t", "v", "h"} {
			menus := manager(t, fresh(), size[0], size[1]).m.console.menus()
			for n, it := range menus[i].items {
				for _, opener := range []string{key, "alt+" + key} {
					d := manager(t, fresh(), size[0], size[1])
					before := d.text()
					d.press(opener)
					d.checkSize()
					d.shows(it.label)
					for range n {
						d.press("down")
					}
					d.press("enter")
					d.checkSize()
					switch {
					case it.why != "":
						d.shows(strings.Fields(it.why)[0])
						if !d.m.console.serious {
							t.Errorf("%s cannot be chosen and does not say why", it.label)
						}
					case d.text() == before && it.label != "Refresh" && it.label != "Dashboard":
						t.Errorf("%s of menu %s does nothing", it.label, menus[i].title)
					}
					if d.m.console.menu >= 0 {
						t.Errorf("the menu stays open after %s", it.label)
					}
				}
			}
		}
	}
}

// A menu is left with Esc, the next one is beside it, and letters find entries.
func TestMenuKeys(t *testing.T) {
	d := manager(t, newFake(realCatalog(t)), 80, 24)
	d.press("m", "right")
	d.shows("Configuration check")
	d.press("right", "right", "right")
	d.shows("Remove Roles and Features")
	d.press("esc")
	if strings.Contains(d.text(), "Remove Roles and Features") {
		t.Error("Esc does not close the menu")
	}
	d.press("m", "r") // the only entry with that letter
	if d.m.win == nil || d.m.win.s.Mode != Remove {
		t.Error("the letter of the only entry does not choose it")
	}
}

// The dashboard tells what is so.
func TestDashboard(t *testing.T) {
	cat := realCatalog(t)
	d := manager(t, newFake(cat), 80, 24)
	d.shows("Roles 0", "Quick start", "not running", "Local Server")
	d.press("enter")
	if d.m.win == nil {
		t.Fatal("the quick start does not open the wizard")
	}

	f := newFake(cat)
	if err := f.install("websocket"); err != nil {
		t.Fatal(err)
	}
	withSockets(1204)(f)
	d = manager(t, f, 120, 40)
	d.shows("Roles 1", "IIS", "1,204", "running", "120,431")
	d.press("right", "down", "down", "enter") // services of the local server
	d.shows("process 4711, generation 7", "3 h ago", "IIS 8.0")
	d.press("esc")
	d.shows("ROLES AND SERVER GROUPS")
}

// Drift, a log with errors, and a state that cannot be read are seen at a glance and can be opened.
func TestTrouble(t *testing.T) {
	cat := realCatalog(t)
	f := newFake(cat)
	if err := f.install("websocket"); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	logs := filepath.Join(home, "logs", "W3SVC1")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	now := testNow().Format(time.RFC3339)
	old := testNow().Add(-25 * time.Hour).Format(time.RFC3339)
	text := "time=" + old + " level=ERROR msg=old\ntime=" + now + " level=WARN msg=\"be \x1b[31mwary\"\ntime=" + now + " level=INFO msg=fine\n"
	if err := os.WriteFile(filepath.Join(home, "logs", "wshost.log"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(logs, "u_ex261127.log"), []byte("GET /evil\u202e\x07 200\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	drifting := func(o *Options) { o.Target = driftTarget{f} }
	d := manager(t, f, 120, 40, withHome(home), drifting)
	d.shows("1 warning", "found")
	d.press("t", "down", "down", "down", "enter")
	d.shows("Host log", "be ?[31mwary", "GET /evil?? 200")
	if strings.ContainsAny(d.m.View(), "\x07\u202e") {
		t.Error("the terminal would obey the log")
	}
	d.press("t", "enter")
	d.shows("Drifted", "Not as recorded")

	broken := newFake(cat)
	broken.stateErr = errors.New("state.toml:3:1: unknown key")
	d = manager(t, broken, 80, 24)
	d.shows("not readable", "unknown key")
}

// driftTarget is a server with a file that is not as recorded.
type driftTarget struct{ *fakeTarget }

func (d driftTarget) Verify(ctx context.Context) ([]target.FileCheck, error) {
	checks, err := d.fakeTarget.Verify(ctx)
	checks[len(checks)-1].State = target.FileMissing
	return checks, err
}

// The tools show what is live, and what is wrong with the configuration.
func TestTools(t *testing.T) {
	f := newFake(realCatalog(t))
	if err := f.install("websocket"); err != nil {
		t.Fatal(err)
	}
	tools := func(o *Options) {
		o.Connections = func(context.Context) ([]wshost.Connection, error) {
			return []wshost.Connection{{
				ConnInfo:   module.ConnInfo{Remote: "192.0.2.9:5555", Path: "/echo\x1b[2J", Since: testNow().Add(-5 * time.Minute)},
				ConnCounts: module.ConnCounts{MessagesIn: 12345, MessagesOut: 7},
			}}, nil
		}
		o.Check = func(context.Context) ([]string, error) {
			return []string{"sites/default/web.config:3:5: unknown attribute \"enabld\""}, nil
		}
	}
	d := manager(t, f, 80, 24, tools)
	d.press("t", "down", "down", "enter")
	d.shows("192.0.2.9:5555", "/echo?[2J", "5 min ago", "12,345")
	d.press("t", "down", "enter")
	d.shows("Default Web Site", "http://127.0.0.1:8080/")
	d.press("t", "up", "enter")
	d.shows("unknown attribute")
	for _, size := range [][2]int{{minWidth, minHeight}, {60, 20}, {120, 40}} {
		for p := atDashboard; p <= atTask; p++ {
			d.send(tea.WindowSizeMsg{Width: size[0], Height: size[1]})
			d.m.console.show(p)
			d.checkSize()
		}
	}
}

// lostTarget is a server on which a change was interrupted.
type lostTarget struct {
	*fakeTarget
	finished bool
	calls    *int
}

func (l lostTarget) Pending(context.Context) (apply.Recovery, bool, error) {
	return apply.Recovery{}, *l.calls == 0, nil
}

func (l lostTarget) Recover(context.Context) (apply.Recovery, error) {
	*l.calls++
	return apply.Recovery{Transaction: "t9", Finished: l.finished, Undone: !l.finished, Command: "rolemgr install websocket"}, nil
}

// What was interrupted is mended at the next start, and a notification tells how it ended.
func TestInterruptedChangeIsTold(t *testing.T) {
	cat := realCatalog(t)
	lost := memory{Version: memoryVersion}
	lost.record([]*task{{Mode: Add, Server: "web01", Home: "/srv/web01", Command: "rolemgr install websocket", Begun: testNow(), State: taskRunning,
		Items: []taskItem{{ID: "websocket"}}}})
	text, err := lost.encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, finished := range []bool{false, true} {
		for _, mem := range [][]byte{text, nil} {
			f, calls := newFake(cat), 0
			d := manager(t, f, 120, 40, func(o *Options) {
				o.Target, o.Memory = lostTarget{f, finished, &calls}, mem
			})
			want := "undone since"
			if finished {
				want = "finished since"
			}
			if calls != 1 {
				t.Fatalf("%d recoveries", calls)
			}
			if n, bad := unseen(d.m.tasks); n != 1 || !bad {
				t.Errorf("%d notifications tell of it, one of trouble: %v", n, bad)
			}
			d.press("n")
			d.shows("New: Installation interrupted")
			d.press("enter")
			d.shows(want, "rolemgr install websocket")
			if n, _ := unseen(d.m.tasks); n != 0 {
				t.Error("it counts as new after it was looked at")
			}
			again, err := decodeMemory(d.memory)
			if err != nil || len(again.Tasks) != 1 || again.Tasks[0].State != taskMended {
				t.Errorf("%+v is remembered, %v", again.Tasks, err)
			}
			d.press("d")
			d.shows("There are no notifications")
			if bytes.Contains(d.memory, []byte("[[task]]")) {
				t.Error("what was removed is remembered")
			}
		}
	}
	// Another command has mended it since: what is recorded tells how.
	f := newFake(cat)
	if err := f.install("websocket"); err != nil {
		t.Fatal(err)
	}
	d := manager(t, f, 120, 40, func(o *Options) { o.Memory = text })
	d.press("n")
	d.press("enter")
	d.shows("finished since")
}

// The cursor stays on something: paging moves it, and what is removed under it does not leave it in the air.
func TestConsoleCursor(t *testing.T) {
	d := manager(t, newFake(realCatalog(t)), 60, 20)
	c := d.m.console
	d.press("pgdown")
	if want := len(c.items()) - 1; c.cursor != want {
		t.Errorf("a page down leads to item %d, want the last, %d", c.cursor, want)
	}
	d.press("pgup")
	if c.cursor != 0 {
		t.Errorf("a page up leads to item %d", c.cursor)
	}
	for n := range 3 {
		d.m.tasks = append(d.m.tasks, &task{Server: "web01", State: taskDone, Command: "rolemgr install " + strings.Repeat("x", n+1)})
	}
	d.press("n", "end", "d")
	if len(d.m.tasks) != 2 || c.cursor != 1 {
		t.Errorf("%d notifications, the cursor on %d", len(d.m.tasks), c.cursor)
	}
	d.press("enter")
	d.shows("rolemgr install xx")
}

// A look at the server that took longer than a later one is not shown instead of it.
func TestSlowLook(t *testing.T) {
	d := manager(t, newFake(realCatalog(t)), 80, 24)
	info := d.m.console.info
	info.at, info.stateErr = info.at.Add(-time.Second), errFake
	d.send(infoMsg{info})
	d.shows("online")
	info.at = info.at.Add(2 * time.Second)
	d.send(infoMsg{info})
	d.shows("not readable")
}

// What others have written does nothing to the terminal.
func TestHarmlessTexts(t *testing.T) {
	d := manager(t, newFake(realCatalog(t)), 80, 24)
	d.m.tasks = []*task{{Server: "web01", State: taskFailed, Command: "rolemgr install \x1b[2Jweb", Text: "open \x07a\u202eb: failed\nand more"}}
	d.press("n", "enter")
	if text := d.m.View(); strings.ContainsAny(text, "\x07\u202e") || strings.Contains(text, "\x1b[2J") {
		t.Errorf("the screen holds what others wrote: %q", text)
	}
	d.shows("install ?[2Jweb", "Open ?a?b: failed", "and more")
}
