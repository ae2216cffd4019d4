package apply

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

func TestRunInstallsOnANewHome(t *testing.T) {
	home := filepath.Join(t.TempDir(), "not", "there", "yet")
	o := options(home, atomicfile.OS{})
	var kinds []string
	o.Emit = func(e Event) {
		kinds = append(kinds, string(e.Kind))
		if _, err := json.Marshal(e); err != nil {
			t.Error(err)
		}
	}
	r, err := Run(t.Context(), firstInstall(), o)
	if err != nil {
		t.Fatal(err)
	}
	want := "begin" + strings.Repeat(" step step-done", 11) + " commit end"
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("events: %s\nwant:   %s", got, want)
	}
	s, err := o.Store.Read()
	if err != nil {
		t.Fatal(err)
	}
	if s.Serial != 1 || s.LastTransaction != r.Transaction || s.WrittenBy != "1.2.3" || s.Level != "8.0" || len(s.Features) != 2 ||
		s.Features[0].Version != "1.2.3" || !s.Features[0].Installed.Equal(clock()) {
		t.Errorf("state %+v", s)
	}
	for name, mode := range map[string]os.FileMode{
		dropIn("core"): 0o644, dropIn("static"): 0o644, "sites/default/web.config": 0o640, "config/applicationHost.config": 0o640,
	} {
		info, err := os.Stat(filepath.Join(home, name))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v, want mode %v", name, info, err, mode)
		}
	}
	if anythingLeft(o) {
		t.Error("the journal is still there")
	}
	if past, err := o.Store.Past(); err != nil || len(past) != 1 || past[0] != 0 {
		t.Errorf("past states %v %v, want [0]", past, err)
	}
}

func TestRunGoesThroughALife(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	before := snapshot(t, home)
	mustRun(t, home, secondInstall())
	o := options(home, atomicfile.OS{})
	r, err := Run(t.Context(), rollback(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Closed != 2 || len(r.Warnings) != 0 {
		t.Errorf("closed %d, warnings %q", r.Closed, r.Warnings)
	}
	after := strings.Replace(snapshot(t, home), "serial = 3", "serial = 1", 1)
	if after = strings.Replace(after, "logs: drwxr-xr-x\nlogs/websocket: drwxr-xr-x\n", "", 1); after != before {
		t.Errorf("after the rollback:\n%s\nbefore:\n%s", after, before)
	}
	for _, text := range []string{"core v1\n", "core v2\n", "static v1\n", "websocket v1\n"} {
		if data, err := o.Store.Blob(hashOf([]byte(text))); err != nil || string(data) != text {
			t.Errorf("blob of %q: %q %v", text, data, err)
		}
	}
	if _, err := o.Store.Blob(hashOf([]byte("start page\n"))); err == nil {
		t.Error("the content of a seed is kept, which no state names")
	}
}

func TestRunRollsBack(t *testing.T) {
	for name, prepare := range map[string]func(o *Options, h *fakeHost){
		"reload fails":        func(_ *Options, h *fakeHost) { h.failReload = 1 },
		"probe fails":         func(_ *Options, h *fakeHost) { h.failProbe = "websocket" },
		"content is missing":  func(o *Options, _ *fakeHost) { o.Content = func(string) ([]byte, error) { return nil, errHost } },
		"content is wrong":    func(o *Options, _ *fakeHost) { o.Content = func(string) ([]byte, error) { return []byte("x"), nil } },
		"a drop-in is a link": func(o *Options, _ *fakeHost) { linkDropIn(t, o.Home) },
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			mustRun(t, home, firstInstall())
			o := options(home, atomicfile.OS{})
			h := o.Host.(*fakeHost)
			prepare(&o, h)
			before, blobs := snapshot(t, home), namesIn(t, home, "journal/blobs")
			_, err := Run(t.Context(), secondInstall(), o)
			if rolled := (*RolledBackError)(nil); !errors.As(err, &rolled) {
				t.Fatalf("error %v, want a RolledBackError", err)
			}
			if after := snapshot(t, home); after != before {
				t.Errorf("after:\n%s\nbefore:\n%s", after, before)
			}
			if h.reloads == 1 || h.reloads > 2 {
				t.Errorf("%d reloads: the host must get the restored files", h.reloads)
			}
			if anythingLeft(o) {
				t.Error("the journal is still there")
			}
			if got := namesIn(t, home, "journal/blobs"); !slices.Equal(got, blobs) {
				t.Errorf("kept content %q; want %q", got, blobs)
			}
		})
	}
}

