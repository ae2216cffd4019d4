package wizard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
)

// plainWorld is a plain dialogue on a server in memory.
type plainWorld struct {
	fake     *fakeTarget
	o        Options
	memory   []byte
	exported map[string]plan.Request
	other    *fakeTarget // of the home folder that was named by hand
}

func newPlain(t testing.TB, start Start) *plainWorld {
	t.Helper()
	w := &plainWorld{fake: newFake(richCatalog(t)), exported: map[string]plan.Request{}}
	w.other = newFake(w.fake.cat)
	w.o = Options{
		Look: Look{ASCII: true}, Start: start, Catalog: w.fake.cat, Target: w.fake, Version: "test", Now: testNow,
		Local: Server{Name: "web01", Address: "192.0.2.7", System: "Debian GNU/Linux 13 (trixie)", Home: "/srv/web01"},
		Open: func(home string) (target.Target, Server, error) {
			if !strings.HasPrefix(home, "/") {
				return nil, Server{}, errors.New("the home folder is not absolute")
			}
			return w.other, Server{Name: "web02", Address: "-", System: "-", Home: home, Offline: true, Named: true}, nil
		},
		Export: func(path string, r plan.Request) error {
			if path == "/forbidden" {
				return errFake
			}
			w.exported[path] = r
			return nil
		},
		Keep: func(text []byte) error { w.memory = text; return nil },
	}
	return w
}

// run answers questions with lines, and returns what was said.
func (w *plainWorld) run(t testing.TB, lines ...string) (said string, err error) {
	t.Helper()
	var out strings.Builder
	w.o.In, w.o.Out, w.o.Memory = strings.NewReader(strings.Join(lines, "\n")), &out, w.memory
	if len(lines) > 0 {
		w.o.In = io.MultiReader(w.o.In, strings.NewReader("\n"))
	}
	err = RunPlain(t.Context(), w.o)
	if i := strings.IndexFunc(out.String(), func(r rune) bool { return r < ' ' && r != '\n' || r > '~' }); i >= 0 {
		t.Fatalf("%q was written where only ASCII and line feeds may be", out.String()[i:min(i+20, out.Len())])
	}
	return out.String(), err
}

// inOrder fails unless the texts are said one after the other.
func inOrder(t testing.TB, said string, texts ...string) {
	t.Helper()
	rest := said
	for _, text := range texts {
		_, after, ok := strings.Cut(rest, text)
		if !ok {
			t.Fatalf("%q is not said after what comes before it:\n%s", text, said)
		}
		rest = after
	}
}

func TestPlainRoad(t *testing.T) {
	w := newPlain(t, AddWizard)
	said, err := w.run(t, "", "", "", "1+", "1+", "5+", "websocket protocol", "1", "1", "", "", "", "", "", "install")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "Add Roles and Features Wizard", "Page 1 of 7: Before you begin", "Choose [1]: ",
		"Page 2 of 7: Select installation type", "Page 3 of 7: Select destination server", "1. web01: 192.0.2.7", "chosen",
		"Page 4 of 7: Select server roles", "1. Web Server (IIS): not ticked; holds 4, list them with 1+",
		"In Web Server (IIS):", "FTP Server: not available: the FTP server of IIS", "Application Development: not ticked",
		"In Application Development:", "CGI: not ticked",
		"2 matches for \"websocket protocol\":", "Add features that are required for WebSocket Protocol?",
		"You cannot install WebSocket Protocol unless", "Static Content: default service of Web Server (IIS)",
		"1. Add Features", "2. Cancel", "Include management tools (if applicable): yes",
		"WebSocket Protocol: ticked.", "Page 5 of 9: Select features", "Page 6 of 9: Web Server Role (IIS)", "Page 7 of 9: Select role services",
		"Page 8 of 9: Confirm installation selections", "0 live sockets would be closed.", "rolemgr install websocket --include-management-tools",
		"Nothing is changed before you type install.", "Page 9 of 9: Installation progress", "Installation started on web01",
		"Step 1 of ", "Proving it: handshake with /echo", "Seen: echo of 32 bytes", "Recorded as state 1",
		"Installation succeeded on web01.", "WebSocket Protocol: installed; proven: echo of 32 bytes")
	if w.fake.st.Serial != 1 {
		t.Errorf("the server is at %d", w.fake.st.Serial)
	}
	if again, _ := w.run(t, "q"); strings.Contains(again, "Selected again") {
		t.Errorf("what was carried out is selected again:\n%s", again)
	}
	steps := strings.Count(said, "\nStep ")
	if want := len(w.fake.st.Features); steps < want {
		t.Errorf("%d steps are told of for %d features", steps, want)
	}
}

