package target

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// fakeAdmin stands for a running host; err is what every call answers instead.
type fakeAdmin struct {
	err     error
	status  wshost.Status
	addr    string
	reloads int
	opened  int
	ended   []string // addresses of closed probe sites
	closed  []string
	code    uint16
	reason  string
}

func (f *fakeAdmin) Status(context.Context) (wshost.Status, error) { return f.status, f.err }

func (f *fakeAdmin) Reload(context.Context) (wshost.ReloadReport, error) {
	f.reloads++
	return wshost.ReloadReport{}, f.err
}

func (f *fakeAdmin) OpenProbe(context.Context) (string, error) {
	f.opened++
	return f.addr, f.err
}

func (f *fakeAdmin) CloseProbe(_ context.Context, addr string) error {
	f.ended = append(f.ended, addr)
	return nil
}

func (f *fakeAdmin) CloseConnections(_ context.Context, ids []string, code uint16, reason string) (int, error) {
	f.closed, f.code, f.reason = ids, code, reason
	return 3, f.err
}

// fakeTemp stands for a throw-away host.
type fakeTemp struct {
	addr              string
	modules           []string
	opened, closed    int
	stopped           int
	stoppedWhileAlive bool
}

func (f *fakeTemp) Status() wshost.Status { return wshost.Status{Modules: f.modules} }

func (f *fakeTemp) OpenProbe() (string, func(), error) {
	f.opened++
	return f.addr, func() { f.closed++ }, nil
}

func (f *fakeTemp) Stop(ctx context.Context) error {
	f.stopped++
	f.stoppedWhileAlive = ctx.Err() == nil
	return nil
}

// newTestLocal returns a Local on a fresh home with an applicationHost.config, and the fakes behind it.
func newTestLocal(t *testing.T, a *fakeAdmin, temp *fakeTemp) (l *Local, started *int) {
	t.Helper()
	cat, err := features.NewCatalog([]features.Unit{{ID: "one", Kind: features.Role, Title: "One", Doc: "One."}})
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	writeFile(t, home, "config/applicationHost.config", "<configuration/>")
	l = NewLocal(LocalOptions{Home: home, Catalog: cat, Factory: []byte(factoryText), Version: "test"})
	l.admin = a
	started = new(int)
	l.start = func(context.Context) (throwaway, error) {
		*started++
		return temp, nil
	}
	return l, started
}

const factoryText = "schema = 1\nserial = 0\nlevel = \"8.0\"\nlast_transaction = \"\"\nwritten_by = \"\"\n"

