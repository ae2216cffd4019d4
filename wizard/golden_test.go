package wizard

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scene is a screen and the way to it.
type scene struct {
	name  string
	start Start
	made  func(f *fakeTarget) // the server, before the wizard opens
	way   func(d *driver)
	color bool // kept with its escape codes as well, for both backgrounds
	ascii bool // kept with the letters of ASCII as well
	rich  bool // with more units built

	manager bool           // begin in Server Manager
	edit    func(*Options) // nil for none
}

func goldenSizes() [][2]int { return [][2]int{{60, 20}, {80, 24}, {120, 40}} }

// withSockets is a server with WebSocket Protocol and live connections.
func withSockets(n int) func(*fakeTarget) {
	return func(f *fakeTarget) {
		installed("websocket", "http-logging")(f)
		f.sockets = map[features.ID]int{"websocket": n}
	}
}

func installed(ids ...features.ID) func(*fakeTarget) {
	return func(f *fakeTarget) {
		if err := f.install(ids...); err != nil {
			panic(err)
		}
	}
}

func failing(step int, stuck bool) func(*fakeTarget) {
	return func(f *fakeTarget) { f.failAt, f.stuck = step, stuck }
}

// events lets a transaction go on by some events.
func events(n int) func(*driver) {
	return func(d *driver) {
		d.begin()
		for range n {
			d.advance()
		}
	}
}

// scenes are every page, dialog and state of the two wizards and of Server Manager.
func scenes() []scene {
	return slices.Concat(addFirstScenes(), addTreeScenes(), addLastScenes(), removeScenes(), managerScenes())
}

func addFirstScenes() []scene {
	return []scene{
		{name: "before", way: func(d *driver) {}, ascii: true, color: true},
		{name: "before-skip", way: func(d *driver) { d.press(" ") }},
		{name: "before-no-previous", way: func(d *driver) { d.press("p") }},
		{name: "type", way: func(d *driver) { d.toPage(PageType) }},
		{name: "type-not-here", way: func(d *driver) { d.toPage(PageType).press("down", " ") }},
		{name: "server", way: func(d *driver) { d.toPage(PageServer) }, ascii: true},
		{name: "server-filter", way: func(d *driver) { d.toPage(PageServer).press("/").typed("web0") }},
		{name: "server-filter-nothing", way: func(d *driver) { d.toPage(PageServer).press("/").typed("db") }},
		{name: "server-offline", way: func(d *driver) { d.toPage(PageServer).press("o").typed("/srv/web02") }, color: true},
		{name: "server-offline-empty", way: func(d *driver) { d.toPage(PageServer).press("o", "enter") }},
		{name: "server-offline-refused", way: func(d *driver) { d.toPage(PageServer).press("o").typed("web02").press("enter") }},
		{name: "server-two", way: func(d *driver) { d.toPage(PageServer).press("o").typed("/srv/web02").press("enter") }},
		{name: "server-unreadable", made: func(f *fakeTarget) {
			f.stateErr = errors.New(`state.toml, line 3: the key "serail" is not known`)
		}, way: func(d *driver) { d.toPage(PageServer) }},
		{name: "focus-buttons", way: func(d *driver) { d.toPage(PageServer).press("tab", "right") }},
		{name: "focus-navigation", way: func(d *driver) { d.toPage(PageServer).press("shift+tab", "down") }},
		{name: "focus-navigation-refused", way: func(d *driver) { d.toPage(PageServer).press("shift+tab", "end", "enter") }},
		{name: "help", way: func(d *driver) { d.toPage(PageType).press("?") }, ascii: true},
	}
}

