package wizard

import (
	"fmt"

	"github.com/rolemgr/rolemgr/features"
)

// tick proposes to install a node. A group without default services brings everything in it, for a tick that does
// nothing would be no tick.
func (s *Selection) tick(id features.ID) (*Proposal, error) {
	if p := s.cat.Blocked(id, s.level); p != nil {
		return nil, &RefusedError{Reason: p.Summary, Hint: p.Hint}
	}
	u, _ := s.cat.Unit(id)
	wanted := s.wanted(id)
	if len(wanted) == 0 {
		return nil, &RefusedError{
			Reason: fmt.Sprintf("%s is installed already", u.Title), Hint: "Remove Roles and Features takes it away",
		}
	}
	next := s.clone()
	for _, w := range wanted {
		next.asked[w] = true
		for _, n := range append([]features.ID{w}, s.cat.Needs(w)...) {
			next.spare(n)
		}
		for _, d := range s.cat.Descendants(w) {
			delete(next.out, d)
		}
	}
	if err := next.resolve(); err != nil {
		return nil, refusal(err)
	}
	next.prune()
	p := &Proposal{Unit: id, On: true, next: next}
	p.Extras = s.brought(id, next)
	s.offerTools(p)
	return p, nil
}

// wanted returns what a tick on a node asks for: the node itself; of a group that is there already, or that has no
// default services, all that can be added.
func (s *Selection) wanted(id features.ID) []features.ID {
	u, _ := s.cat.Unit(id)
	if !s.was[id] && (!u.Group || s.hasDefaults(id)) {
		return []features.ID{id}
	}
	var out []features.ID
	for _, leaf := range s.leaves(id) {
		if !s.ticked(leaf) && s.available(leaf) {
			out = append(out, leaf)
		}
	}
	return out
}

// hasDefaults reports whether something below a node comes by default and can.
func (s *Selection) hasDefaults(id features.ID) bool {
	for _, d := range s.leaves(id) {
		if u, _ := s.cat.Unit(d); u.Default && !u.Tool && s.available(d) {
			return true
		}
	}
	return false
}

// brought returns what comes with a tick and is neither the node, nor below it, nor a group that it stands in: those a
// person has seen.
func (s *Selection) brought(id features.ID, next *Selection) []Extra {
	seen := map[features.ID]bool{id: true}
	for _, d := range s.cat.Descendants(id) {
		seen[d] = true
	}
	for _, a := range s.cat.Ancestors(id) {
		if u, _ := s.cat.Unit(a); u.Kind != features.Role {
			seen[a] = true
		}
	}
	var out []Extra
	fresh := false
	for _, p := range next.now.Picks {
		if p.New && !s.picks[p.ID].New {
			u, _ := s.cat.Unit(p.ID)
			out = append(out, Extra{ID: p.ID, Why: p.Why, Tool: u.Tool})
			fresh = fresh || !seen[p.ID]
		}
	}
	if !fresh {
		return nil
	}
	// All or nothing: a tree of additions with holes in it would be read wrongly. The node itself is the question.
	return without(out, id)
}

func without(extras []Extra, id features.ID) []Extra {
	out := extras[:0]
	for _, e := range extras {
		if e.ID != id {
			out = append(out, e)
		}
	}
	return out
}

// offerTools adds the management tools of the role that a proposal touches, when there are any that can be installed.
func (s *Selection) offerTools(p *Proposal) {
	if p.next.tools {
		return
	}
	with := p.next.clone()
	with.tools = true
	if with.resolve() != nil {
		return
	}
	var tools []Extra
	for _, pick := range with.now.Picks {
		if u, _ := s.cat.Unit(pick.ID); pick.New && u.Tool && !p.next.picks[pick.ID].New && pick.ID != p.Unit {
			tools = append(tools, Extra{ID: pick.ID, Why: pick.Why, Tool: true})
		}
	}
	if len(tools) > 0 {
		p.Extras, p.Tools, p.next = append(tools, p.Extras...), true, with
	}
}

// clear proposes to take a tick back, from the node and all below it. What only came with it goes too, and so does what
// needs it, which is asked first.
func (s *Selection) clear(id features.ID) (*Proposal, error) {
	gone := map[features.ID]bool{}
	for _, d := range append([]features.ID{id}, s.cat.Descendants(id)...) {
		if s.picks[d].New {
			gone[d] = true
		}
	}
	next := s.clone()
	for _, a := range s.ordered(s.asked) {
		if gone[a] || s.picks[a].New && s.lacking(a, gone) != "" {
			delete(next.asked, a)
		}
	}
	if err := next.keepOut(gone); err != nil {
		return nil, refusal(err)
	}
	next.prune()
	p := &Proposal{Unit: id, next: next}
	for _, u := range s.cat.Units() {
		if n := s.lacking(u.ID, gone); n != "" && s.picks[u.ID].New && !next.picks[u.ID].New && !gone[u.ID] {
			needed, _ := s.cat.Unit(n)
			p.Extras = append(p.Extras, Extra{ID: u.ID, Why: "requires " + needed.Title})
		}
	}
	return p, nil
}

// lacking returns the first of some units that a unit needs, "" when it needs none of them.
func (s *Selection) lacking(id features.ID, gone map[features.ID]bool) features.ID {
	for _, n := range s.cat.Needs(id) {
		if gone[n] {
			return n
		}
	}
	return ""
}

// keepOut has the wish name what would come back without having been asked for: default services and tools first, for
// what they need may not come then.
func (s *Selection) keepOut(gone map[features.ID]bool) error {
	for {
		if err := s.resolve(); err != nil {
			return err
		}
		var byDefault, required []features.ID
		for _, d := range s.ordered(gone) {
			switch p := s.picks[d]; {
			case !p.New || s.out[d]:
			case p.Cause == features.ByDefault:
				byDefault = append(byDefault, d)
			default:
				required = append(required, d)
			}
		}
		if len(byDefault) == 0 {
			byDefault = required
		}
		if len(byDefault) == 0 {
			return nil
		}
		for _, d := range byDefault {
			s.out[d] = true
		}
	}
}
