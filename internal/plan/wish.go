package plan

import (
	"errors"
	"slices"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
)

// fromWish resolves a wish into a goal.
func (b *builder) fromWish(r Request) (goal, []features.Problem) {
	installed := make([]features.Installed, len(b.was.Features))
	for i, f := range b.was.Features {
		installed[i] = features.Installed{ID: features.ID(f.ID), Cause: features.Cause(f.Reason)}
		for _, by := range f.RequiredBy {
			installed[i].By = append(installed[i].By, features.ID(by))
		}
	}
	sel, err := b.c.Resolve(r.Wish, installed, b.level)
	var refused *features.RefusedError
	if errors.As(err, &refused) {
		return goal{}, refused.Problems
	}
	g := goal{drops: sel.Drops, skipped: sel.Skipped}
	concerned := b.needed(r.Install)
	for _, p := range sel.Picks {
		u, _ := b.c.Unit(p.ID) // a selection holds only units of the catalogue
		it := item{
			unit: u, why: p.Why, stale: "its files are those of another version of rolemgr", fresh: p.New,
			asked: slices.Contains(r.Install, p.ID), settle: p.New || concerned[p.ID],
		}
		it.feature, _ = b.recorded(string(p.ID))
		it.feature.ID, it.feature.Reason, it.feature.RequiredBy = string(p.ID), string(p.Cause), texts(p.By)
		if it.settle {
			it.feature = b.current(it.feature)
		}
		g.items = append(g.items, it)
	}
	return g, nil
}

// current returns a feature with the files that this catalogue has for it. When they are not those that were
// recorded, the unit counts as installed by this version, now.
func (b *builder) current(f state.Feature) state.Feature {
	var files []state.File
	for _, a := range b.c.Assets(features.ID(f.ID)) {
		files = append(files, state.File{Path: a.Path, SHA256: a.SHA256})
	}
	if !slices.Equal(files, f.Files) {
		f.Files, f.Installed, f.Version = files, time.Time{}, ""
	}
	return f
}

// needed returns units with all that they need.
func (b *builder) needed(ids []features.ID) map[features.ID]bool {
	seen := map[features.ID]bool{}
	var visit func(id features.ID)
	visit = func(id features.ID) {
		u, known := b.c.Unit(id)
		if !known || seen[id] {
			return
		}
		seen[id] = true
		visit(u.Parent)
		for _, r := range u.Requires {
			visit(r.ID)
		}
	}
	for _, id := range ids {
		visit(id)
	}
	return seen
}

// texts turns ids into the strings of a state.
func texts(ids []features.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