func addTreeScenes() []scene {
	return []scene{
		{name: "roles-reading", way: func(d *driver) {
			d.m.win.s.forgetState()
			d.m.win.s.Page = PageRoles
		}},
		{name: "roles-folded", way: func(d *driver) { d.toPage(PageRoles) }, ascii: true},
		{name: "roles-expanded", way: func(d *driver) { d.toPage(PageRoles).press("*") }, ascii: true, color: true},
		{name: "roles-filter", way: func(d *driver) { d.toPage(PageRoles).press("/").typed("socket") }},
		{name: "roles-filter-by-name", way: func(d *driver) { d.toPage(PageRoles).press("/").typed("web-http") }},
		{name: "roles-filter-nothing", way: func(d *driver) { d.toPage(PageRoles).press("/").typed("quantum") }},
		{name: "roles-not-available", way: func(d *driver) { d.toPage(PageRoles).find("asp").press(" ") }},
		{name: "roles-not-built", way: func(d *driver) { d.toPage(PageRoles).find("asp.net 4.5").press(" ") }},
		{name: "roles-dialog", way: func(d *driver) { d.toPage(PageRoles).find("websocket protocol").press(" ") }, ascii: true, color: true},
		{name: "roles-dialog-scrolled", way: func(d *driver) {
			d.toPage(PageRoles).find("websocket protocol").press(" ", "pgdown", "pgdown")
		}},
		{name: "roles-dialog-tools", rich: true, made: installed("static-content"), way: func(d *driver) {
			d.toPage(PageRoles).find("websocket protocol").press(" ")
		}},
		{name: "roles-dialog-tools-unticked", rich: true, made: installed("static-content"), way: func(d *driver) {
			d.toPage(PageRoles).find("websocket protocol").press(" ", "tab", "tab", " ")
		}},
		{name: "roles-dialog-both", rich: true, way: func(d *driver) {
			d.toPage(PageRoles).find("websocket endpoints").press(" ")
		}, color: true},
		{name: "roles-ticked", way: func(d *driver) { d.tickWebSocket().press("home").press("*") }, color: true, ascii: true},
		{name: "roles-clear-asks", rich: true, way: func(d *driver) {
			d.toPage(PageRoles).find("websocket endpoints").press(" ").settleDialog().find("websocket protocol").press(" ")
		}},
		{name: "roles-partial", rich: true, made: installed("static-content"), way: func(d *driver) {
			d.toPage(PageRoles).find("websocket protocol").press(" ").settleDialog().press("home", "*")
		}},
		{name: "roles-description", way: func(d *driver) { d.toPage(PageRoles).find("websocket protocol").press("d") }},
		{name: "roles-installed", made: installed("websocket"), way: func(d *driver) { d.toPage(PageRoles).press("*") }},
		{name: "roles-installed-refused", made: installed("websocket"), way: func(d *driver) {
			d.toPage(PageRoles).find("websocket protocol").press(" ")
		}},
		{name: "features", way: func(d *driver) { d.toPage(PageFeatures) }},
		{name: "info", way: func(d *driver) { d.tickWebSocket().toPage(PageRoleInfo) }},
		{name: "services", way: func(d *driver) { d.tickWebSocket().toPage(PageServices) }},
		{name: "services-expanded", way: func(d *driver) { d.tickWebSocket().toPage(PageServices).press("*") }},
	}
}

