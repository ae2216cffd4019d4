package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
)

// newTestEnv returns an env on a fresh home with nothing of the real world's terminal.
func newTestEnv(t *testing.T) (e *env, home string, out, errs *bytes.Buffer) {
	t.Helper()
	home = filepath.Join(t.TempDir(), "server")
	e, out, errs = newEnv(), &bytes.Buffer{}, &bytes.Buffer{}
	e.In, e.Out, e.Err = strings.NewReader(""), out, errs
	e.InTTY, e.OutTTY, e.ErrTTY = false, false, false
	e.Width = func() int { return 0 }
	e.Getenv = func(name string) string { return map[string]string{"ROLEMGR_HOME": home}[name] }
	return e, home, out, errs
}

// spy changes what a real target does.
type spy struct {
	target.Target
	plan  func(plan.Plan) plan.Plan
	apply func(context.Context, plan.Plan, target.ApplyOptions) (apply.Result, error)
}

func (s spy) Plan(ctx context.Context, r plan.Request) (p plan.Plan, d diag.List, err error) {
	p, d, err = s.Target.Plan(ctx, r)
	if s.plan != nil {
		p = s.plan(p)
	}
	return p, d, err
}

func (s spy) Apply(ctx context.Context, p plan.Plan, o target.ApplyOptions) (apply.Result, error) {
	if s.apply != nil {
		return s.apply(ctx, p, o)
	}
	return s.Target.Apply(ctx, p, o)
}

// spyOn makes every target of e a spy.
func spyOn(e *env, wrap func(target.Target) spy) {
	e.NewTarget = func(o target.LocalOptions) target.Target { return wrap(target.NewLocal(o)) }
}

// leftBelow lists what is below a home beside the journal, which keeps contents and the lock file.
func leftBelow(t *testing.T, home string) []string {
	t.Helper()
	entries, err := os.ReadDir(home)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.Name() != "journal" {
			names = append(names, e.Name())
		}
	}
	return names
}

// A signal at any step of an installation rolls everything back. Every seventh step meets each kind of them.
func TestInterruptAtSteps(t *testing.T) {
	if !interruptAt(t, apply.EventBegin, 1) {
		t.Error("an installation has no beginning")
	}
	for _, kind := range []apply.EventKind{apply.EventStep, apply.EventStepDone} {
		n := 1
		for interruptAt(t, kind, n) {
			n += 7
		}
		if n < 15 {
			t.Errorf("fewer than %d events %q", n, kind)
		}
	}
}

// interruptAt interrupts an installation at the nth event of a kind and reports whether there was one.
func interruptAt(t *testing.T, kind apply.EventKind, n int) bool {
	t.Helper()
	e, home, out, errs := newTestEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen := 0
	spyOn(e, func(real target.Target) spy {
		return spy{Target: real, apply: func(ctx context.Context, p plan.Plan, o target.ApplyOptions) (apply.Result, error) {
			emit := o.Emit
			o.Emit = func(ev apply.Event) {
				if ev.Kind == kind {
					if seen++; seen == n {
						cancel()
					}
				}
				emit(ev)
			}
			return real.Apply(ctx, p, o)
		}}
	})
	code := execute(ctx, e, []string{"install", "websocket"})
	if seen < n {
		if code != ExitDone {
			t.Errorf("without an interruption the exit code is %d\n%s%s", code, out, errs)
		}
		return false
	}
	if code != ExitInterrupted {
		t.Errorf("interrupted at %s %d: exit code %d; want 130\n%s%s", kind, n, code, out, errs)
	}
	if left := leftBelow(t, home); len(left) > 0 {
		t.Errorf("interrupted at %s %d: %q is left", kind, n, left)
	}
	return true
}

// On a terminal one question is asked before sockets are cut, and none otherwise.
func TestQuestionBeforeSocketsAreCut(t *testing.T) {
	for _, tc := range []struct {
		name   string
		cuts   int
		tty    bool
		answer string
		args   []string
		asked  bool
		code   ExitCode
	}{
		{name: "nothing is cut", cuts: 0, tty: true},
		{name: "yes", cuts: 2, tty: true, answer: "y\n", asked: true},
		{name: "Yes without a newline", cuts: 2, tty: true, answer: "Yes", asked: true},
		{name: "no", cuts: 2, tty: true, answer: "n\n", asked: true, code: ExitRefused},
		{name: "just Enter", cuts: 2, tty: true, answer: "\n", asked: true, code: ExitRefused},
		{name: "end of input", cuts: 2, tty: true, asked: true, code: ExitRefused},
		{name: "--yes", cuts: 2, tty: true, args: []string{"--yes"}},
		{name: "--json", cuts: 2, tty: true, args: []string{"--json"}},
		{name: "no terminal", cuts: 2},
		{name: "--what-if", cuts: 2, tty: true, args: []string{"--what-if"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, _, out, errs := newTestEnv(t)
			e.In, e.InTTY, e.OutTTY, e.ErrTTY = strings.NewReader(tc.answer), tc.tty, tc.tty, tc.tty
			applied := false
			spyOn(e, func(real target.Target) spy {
				return spy{Target: real,
					plan: func(p plan.Plan) plan.Plan { p.Cuts = tc.cuts; return p },
					apply: func(context.Context, plan.Plan, target.ApplyOptions) (apply.Result, error) {
						applied = true
						return apply.Result{}, nil
					}}
			})
			code := execute(t.Context(), e, append([]string{"install", "websocket"}, tc.args...))
			if code != tc.code {
				t.Errorf("exit code %d; want %d\n%s%s", code, tc.code, out, errs)
			}
			if asked := strings.Contains(errs.String(), "Close 2 live sockets? [y/N] "); asked != tc.asked {
				t.Errorf("asked: %v; want %v\n%s", asked, tc.asked, errs)
			}
			if want := tc.code == ExitDone && !slices.Contains(tc.args, "--what-if"); applied != want {
				t.Errorf("applied: %v; want %v", applied, want)
			}
		})
	}
}

