package plan

import (
	"cmp"
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/state"
)

// version is the version of the plan format.
const version = 1

// Build makes the plan for a request. The diagnostics hold warnings (files changed by hand) and, when the request is
// refused, every problem; then err is a *features.RefusedError.
//
// Only what the request names, and what that needs, is repaired: a file of another unit that was changed by hand gets
// a warning and is left alone. With an installation the other units that another version of rolemgr has installed get the
// files of this one.
func Build(c *features.Catalog, s state.State, r Request, f Facts) (Plan, diag.List, error) {
	b := &builder{c: c, was: s, facts: f, level: cmp.Or(r.Level, features.Level(s.Level))}
	var g goal
	var problems []features.Problem
	if r.To != nil {
		g, problems = b.fromPast(r)
	} else {
		g, problems = b.fromWish(r)
	}
	if len(problems) > 0 {
		return b.refuse(problems)
	}
	p := Plan{
		Version: version, BaseSerial: s.Serial, Catalog: c.Hash(), Level: b.level,
		Changes: b.levelChange(), Steps: []Step{}, Skipped: g.skipped,
	}
	for _, it := range g.items {
		b.settle(it, &p)
	}
	for _, d := range g.drops {
		b.remove(d, &p)
	}
	b.keepUnknown(g)
	p.Steps = b.steps()
	p.After = b.after()
	if missing := b.missingContent(p.Steps); len(missing) > 0 {
		return b.refuse(missing)
	}
	return p, b.diags, nil
}

// builder gathers what a plan consists of. What it holds is never seen outside.
type builder struct {
	c        *features.Catalog
	was      state.State
	facts    Facts
	level    features.Level
	seeds    []Step
	puts     []Step
	removals []Step
	probes   []Step
	cut      []features.ID
	kept     []state.Feature // as they will be recorded
	layout   bool            // the host comes, with the folders that it writes to
	diags    diag.List
}

// goal is what is to be true after the transaction.
type goal struct {
	items   []item          // in dependency order
	drops   []features.Drop // dependents first
	skipped []features.Skip
}

// item is one unit that is installed afterwards.
type item struct {
	unit    features.Unit
	feature state.Feature // as it will be recorded
	why     string
	stale   string // why its files differ when nobody changed them by hand
	refresh bool   // they differ because another version of rolemgr has put them there
	fresh   bool   // not installed before
	asked   bool   // named by the person: listed even when nothing happens to it
	settle  bool   // its files are made what feature.Files says; otherwise only looked at
}

// refuse turns problems into the outcome of Build.
func (b *builder) refuse(problems []features.Problem) (Plan, diag.List, error) {
	for _, p := range problems {
		b.diags = append(b.diags, diag.Diagnostic{Severity: diag.Error, Code: p.Code, Summary: p.Summary, Hint: p.Hint})
	}
	return Plan{}, b.diags, &features.RefusedError{Problems: problems}
}

// levelChange is the change of the server level, if there is one.
func (b *builder) levelChange() []Change {
	if b.level == features.Level(b.was.Level) {
		return []Change{}
	}
	why := "IIS " + string(b.level)
	if b.was.Level != "" {
		why = "from IIS " + b.was.Level + " to " + why
	}
	return []Change{{Title: "Server level", Action: Mark, Why: why}}
}

// recorded returns what the state says of a unit.
func (b *builder) recorded(id string) (state.Feature, bool) {
	i := slices.IndexFunc(b.was.Features, func(f state.Feature) bool { return f.ID == id })
	if i < 0 {
		return state.Feature{}, false
	}
	return b.was.Features[i], true
}

// keepUnknown carries over what is recorded but not in this catalogue, because only the version of rolemgr that
// installed it knows what it means.
func (b *builder) keepUnknown(g goal) {
	for _, f := range b.was.Features {
		id := features.ID(f.ID)
		if _, known := b.c.Unit(id); known || slices.ContainsFunc(g.drops, func(d features.Drop) bool { return d.ID == id }) {
			continue
		}
		b.kept = append(b.kept, f)
		b.diags = append(b.diags, diag.Diagnostic{
			Severity: diag.Warning, Code: "unknown-feature",
			Summary: "feature \"" + f.ID + "\" is installed, but this version of rolemgr does not know it",
			Hint:    "use rolemgr " + cmp.Or(f.Version, "of the version that installed it") + " to change it",
		})
	}
}

// after is the state as it will be recorded.
func (b *builder) after() state.State {
	s := b.was
	s.Level = string(b.level)
	s.Features = b.kept
	slices.SortFunc(s.Features, func(x, y state.Feature) int { return cmp.Compare(x.ID, y.ID) })
	return s
}

// missingContent reports every file that neither the catalogue nor an earlier installation has kept.
func (b *builder) missingContent(steps []Step) []features.Problem {
	content, _ := Content(b.c) // the catalogue holds its files in memory
	var problems []features.Problem
	for _, s := range steps {
		_, bundled := content[s.SHA256]
		if s.Op != PutFile || bundled || b.facts.Blob != nil && b.facts.Blob(s.SHA256) {
			continue
		}
		problems = append(problems, features.Problem{
			ID: s.Unit, Code: "content-missing",
			Summary: "the content of " + s.Path + " is no longer kept",
			Hint:    "install the unit as this version has it: rolemgr install " + string(s.Unit),
		})
	}
	return problems
}