func namesIn(t *testing.T, home, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(home, dir))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// stubborn is a host that does not reload before the transaction and not after it.
type stubborn struct{ fakeHost }

func (*stubborn) Reload(context.Context) error { return errHost }

func TestFaultFromBeforeIsToldOnce(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	o := options(home, atomicfile.OS{})
	o.Host = &stubborn{}
	_, err := Run(t.Context(), secondInstall(), o)
	if err == nil || strings.Count(err.Error(), errHost.Error()) != 1 || !strings.Contains(err.Error(), "before the change, too") {
		t.Errorf("error %v; want the host's fault once, and that it is older than the change", err)
	}
}

func linkDropIn(t *testing.T, home string) {
	if err := os.Symlink(filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(home, dropIn("websocket"))); err != nil {
		t.Fatal(err)
	}
}

func TestRunCancelled(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	before := snapshot(t, home)
	o := options(home, atomicfile.OS{})
	ctx, cancel := context.WithCancel(t.Context())
	o.Emit = func(e Event) {
		if e.Kind == EventStep && e.N == 2 {
			cancel()
		}
	}
	done := 0
	emit := o.Emit
	o.Emit = func(e Event) {
		emit(e)
		if e.Kind == EventStepDone {
			done++
		}
	}
	_, err := Run(ctx, secondInstall(), o)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if done != 2 {
		t.Errorf("%d steps were finished, want the 2 that were begun", done)
	}
	if after := snapshot(t, home); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

func TestRunRefuses(t *testing.T) {
	outside := func(op plan.Op, path string) plan.Plan {
		p := secondInstall()
		p.Steps = []plan.Step{{Op: op, Path: path, SHA256: hashOf([]byte("core v1\n"))}}
		return p
	}
	saved := secondInstall()
	saved.After = state.State{}
	unknown := secondInstall()
	unknown.Steps[0].Op = "edit-file"
	for name, p := range map[string]plan.Plan{
		"stale":           removal(),
		"version":         {Version: 2},
		"lost outcome":    saved,
		"unknown op":      unknown,
		"put outside":     outside(plan.PutFile, "../x"),
		"remove absolute": outside(plan.RemoveFile, "/etc/passwd"),
		"make dir above":  outside(plan.MakeDir, "config/../../x"),
		"own records":     outside(plan.RemoveFile, "journal/history/0.toml"),
		"state itself":    outside(plan.PutFile, "state.toml"),
		"probe of naught": {Version: 1, BaseSerial: 1, Steps: []plan.Step{{Op: plan.Probe}}},
	} {
		t.Run(name, func(t *testing.T) {
			home := t.TempDir()
			mustRun(t, home, firstInstall())
			before := snapshot(t, home)
			_, err := Run(t.Context(), p, options(home, atomicfile.OS{}))
			if err == nil {
				t.Fatal("no error")
			}
			if stale := (*StaleError)(nil); errors.As(err, &stale) != (name == "stale") {
				t.Errorf("error %v", err)
			}
			if after := snapshot(t, home); after != before {
				t.Errorf("after:\n%s\nbefore:\n%s", after, before)
			}
		})
	}
}

// TestRunRecoversFirst: an interrupted transaction is undone before the next one begins, and told about.
func TestRunRecoversFirst(t *testing.T) {
	home, _ := interrupted(t)
	r, err := Run(t.Context(), secondInstall(), options(home, atomicfile.OS{}))
	if err != nil {
		t.Fatal(err)
	}
	if !r.Recovered.Undone || r.Recovered.Command != "rolemgr test" || r.Recovered.Transaction == r.Transaction || r.State.Serial != 2 {
		t.Errorf("%+v", r)
	}
}

// TestRunEmpty: a plan that changes nothing leaves the serial alone.
func TestRunEmpty(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	p := plan.Plan{Version: 1, BaseSerial: 1, Changes: []plan.Change{{Unit: "core", Action: plan.Keep}}}
	r, err := Run(t.Context(), p, options(home, readOnly{}))
	if err != nil || r.Transaction != "" || r.State.Serial != 1 || len(r.State.Features) != 2 {
		t.Errorf("%+v %v", r, err)
	}
}

// TestCheckRefuses: what Check says is returned as it is, and nothing was written.
func TestCheckRefuses(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall())
	o := options(home, readOnly{})
	o.Check = func(context.Context) error {
		if h, held := o.Store.Holder(); !held || h.PID != os.Getpid() {
			t.Error("Check is not called under the lock")
		}
		return errHost
	}
	if _, err := Run(t.Context(), secondInstall(), o); err != errHost {
		t.Errorf("error %v", err)
	}
}
