package features

import (
	"fmt"
	"slices"
)

// Cause is why a unit is part of a selection. The values reach the disk.
type Cause string

// The causes.
const (
	Requested Cause = "requested" // named by the person
	Required  Cause = "required"  // needed by another unit
	ByDefault Cause = "default"   // a default service of a role, or a subfeature taken with --include-all-subfeatures
)

// Wish is what a person asks for.
type Wish struct {
	Install []ID
	// Remove also keeps units out: one that is not installed is not taken as a default service or a subfeature.
	Remove []ID
	// IncludeAllSubfeatures takes everything below the units of Install that is available, tools included.
	IncludeAllSubfeatures bool
	// IncludeManagementTools takes the management tools of the roles that Install touches. A removed role always
	// takes its tools with it, because they are below it.
	IncludeManagementTools bool
}

// Installed is a unit that is installed now, with the cause recorded for it.
type Installed struct {
	ID    ID
	Cause Cause
	By    []ID // who required it
}

// Pick is one unit of a selection.
type Pick struct {
	ID    ID
	Cause Cause
	By    []ID   // the installed units that directly need it, or the role whose default it is; sorted
	Why   string // the reason, for people: "required by WebSocket Protocol"
	New   bool   // not installed before
}

// Drop is one unit to be removed.
type Drop struct {
	ID    ID
	Cause Cause // Requested, or Required when it goes because something it needs goes
	By    []ID
	Why   string
}

// Selection is the outcome of a wish: what will be installed afterwards, in dependency order with ties by display
// order, and what goes, dependents first.
type Selection struct {
	Picks []Pick
	Drops []Drop
	// Skipped are default services, subfeatures and tools that are not available here, with the reason, in display
	// order.
	Skipped []Skip
}

// Skip is a unit that would have come by default but is not available.
type Skip struct {
	ID     ID     `json:"id"`
	Reason string `json:"reason"`
}

// Resolve completes a wish against what is installed: every ancestor and requirement, with the reason; the default
// services of a role that becomes installed, and of a group that is asked for; nothing twice. The same arguments always
// give the same selection. Installed units that the catalogue does not know are passed over.
//
// Removing a unit removes everything below it. What was only required by what goes, goes too; what came by default
// stays. A role goes with its last role service.
//
// It returns a *RefusedError with all problems at once: units that are not available, units that a level does not
// have, conflicts, and removals that would break what stays (with who still requires it, unless those are removed by
// the same wish). The empty level has every unit.
func (c *Catalog) Resolve(w Wish, installed []Installed, level Level) (Selection, error) {
	r := newResolver(c, w, installed, level)
	r.removeAsked()
	r.keepInstalled(installed)
	r.installAsked()
	r.expand()
	r.sweep()
	r.check()
	if len(r.problems) > 0 {
		return Selection{}, &RefusedError{Problems: r.problems}
	}
	return r.selection(), nil
}

// Blocked returns why a unit cannot be installed on a server of that level, nil when it can be. A group that holds
// nothing available is blocked too: installing it would add nothing.
func (c *Catalog) Blocked(id ID, level Level) *Problem {
	u, known := c.units[id]
	switch {
	case !known:
		return &Problem{ID: id, Code: "unknown", Summary: fmt.Sprintf("no feature has the id %q", id)}
	case u.Unavailable != nil && u.Unavailable.NotBuilt:
		return &Problem{ID: id, Code: "not-built", Hint: u.Unavailable.Instead,
			Summary: fmt.Sprintf("%q cannot be installed: %s", u.Title, u.Unavailable.Reason)}
	case u.Unavailable != nil:
		return &Problem{ID: id, Code: "unavailable", Hint: u.Unavailable.Instead,
			Summary: fmt.Sprintf("%q cannot be installed here: %s", u.Title, u.Unavailable.Reason)}
	case !level.has(u):
		return &Problem{ID: id, Code: "level", Summary: level.refuse(u), Hint: levelHint(u, level)}
	case u.Group:
		return c.hollow(u, level)
	}
	return nil
}

// hollow reports a group in which no role service can be installed.
func (c *Catalog) hollow(u Unit, level Level) *Problem {
	if c.leaf(u.ID) {
		return nil
	}
	code := "unavailable"
	for _, id := range c.Descendants(u.ID) {
		if !c.leaf(id) {
			continue
		}
		p := c.Blocked(id, level)
		switch {
		case p == nil:
			return nil
		case p.Code == "not-built", p.Code == "level" && code == "unavailable":
			code = p.Code
		}
	}
	return &Problem{ID: u.ID, Code: code,
		Summary: fmt.Sprintf("%q cannot be installed: nothing that it holds is available here", u.Title),
		Hint:    fmt.Sprintf("rolemgr show %s tells what it holds", u.ID)}
}

// levelHint is the way out for a unit that a level does not have.
func levelHint(u Unit, level Level) string {
	if u.Since != "" && level.Compare(u.Since) < 0 {
		return fmt.Sprintf("raise the level of the server to %s, or leave %s out", u.Since, u.ID)
	}
	return "leave " + string(u.ID) + " out"
}

// Problem is one reason why a wish is refused.
type Problem struct {
	ID      ID
	Code    string // "unavailable", "not-built", "level", "conflict", "required", "last-service", "unknown"
	Summary string
	Hint    string
}

// RefusedError is a wish that cannot be fulfilled.
type RefusedError struct{ Problems []Problem }

// Error names the first problem and how many more there are.
func (e *RefusedError) Error() string {
	switch n := len(e.Problems); n {
	case 0:
		return "refused"
	case 1:
		return e.Problems[0].Summary
	default:
		return fmt.Sprintf("%s (and %d more)", e.Problems[0].Summary, n-1)
	}
}

// sorted returns the ids in order, each once.
func sorted(ids []ID) []ID {
	out := slices.Clone(ids)
	slices.Sort(out)
	return slices.Compact(out)
}
