package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
)

// faceStep is one tick or clearing, by a name that only one unit has.
type faceStep struct {
	name    string
	clear   bool
	asks    string // the first words of the question that follows; "" for none
	noTools bool   // the box for management tools is cleared in it
	feature bool   // it is on the page Features
	refused string // what the refusal says
}

// face is one selection, made in every way that there is.
type face struct {
	name   string
	before string // a command that makes the server what it is
	remove bool
	fresh  bool // the role is about to be installed, so its pages follow
	steps  []faceStep
	flags  string // the command that does the same
}

// facesCatalog is the real catalogue with what it does not have: management tools that can be installed, units that need
// or exclude one another, and one of a later server level.
func facesCatalog() (*features.Catalog, error) {
	unit := func(id, title string, edit func(*features.Unit)) features.Unit {
		u := features.Unit{ID: features.ID(id), Parent: "faces", Kind: features.RoleService, Title: title}
		if edit != nil {
			edit(&u)
		}
		return u
	}
	need := func(id features.ID) []features.Require { return []features.Require{{ID: id, Why: "it is built on it"}} }
	return features.NewCatalog(append(all.Units(),
		unit("faces", "Faces", func(u *features.Unit) { u.Parent, u.Group = "web-server", true }),
		unit("face-tool", "Face Tool", func(u *features.Unit) { u.Tool = true }),
		unit("face-scripts", "Face Scripts", func(u *features.Unit) { u.Tool = true }),
		unit("face-base", "Face Base", nil),
		unit("face-middle", "Face Middle", func(u *features.Unit) { u.Requires = need("face-base") }),
		unit("face-top", "Face Top", func(u *features.Unit) { u.Requires = need("face-middle") }),
		unit("face-left", "Face Left", nil),
		unit("face-right", "Face Right", func(u *features.Unit) {
			u.Conflicts = []features.Conflict{{ID: "face-left", Why: "both want the same port"}}
		}),
		unit("face-late", "Face Late", func(u *features.Unit) { u.Since = "10.0" }),
		unit("lone-feature", "Lone Feature", func(u *features.Unit) { u.Parent, u.Kind = "", features.Feature }),
	))
}

const (
	asksAdd    = "Add features that are required for"
	asksRemove = "Remove features that require"
)

func faces() []face {
	tick := func(name, asks string) faceStep { return faceStep{name: name, asks: asks} }
	clear := func(name, asks string) faceStep { return faceStep{name: name, clear: true, asks: asks} }
	return []face{
		{name: "a service with all it needs", fresh: true, flags: "install websocket --include-management-tools",
			steps: []faceStep{tick("websocket protocol", asksAdd)}},
		{name: "tools left out", fresh: true, flags: "install websocket",
			steps: []faceStep{{name: "websocket protocol", asks: asksAdd, noTools: true}}},
		{name: "one of the tools", fresh: true, flags: "install websocket --without face-scripts --include-management-tools",
			steps: []faceStep{tick("websocket protocol", asksAdd), clear("face scripts", "")}},
		{name: "defaults cleared", fresh: true,
			flags: "install static-content websocket --without default-document --without directory-browsing --without http-errors --without http-logging",
			steps: []faceStep{{name: "websocket protocol", asks: asksAdd, noTools: true}, clear("common http", ""),
				clear("http logging", ""), {name: "static content", asks: asksAdd, noTools: true}}},
		{name: "more on a server", before: "install static-content --without http-logging", flags: "install websocket",
			steps: []faceStep{{name: "websocket protocol", asks: asksAdd, noTools: true}}},
		{name: "what others need, then less of it", before: "install static-content", flags: "install face-middle",
			steps: []faceStep{{name: "face top", asks: asksAdd, noTools: true}, clear("face top", ""),
				{name: "face middle", asks: asksAdd, noTools: true}}},
		{name: "a feature that is no role", flags: "install lone-feature", before: "install static-content",
			steps: []faceStep{{name: "lone feature", feature: true}}},
		{name: "removal with dependents", before: "install face-top face-middle face-base websocket", remove: true,
			flags: "remove face-base face-middle face-top", steps: []faceStep{clear("face base", asksRemove)}},
		{name: "a part of a role is kept", before: "install websocket", remove: true,
			flags: "remove common-http health-and-diagnostics performance security", steps: []faceStep{clear("web server (iis)", ""), tick("websocket protocol", "")}},
		{name: "a default and another are removed", before: "install websocket face-left", remove: true,
			flags: "remove http-errors face-left", steps: []faceStep{clear("http errors", ""), clear("face left", "")}},
		{name: "a level that is too low", flags: "install face-late",
			steps: []faceStep{{name: "face late", refused: "came with"}}},
		{name: "a conflict", before: "install face-left", flags: "install face-right",
			steps: []faceStep{{name: "face right", refused: "cannot be installed together"}}},
	}
}