func TestPlainRemoval(t *testing.T) {
	w := newPlain(t, RemoveWizard)
	if err := w.fake.install("websocket", "websocket-endpoints"); err != nil {
		t.Fatal(err)
	}
	w.fake.sockets = map[features.ID]int{"websocket": 1204}
	said, err := w.run(t, "", "", "clear Web-WebSockets", "2", "clear Web-WebSockets", "1", "", "", "e left.toml", "remove")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "Remove Roles and Features Wizard", "Page 1 of 6", "Page 3 of 6: Remove server roles",
		"Remove features that require WebSocket Protocol?", "WebSocket Endpoints: requires WebSocket Protocol",
		"WebSocket Protocol: installed, as before.", "1. Remove Features", "WebSocket Protocol: to be removed.",
		"Page 5 of 6: Confirm removal selections", "WebSocket Endpoints", "closes 1,204 live sockets", "1,204 live sockets would be closed.",
		"Written to left.toml", "Removal succeeded on web01.", "WebSocket Protocol: removed", "1,204 live sockets were closed")
	if got := w.exported["left.toml"]; len(got.Install) != 0 || len(got.Remove) != 2 {
		t.Errorf("exported %+v", got)
	}
}

func TestPlainFirstPages(t *testing.T) {
	w := newPlain(t, AddWizard)
	said, err := w.run(t, "<", "2", "?", "9", "", "2", "", "/nowhere", "/", "2", "relative", "2", "", "2", "<", "2", "/srv/web02", "tick websocket", "1", "q")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "This is the first page.", "Skip this page by default: yes", "<: back to the previous page",
		`"9" is no answer here. Type a number from 1 to 3`, "Page 2 of", "Remote Desktop Services exist only on Windows",
		"Page 3 of", "1. web01", "Choose [1]: ", "1. Select an offline home folder", "1. web01",
		"The home folder cannot be used: the home folder is not absolute", "Page 4 of", "Nothing was changed.")
	if w.fake.st.Serial+w.other.st.Serial != 0 {
		t.Error("a server was changed")
	}
	if mem, err := decodeMemory(w.memory); err != nil || !mem.SkipBefore || len(mem.Drafts) != 1 || mem.Drafts[0].Home != "/srv/web02" {
		t.Errorf("kept: %+v %v", mem, err)
	}
	if said, _ := w.run(t, "q"); !strings.Contains(said, "Page 2 of 7: Select installation type") {
		t.Errorf("the first page is not skipped:\n%s", said)
	}
}

func TestPlainTree(t *testing.T) {
	w := newPlain(t, AddWizard)
	said, err := w.run(t, "", "", "", "?", "nonsense", "7", "2+", "1+", "-", "static-content", "l", "d 1", "d",
		"tick websokets", "tick asp", "tick websocket", "2", "tick websocket", "3", "1",
		"tick websocket", "clear websocket", "!", "", "", "<", "*", "clear static-content", "q")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "a number and +, as in 1+", `Nothing on this page matches "nonsense".`, `"7" is no number of the list`,
		`"2" is no number of the list`, "In Web Server (IIS):", "Web Server (IIS): not ticked",
		"Static Content (in Common HTTP Features): not ticked", "Requires", "State: not ticked", `"" is no number of the list.`,
		`No feature is called "websokets".`, "Did you mean WebSocket Protocol (websocket)?", `"ASP" cannot be installed here`,
		"2. Cancel", "WebSocket Protocol: not ticked, as before.", "Include management tools (if applicable): yes",
		"Include management tools (if applicable): no", "WebSocket Protocol: ticked.", "WebSocket Protocol: ticked, as before.",
		"WebSocket Protocol: not ticked.", "Everything that was selected is taken back.", "Page 5 of 7: Select features",
		"Tick what is to be installed first.", "Page 4 of 7", "WebSocket Endpoints (in Real-time and app hosting): not ticked",
		"Static Content: not ticked, as before.", "Nothing was changed.")
	for _, group := range []string{"In :", "(in )", ": ;"} {
		if strings.Contains(said, group) {
			t.Errorf("%q is said", group)
		}
	}
}

