package wizard

import (
	"fmt"
	"slices"

	"github.com/rolemgr/rolemgr/features"
)

// drop proposes to remove a node with all below it, and with what cannot do without it.
func (s *Selection) drop(id features.ID) (*Proposal, error) {
	next := s.clone()
	for _, d := range s.cat.Descendants(id) {
		delete(next.out, d) // the node says it for them
	}
	for _, w := range s.unwanted(id) {
		next.out[w] = true
	}
	extras := s.dependents(id)
	for _, e := range extras {
		next.out[e.ID] = true
	}
	if err := next.resolve(); err != nil {
		return nil, refusal(err)
	}
	return &Proposal{Unit: id, Extras: extras, next: next}, nil
}

// unwanted returns what clearing a node asks to remove: the node, or of one that is not recorded itself what is below.
func (s *Selection) unwanted(id features.ID) []features.ID {
	if s.was[id] {
		return []features.ID{id}
	}
	var out []features.ID
	for _, d := range s.cat.Descendants(id) {
		if s.was[d] {
			out = append(out, d)
		}
	}
	return out
}

// dependents returns what is installed, would stay, and requires the node or something below it.
func (s *Selection) dependents(id features.ID) []Extra {
	going := map[features.ID]bool{id: true}
	for _, d := range s.cat.Descendants(id) {
		going[d] = true
	}
	var out []Extra
	for again := true; again; {
		again = false
		for _, u := range s.cat.Units() {
			if going[u.ID] || !s.was[u.ID] || !s.ticked(u.ID) {
				continue
			}
			for _, q := range u.Requires {
				if going[q.ID] {
					needed, _ := s.cat.Unit(q.ID)
					out = append(out, Extra{ID: u.ID, Why: "requires " + needed.Title})
					going[u.ID], again = true, true
					for _, d := range s.cat.Descendants(u.ID) {
						going[d] = true
					}
					break
				}
			}
		}
	}
	return out
}

// keep takes the removal of a node back, and of what it needs.
func (s *Selection) keep(id features.ID) (*Proposal, error) {
	u, _ := s.cat.Unit(id)
	if !s.was[id] && !slices.ContainsFunc(s.cat.Descendants(id), func(d features.ID) bool { return s.was[d] }) {
		return nil, &RefusedError{Reason: fmt.Sprintf("%s is not installed", u.Title), Hint: "Add Roles and Features installs it"}
	}
	next := s.clone()
	back := append([]features.ID{id}, s.cat.Needs(id)...)
	for _, d := range s.cat.Descendants(id) {
		back = append(back, d)
		back = append(back, s.cat.Needs(d)...)
	}
	for _, b := range back {
		next.spare(b)
	}
	if err := next.resolve(); err != nil {
		return nil, refusal(err)
	}
	if !next.anyTicked(id) {
		return nil, &RefusedError{Reason: u.Title + " goes because nothing that stays requires it",
			Hint: "keep what requires it, or install it by name first: rolemgr install " + string(id)}
	}
	return &Proposal{Unit: id, On: true, next: next}, nil
}

// spare has a unit stay, or come. When it was to go or to be kept out with a node above it, the rest of that node still
// is.
func (s *Selection) spare(id features.ID) {
	above := s.cat.Ancestors(id)
	for _, a := range slices.Backward(above) { // from the top: each names what is directly below it
		if !s.out[a] {
			continue
		}
		delete(s.out, a)
		for _, child := range s.cat.Children(a) {
			if s.was[child] || s.mode == Add {
				s.out[child] = true
			}
		}
	}
	delete(s.out, id)
}
