package features

import (
	"fmt"
	"slices"
	"strings"
)

// removeAsked drops every installed unit that is to be removed, with all that is below it.
func (r *resolver) removeAsked() {
	for _, id := range inOrder(r.c, r.unasked) {
		if r.was[id] {
			r.drops[id] = &Drop{ID: id, Cause: Requested, Why: string(Requested)}
		}
	}
	for _, id := range inOrder(r.c, r.unasked) {
		for _, below := range r.c.Descendants(id) {
			if r.was[below] && r.drops[below] == nil {
				r.drops[below] = &Drop{ID: below, Cause: Required, By: []ID{id}, Why: "belongs to " + r.title(id)}
			}
		}
	}
}

// sweep drops what the removals leave without a purpose, until nothing changes.
func (r *resolver) sweep() {
	for r.sweepOrphan() || r.sweepRole() {
	}
}

// sweepOrphan drops one unit that was only required by what goes.
func (r *resolver) sweepOrphan() bool {
	for _, id := range inOrder(r.c, r.picks) {
		p := r.picks[id]
		if p.New || p.Cause != Required || len(r.dependents(id)) > 0 {
			continue
		}
		var gone []ID
		for _, d := range inOrder(r.c, r.drops) {
			if slices.Contains(r.c.units[d].needs(), id) {
				gone = append(gone, d)
			}
		}
		// Without one of its own dependents among the drops it is none of this wish's business.
		if len(gone) > 0 {
			r.drop(id, gone, "no longer required")
			return true
		}
	}
	return false
}

// sweepRole drops one role whose last role service goes. A role that this wish asks for, or needs a part of, cannot
// do without.
func (r *resolver) sweepRole() bool {
	for _, id := range inOrder(r.c, r.picks) {
		if r.c.units[id].Kind != Role || r.c.leaf(id) {
			continue
		}
		var gone []ID
		left, wanted := false, r.asked[id] || r.picks[id].New
		for _, below := range r.c.Descendants(id) {
			switch p := r.picks[below]; {
			case p != nil:
				left = left || r.c.leaf(below)
				wanted = wanted || r.asked[below] || p.New
			case r.drops[below] != nil && r.c.leaf(below):
				gone = append(gone, below)
			}
		}
		switch {
		case left, len(gone) == 0 && !r.picks[id].New:
		case wanted:
			r.problem(Problem{ID: id, Code: "last-service",
				Summary: fmt.Sprintf("%q would be left without a role service", r.title(id)),
				Hint:    fmt.Sprintf("keep at least one of its role services, or remove it: rolemgr remove %s", id)})
		default:
			why := "no role service of " + r.title(id) + " is left"
			for _, below := range append(r.c.Descendants(id), id) {
				if r.picks[below] != nil {
					r.drop(below, gone, why)
				}
			}
			return true
		}
	}
	return false
}

// drop moves a unit from what stays to what goes.
func (r *resolver) drop(id ID, by []ID, why string) {
	delete(r.picks, id)
	if r.was[id] {
		r.drops[id] = &Drop{ID: id, Cause: Required, By: by, Why: why}
	}
}

// check looks at what stays: whether all that it needs stays too, whether it goes together, and whether the level has
// it.
func (r *resolver) check() {
	for _, id := range inOrder(r.c, r.drops) {
		if by := inOrder(r.c, setOf(r.dependents(id))); len(by) > 0 {
			r.problem(Problem{ID: id, Code: "required",
				Summary: fmt.Sprintf("%q is still required by %s", r.title(id), andList(r.titles(by))),
				Hint:    "remove them together: " + r.removal()})
		}
	}
	picked := inOrder(r.c, r.picks)
	for i, a := range picked {
		for _, b := range picked[i+1:] {
			if why, clash := r.c.clash(a, b); clash {
				r.problem(Problem{ID: a, Code: "conflict",
					Summary: fmt.Sprintf("%q cannot be installed together with %q: %s", r.title(a), r.title(b), why),
					Hint:    r.oneOf(a, b)})
			}
		}
	}
	for _, id := range picked {
		if u := r.c.units[id]; !r.picks[id].New && !r.level.has(u) {
			r.problem(Problem{ID: id, Code: "level", Summary: r.level.refuse(u),
				Hint: "remove it first: rolemgr remove " + string(id)})
		}
	}
}

// oneOf is the way out of a conflict: remove what is installed, or leave one out.
func (r *resolver) oneOf(a, b ID) string {
	switch {
	case !r.picks[a].New && r.picks[b].New:
		return "remove the one that is installed first: rolemgr remove " + string(a)
	case !r.picks[b].New && r.picks[a].New:
		return "remove the one that is installed first: rolemgr remove " + string(b)
	}
	return fmt.Sprintf("leave out %s or %s", a, b)
}

// removal is the command that removes what was asked for together with all that still requires any of it.
func (r *resolver) removal() string {
	all := map[ID]bool{}
	for id := range r.drops {
		if r.drops[id].Cause == Requested {
			all[id] = true
		}
	}
	gone := func(id ID) bool {
		return r.drops[id] != nil || slices.ContainsFunc(append(r.c.Ancestors(id), id), func(a ID) bool { return all[a] })
	}
	for again := true; again; {
		again = false
		for _, id := range inOrder(r.c, r.picks) {
			if !gone(id) && slices.ContainsFunc(r.c.units[id].needs(), gone) {
				all[id], again = true, true
			}
		}
	}
	words := []string{"rolemgr remove"}
	for _, id := range inOrder(r.c, all) {
		words = append(words, string(id))
	}
	return strings.Join(words, " ")
}