// Ctrl-C at the question ends the command at once and changes nothing.
func TestInterruptAtTheQuestion(t *testing.T) {
	e, home, _, errs := newTestEnv(t)
	ctx, cancel := context.WithCancel(t.Context())
	in, typed := io.Pipe()
	defer typed.Close()
	e.In, e.InTTY, e.ErrTTY = readerFunc(func(p []byte) (int, error) {
		cancel() // the question has been asked
		return in.Read(p)
	}), true, true
	spyOn(e, func(real target.Target) spy {
		return spy{Target: real, plan: func(p plan.Plan) plan.Plan { p.Cuts = 2; return p }}
	})
	if code := execute(ctx, e, []string{"install", "websocket"}); code != ExitInterrupted {
		t.Errorf("exit code %d; want 130", code)
	}
	if want := "rolemgr: error: interrupted; nothing was changed\n"; !strings.HasSuffix(errs.String(), want) {
		t.Errorf("stderr %q; want it to end with %q", errs, want)
	}
	if left := leftBelow(t, home); len(left) > 0 {
		t.Errorf("%q was written", left)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A plan that became stale is made again, but not for ever.
func TestStalePlanIsMadeAgain(t *testing.T) {
	for _, tc := range []struct {
		stale int // how many plans become stale
		code  ExitCode
	}{{1, ExitDone}, {replans, ExitDone}, {replans + 1, ExitFailed}} {
		e, _, out, errs := newTestEnv(t)
		calls := 0
		spyOn(e, func(real target.Target) spy {
			return spy{Target: real, apply: func(context.Context, plan.Plan, target.ApplyOptions) (apply.Result, error) {
				if calls++; calls <= tc.stale {
					return apply.Result{}, &apply.StaleError{Planned: 0, Current: uint64(calls)}
				}
				return apply.Result{}, nil
			}}
		})
		if code := execute(t.Context(), e, []string{"install", "websocket"}); code != tc.code {
			t.Errorf("%d stale plans: exit code %d; want %d\n%s%s", tc.stale, code, tc.code, out, errs)
		}
		if want := min(tc.stale, replans); strings.Count(errs.String(), "planning again") != want {
			t.Errorf("%d stale plans: want %d notes\n%s", tc.stale, want, errs)
		}
	}
}

func TestHomeFolder(t *testing.T) {
	for _, tc := range []struct {
		name, flag, env, xdg string
		euid                 int
		want                 string
	}{
		{name: "flag", flag: "/srv/a", env: "/srv/b", xdg: "/x", want: "/srv/a"},
		{name: "environment", env: "/srv/b", xdg: "/x", want: "/srv/b"},
		{name: "root", xdg: "/x", want: "/var/lib/rolemgr"},
		{name: "user", euid: 1000, want: "/home/jo/.local/share/rolemgr"},
		{name: "user with a data folder", euid: 1000, xdg: "/x", want: "/x/rolemgr"},
		{name: "a relative data folder is ignored", euid: 1000, xdg: "x", want: "/home/jo/.local/share/rolemgr"},
	} {
		e := &env{
			EUID:     tc.euid,
			UserHome: func() (string, error) { return "/home/jo", nil },
			Getenv:   func(n string) string { return map[string]string{"ROLEMGR_HOME": tc.env, "XDG_DATA_HOME": tc.xdg}[n] },
		}
		if got, err := e.resolveHome(tc.flag); got != tc.want || err != nil {
			t.Errorf("%s: %q, %v; want %q", tc.name, got, err, tc.want)
		}
	}
	e := &env{Getenv: func(string) string { return "" }}
	if got, err := e.resolveHome("here"); err != nil || !filepath.IsAbs(got) || filepath.Base(got) != "here" {
		t.Errorf("a relative flag: %q, %v; want it absolute", got, err)
	}
}

func TestWindowsSpelling(t *testing.T) {
	for typed, want := range map[string]string{
		"install -WhatIf Web-WebSockets":              "install --what-if Web-WebSockets",
		"install --whatif -y":                         "install --what-if -y",
		"install A -IncludeAllSubFeature":             "install A --include-all-subfeatures",
		"install -IncludeManagementTools A":           "install --include-management-tools A",
		"install -ConfigurationFilePath=f.toml":       "install --file=f.toml",
		"install whatif -- -WhatIf":                   "install whatif -- -WhatIf",
		"install --max-cut -1 --home /srv/x -f - one": "install --max-cut -1 --home /srv/x -f - one",
	} {
		if got := strings.Join(windowsSpelling(strings.Fields(typed)), " "); got != want {
			t.Errorf("%q became %q; want %q", typed, got, want)
		}
	}
}
