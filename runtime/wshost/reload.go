package wshost

import (
	"context"
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Reload reads the configuration again, provisions a generation beside the old one and swaps them. On any error the
// old generation goes on serving. Bindings that did not change are not touched; upgraded connections keep the
// generation they began with.
func (s *Server) Reload(ctx context.Context) (ReloadReport, error) {
	select {
	case s.slot <- struct{}{}:
	case <-ctx.Done():
		return ReloadReport{}, fmt.Errorf("wait for another reload: %w", ctx.Err())
	}
	defer func() { <-s.slot }()
	if s.isStopping() {
		return ReloadReport{}, errStopping
	}
	if s.logFile != nil {
		if err := s.logFile.reopen(); err != nil {
			return ReloadReport{}, err
		}
	}
	report, err := s.advance(ctx, func() error { return nil })
	if err != nil {
		s.log.Error("the reload was refused; the configuration of before stays in use", "error", err)
		return ReloadReport{}, err
	}
	for _, w := range report.Warnings {
		s.log.Warn(w)
	}
	return report, nil
}

// advance makes the next generation current. Whatever can fail, lastCheck at the end included, does so before
// anything of the old generation is touched. The caller has the slot.
func (s *Server) advance(ctx context.Context, lastCheck func() error) (ReloadReport, error) {
	g, err := s.build()
	if err != nil {
		s.forgetCertificates()
		return ReloadReport{}, err
	}
	plans := g.routes.endpoints
	if s.options.ProbeOnly {
		plans = nil
	}
	change, err := s.endpoints.prepare(ctx, plans)
	if err == nil {
		if err = ctx.Err(); err == nil {
			err = lastCheck()
		}
		if err == nil {
			var report ReloadReport
			if report, err = s.swap(g, change); err == nil {
				return report, nil
			}
		}
		change.rollback()
	}
	g.release()
	<-g.closed
	s.forgetCertificates()
	return ReloadReport{}, err
}

// swap makes g current and changes the endpoints, unless the host began to stop without waiting for this reload.
func (s *Server) swap(g *generation, c *change) (ReloadReport, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.stopping {
		return ReloadReport{}, errStopping
	}
	s.last = g.number
	s.track(g)
	old := s.current.Swap(g)
	report := ReloadReport{Generation: g.number, Warnings: append(g.routes.warnings, c.commit()...)}
	s.certs.keep(g.routes.pairs)
	if old != nil {
		old.release()
	}
	s.log.Info("a generation is in use", "generation", g.number, "modules", len(g.modules))
	return report, nil
}

// forgetCertificates lets go of those that only a refused generation named.
func (s *Server) forgetCertificates() {
	var used map[*certPair]bool
	if g := s.current.Load(); g != nil {
		used = g.routes.pairs
	}
	s.certs.keep(used)
}

func (s *Server) isStopping() bool {
	s.turn.Lock()
	defer s.turn.Unlock()
	return s.stopping
}

// build reads the configuration and provisions a generation.
func (s *Server) build() (*generation, error) {
	tree, server, infos, err := readConfig(s.home, s.options.Modules, s.options.Known)
	if err != nil {
		return nil, err
	}
	g := &generation{number: s.last + 1, tree: tree, server: server, log: s.log, closed: make(chan struct{})}
	g.users.Store(1)
	if g.routes, err = planRoutes(tree, server, &s.certs); err != nil {
		return nil, err
	}
	err = g.provision(infos, module.Context{Logger: s.log, Config: server, Sites: tree.Sites(), Shared: &s.shared, ServerName: s.name, LogDir: s.logDir, CacheDir: s.cacheDir()})
	if err != nil {
		return nil, err
	}
	return g, nil
}
