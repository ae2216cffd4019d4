package wizard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// fakeTarget is a server in memory. Its plans are real, of the real catalogue; carrying one out emits the events that a
// real transaction emits, and changes nothing but the state that it tells.
type fakeTarget struct {
	name string
	cat  *features.Catalog

	mu      sync.Mutex
	st      state.State
	disk    map[string]string
	sockets map[features.ID]int // live ones

	// What goes wrong.
	stateErr error // of State
	planErr  error // of Plan
	refusal  error // of Apply, before the first step
	failAt   int   // the step that fails, from 1; 0 for none
	stuck    bool  // what failed cannot be undone either
	warnings []string

	// gate lets Apply go on by one event for each value; a closed one lets it run. Nil is a closed one.
	gate chan struct{}
}

func newFake(cat *features.Catalog) *fakeTarget {
	return &fakeTarget{name: "web01", cat: cat, st: state.State{Level: "8.0"}, disk: map[string]string{}}
}

// richCatalog is the real catalogue with three more units built: a management tool, and two that require others.
func richCatalog(t testing.TB) *features.Catalog {
	t.Helper()
	units := all.Units()
	for i := range units {
		switch units[i].ID {
		case "webdav-publishing", "websocket-endpoints", "management-scripts":
			units[i].Unavailable = nil
		}
	}
	cat, err := features.NewCatalog(units)
	if err != nil {
		t.Fatal(err)
	}
	return cat
}

// errFake is what goes wrong where nothing else is said.
var errFake = errors.New("connection refused")

func (f *fakeTarget) Name() string { return f.name }

func (f *fakeTarget) State(context.Context) (state.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.st, f.stateErr
}

func (f *fakeTarget) Plan(_ context.Context, r plan.Request) (plan.Plan, diag.List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.planErr != nil {
		return plan.Plan{}, nil, f.planErr
	}
	return plan.Build(f.cat, f.st, r, plan.Facts{
		Hash:    func(p string) string { return f.disk[p] },
		Dir:     func(p string) bool { _, ok := f.disk[p+"/"]; return ok },
		Sockets: f.sockets,
	})
}

// pass waits until the test lets the transaction go on.
func (f *fakeTarget) pass() {
	if f.gate != nil {
		<-f.gate
	}
}

func (f *fakeTarget) Apply(ctx context.Context, p plan.Plan, o target.ApplyOptions) (apply.Result, error) {
	f.mu.Lock()
	serial := f.st.Serial
	f.mu.Unlock()
	f.pass()
	switch {
	case serial != p.BaseSerial:
		return apply.Result{}, &apply.StaleError{Planned: p.BaseSerial, Current: serial}
	case f.refusal != nil:
		return apply.Result{}, f.refusal
	}
	total := len(p.Steps)
	emit := func(e apply.Event) {
		e.Time = testNow()
		o.Emit(e)
		f.pass()
	}
	emit(apply.Event{Kind: apply.EventBegin, Total: total})
	undo := func(done int, failed *plan.Step, cause error) (apply.Result, error) {
		err := f.undo(p, done, failed, cause, emit)
		emit(apply.Event{Kind: apply.EventEnd, Err: err.Error()})
		return apply.Result{}, err
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if s.Op == plan.CloseSockets {
			continue
		}
		if err := ctx.Err(); err != nil {
			return undo(i, nil, err)
		}
		emit(apply.Event{Kind: apply.EventStep, N: i + 1, Total: total, Step: s})
		if i+1 == f.failAt {
			return undo(i, s, errFake)
		}
		detail := ""
		if s.Op == plan.Probe {
			detail = seen(s)
		}
		emit(apply.Event{Kind: apply.EventStepDone, N: i + 1, Total: total, Step: s, Detail: detail})
	}
	if err := ctx.Err(); err != nil {
		return undo(total, nil, err)
	}
	res := f.commit(p)
	emit(apply.Event{Kind: apply.EventCommit, Serial: res.State.Serial})
	emit(apply.Event{Kind: apply.EventEnd})
	return res, nil
}

// seen is what a probe of a real server sees.
func seen(s *plan.Step) string {
	switch {
	case s.Probe == nil:
		return ""
	case s.Probe.Kind == features.ProbeWebSocket:
		return "echo of 32 bytes in 0.4 ms"
	case s.Probe.Kind == features.ProbeHTTP:
		return "GET " + s.Probe.Path + ": 200, 14 bytes in 0.3 ms"
	case s.Probe.Kind == features.ProbeModule:
		return "loaded: " + string(s.Unit)
	}
	return ""
}