func TestPlainConfirmation(t *testing.T) {
	w := newPlain(t, AddWizard)
	said, err := w.run(t, "", "", "", "tick websocket", "1", "clear common http features", "tick static-content", "", "", "", "",
		"2", "2", "2", "1", "2", "3", "", "e /forbidden", "e all.toml", "plan", "9", "<", "<", "q")
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	const command = "rolemgr install static-content websocket --without default-document --without directory-browsing --without http-errors --include-management-tools"
	inOrder(t, said, "Common HTTP Features: not ticked.", "Static Content: ticked.",
		"Confirm installation selections", "The same as a command:\n  "+command+"\n",
		"Restart the server?", "Choose [2]: ", "required: no", "required: yes", "required: no", "File [none]: ",
		"The file could not be written: connection refused",
		"Written to all.toml; rolemgr install --file all.toml replays it.", "To be installed on web01:", `"9" is no answer here`,
		"Select role services", "Web Server Role (IIS)", "Nothing was changed.")
	if got := w.exported["all.toml"]; !got.IncludeManagementTools || len(got.Install) != 2 || len(got.Remove) != 3 {
		t.Errorf("exported %+v", got)
	}
}

// What was ticked comes back in the next run, and ! takes it away.
func TestPlainRemembersTicks(t *testing.T) {
	w := newPlain(t, AddWizard)
	if _, err := w.run(t, "", "", "", "tick websocket", "1", "q"); err != nil {
		t.Fatal(err)
	}
	said, err := w.run(t, "", "", "", "/websocket protocol", "!", "l", "q")
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, said, "Selected again: what you had selected the last time.", "WebSocket Protocol", ": ticked", "taken back", ": not ticked", "Nothing was changed.")
	if said, _ = w.run(t, "q"); strings.Contains(said, "Selected again") {
		t.Error("what was taken back came back")
	}
}

func TestPlainEndOfInput(t *testing.T) {
	for n, asked := range []string{"Choose [1]", "Choose [1]", "Choose [1]", "Number, /word, or Enter for the next page",
		"Choose [1]", "Number, /word, or Enter for the next page", "Number, /word, or Enter for the next page", "Enter for the next page",
		"Number, /word, or Enter for the next page", "Type install or a number", "File [none]"} {
		w := newPlain(t, AddWizard)
		lines := []string{"", "", "", "tick websocket", "1", "", "", "", "", "3"}[:n]
		said, err := w.run(t, lines...)
		var ended *InputEndedError
		if !errors.As(err, &ended) || ended.Question != asked || !strings.Contains(err.Error(), "nothing was changed") {
			t.Errorf("after %d answers: %v; want the end at %q\n%s", n, err, asked, said)
		}
		if w.fake.st.Serial != 0 {
			t.Errorf("after %d answers the server was changed", n)
		}
	}
	// The last line needs no line feed.
	w := newPlain(t, ServerManager)
	w.o.In, w.o.Out = strings.NewReader("4"), io.Discard
	if err := RunPlain(t.Context(), w.o); err != nil {
		t.Error(err)
	}
}

// toConfirmation are the answers that lead to the Confirmation page with WebSocket Protocol ticked.
func toConfirmation() []string { return []string{"", "", "", "tick websocket", "1", "", "", "", ""} }