// planSpy notes the last plan that a face asked for, on whichever target.
type planSpy struct {
	mu   sync.Mutex
	last []byte
}

// spiedTarget is a target whose plans a planSpy notes.
type spiedTarget struct {
	target.Target
	spy *planSpy
}

func (s spiedTarget) Plan(ctx context.Context, r plan.Request) (plan.Plan, diag.List, error) {
	p, diags, err := s.Target.Plan(ctx, r)
	s.spy.mu.Lock()
	defer s.spy.mu.Unlock()
	s.spy.last = nil
	if err == nil {
		s.spy.last = jsonText(p)
	}
	return p, diags, err
}

func (s *planSpy) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.last)
}

// jsonText is a value as the commands print it, on one line.
func jsonText(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// faceWorld is a server on which the faces of one selection are compared. Nothing changes it meanwhile.
type faceWorld struct {
	t    *testing.T
	f    face
	home string
	dir  string
}

// env returns a world on the server, with a memory of its own, so that no face knows what another has ticked.
func (w *faceWorld) env() (e *env, spy *planSpy, out, errs *bytes.Buffer) {
	e, _, out, errs = newTestEnv(w.t)
	memory := w.t.TempDir()
	vars := map[string]string{"ROLEMGR_HOME": w.home, "XDG_STATE_HOME": memory, "LANG": "C.UTF-8", "NO_COLOR": "1"}
	e.Getenv = func(name string) string { return vars[name] }
	e.UserHome = func() (string, error) { return memory, nil }
	e.Catalog = facesCatalog
	spy = &planSpy{}
	e.NewTarget = func(o target.LocalOptions) target.Target {
		return spiedTarget{target.NewLocal(o), spy}
	}
	return e, spy, out, errs
}

// command runs a command line and returns the plan that it prints, and its problems.
func (w *faceWorld) command(line string) (planText string, problems []problem) {
	w.t.Helper()
	e, _, out, errs := w.env()
	code := execute(w.t.Context(), e, append(strings.Fields(line), "--what-if", "--json"))
	var got struct {
		Plan     json.RawMessage `json:"plan"`
		Problems []problem       `json:"problems"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		w.t.Fatalf("%s: exit code %d: %v\n%s%s", line, code, err, out, errs)
	}
	var b bytes.Buffer
	if len(got.Plan) > 0 {
		if err := json.Compact(&b, got.Plan); err != nil {
			w.t.Fatal(err)
		}
	}
	return b.String(), got.Problems
}

// TestFacesGiveOnePlan makes selections with the keys of the wizard in a pseudo-terminal, with the plain dialogue on
// pipes, with flags, with the command that the faces print, and with the files that they export. All plans are equal
// byte for byte; what is refused is refused in the same words.
func TestFacesGiveOnePlan(t *testing.T) {
	for _, f := range faces() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			w := &faceWorld{t: t, f: f, home: filepath.Join(t.TempDir(), "server"), dir: t.TempDir()}
			if f.before != "" {
				e, _, out, errs := w.env()
				if code := execute(t.Context(), e, strings.Fields(f.before)); code != ExitDone {
					t.Fatalf("%s: exit code %d\n%s%s", f.before, code, out, errs)
				}
			}
			want, problems := w.command(f.flags)
			if f.steps[0].refused != "" {
				w.refusal(problems)
				return
			}
			if want == "" || !strings.Contains(want, `"steps":[{`) && !strings.Contains(want, `"changes":[{`) {
				t.Fatalf("%s: there is no plan to compare: %s %v", f.flags, want, problems)
			}
			same := func(face, got string) {
				t.Helper()
				if got != want {
					t.Errorf("%s:\n%s\n%s:\n%s", face, got, f.flags, want)
				}
			}
			plainFile, keysFile := filepath.Join(w.dir, "plain.toml"), filepath.Join(w.dir, "keys.toml")
			got, printed := w.plain(plainFile)
			same("the plain dialogue", got)
			if printed != "rolemgr "+f.flags {
				t.Errorf("the plain dialogue prints %q; want %q", printed, "rolemgr "+f.flags)
			}
			same("the wizard's keys", w.keys(keysFile))
			files := []string{plainFile}
			if !f.remove { // as on the original, the Remove wizard has no export
				files = append(files, keysFile)
			}
			for _, file := range files {
				got, problems := w.command("install --file " + file)
				if len(problems) > 0 {
					t.Errorf("%s: %v", file, problems)
				}
				same(filepath.Base(file), got)
			}
		})
	}
}

// refusal holds the faces to the words of the command line where a selection is refused.
func (w *faceWorld) refusal(problems []problem) {
	w.t.Helper()
	if len(problems) != 1 || !strings.Contains(problems[0].Message, w.f.steps[0].refused) {
		w.t.Fatalf("%s: problems %v; want one that says %q", w.f.flags, problems, w.f.steps[0].refused)
	}
	d := w.startPlain()
	d.toTree()
	d.send("tick " + w.f.steps[0].name)
	said := d.expect("Enter for the next page: ")
	for _, text := range []string{problems[0].Message, problems[0].Hint} {
		if !strings.Contains(strings.ToLower(said), strings.ToLower(text)) {
			w.t.Errorf("the plain dialogue says\n%s\nwant %q", said, text)
		}
	}
	d.send("q")
	d.end(ExitDone)
	k := w.startKeys()
	k.toTree()
	k.step(w.f.steps[0])
	k.leave()

	file := filepath.Join(w.dir, "refused.toml")
	text := "version = 1\nfeatures = ['" + strings.Fields(w.f.flags)[1] + "']\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
	if _, again := w.command("install --file " + file); len(again) != 1 || again[0] != problems[0] {
		w.t.Errorf("the file is refused with %v; want %v", again, problems)
	}
}

// dialogue is a running plain dialogue, driven as expect would.
type dialogue struct {
	w    *faceWorld
	spy  *planSpy
	in   *io.PipeWriter
	said *said
	code chan ExitCode
	errs *bytes.Buffer
}

// said gathers what is written, for one reader that waits.
type said struct {
	mu   sync.Mutex
	text string
	more chan struct{}
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	s.text += string(p)
	s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (w *faceWorld) startPlain() *dialogue {
	w.t.Helper()
	e, spy, _, errs := w.env()
	in, answers := io.Pipe()
	d := &dialogue{w: w, spy: spy, in: answers, said: &said{more: make(chan struct{}, 1)}, code: make(chan ExitCode, 1), errs: errs}
	e.In, e.Out = in, d.said
	args := []string{"wizard", "--plain"}
	if w.f.remove {
		args = append(args, "--remove")
	}
	go func() { d.code <- execute(w.t.Context(), e, args) }()
	w.t.Cleanup(func() { _ = answers.Close() })
	return d
}

// expect waits for a prompt and returns what was said up to it.
func (d *dialogue) expect(prompt string) string {
	d.w.t.Helper()
	deadline := time.After(patience)
	for {
		d.said.mu.Lock()
		before, after, ok := strings.Cut(d.said.text, prompt)
		if ok {
			d.said.text = after
		}
		text := d.said.text
		d.said.mu.Unlock()
		if strings.Contains(before+after, "\x1b") {
			d.w.t.Fatalf("an escape byte in %q", before)
		}
		if ok {
			return before
		}
		select {
		case <-d.said.more:
		case <-deadline:
			d.w.t.Fatalf("waited in vain for %q; since then:\n%s%s", prompt, text, d.errs)
		}
	}
}

func (d *dialogue) send(line string) {
	d.w.t.Helper()
	if _, err := io.WriteString(d.in, line+"\n"); err != nil {
		d.w.t.Fatal(err)
	}
}

func (d *dialogue) end(want ExitCode) {
	d.w.t.Helper()
	select {
	case code := <-d.code:
		if code != want {
			d.w.t.Errorf("exit code %d; want %d\n%s", code, want, d.errs)
		}
	case <-time.After(patience):
		d.w.t.Fatal("the dialogue does not end")
	}
}

// toTree goes to the page Server Roles.
func (d *dialogue) toTree() {
	d.w.t.Helper()
	pages := 3
	if d.w.f.remove {
		pages = 2
	}
	for range pages {
		d.expect("Choose [1]: ")
		d.send("")
	}
	d.expect("Enter for the next page: ")
}

// plain makes the selection in the plain dialogue and exports it. It returns the plan and the command that is printed.
func (w *faceWorld) plain(file string) (planText, command string) {
	w.t.Helper()
	d := w.startPlain()
	d.toTree()
	for _, s := range w.f.steps {
		verb := "tick "
		if s.clear {
			verb = "clear "
		}
		d.send(verb + s.name)
		if s.asks != "" {
			if said := d.expect("Choose [1]: "); !strings.Contains(said, s.asks) {
				w.t.Fatalf("%s: said\n%s\nwant %q", s.name, said, s.asks)
			}
			if s.noTools {
				d.send("3")
				d.expect("Choose [1]: ")
			}
			d.send("1")
		}
		d.expect("Enter for the next page: ")
	}
	d.send("") // to Features
	prompt := "Enter for the next page: "
	d.expect(prompt)
	if w.f.fresh {
		d.send("") // to the role
		d.expect(prompt)
		d.send("") // to Role Services
		d.expect(prompt)
	}
	d.send("")
	said := d.expect(" or a number: ")
	if _, after, ok := strings.Cut(said, "The same as a command:\n  "); ok {
		command, _, _ = strings.Cut(after, "\n")
	}
	d.send("e " + file)
	d.expect(" or a number: ")
	d.send("q")
	d.end(ExitDone)
	return d.spy.text(), command
}

// keyboard is a running wizard in a pseudo-terminal.
type keyboard struct {
	w     *faceWorld
	p     *pty
	spy   *planSpy
	code  chan ExitCode
	errs  *bytes.Buffer
	typed int // letters in the filter
}

func (w *faceWorld) startKeys() *keyboard {
	w.t.Helper()
	p := openPTY(w.t, 220, 50)
	e, spy, _, errs := w.env()
	e.InTTY, e.OutTTY, e.Keys, e.Screen = true, true, p.slave, p.slave
	k := &keyboard{w: w, p: p, spy: spy, code: make(chan ExitCode, 1), errs: errs}
	args := []string{"wizard"}
	if w.f.remove {
		args = append(args, "--remove")
	}
	go func() { k.code <- execute(w.t.Context(), e, args) }()
	return k
}

// toTree goes to the page Server Roles, which can be reached once it is known what is installed.
func (k *keyboard) toTree() {
	k.w.t.Helper()
	k.p.wait("Before you begin")
	if !k.w.f.remove {
		k.p.send(apart("n"))
		k.p.wait("Select installation type")
	}
	k.p.send(apart("n"))
	k.p.wait("Select destination server")
	for {
		k.p.send(apart("n"))
		if k.p.wait("Select server roles", "Remove server roles", "not known yet") != "not known yet" {
			return
		}
	}
}

// apart puts a key that means nothing before each letter. Letters that are read at once would be one key, and nobody
// types so fast.
func apart(text string) string {
	var b strings.Builder
	for _, r := range text {
		b.WriteString("\a" + string(r))
	}
	return b.String()
}

// step finds a node and presses its box.
func (k *keyboard) step(s faceStep) {
	k.w.t.Helper()
	k.p.send(apart("/") + strings.Repeat("\x7f", k.typed) + apart(s.name) + "\r ")
	k.typed = len(s.name)
	switch {
	case s.refused != "":
		k.p.wait(s.refused)
	case s.asks != "":
		k.p.wait(s.asks)
		switch {
		case s.noTools:
			k.p.send(apart("ma"))
		case s.asks == asksRemove:
			k.p.send(apart("r"))
		default:
			k.p.send(apart("a"))
		}
	}
}

// leave closes the wizard without a change.
func (k *keyboard) leave() {
	k.w.t.Helper()
	k.p.send(apart("c"))
	select {
	case code := <-k.code:
		if code != ExitDone {
			k.w.t.Errorf("exit code %d\n%s", code, k.errs)
		}
	case <-time.After(patience):
		k.w.t.Fatal(errors.New("the wizard does not end"))
	}
}

// keys makes the selection with the keys of the wizard and exports it.
func (w *faceWorld) keys(file string) (planText string) {
	w.t.Helper()
	k := w.startKeys()
	k.toTree()
	for _, s := range w.f.steps {
		if !s.feature {
			k.step(s)
		}
	}
	headings := []string{"elect features", "Things to note", "Select role services"}
	if w.f.remove {
		headings = []string{"Remove features"}
	} else if !w.f.fresh {
		headings = headings[:1]
	}
	for _, h := range headings {
		k.p.send(apart("n"))
		k.p.wait(h)
		for _, s := range w.f.steps {
			if s.feature {
				k.typed = 0
				k.step(s)
			}
		}
	}
	k.p.send(apart("n"))
	k.p.wait("Same thing as a command")
	if !w.f.remove {
		k.p.send(apart("e"))
		k.p.wait("Export configuration settings")
		k.p.send(strings.Repeat("\x7f", 60) + apart(file) + "\r")
		k.p.wait("written to")
	}
	k.leave()
	return k.spy.text()
}