func addLastScenes() []scene {
	return []scene{
		{name: "confirm-planning", way: func(d *driver) {
			d.tickWebSocket().toPage(PageConfirm)
			d.m.win.s.stale()
		}},
		{name: "confirm", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm) }, ascii: true, color: true},
		{name: "confirm-scrolled", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press("end") }},
		{name: "confirm-no-plan", made: func(f *fakeTarget) { f.planErr = errors.New("read state.toml: permission denied") },
			way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm) }},
		{name: "confirm-source", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press("down", "down", " ") }},
		{name: "confirm-restart-asks", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press(" ") }},
		{name: "confirm-restart", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press(" ", "y") }},
		{name: "confirm-export", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press("e") }},
		{name: "confirm-exported", way: func(d *driver) { d.tickWebSocket().toPage(PageConfirm).press("e", "enter") }},
		{name: "confirm-export-failed", way: func(d *driver) {
			d.tickWebSocket().toPage(PageConfirm).press("e")
			for range "DeploymentConfigTemplate.toml" {
				d.press("backspace")
			}
			d.typed("/proc/x.toml").press("enter")
		}},
		{name: "results-starting", way: func(d *driver) { d.begin() }},
		{name: "results-running", way: func(d *driver) { events(22)(d) }, ascii: true, color: true},
		{name: "results-stop-asks", way: func(d *driver) { events(22)(d); d.press("ctrl+c") }},
		{name: "results-stopping", way: func(d *driver) { events(22)(d); d.press("ctrl+c", "s") }},
		{name: "results-undoing", way: func(d *driver) {
			events(22)(d)
			d.press("ctrl+c", "s")
			d.advance()
			d.advance()
			d.advance()
		}},
		{name: "results-stopped", way: func(d *driver) { events(22)(d); d.press("ctrl+c", "s"); d.finish() }},
		{name: "results-done", way: func(d *driver) { d.begin().finish() }, color: true, ascii: true},
		{name: "results-done-warned", made: func(f *fakeTarget) {
			f.warnings = []string{`"config/features.d/websocket.config" was changed by hand; what it held is kept in "config/features.d/websocket.config.kept"`}
		}, way: func(d *driver) { d.begin().finish() }},
		{name: "results-failed", made: failing(14, false), way: func(d *driver) { d.begin().finish() }, color: true},
		{name: "results-incomplete", made: failing(14, true), way: func(d *driver) { d.begin().finish() }},
		{name: "results-refused", made: func(f *fakeTarget) {
			f.refusal = errors.New(`another rolemgr is changing this server: "rolemgr install cgi", process 311`)
		},
			way: func(d *driver) { d.begin().finish() }},
		{name: "results-stale", made: func(f *fakeTarget) { f.refusal = &apply.StaleError{Planned: 0, Current: 1} },
			way: func(d *driver) { d.begin().finish() }},
	}
}

func removeScenes() []scene {
	roles := func(d *driver) *driver { return d.toPage(PageRoles) }
	clear := func(d *driver) *driver { return roles(d).find("websocket protocol").press(" ") }
	all := []scene{
		{name: "remove-before", way: func(d *driver) {}},
		{name: "remove-server", way: func(d *driver) { d.toPage(PageServer) }},
		{name: "remove-roles", way: func(d *driver) { roles(d).press("*") }, ascii: true},
		{name: "remove-roles-refused", way: func(d *driver) { roles(d).find("basic authentication").press(" ") }},
		{name: "remove-roles-cleared", way: func(d *driver) { clear(d) }},
		{name: "remove-dialog", rich: true, made: installed("websocket-endpoints"), way: func(d *driver) { clear(d) }, color: true, ascii: true},
		{name: "remove-features", way: func(d *driver) { d.toPage(PageFeatures) }},
		{name: "remove-confirm", made: installed("websocket"), way: func(d *driver) { clear(d).toPage(PageConfirm) }},
		{name: "remove-confirm-sockets", way: func(d *driver) { clear(d).toPage(PageConfirm) }, color: true},
		{name: "remove-confirm-restart-asks", way: func(d *driver) { clear(d).toPage(PageConfirm).press(" ") }},
		{name: "remove-results-done", way: func(d *driver) { clear(d).toPage(PageConfirm).press("r").finish() }},
		{name: "remove-all-confirm", way: func(d *driver) { roles(d).press("home", " ").settleDialog().toPage(PageConfirm) }},
	}
	for i := range all {
		all[i].start = RemoveWizard
		if all[i].made == nil {
			all[i].made = withSockets(1204)
		}
	}
	return all
}

// settleDialog takes what a dialog proposes, if there is one.
func (d *driver) settleDialog() *driver {
	if d.m.win.dlg != nil {
		d.press("enter")
	}
	return d
}

// play goes to a scene on a screen of a size.
func play(t *testing.T, cat *features.Catalog, sc scene, size [2]int, look Look) *driver {
	t.Helper()
	f := newFake(cat)
	if sc.made != nil {
		sc.made(f)
	}
	start := sc.start
	if start == ServerManager && !sc.manager {
		start = AddWizard
	}
	d := drive(t, f, start, size[0], size[1], func(o *Options) {
		o.Look = look
		if sc.edit != nil {
			sc.edit(o)
		}
	})
	d.settle()
	sc.way(d)
	return d
}

