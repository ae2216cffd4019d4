package target

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

const (
	// goingAway is the close code for connections of a feature that goes (RFC 6455, section 7.4.1).
	goingAway = 1001
	// probeLife is how long an opened probe site is used; the running host closes it after 30 s by itself.
	probeLife = 20 * time.Second
	// stopTimeout bounds how long a throw-away host, which has no clients but ours, takes to stop.
	stopTimeout = 2 * time.Second
)

// host is the host that a transaction or a probe works against: the one that runs on the home or, when none runs, a
// throw-away one that serves the same configuration to nobody but the probes. It is used by one goroutine.
type host struct {
	local *Local

	temp      throwaway // nil: none was started
	addr      string    // of the probe site; "" when none is open
	opened    time.Time
	closeSite func()
	modules   []string // loaded by the generation behind addr
	missed    bool     // no host ran at the last reload; one that is there now may have read the files before it
}

var _ apply.Host = (*host)(nil)

func (l *Local) newHost() *host { return &host{local: l} }

func notRunning(err error) bool { return errors.Is(err, wshost.ErrNotRunning) }

// Reload makes the running host serve what is on disk. When none runs a throw-away host is started instead: whether
// a generation can be made of the files is then known all the same. A home without applicationHost.config, as after
// undoing the first installation, has nothing that could be served.
func (h *host) Reload(ctx context.Context) error {
	h.closeProbe()
	_, err := h.local.admin.Reload(ctx)
	h.missed = notRunning(err)
	if !h.missed {
		return err
	}
	h.stopTemp()
	name := filepath.Join(h.local.o.Home, "config", "applicationHost.config")
	if _, err := h.local.o.FS.Lstat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	h.temp, err = h.local.start(ctx)
	return err
}

// Probe performs the probe of a step on the probe site.
func (h *host) Probe(ctx context.Context, s plan.Step) (string, error) {
	var p features.Probe
	if s.Probe != nil {
		p = *s.Probe
	}
	return h.probe(ctx, s.Unit, p)
}

func (h *host) probe(ctx context.Context, unit features.ID, p features.Probe) (string, error) {
	if p.Kind == features.ProbeNone {
		return "", nil
	}
	if err := h.openProbe(ctx); err != nil {
		return "", fmt.Errorf("open the probe site: %w", err)
	}
	pr := prober{addr: h.addr, modules: h.modules, now: h.local.o.Now}
	u, _ := h.local.o.Catalog.Unit(unit)
	detail, err := pr.probe(ctx, u, p)
	if err != nil && p.Kind == features.ProbeWebSocket {
		if where := h.local.webSocketOff(p.Path); where != "" {
			return "", &SwitchedOffError{Unit: unit, Where: where, Err: err}
		}
	}
	return detail, err
}

// openProbe opens the probe site, on the running host if there is one, unless it is open already.
func (h *host) openProbe(ctx context.Context) error {
	if h.addr != "" && time.Since(h.opened) < probeLife {
		return nil
	}
	h.closeProbe()
	if err := h.catchUp(ctx); err != nil {
		return err
	}
	addr, err := h.local.admin.OpenProbe(ctx)
	if err == nil {
		st, err := h.local.Host(ctx)
		if err != nil {
			h.local.closeLiveProbe(addr)
			return err
		}
		h.addr, h.modules, h.opened = addr, st.Modules, time.Now()
		h.closeSite = func() { h.local.closeLiveProbe(addr) }
		return nil
	}
	if !notRunning(err) && !errors.Is(err, fs.ErrPermission) { // who may not ask the host may read its files
		return err
	}
	if h.temp == nil {
		if h.temp, err = h.local.start(ctx); err != nil {
			return err
		}
	}
	addr, closeSite, err := h.temp.OpenProbe()
	if err != nil {
		return err
	}
	h.addr, h.closeSite, h.modules, h.opened = addr, closeSite, h.temp.Status().Modules, time.Now()
	return nil
}

// catchUp reloads a host that has begun to run since the last reload found none: it may have read its files while they
// were being changed.
func (h *host) catchUp(ctx context.Context) error {
	if !h.missed {
		return nil
	}
	_, err := h.local.admin.Reload(ctx)
	if notRunning(err) {
		return nil
	}
	h.missed = false
	return err
}

// closeLiveProbe closes a probe site of the running host, which allows only a few at once. A host that cannot be asked
// closes it by itself.
func (l *Local) closeLiveProbe(addr string) {
	ctx, cancel := context.WithTimeout(context.Background(), statusTimeout)
	defer cancel()
	_ = l.admin.CloseProbe(ctx, addr)
}

// CloseSockets closes the upgraded connections of the step's units. Without a running host there are none.
func (h *host) CloseSockets(ctx context.Context, s plan.Step) (int, error) {
	ids := make([]string, 0, len(s.Units))
	for _, id := range s.Units {
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	n, err := h.local.admin.CloseConnections(ctx, ids, goingAway, "feature removed")
	if notRunning(err) {
		return 0, nil
	}
	return n, err
}

func (h *host) closeProbe() {
	if h.closeSite != nil {
		h.closeSite()
	}
	h.addr, h.closeSite, h.modules = "", nil, nil
}

func (h *host) stopTemp() {
	if h.temp == nil {
		return
	}
	// A context of its own: a cancelled transaction must not leave the throw-away host behind.
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	_ = h.temp.Stop(ctx) // it is thrown away either way
	h.temp = nil
}

func (h *host) close() {
	h.closeProbe()
	h.stopTemp()
}

// startThrowaway starts a host that opens no binding and writes nothing.
func (l *Local) startThrowaway(ctx context.Context) (throwaway, error) {
	// The host lives longer than the step that starts it; close ends it.
	s, err := wshost.Start(context.WithoutCancel(ctx), wshost.Options{
		Home: l.o.Home, Name: l.o.Name, Version: l.o.Version,
		Modules: l.o.Catalog.Modules(), Known: l.o.Catalog.Known(),
		Logger: slog.New(slog.DiscardHandler), ProbeOnly: true,
	})
	if err != nil {
		return nil, err // not s: a nil *Server in the interface would not be nil
	}
	return s, nil
}