func writeFile(t *testing.T, home, path, content string) {
	t.Helper()
	name := filepath.Join(home, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestReloadUsesTheRunningHost(t *testing.T) {
	a := &fakeAdmin{}
	l, started := newTestLocal(t, a, &fakeTemp{})
	h := l.newHost()
	if err := h.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.reloads != 1 || *started != 0 {
		t.Errorf("%d reloads, %d throw-away hosts; want 1 and 0", a.reloads, *started)
	}
	a.err = errors.New("the configuration is at fault")
	if err := h.Reload(t.Context()); !errors.Is(err, a.err) || *started != 0 {
		t.Errorf("error %v with %d throw-away hosts; want the host's own error and none", err, *started)
	}
}

func TestReloadWithoutHost(t *testing.T) {
	temp := &fakeTemp{}
	l, started := newTestLocal(t, &fakeAdmin{err: wshost.ErrNotRunning}, temp)
	h := l.newHost()
	for range 2 {
		if err := h.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if *started != 2 || temp.stopped != 1 {
		t.Errorf("%d started, %d stopped; want 2 and 1: each reload reads the files anew", *started, temp.stopped)
	}
	if err := os.Remove(filepath.Join(l.o.Home, "config", "applicationHost.config")); err != nil {
		t.Fatal(err)
	}
	if err := h.Reload(t.Context()); err != nil || *started != 2 {
		t.Errorf("an empty home: error %v, %d started; want none and no third one", err, *started)
	}
	h.close()
	if temp.stopped != 2 || !temp.stoppedWhileAlive {
		t.Errorf("%d stopped (alive %v); want 2 with a context that is alive", temp.stopped, temp.stoppedWhileAlive)
	}
}

func TestProbeSiteIsOpenedOnceAndFallsBack(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }))
	defer srv.Close()
	addr := strings.TrimPrefix(srv.URL, "http://")
	probe := features.Probe{Kind: features.ProbeHTTP, Path: "/", Status: 200}

	a, temp := &fakeAdmin{addr: addr}, &fakeTemp{addr: addr}
	l, started := newTestLocal(t, a, temp)
	h := l.newHost()
	for range 3 {
		if _, err := h.Probe(t.Context(), plan.Step{Unit: "one", Probe: &probe}); err != nil {
			t.Fatal(err)
		}
	}
	if a.opened != 1 || *started != 0 {
		t.Errorf("opened %d times, %d throw-away hosts; want 1 and 0", a.opened, *started)
	}
	if err := h.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(a.ended) != 1 || a.ended[0] != addr {
		t.Errorf("closed probe sites %q; want the one before the reload", a.ended)
	}
	a.err = wshost.ErrNotRunning // the host stops between reload and probe
	if _, err := h.Probe(t.Context(), plan.Step{Unit: "one", Probe: &probe}); err != nil {
		t.Fatal(err)
	}
	if *started != 1 || temp.opened != 1 {
		t.Errorf("%d throw-away hosts, %d sites; want 1 and 1", *started, temp.opened)
	}
	h.close()
	if temp.closed != 1 || temp.stopped != 1 {
		t.Errorf("%d sites closed, %d hosts stopped; want 1 and 1", temp.closed, temp.stopped)
	}
}

func TestCloseSockets(t *testing.T) {
	a := &fakeAdmin{}
	l, _ := newTestLocal(t, a, &fakeTemp{})
	step := plan.Step{Op: plan.CloseSockets, Units: []features.ID{"two", "one"}}
	n, err := l.newHost().CloseSockets(t.Context(), step)
	if n != 3 || err != nil {
		t.Errorf("CloseSockets = %d, %v; want 3 and no error", n, err)
	}
	if got := strings.Join(a.closed, " "); got != "one two" || a.code != 1001 || a.reason != "feature removed" {
		t.Errorf("asked to close %q with %d %q", got, a.code, a.reason)
	}
	a.err = wshost.ErrNotRunning
	if n, err := l.newHost().CloseSockets(t.Context(), step); n != 0 || err != nil {
		t.Errorf("without a host: %d, %v; want 0 and no error", n, err)
	}
}

func TestHostThatStartsMeanwhileIsReloaded(t *testing.T) {
	a := &fakeAdmin{err: wshost.ErrNotRunning}
	l, started := newTestLocal(t, a, &fakeTemp{})
	h := l.newHost()
	defer h.close()
	if err := h.Reload(t.Context()); err != nil || *started != 1 {
		t.Fatalf("Reload = %v with %d throw-away hosts; want one", err, *started)
	}
	// It is there now, and may have read the files as they were before.
	a.err, a.addr = nil, "127.0.0.1:1"
	if err := h.openProbe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if a.reloads != 2 || h.addr != a.addr {
		t.Errorf("%d reloads, probe site %q; want 2 and that of the running host", a.reloads, h.addr)
	}
	h.closeProbe()
	if err := h.openProbe(t.Context()); err != nil || a.reloads != 2 {
		t.Errorf("openProbe = %v with %d reloads; want no further one", err, a.reloads)
	}
	// What never reloaded, as a look at the status, changes nothing.
	look := l.newHost()
	defer look.close()
	if err := look.openProbe(t.Context()); err != nil || a.reloads != 2 {
		t.Errorf("openProbe = %v with %d reloads; want no further one", err, a.reloads)
	}
}
