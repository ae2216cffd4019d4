package features

import (
	"fmt"
	"slices"
	"strings"
)

// faults collects what is wrong with a set of units, so that a newcomer mends a new unit in one go.
type faults struct {
	c    *Catalog
	list []error
}

// add notes a fault of a unit.
func (f *faults) add(id ID, format string, args ...any) {
	f.list = append(f.list, fmt.Errorf("unit %q %s", id, fmt.Sprintf(format, args...)))
}

// unit checks what can be seen of a unit alone.
func (f *faults) unit(u Unit) {
	if !validID(u.ID) {
		f.add(u.ID, "has an id that is not lower-case words joined by hyphens")
	}
	if !slices.Contains([]Kind{Role, RoleService, Feature}, u.Kind) {
		f.add(u.ID, "has kind %q; kinds are Role, Role Service and Feature", u.Kind)
	}
	if u.Kind == Role && u.Parent != "" || u.Kind == RoleService && u.Parent == "" {
		f.add(u.ID, "is a %s with parent %q", u.Kind, u.Parent)
	}
	if strings.TrimSpace(u.Title) == "" {
		f.add(u.ID, "has no title")
	}
	for _, l := range []Level{u.Since, u.Until} {
		if l != "" && !l.Valid() {
			f.add(u.ID, "names level %q; levels are %s", l, joinLevels())
		}
	}
	if u.Since.Valid() && u.Until.Valid() && u.Until.Compare(u.Since) < 0 {
		f.add(u.ID, "ends with level %s before it begins with %s", u.Until, u.Since)
	}
	if u.Unavailable != nil && u.Unavailable.Reason == "" {
		f.add(u.ID, "is not available and does not say why")
	}
	for _, r := range u.Requires {
		if strings.TrimSpace(r.Why) == "" {
			f.add(u.ID, "requires %q without a reason", r.ID)
		}
	}
	for _, x := range u.Conflicts {
		if strings.TrimSpace(x.Why) == "" {
			f.add(u.ID, "conflicts with %q without a reason", x.ID)
		}
	}
}

// whole checks what can only be seen of all units together.
func (f *faults) whole(units []Unit) {
	for _, u := range units {
		f.known(u.ID, "has an unknown parent", u.Parent)
		for _, r := range u.Requires {
			f.known(u.ID, "requires an unknown unit", r.ID)
		}
		for _, x := range u.Conflicts {
			f.known(u.ID, "conflicts with an unknown unit", x.ID)
		}
	}
	f.once("is called", units, func(u Unit) []string { return foldAll(names(u)) })
	f.once("has a module named", units, func(u Unit) []string {
		var out []string
		for _, m := range u.Modules {
			out = append(out, m.Name)
		}
		return out
	})
	f.once("brings the file", units, func(u Unit) []string {
		var out []string
		for _, file := range slices.Concat(f.c.assets[u.ID], f.c.seeds[u.ID]) {
			out = append(out, file.Path)
		}
		return out
	})
	f.cycles(units)
}

// known checks that a unit that another one names exists.
func (f *faults) known(id ID, what string, other ID) {
	if _, ok := f.c.units[other]; !ok && other != "" {
		f.add(id, "%s: %q", what, other)
	}
}

// once checks that no two units claim the same thing.
func (f *faults) once(what string, units []Unit, claims func(Unit) []string) {
	owner := map[string]ID{}
	for _, u := range units {
		for _, name := range claims(u) {
			if first, taken := owner[name]; taken && first != u.ID {
				f.add(u.ID, "%s %q, and so is or does %q", what, name, first)
				continue
			}
			owner[name] = u.ID
		}
	}
}

// cycles reports each unit that needs itself, through ancestors and requirements.
func (f *faults) cycles(units []Unit) {
	const (
		unseen = iota
		open
		closed
	)
	mark := map[ID]int{}
	var visit func(id ID)
	visit = func(id ID) {
		mark[id] = open
		for _, n := range f.c.units[id].needs() {
			switch mark[n] {
			case open:
				f.add(id, "needs %q, which needs it in turn", n)
			case unseen:
				visit(n)
			}
		}
		mark[id] = closed
	}
	for _, u := range units {
		if mark[u.ID] == unseen {
			visit(u.ID)
		}
	}
}

// needs returns what a unit needs directly: its parent and its requirements.
func (u Unit) needs() []ID {
	var ids []ID
	if u.Parent != "" {
		ids = append(ids, u.Parent)
	}
	for _, r := range u.Requires {
		ids = append(ids, r.ID)
	}
	return ids
}

// validID reports whether an id can be used in commands and file names everywhere.
func validID(id ID) bool {
	for word := range strings.SplitSeq(string(id), "-") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// joinLevels lists the levels for a message.
func joinLevels() string {
	var s []string
	for _, l := range Levels() {
		s = append(s, string(l))
	}
	return strings.Join(s, ", ")
}
