package features

import (
	"fmt"
	"slices"
)

// link is a unit that another one needs, directly or through others, and the reason for people.
type link struct {
	id  ID
	why string
}

// Needs returns the ids of everything that a unit needs, directly or through others, nearest first: what stands above it
// and what it requires.
func (c *Catalog) Needs(id ID) []ID {
	var ids []ID
	for _, l := range c.closure(id) {
		ids = append(ids, l.id)
	}
	return ids
}

// closure returns everything a unit needs, nearest first, without the unit.
func (c *Catalog) closure(id ID) []link {
	seen := map[ID]bool{id: true}
	var out []link
	var walk func(u Unit)
	walk = func(u Unit) {
		var fresh []ID
		add := func(id ID, why string) {
			if !seen[id] {
				seen[id] = true
				fresh = append(fresh, id)
				out = append(out, link{id, why})
			}
		}
		for _, a := range c.Ancestors(u.ID) {
			add(a, "required by "+u.Title+"")
		}
		for _, q := range u.Requires {
			add(q.ID, "required by "+u.Title+": "+q.Why)
		}
		for _, f := range fresh {
			walk(c.units[f])
		}
	}
	walk(c.units[id])
	return out
}

// installAsked takes every unit that was asked for and what it needs.
func (r *resolver) installAsked() {
	for _, id := range inOrder(r.c, r.asked) {
		if blockers := r.blockers(id); len(blockers) > 0 {
			for _, p := range blockers {
				r.problem(p)
			}
			continue
		}
		r.take(Pick{ID: id, Cause: Requested, Why: string(Requested)})
	}
}

// take adds a unit with everything it needs. The cause of what is picked already stays, unless it was asked for.
func (r *resolver) take(p Pick) {
	if r.picks[p.ID] == nil {
		p.New = !r.was[p.ID]
		r.picks[p.ID] = &p
	}
	for _, l := range r.c.closure(p.ID) {
		if r.picks[l.id] == nil {
			r.picks[l.id] = &Pick{ID: l.id, Cause: Required, Why: l.why, New: true}
		}
	}
	if q := r.picks[p.ID]; p.Cause == Requested && q.Cause != Requested {
		q.Cause, q.By, q.Why = Requested, nil, p.Why
	}
}

// blockers returns what stands in the way of installing a unit: the unit itself, or else what it needs.
func (r *resolver) blockers(id ID) []Problem {
	if r.picks[id] == nil || r.picks[id].New {
		if p := r.c.Blocked(id, r.level); p != nil {
			return []Problem{*p}
		}
	}
	var found []Problem
	for _, l := range r.c.closure(id) {
		switch p := r.c.Blocked(l.id, r.level); {
		case r.unasked[l.id]:
			found = append(found, Problem{ID: l.id, Code: "required",
				Summary: fmt.Sprintf("%q needs %q, which is to be removed by the same request", r.title(id), r.title(l.id)),
				Hint:    fmt.Sprintf("leave %s out of the removal, or %s out of the installation", l.id, id)})
		case p != nil && r.picks[l.id] == nil:
			p.Summary = fmt.Sprintf("%q needs another feature: %s", r.title(id), p.Summary)
			found = append(found, *p)
		}
	}
	return found
}

// unwanted reports whether a unit, or a node above it, is to be removed or kept out.
func (r *resolver) unwanted(id ID) bool {
	return r.unasked[id] || slices.ContainsFunc(r.c.Ancestors(id), func(a ID) bool { return r.unasked[a] })
}

// expand takes what comes with what was asked for: default services, subfeatures, management tools. A default service
// may pull in another role, whose default services come then too.
func (r *resolver) expand() {
	asked := inOrder(r.c, r.asked)
	done := map[ID]bool{}
	for again := true; again; {
		again = false
		for _, id := range inOrder(r.c, r.picks) {
			u, p := r.c.units[id], r.picks[id]
			if !p.New || done[id] || u.Kind != Role && !(u.Group && r.asked[id]) {
				continue
			}
			done[id], again = true, true
			r.defaults(id, id)
		}
	}
	for _, id := range asked {
		if r.wish.IncludeAllSubfeatures && r.picks[id] != nil {
			for _, below := range r.c.Descendants(id) {
				r.offer(below, id, "subfeature of "+r.title(id))
			}
		}
		if r.wish.IncludeManagementTools && r.picks[id] != nil {
			r.tools(id)
		}
	}
}

// defaults takes the default services below a node; from is the role or group whose defaults they are.
func (r *resolver) defaults(node, from ID) {
	for _, child := range r.c.children[node] {
		if u := r.c.units[child]; !u.Default || u.Tool {
			continue
		}
		why := "default service of " + r.title(from)
		if !r.offer(child, from, why) {
			continue
		}
		// A default service is recorded as one even where something else needs it too: installing the role first and
		// the rest later must leave the same record.
		if p := r.picks[child]; p.New && p.Cause == Required {
			p.Cause, p.By, p.Why = ByDefault, []ID{from}, why
		}
		r.defaults(child, from)
	}
}

// tools takes the management tools of the role that a unit belongs to.
func (r *resolver) tools(id ID) {
	root := id
	if above := r.c.Ancestors(id); len(above) > 0 {
		root = above[len(above)-1]
	}
	for _, below := range r.c.Descendants(root) {
		if r.c.units[below].Tool {
			r.offer(below, root, "management tool of "+r.title(root))
		}
	}
}

// offer takes a unit that nobody asked for by name, unless it was declined or something stands in its way. It reports
// whether the unit is picked now.
func (r *resolver) offer(id, by ID, why string) bool {
	if r.picks[id] != nil {
		return true
	}
	if r.unwanted(id) {
		return false
	}
	if blockers := r.blockers(id); len(blockers) > 0 {
		r.skips[id] = Skip{ID: id, Reason: r.skipReason(id, blockers[0])}
		return false
	}
	for _, x := range r.conflicts(id) {
		r.skips[id] = Skip{ID: id, Reason: fmt.Sprintf("it cannot be installed together with %s: %s", r.title(x.ID), x.Why)}
		return false
	}
	r.take(Pick{ID: id, Cause: ByDefault, By: []ID{by}, Why: why})
	return true
}

// skipReason is a blocker without the name of the unit, which is printed beside it.
func (r *resolver) skipReason(id ID, p Problem) string {
	if u := r.c.units[id]; p.ID == id && u.Unavailable != nil {
		return u.Unavailable.Reason
	}
	if p.ID == id && p.Code != "level" {
		return "nothing that it holds is available here"
	}
	return p.Summary
}

// conflicts returns what is picked and cannot be installed together with a unit or with what it needs.
func (r *resolver) conflicts(id ID) []Conflict {
	var found []Conflict
	for _, l := range append([]link{{id: id}}, r.c.closure(id)...) {
		for _, other := range inOrder(r.c, r.picks) {
			if why, clash := r.c.clash(l.id, other); clash {
				found = append(found, Conflict{ID: other, Why: why})
			}
		}
	}
	return found
}

// clash reports whether one of two units declares a conflict with the other.
func (c *Catalog) clash(a, b ID) (why string, clash bool) {
	for _, pair := range [2][2]ID{{a, b}, {b, a}} {
		for _, x := range c.units[pair[0]].Conflicts {
			if x.ID == pair[1] {
				return x.Why, true
			}
		}
	}
	return "", false
}
