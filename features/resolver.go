package features

import (
	"cmp"
	"fmt"
	"slices"
)

// resolver is one run of Resolve. What it holds is never seen outside.
type resolver struct {
	c        *Catalog
	wish     Wish
	level    Level
	asked    map[ID]bool // to be installed
	unasked  map[ID]bool // to be removed or kept out
	was      map[ID]bool // installed before, and known
	picks    map[ID]*Pick
	drops    map[ID]*Drop
	skips    map[ID]Skip
	problems []Problem
}

// newResolver sorts the wish out: names that do not exist, and units both wanted and unwanted.
func newResolver(c *Catalog, w Wish, installed []Installed, level Level) *resolver {
	r := &resolver{
		c: c, wish: w, level: level,
		asked: map[ID]bool{}, unasked: map[ID]bool{}, was: map[ID]bool{},
		picks: map[ID]*Pick{}, drops: map[ID]*Drop{}, skips: map[ID]Skip{},
	}
	if level != "" && !level.Valid() {
		r.problem(Problem{Code: "level", Summary: fmt.Sprintf("%q is not a server level", level),
			Hint: "levels are " + joinLevels()})
		r.level = ""
	}
	for _, in := range installed {
		if _, known := c.units[in.ID]; known {
			r.was[in.ID] = true
		}
	}
	for _, id := range w.Remove {
		if r.known(id) {
			r.unasked[id] = true
		}
	}
	for _, id := range w.Install {
		if !r.known(id) {
			continue
		}
		if r.unasked[id] {
			r.problem(Problem{ID: id, Code: "conflict", Hint: "ask for one of the two",
				Summary: fmt.Sprintf("%q is to be installed and removed at once", c.units[id].Title)})
			continue
		}
		r.asked[id] = true
	}
	return r
}

// problem notes a problem, once.
func (r *resolver) problem(p Problem) {
	if !slices.Contains(r.problems, p) {
		r.problems = append(r.problems, p)
	}
}

// known notes a problem for an id that no unit has.
func (r *resolver) known(id ID) bool {
	if p := r.c.Blocked(id, ""); p != nil && p.Code == "unknown" {
		r.problem(*p)
		return false
	}
	return true
}

// title is a unit's display name.
func (r *resolver) title(id ID) string { return r.c.units[id].Title }

// titles are the display names of units, quoted.
func (r *resolver) titles(ids []ID) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = fmt.Sprintf("%q", r.title(id))
	}
	return out
}

// inOrder returns the ids of a set in display order, so that nothing depends on the order of a map.
func inOrder[V any](c *Catalog, set map[ID]V) []ID {
	ids := make([]ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b ID) int { return cmp.Compare(c.place[a], c.place[b]) })
	return ids
}

// keepInstalled takes what is installed and is not removed.
func (r *resolver) keepInstalled(installed []Installed) {
	for _, in := range installed {
		if !r.was[in.ID] || r.drops[in.ID] != nil {
			continue
		}
		p := &Pick{ID: in.ID, Cause: in.Cause, By: sorted(in.By)}
		if r.asked[in.ID] {
			p.Cause, p.By = Requested, nil
		}
		r.picks[in.ID] = p
	}
}

// selection puts the outcome in order.
func (r *resolver) selection() Selection {
	var s Selection
	for _, id := range dependencyOrder(r.c, r.picks) {
		p := *r.picks[id]
		switch p.Cause {
		case Required:
			p.By = sorted(r.dependents(id))
		case Requested:
			p.By = nil
		}
		if p.Why == "" {
			p.Why = r.standing(p)
		}
		s.Picks = append(s.Picks, p)
	}
	down := dependencyOrder(r.c, r.drops)
	slices.Reverse(down)
	for _, id := range down {
		d := *r.drops[id]
		d.By = sorted(d.By)
		s.Drops = append(s.Drops, d)
	}
	for _, id := range inOrder(r.c, r.skips) {
		s.Skipped = append(s.Skipped, r.skips[id])
	}
	return s
}

// standing is the reason for a unit that was installed before.
func (r *resolver) standing(p Pick) string {
	by := inOrder(r.c, setOf(p.By))
	switch {
	case p.Cause == Requested || len(by) == 0:
		return string(p.Cause)
	case p.Cause == ByDefault:
		return "default service of " + r.title(by[0])
	case len(by) == 1:
		return "required by " + r.title(by[0])
	}
	return fmt.Sprintf("required by %s and %d more", r.title(by[0]), len(by)-1)
}

// dependents returns the picked units that directly need a unit: its children and those that require it.
func (r *resolver) dependents(id ID) []ID {
	var ids []ID
	for other := range r.picks {
		if slices.Contains(r.c.units[other].needs(), id) {
			ids = append(ids, other)
		}
	}
	return sorted(ids)
}

// setOf makes a set of ids.
func setOf(ids []ID) map[ID]bool {
	set := make(map[ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// DependencyOrder returns the known units among ids, each once, what a unit needs before the unit; ties go by display
// order.
func (c *Catalog) DependencyOrder(ids []ID) []ID {
	set := setOf(ids)
	for id := range set {
		if _, known := c.units[id]; !known {
			delete(set, id)
		}
	}
	return dependencyOrder(c, set)
}

// dependencyOrder puts what a unit needs before the unit; ties go by display order.
func dependencyOrder[V any](c *Catalog, set map[ID]V) []ID {
	var out []ID
	done := map[ID]bool{}
	var visit func(id ID)
	visit = func(id ID) {
		if done[id] {
			return
		}
		done[id] = true
		for _, n := range inOrder(c, setOf(c.units[id].needs())) {
			if _, in := set[n]; in {
				visit(n)
			}
		}
		out = append(out, id)
	}
	for _, id := range inOrder(c, set) {
		visit(id)
	}
	return out
}
