package target

import (
	"context"

	"github.com/rolemgr/rolemgr/features"
)

// Probe looks at every installed unit that has a probe, in the order of the catalogue, on the running host or, when
// none runs, on a throw-away one. A probe that fails is a result, not an error. A unit that this program does not know
// (another version installed it) fails, for nobody can say that it works.
func (l *Local) Probe(ctx context.Context) ([]UnitProbe, error) {
	s, err := l.store.Read()
	if err != nil {
		return nil, err
	}
	installed := make(map[features.ID]bool, len(s.Features))
	for _, f := range s.Features {
		installed[features.ID(f.ID)] = true
	}
	h := l.newHost()
	defer h.close()
	var results []UnitProbe
	for _, u := range l.o.Catalog.Units() {
		if !installed[u.ID] {
			continue
		}
		delete(installed, u.ID)
		if u.Probe.Kind == features.ProbeNone {
			continue
		}
		if err := ctx.Err(); err != nil {
			return results, err
		}
		detail, err := h.probe(ctx, u.ID, u.Probe)
		if err != nil {
			detail = err.Error()
		}
		results = append(results, UnitProbe{Unit: u.ID, OK: err == nil, Detail: detail})
	}
	for _, f := range s.Features {
		if installed[features.ID(f.ID)] {
			results = append(results, UnitProbe{Unit: features.ID(f.ID), Detail: "this version of rolemgr does not know it"})
		}
	}
	return results, nil
}
