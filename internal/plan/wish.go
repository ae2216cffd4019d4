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
			unit: u, why: p.Why, fresh: p.New, asked: slices.Contains(r.Install, p.ID), settle: p.New || concerned[p.ID],
		}
		it.feature, _ = b.recorded(string(p.ID))
		if it.stale = "configuration of this version"; it.feature.Version != "" {
			it.stale += ", was of " + it.feature.Version
		}
		it.refresh = !p.New && Outdated(b.c, it.feature)
		it.settle = it.settle || it.refresh && len(r.Install) > 0 && !b.touched(it.feature)
		it.feature.ID, it.feature.Reason, it.feature.RequiredBy = string(p.ID), string(p.Cause), texts(p.By)
		if it.settle {
			it.feature = b.current(it.feature)
		}
		g.items = append(g.items, it)
	}
	return g, nil
}

// Outdated reports whether a recorded feature has other files than this catalogue has for it: another version of rolemgr has
// installed it.
func Outdated(c *features.Catalog, f state.Feature) bool {
	_, known := c.Unit(features.ID(f.ID))
	return known && !slices.Equal(files(c, f.ID), f.Files)
}

// files returns the files that a catalogue has for a unit.
func files(c *features.Catalog, id string) []state.File {
	var out []state.File
	for _, a := range c.Assets(features.ID(id)) {
		out = append(out, state.File{Path: a.Path, SHA256: a.SHA256})
	}
	return out
}

// touched reports whether a person has changed a file of a feature or taken it away.
func (b *builder) touched(f state.Feature) bool {
	return slices.ContainsFunc(f.Files, func(f state.File) bool {
		disk, known := b.disk(f.Path)
		return known && disk != f.SHA256
	})
}

// current returns a feature with the files that this catalogue has for it. When they are not those that were
// recorded, the unit counts as installed by this version, now.
func (b *builder) current(f state.Feature) state.Feature {
	if now := files(b.c, f.ID); !slices.Equal(now, f.Files) {
		f.Files, f.Installed, f.Version = now, time.Time{}, ""
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