// TestGoldenScreens compares every screen at three sizes with what a person has read and found good. The text is the
// same with colours and without, for a colour is never the only sign.
func TestGoldenScreens(t *testing.T) {
	bundled, rich := realCatalog(t), richCatalog(t)
	seen := map[string]string{}
	for _, sc := range scenes() {
		if seen[sc.name] != "" {
			t.Fatalf("two scenes are called %s", sc.name)
		}
		seen[sc.name] = sc.name
		t.Run(sc.name, func(t *testing.T) {
			cat := bundled
			if sc.rich {
				cat = rich
			}
			var plain, ascii, dark, light bytes.Buffer
			for _, size := range goldenSizes() {
				text := shoot(t, cat, sc, size, Look{})
				if strings.Contains(text, "\x1b") {
					t.Errorf("%v: there are escape codes without colours", size)
				}
				frame(&plain, size, text)
				colored := map[bool]string{}
				for _, isDark := range []bool{true, false} {
					colored[isDark] = shoot(t, cat, sc, size, Look{Color: true, Dark: isDark})
					if got := ansi.Strip(colored[isDark]); got != text {
						t.Errorf("%v: with colours (dark %v) the text is another:\n%s\nwithout:\n%s", size, isDark, got, text)
					}
				}
				frame(&dark, size, strings.ReplaceAll(colored[true], "\x1b", "\\e"))
				frame(&light, size, strings.ReplaceAll(colored[false], "\x1b", "\\e"))
				letters := shoot(t, cat, sc, size, Look{ASCII: true})
				for line := range strings.Lines(letters) {
					if strings.ContainsFunc(line, func(r rune) bool { return r > '~' }) {
						t.Errorf("%v: a terminal of ASCII is sent %q", size, strings.TrimSpace(line))
					}
				}
				frame(&ascii, size, letters)
			}
			golden(t, sc.name+".txt", plain.Bytes())
			if sc.ascii {
				golden(t, sc.name+".ascii.txt", ascii.Bytes())
			}
			if sc.color {
				golden(t, sc.name+".dark.txt", dark.Bytes())
				golden(t, sc.name+".light.txt", light.Bytes())
			}
		})
	}
}

// TestTooSmallScreen shows what a screen shows that is too small.
func TestTooSmallScreen(t *testing.T) {
	cat := realCatalog(t)
	var b bytes.Buffer
	for _, size := range [][2]int{{39, 12}, {40, 11}, {20, 5}, {3, 2}, {1, 1}} {
		frame(&b, size, shoot(t, cat, scene{way: func(d *driver) {}}, size, Look{}))
	}
	golden(t, "too-small.txt", b.Bytes())
}

// shoot returns the screen of a scene. Its size is checked.
func shoot(t *testing.T, cat *features.Catalog, sc scene, size [2]int, look Look) string {
	t.Helper()
	d := play(t, cat, sc, size, look)
	defer d.close()
	d.checkSize()
	return d.m.View()
}

// frame writes a screen below a line that tells its size.
func frame(b *bytes.Buffer, size [2]int, text string) {
	fmt.Fprintf(b, "=== %dx%d\n", size[0], size[1])
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
}

// golden compares with a golden file, or writes it anew.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the golden file says (go test ./wizard -update rewrites it):\n%s", path, firstDifference(got, want))
	}
}

// firstDifference shows where two screens part.
func firstDifference(got, want []byte) string {
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	head := ""
	for i := range g {
		if strings.HasPrefix(g[i], "=== ") {
			head = g[i]
		}
		if i >= len(w) || g[i] != w[i] {
			was := "(nothing)"
			if i < len(w) {
				was = w[i]
			}
			return fmt.Sprintf("%s, line %d of the file\nnow  %s\nwas  %s", head, i+1, g[i], was)
		}
	}
	return "the file has more lines"
}

// TestFakeServerKeepsItsPlans holds the fake server to the real ones: what it installed is installed.
func TestFakeServerKeepsItsPlans(t *testing.T) {
	f := newFake(realCatalog(t))
	if err := f.install("websocket"); err != nil {
		t.Fatal(err)
	}
	d := drive(t, f, AddWizard, 80, 24)
	d.settle()
	p, _, err := f.Plan(context.Background(), d.m.win.s.Request())
	if err != nil || !p.Empty() {
		t.Errorf("asked for nothing, a server changes %+v, %v", p.Changes, err)
	}
}
