package plan

import (
	"fmt"
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
)

// fromPast makes the features of a past state the goal: the same units, reasons and files, and its level.
func (b *builder) fromPast(r Request) (goal, []features.Problem) {
	w := r.Wish
	if r.Level != "" || w.IncludeAllSubfeatures || w.IncludeManagementTools || len(w.Install)+len(w.Remove) > 0 {
		return goal{}, []features.Problem{{Code: "usage",
			Summary: "a return to a past state cannot be combined with other changes",
			Hint:    "return first, then make the other changes"}}
	}
	b.level = features.Level(r.To.Level)
	var ids []features.ID
	var problems []features.Problem
	for _, f := range r.To.Features {
		id := features.ID(f.ID)
		if _, known := b.c.Unit(id); known {
			ids = append(ids, id)
		} else if now, ok := b.recorded(f.ID); !ok || !slices.Equal(now.Files, f.Files) {
			problems = append(problems, features.Problem{ID: id, Code: "unknown",
				Summary: fmt.Sprintf("serial %d has feature %q, which this version of rolemgr does not know", r.To.Serial, f.ID),
				Hint:    "use the version of rolemgr that installed it: " + f.Version})
		}
	}
	g := goal{drops: b.dropsFor(r.To)}
	for _, id := range b.c.DependencyOrder(ids) {
		u, _ := b.c.Unit(id) // DependencyOrder returns only units of the catalogue
		f, _ := find(*r.To, id)
		problems = append(problems, b.unmet(u, r.To)...)
		_, was := b.recorded(f.ID)
		why := fmt.Sprintf("as in serial %d", r.To.Serial)
		g.items = append(g.items, item{unit: u, feature: f, fresh: !was, settle: true, why: why, stale: why})
	}
	return g, problems
}

// dropsFor returns what is installed now and was not then, dependents first.
func (b *builder) dropsFor(to *state.State) []features.Drop {
	var known, unknown []features.ID
	for _, f := range b.was.Features {
		id := features.ID(f.ID)
		if _, then := find(*to, id); then {
			continue
		}
		if _, ok := b.c.Unit(id); ok {
			known = append(known, id)
		} else {
			unknown = append(unknown, id)
		}
	}
	order := b.c.DependencyOrder(known)
	slices.Reverse(order)
	var drops []features.Drop
	for _, id := range append(unknown, order...) {
		drops = append(drops, features.Drop{ID: id, Cause: features.Requested,
			Why: fmt.Sprintf("not in serial %d", to.Serial)})
	}
	return drops
}

// unmet reports what a unit of a past state needs today and did not need then.
func (b *builder) unmet(u features.Unit, to *state.State) []features.Problem {
	var problems []features.Problem
	for _, n := range append([]features.Require{{ID: u.Parent}}, u.Requires...) {
		if n.ID == "" {
			continue
		}
		if _, then := find(*to, n.ID); !then {
			problems = append(problems, features.Problem{ID: u.ID, Code: "required",
				Summary: fmt.Sprintf("%q needs %q in this version of rolemgr, and serial %d does not have it", u.Title, b.title(n.ID), to.Serial),
				Hint:    "install what you need instead: rolemgr install " + string(u.ID)})
		}
	}
	return problems
}

// find returns what a state says of a unit.
func find(s state.State, id features.ID) (state.Feature, bool) {
	i := slices.IndexFunc(s.Features, func(f state.Feature) bool { return f.ID == string(id) })
	if i < 0 {
		return state.Feature{}, false
	}
	return s.Features[i], true
}

// title is a unit's display name, or its id when this catalogue does not know it.
func (b *builder) title(id features.ID) string {
	if u, ok := b.c.Unit(id); ok {
		return u.Title
	}
	return string(id)
}
