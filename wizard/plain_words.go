package wizard

import (
	"fmt"

	"github.com/rolemgr/rolemgr/features"
)

// words is the state of a node for whoever does not see its box.
func (s *Selection) words(id features.ID) string {
	if s.mode == Remove {
		return s.wordsForRemoval(id)
	}
	_, installed, all := s.Note(id)
	alone := len(s.cat.Children(id)) == 0
	var state string
	switch box := s.Box(id); {
	case s.was[id] && (alone || installed == all):
		return "installed"
	case s.picks[id].New && alone, box == Ticked:
		state = "ticked"
	case s.anyNew(id):
		state = "partly ticked"
	case s.was[id]:
		state = "partly installed"
	default:
		if why := s.whyNot(id); why != "" {
			return why
		}
		state = "not ticked"
	}
	if why := s.picks[id].Why; s.picks[id].New && why != string(features.Requested) {
		state += ", " + why
	}
	if installed > 0 && !alone {
		state += fmt.Sprintf(", %d of %d installed", installed, all)
	}
	return state
}

func (s *Selection) wordsForRemoval(id features.ID) string {
	_, installed, all := s.Note(id)
	dropped := 0
	for _, d := range append(s.cat.Descendants(id), id) {
		if _, ok := s.drops[d]; ok {
			dropped++
		}
	}
	state := "installed"
	switch drop, ok := s.drops[id]; {
	case ok && drop.Cause == features.Requested:
		return "to be removed"
	case ok:
		return "to be removed: " + drop.Why
	case !s.was[id] && installed == 0:
		return "not installed"
	case dropped > 0:
		state = "partly to be removed"
	}
	if len(s.cat.Children(id)) > 0 {
		state += fmt.Sprintf(", %d of %d installed", installed, all)
	}
	return state
}

// whyNot is why a node cannot be ticked on this server, "" when it can.
func (s *Selection) whyNot(id features.ID) string {
	p := s.cat.Blocked(id, s.level)
	if p == nil {
		return ""
	}
	state := map[string]string{"not-built": "not built yet", "level": "not at this server level"}[p.Code]
	if state == "" {
		state = "not available"
	}
	reason := p.Summary
	switch u, _ := s.cat.Unit(id); {
	case u.Unavailable != nil:
		reason = u.Unavailable.Reason
	case p.Code != "level":
		reason = "nothing that it holds is available here"
	}
	return state + ": " + reason
}
