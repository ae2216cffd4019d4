package wizard

import (
	"errors"
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Mode is which of the two wizards runs.
type Mode uint8

// The modes.
const (
	Add    Mode = 0 // Add Roles and Features
	Remove Mode = 1 // Remove Roles and Features
)

// Selection is what a person has ticked in the tree of a server. It is a wish and nothing more: what the wish brings is
// asked of the catalogue after every tick, so the boxes always show what the plan will do. It is not safe for concurrent
// use.
type Selection struct {
	cat       *features.Catalog
	mode      Mode
	level     features.Level
	installed []features.Installed
	was       map[features.ID]bool
	can       map[features.ID]bool // what can be installed on this server, with all that it needs

	asked map[features.ID]bool // ticked by hand
	out   map[features.ID]bool // default services that were cleared (Add), or what is to go (Remove)
	tools bool                 // management tools too

	now   features.Selection // what the wish gives
	picks map[features.ID]features.Pick
	drops map[features.ID]features.Drop
}

// NewSelection returns a selection on a server in which nothing is ticked yet.
func NewSelection(cat *features.Catalog, mode Mode, s state.State) *Selection {
	sel := &Selection{
		cat: cat, mode: mode, level: features.Level(s.Level), was: map[features.ID]bool{},
		asked: map[features.ID]bool{}, out: map[features.ID]bool{},
	}
	for _, f := range s.Features {
		in := features.Installed{ID: features.ID(f.ID), Cause: features.Cause(f.Reason)}
		for _, by := range f.RequiredBy {
			in.By = append(in.By, features.ID(by))
		}
		sel.installed = append(sel.installed, in)
		sel.was[in.ID] = true
	}
	sel.can = sel.possible()
	_ = sel.resolve() // an empty wish is refused only where what is installed is at odds with itself; then nothing is shown as picked
	return sel
}

// clone returns a copy that can be changed without changing s.
func (s *Selection) clone() *Selection {
	c := *s
	c.asked, c.out = copySet(s.asked), copySet(s.out)
	return &c
}

func copySet(set map[features.ID]bool) map[features.ID]bool {
	out := make(map[features.ID]bool, len(set))
	for id := range set {
		out[id] = true
	}
	return out
}

// resolve asks the catalogue what the wish gives. When that is refused, what it gave before stays.
func (s *Selection) resolve() error {
	now, err := s.cat.Resolve(s.Wish(), s.installed, s.level)
	if err != nil {
		return err
	}
	s.now = now
	s.picks, s.drops = map[features.ID]features.Pick{}, map[features.ID]features.Drop{}
	for _, p := range now.Picks {
		s.picks[p.ID] = p
	}
	for _, d := range now.Drops {
		s.drops[d.ID] = d
	}
	return nil
}

// Wish returns what was asked for, in display order.
func (s *Selection) Wish() features.Wish {
	return features.Wish{
		Install: s.ordered(s.asked), Remove: s.ordered(s.out), IncludeManagementTools: s.tools,
	}
}

// ordered returns a set in display order.
func (s *Selection) ordered(set map[features.ID]bool) []features.ID {
	var ids []features.ID
	for _, u := range s.cat.Units() {
		if set[u.ID] {
			ids = append(ids, u.ID)
		}
	}
	return ids
}

// Empty reports whether nothing was ticked or cleared.
func (s *Selection) Empty() bool { return len(s.asked) == 0 && (s.mode == Add || len(s.out) == 0) }

// Clear takes every tick back.
func (s *Selection) Clear() {
	s.asked, s.out, s.tools = map[features.ID]bool{}, map[features.ID]bool{}, false
	_ = s.resolve() // as in NewSelection
}

// Count returns how many units will be added or removed.
func (s *Selection) Count() int {
	if s.mode == Remove {
		return len(s.now.Drops)
	}
	n := 0
	for _, p := range s.now.Picks {
		if p.New {
			n++
		}
	}
	return n
}

// pulled returns how many of the units to be added came with others.
func (s *Selection) pulled() int {
	n := 0
	for _, p := range s.now.Picks {
		if p.New && p.Cause != features.Requested {
			n++
		}
	}
	return n
}

// New reports whether a unit will be installed that is not yet.
func (s *Selection) New(id features.ID) bool { return s.picks[id].New }

// Box is the state of a check box.
type Box uint8

// The states of a box: Server Manager fills the square of a node of which a part is ticked.
const (
	Clear   Box = 0
	Partial Box = 1
	Ticked  Box = 2
)

// Box returns the box of a node.
func (s *Selection) Box(id features.ID) Box {
	on, all := 0, 0
	for _, leaf := range s.leaves(id) {
		if s.ticked(leaf) {
			on++
		}
		if s.ticked(leaf) || s.available(leaf) {
			all++
		}
	}
	switch {
	case on == 0 && !s.ticked(id):
		return Clear
	case on == all:
		return Ticked
	}
	return Partial
}

// leaves returns the units at and below a node that are more than groups.
func (s *Selection) leaves(id features.ID) []features.ID {
	var out []features.ID
	for _, d := range append([]features.ID{id}, s.cat.Descendants(id)...) {
		if u, _ := s.cat.Unit(d); !u.Group {
			out = append(out, d)
		}
	}
	return out
}

// ticked reports whether a unit will be installed afterwards.
func (s *Selection) ticked(id features.ID) bool {
	_, ok := s.picks[id]
	return ok
}

// available reports whether a unit can be installed on this server, with all that it needs.
func (s *Selection) available(id features.ID) bool { return s.can[id] }

// possible finds out what is available.
func (s *Selection) possible() map[features.ID]bool {
	blocked := func(id features.ID) bool { return !s.was[id] && s.cat.Blocked(id, s.level) != nil }
	can := map[features.ID]bool{}
	for _, u := range s.cat.Units() {
		can[u.ID] = s.cat.Blocked(u.ID, s.level) == nil && !slices.ContainsFunc(s.cat.Needs(u.ID), blocked)
	}
	return can
}

// Note returns what stands behind the name of a node, without brackets: "Installed", "3 of 9 installed", "Not
// installed", "Not available"; "" when there is nothing to say.
func (s *Selection) Note(id features.ID) (note string, installed, all int) {
	for _, leaf := range s.leaves(id) {
		if s.was[leaf] {
			installed++
		}
		if s.was[leaf] || s.available(leaf) {
			all++
		}
	}
	p := s.cat.Blocked(id, s.level)
	switch {
	case s.was[id] && (installed == all || s.mode == Remove && len(s.cat.Descendants(id)) == 0):
		return "Installed", installed, all
	case s.was[id] || installed > 0:
		return "of", installed, all
	case s.mode == Remove:
		return "Not installed", 0, all
	case p != nil && p.Code == "not-built":
		return "Not built yet", 0, all
	case p != nil && p.Code == "level":
		return "Other level", 0, all
	case p != nil:
		return "Not available", 0, all
	}
	return "", 0, all
}

// Proposal is a tick with all that follows from it, to be confirmed by the person when more follows than was asked for.
type Proposal struct {
	Unit   features.ID
	On     bool    // ticked, not cleared
	Extras []Extra // what else comes or goes
	Tools  bool    // whether there are management tools among the extras, which can be left out

	next *Selection
}

// Extra is a unit that comes or goes with another, and why.
type Extra struct {
	ID   features.ID
	Why  string
	Tool bool
}

// RefusedError is a tick that cannot be made, in the words of the footer.
type RefusedError struct{ Reason, Hint string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Toggle ticks a node or clears it. Nothing changes before Accept. The error is a *RefusedError.
func (s *Selection) Toggle(id features.ID) (*Proposal, error) {
	if s.mode == Remove {
		if s.anyTicked(id) {
			return s.drop(id)
		}
		return s.keep(id)
	}
	if s.anyNew(id) {
		return s.clear(id)
	}
	return s.tick(id)
}

// Accept makes a proposal true. With tools false the management tools that it lists are left out.
func (s *Selection) Accept(p *Proposal, tools bool) error {
	next := p.next
	if p.Tools && !tools {
		next = next.clone()
		next.tools = s.tools
		if err := next.resolve(); err != nil {
			return refusal(err)
		}
	}
	*s = *next
	return nil
}

// anyNew reports whether something at or below a node was ticked that is not installed yet.
func (s *Selection) anyNew(id features.ID) bool {
	return slices.ContainsFunc(append(s.cat.Descendants(id), id), func(d features.ID) bool { return s.picks[d].New })
}

// anyTicked reports whether something at or below a node is to be there afterwards.
func (s *Selection) anyTicked(id features.ID) bool {
	return slices.ContainsFunc(append(s.cat.Descendants(id), id), s.ticked)
}

// refusal turns the answer of the catalogue into words for the footer.
func refusal(err error) error {
	var refused *features.RefusedError
	if errors.As(err, &refused) && len(refused.Problems) > 0 {
		return &RefusedError{Reason: refused.Problems[0].Summary, Hint: refused.Problems[0].Hint}
	}
	return &RefusedError{Reason: err.Error()}
}

// restore makes the ticks of a wish again, as far as the server still allows: after it changed, or in a later run.
func (s *Selection) restore(w features.Wish) {
	s.tools = w.IncludeManagementTools && s.mode == Add
	type tick struct {
		set map[features.ID]bool
		id  features.ID
	}
	var left []tick
	for _, id := range w.Install {
		if s.mode == Add && !s.was[id] {
			left = append(left, tick{s.asked, id})
		}
	}
	for _, id := range w.Remove {
		if s.was[id] == (s.mode == Remove) {
			left = append(left, tick{s.out, id})
		}
	}
	// One tick may be possible only with another: what cannot be removed alone can be with what requires it.
	for again := true; again; {
		again = false
		left = slices.DeleteFunc(left, func(t tick) bool {
			if _, known := s.cat.Unit(t.id); !known || t.set[t.id] {
				return true
			}
			t.set[t.id] = true
			if s.resolve() != nil {
				delete(t.set, t.id)
				return false
			}
			again = true
			return true
		})
	}
	s.prune()
}

// prune forgets what keeps nothing out, so that a wish says only what matters.
func (s *Selection) prune() {
	if s.mode == Remove {
		return
	}
	if len(s.asked) == 0 {
		s.out, s.tools = map[features.ID]bool{}, false
	}
	for _, id := range s.ordered(s.out) {
		with := s.clone()
		delete(with.out, id)
		if with.resolve() == nil && !with.picks[id].New {
			*s = *with
		}
	}
	_ = s.resolve() // it asks for less than what was granted
}