// undo emits what a transaction that is undone emits, and returns its error.
func (f *fakeTarget) undo(p plan.Plan, done int, failed *plan.Step, cause error, emit func(apply.Event)) error {
	for i := done - 1; i >= 0; i-- {
		switch p.Steps[i].Op {
		case plan.MakeDir, plan.PutFile, plan.RemoveFile:
			emit(apply.Event{Kind: apply.EventUndo, N: i + 1, Total: len(p.Steps), Step: &p.Steps[i]})
		}
	}
	if f.stuck {
		return &apply.IncompleteError{Err: cause, Files: []apply.Leftover{{
			Path: "/srv/web01/config/features.d/websocket.config", Why: "read-only file system"}}}
	}
	return &apply.RolledBackError{Step: failed, Err: cause}
}

// commit makes a plan true.
func (f *fakeTarget) commit(p plan.Plan) apply.Result {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range p.Steps {
		switch s.Op {
		case plan.MakeDir:
			f.disk[s.Path+"/"] = ""
		case plan.PutFile:
			f.disk[s.Path] = s.SHA256
		case plan.RemoveFile:
			delete(f.disk, s.Path)
		}
	}
	next := p.After
	next.Serial = p.BaseSerial + 1
	next.LastTransaction = fmt.Sprintf("t%d", next.Serial)
	next.Written, next.WrittenBy = testNow(), "test"
	f.st = next
	closed := p.Cuts
	for _, c := range p.Changes {
		if c.Action == plan.Remove {
			delete(f.sockets, c.Unit)
		}
	}
	return apply.Result{Transaction: next.LastTransaction, State: next, Closed: closed, Warnings: f.warnings}
}

// install makes units installed, as if it had been done before the test.
func (f *fakeTarget) install(ids ...features.ID) error {
	p, diags, err := f.Plan(context.Background(), plan.Request{Wish: features.Wish{Install: ids}})
	if err != nil {
		return fmt.Errorf("%+v: %w", diags, err)
	}
	f.commit(p)
	return nil
}

func (f *fakeTarget) Recover(context.Context) (apply.Recovery, error) { return apply.Recovery{}, nil }

func (f *fakeTarget) Pending(context.Context) (apply.Recovery, bool, error) {
	return apply.Recovery{}, false, nil
}

func (f *fakeTarget) Verify(context.Context) ([]target.FileCheck, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []target.FileCheck
	for _, u := range f.st.Features {
		for _, file := range u.Files {
			out = append(out, target.FileCheck{Unit: features.ID(u.ID), Path: file.Path, State: target.FileOK})
		}
	}
	return out, nil
}

func (f *fakeTarget) Probe(context.Context) ([]target.UnitProbe, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []target.UnitProbe
	for _, u := range f.st.Features {
		out = append(out, target.UnitProbe{Unit: features.ID(u.ID), OK: true, Detail: "its modules are loaded"})
	}
	return out, nil
}

func (f *fakeTarget) Host(context.Context) (wshost.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.st.Serial == 0 {
		return wshost.Status{}, wshost.ErrNotRunning
	}
	s := wshost.Status{
		Version: 1, Program: "test", PID: 4711, Name: f.name, Started: testNow().Add(-3 * time.Hour), Generation: 7,
		Generations: 1, Requests: 120431, Sockets: map[string]int{}, Goroutines: 40,
		Sites: []wshost.SiteStatus{{ID: 1, Name: "Default Web Site", State: "Started", Bindings: []string{"http://127.0.0.1:8080/"}}},
	}
	for _, u := range f.st.Features {
		s.Features = append(s.Features, u.ID)
	}
	for id, n := range f.sockets {
		s.Sockets[string(id)] = n
	}
	return s, nil
}

func (f *fakeTarget) History(context.Context) ([]state.State, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return []state.State{f.st}, nil
}

// homeName is a short name for the folder of an offline home.
func homeName(home string) string {
	sum := sha256.Sum256([]byte(home))
	return "home-" + hex.EncodeToString(sum[:2])
}

func testNow() time.Time { return time.Date(2026, 11, 27, 9, 30, 0, 0, time.UTC) }