func TestPlainFailures(t *testing.T) {
	var rolledBack *apply.RolledBackError
	var incomplete *apply.IncompleteError
	for _, tt := range []struct {
		name string
		set  func(*fakeTarget)
		says []string
		as   any
	}{
		{"a step fails", func(f *fakeTarget) { f.failAt = 9 },
			[]string{"Step 9 of", "Undoing: ", "Installation failed on web01. Nothing was changed."}, &rolledBack},
		{"and cannot be undone", func(f *fakeTarget) { f.failAt, f.stuck = 9, true },
			[]string{"and not everything could be undone"}, &incomplete},
		{"the change is refused", func(f *fakeTarget) { f.refusal = errFake }, []string{"Installation failed on web01."}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newPlain(t, AddWizard)
			tt.set(w.fake)
			said, err := w.run(t, append(toConfirmation(), "1")...)
			if tt.as == nil && !errors.Is(err, errFake) || tt.as != nil && !errors.As(err, tt.as) {
				t.Errorf("error %v", err)
			}
			inOrder(t, said, tt.says...)
			if w.fake.st.Serial != 0 {
				t.Error("the server was changed")
			}
			again := newPlain(t, ServerManager)
			again.memory = w.memory
			if said, err := again.run(t, "4"); err != nil || strings.Contains(said, "Notification") {
				t.Errorf("what was seen is told of again: %v\n%s", err, said)
			}
			if said, _ := again.run(t, "1", "q", "4"); !strings.Contains(said, "Selected again") {
				t.Errorf("what was selected is lost:\n%s", said)
			}
		})
	}
	w := newPlain(t, AddWizard)
	w.fake.planErr = errFake
	said, err := w.run(t, append(toConfirmation(), "1", "e x.toml", "q")...)
	if err != nil {
		t.Error(err)
	}
	inOrder(t, said, "The selection cannot be carried out.", "Connection refused.", "The plan was refused", "There is no plan to export yet", "Nothing was changed.")
	w = newPlain(t, AddWizard)
	w.fake.stateErr = errFake
	said, err = w.run(t, "", "", "", "q")
	if err != nil {
		t.Error(err)
	}
	inOrder(t, said, "What is installed cannot be read: connection refused", "What is installed on the server is not known yet.", "Nothing was changed.")
}

// Another rolemgr changes the server between the plan and the answer: the new plan is shown, and asked for again.
func TestPlainStalePlan(t *testing.T) {
	w := newPlain(t, AddWizard)
	said, err := func() (string, error) {
		lines := &lineByLine{lines: append(toConfirmation(), "install", "install"), before: map[int]func(){
			9: func() {
				if err := w.fake.install("static-content"); err != nil {
					t.Error(err)
				}
			},
		}}
		var out strings.Builder
		w.o.In, w.o.Out = lines, &out
		err := RunPlain(t.Context(), w.o)
		return out.String(), err
	}()
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "Page 8 of 9: Confirm", "Page 9 of 9", "The server was changed meanwhile", "Page 6 of 7: Confirm", "succeeded")
	if w.fake.st.Serial != 2 {
		t.Errorf("the server is at %d", w.fake.st.Serial)
	}
}

// lineByLine hands out one line for each read, and does something before some of them.
type lineByLine struct {
	lines  []string
	at     int
	before map[int]func()
}

func (l *lineByLine) Read(p []byte) (int, error) {
	if do := l.before[l.at]; do != nil {
		do()
	}
	if l.at == len(l.lines) {
		return 0, io.EOF
	}
	l.at++
	return copy(p, l.lines[l.at-1]+"\n"), nil
}

// When ctx ends, a question is not waited for, and a change is undone.
func TestPlainInterrupted(t *testing.T) {
	w := newPlain(t, AddWizard)
	ctx, cancel := context.WithCancel(t.Context())
	in, answers := io.Pipe()
	defer answers.Close()
	w.o.In, w.o.Out = in, writerFunc(func(p []byte) {
		if strings.Contains(string(p), "Choose") {
			cancel()
		}
	})
	if err := RunPlain(ctx, w.o); !errors.Is(err, context.Canceled) {
		t.Errorf("at a question: %v", err)
	}
	w = newPlain(t, AddWizard)
	ctx, cancel = context.WithCancel(t.Context())
	heard := make(chan struct{})
	var mu sync.Mutex
	var out strings.Builder
	hear := sync.OnceFunc(func() { close(heard) })
	w.o.In = strings.NewReader(strings.Join(append(toConfirmation(), "install"), "\n") + "\n")
	w.o.Out = writerFunc(func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		out.Write(p)
		if strings.Contains(string(p), "Stopping: this step is finished") {
			hear()
		}
	})
	w.fake.gate = make(chan struct{})
	ended := make(chan error, 1)
	go func() { ended <- RunPlain(ctx, w.o) }()
	for range 6 {
		w.fake.gate <- struct{}{}
	}
	cancel()
	select {
	case <-heard:
	case <-time.After(testPatience):
		t.Fatal("nothing is said of the signal")
	}
	close(w.fake.gate)
	err := <-ended
	var rolledBack *apply.RolledBackError
	if !errors.As(err, &rolledBack) || !errors.Is(err, context.Canceled) {
		t.Errorf("while a change is carried out: %v", err)
	}
	inOrder(t, out.String(), "Stopping", "Undoing", "Installation was stopped on web01. Everything was undone.")
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

