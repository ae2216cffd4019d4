package wshost

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// generation is one configuration with the modules that were made for it. It is born with one user, the server; every
// request is another one until it ends, for an upgraded connection that is when the connection ends. The last user
// closes it.
type generation struct {
	number  uint64
	tree    *config.Tree
	server  *config.Effective
	routes  *routes
	modules []loaded // in pipeline order
	handler http.Handler

	log    *slog.Logger
	cancel context.CancelFunc
	users  atomic.Int64
	ended  func()        // called when every module is closed; nil for a generation that was never in use
	closed chan struct{} // closed after that
}

type loaded struct {
	info module.Info
	mod  module.Module
}

// hold makes the caller a user; false when the generation has already ended.
func (g *generation) hold() bool {
	for {
		n := g.users.Load()
		if n == 0 {
			return false
		}
		if g.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives one use back. The modules are closed by the last user, in a goroutine of their own: the user may be in
// the middle of ending a connection.
func (g *generation) release() {
	switch n := g.users.Add(-1); {
	case n == 0:
		go g.close()
	case n < 0:
		panic("wshost: a request of a generation ended twice")
	}
}

// close ends the context of the modules and closes them, newest first.
func (g *generation) close() {
	defer close(g.closed)
	g.cancel()
	for i := len(g.modules) - 1; i >= 0; i-- {
		m := g.modules[i]
		c, ok := m.mod.(io.Closer)
		if !ok {
			continue
		}
		if err := guarded(c.Close); err != nil {
			g.log.Error("a module failed to close", "module", m.info.Name, "generation", g.number, "error", err)
		}
	}
	if g.ended != nil {
		g.ended()
	}
}

// provision makes, provisions and validates the modules in pipeline order and links the pipeline. On an error it has
// closed what was provisioned, newest first; the module that failed is not closed, for it was never whole.
func (g *generation) provision(infos []module.Info, mc module.Context) error {
	mc.Context, g.cancel = context.WithCancel(context.Background())
	mc.Modules = infos
	undo := func(err error) error {
		g.close()
		return err
	}
	for _, info := range infos {
		m := loaded{info: info}
		err := guarded(func() error {
			m.mod = info.New()
			if p, ok := m.mod.(module.Provisioner); ok {
				c := mc
				c.Logger = mc.Logger.With("module", info.Name)
				return p.Provision(&c)
			}
			return nil
		})
		if err != nil {
			return undo(fmt.Errorf("provision module %q: %w", info.Name, err))
		}
		g.modules = append(g.modules, m)
	}
	for _, m := range g.modules {
		if v, ok := m.mod.(module.Validator); ok {
			if err := guarded(v.Validate); err != nil {
				return undo(fmt.Errorf("validate module %q: %w", m.info.Name, err))
			}
		}
	}
	if err := guarded(func() error { g.handler = g.link(); return nil }); err != nil {
		return undo(fmt.Errorf("link the pipeline: %w", err))
	}
	return nil
}

// link makes the pipeline: the log stage, the gate where the host's own refusals are answered, and the other stages.
// A module runs for a URL only where <modules> lists it.
func (g *generation) link() http.Handler {
	h := http.Handler(http.HandlerFunc(g.unhandled))
	gated := false
	for i := len(g.modules) - 1; i >= 0; i-- {
		m := g.modules[i]
		if m.info.Stage == module.StageLog && !gated {
			h, gated = gate(h), true
		}
		h = whereListed(m.info.Name, m.mod.Middleware(h), h)
	}
	if !gated {
		h = gate(h)
	}
	return h
}

// whereListed runs a module for the URLs whose configuration lists it.
func whereListed(name string, with, without http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if module.FromRequest(r).Config.Has(sectionModules, name) {
			with.ServeHTTP(w, r)
			return
		}
		without.ServeHTTP(w, r)
	})
}

// unhandled ends the pipeline: no module took the request.
func (g *generation) unhandled(w http.ResponseWriter, r *http.Request) {
	q := module.FromRequest(r)
	for _, m := range g.modules {
		if m.info.Stage == module.StageHandle && q.Config.Has(sectionModules, m.info.Name) {
			q.Fail(w, r, &module.HTTPError{Status: http.StatusNotFound, Summary: "there is nothing at this URL"})
			return
		}
	}
	q.Fail(w, r, &module.HTTPError{
		Status: http.StatusNotFound, SubStatus: 4, Summary: "no module is configured that could answer this request",
		Hint: "install a feature that handles it, such as Static Content, or list its module in <modules>",
	})
}

// guarded turns a panic of a module into an error: a faulty module refuses its generation, not the host.
func guarded(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}