func TestPlainManager(t *testing.T) {
	w := newPlain(t, ServerManager)
	w.fake.failAt = 9
	answers := append([]string{"3", "?", "x", "1"}, append(toConfirmation(), "install")...)
	said, err := w.run(t, append(answers, "2", "3", "", "", "", "q", "3", "4")...)
	if err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	inOrder(t, said, "Server Manager: web01", "1. Add roles and features", "4. Quit", "Home folder: /srv/web01", "Server level: 8.0", "Nothing is installed.",
		"the number of what is to be done", `"x" is no answer here`, "Page 1 of 7", "Installation failed", "Error: ", "Server Manager: web01",
		"Remove Roles and Features Wizard", "Add Roles and Features Wizard", "Nothing was changed.", "Server Manager: web01")
	w = newPlain(t, ServerManager)
	if err := w.fake.install("websocket"); err != nil {
		t.Fatal(err)
	}
	w.memory = []byte("version = 1\n[[task]]\nmode = \"add\"\nserver = \"web01\"\nhome = \"/srv/web01\"\ncommand = \"rolemgr install websocket\"\nbegun = 2026-11-27T09:00:00Z\nstate = \"running\"\nbase_serial = 0\n")
	said, err = w.run(t, "3", "q")
	if err != nil {
		t.Fatal(err)
	}
	inOrder(t, said, "Notification: Installation was interrupted on web01.", "Installed:", "  WebSocket Protocol")
	if said, _ = w.run(t, "1", "q", "q"); strings.Contains(said, "Notification") {
		t.Error("a notification is told twice")
	}
	w = newPlain(t, ServerManager)
	var ended *InputEndedError
	if _, err := w.run(t, "1", ""); !errors.As(err, &ended) {
		t.Errorf("the input ends inside a wizard: %v", err)
	}
}

// Whatever is typed, the dialogue does not panic, writes only what may be written, and ends with its input.
func TestPlainTakesAnything(t *testing.T) {
	words := []string{"", "", "", "", "1", "2", "3", "4", "1+", "2+", "-", "*", "l", "!", "<", "d 1", "tick websocket", "clear web-server",
		"tick management-scripts", "/web", "?", "\x1b[A", "99999999999999999999", "0", "+", "/", "tick", "d", "e", "e x", "plan", "install", "remove",
		"\x00\xff\u202e", strings.Repeat("x", 70000), "back"}
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 6))
		w := newPlain(t, Start(r.IntN(3)))
		if seed%2 == 0 {
			if err := w.fake.install("websocket-endpoints"); err != nil {
				t.Fatal(err)
			}
		}
		var lines []string
		for range 60 {
			lines = append(lines, words[r.IntN(len(words))])
		}
		_, err := w.run(t, lines...)
		var ended *InputEndedError
		if err != nil && !errors.As(err, &ended) {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func TestPrintableText(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb":                       "a\nb",
		"\x1b[31mred\x1b[0m\a\r\t":   "[31mred[0m",
		"\u009b31m":                  "31m",
		"…–“x”→•\u00a0é34 µs":        "...-\"x\"->* ?34 us",
		fmt.Sprint("plain", " text"): "plain text",
	} {
		if got := printableText(in, true); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := printableText("é…\x1b", false); got != "é…" {
		t.Errorf("got %q", got)
	}
}
