package features

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// maxSuggestions is how many near misses a person is shown.
const maxSuggestions = 3

// NotFoundError is a name that no unit has.
type NotFoundError struct {
	Name        string
	Suggestions []Unit // best first, at most three
}

// Error names what was typed and the nearest units.
func (e *NotFoundError) Error() string {
	msg := fmt.Sprintf("no feature is called %q", e.Name)
	if len(e.Suggestions) == 0 {
		return msg
	}
	ids := make([]string, len(e.Suggestions))
	for i, u := range e.Suggestions {
		ids[i] = string(u.ID)
	}
	return msg + "; did you mean " + orList(ids) + "?"
}

// Find looks a unit up by id, Windows name, DISM name or display name, in any case. When no unit has exactly that
// name, spaces, underscores and hyphens are overlooked, provided that only one unit is meant. The error is a
// *NotFoundError.
func (c *Catalog) Find(name string) (Unit, error) {
	typed := fold(name)
	for _, id := range c.order {
		if slices.Contains(foldAll(names(c.units[id])), typed) {
			return c.units[id], nil
		}
	}
	var meant []Unit
	for _, id := range c.order {
		if u := c.units[id]; slices.ContainsFunc(names(u), func(n string) bool { return squeeze(n) == squeeze(name) }) {
			meant = append(meant, u)
		}
	}
	switch len(meant) {
	case 0:
		return Unit{}, &NotFoundError{Name: name, Suggestions: c.suggest(name)}
	case 1:
		return meant[0], nil
	default:
		return Unit{}, &NotFoundError{Name: name, Suggestions: meant[:min(len(meant), maxSuggestions)]}
	}
}

// names returns the names by which a person may call a unit.
func names(u Unit) []string {
	all := []string{string(u.ID), u.WindowsName, u.DISMName, u.Title}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// fold makes names comparable in any case.
func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// foldAll folds each name.
func foldAll(names []string) []string {
	for i, n := range names {
		names[i] = fold(n)
	}
	return names
}

// squeeze also overlooks how words are joined.
func squeeze(name string) string {
	return strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(fold(name))
}

// suggest returns the units whose names are nearest to what was typed. Among equals, what can be installed comes
// first.
func (c *Catalog) suggest(name string) []Unit {
	typed := squeeze(name)
	type match struct {
		unit Unit
		cost int
	}
	var found []match
	for _, id := range c.order {
		u := c.units[id]
		best := -1
		for _, n := range names(u) {
			if cost := distance(typed, squeeze(n)); cost >= 0 && (best < 0 || cost < best) {
				best = cost
			}
		}
		if best >= 0 {
			found = append(found, match{u, best})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), compareBool(a.unit.Unavailable != nil, b.unit.Unavailable != nil))
	})
	var units []Unit
	for _, m := range found[:min(len(found), maxSuggestions)] {
		units = append(units, m.unit)
	}
	return units
}

// distance rates how near a name is to what was typed, 0 the nearest, -1 not near at all: a few slips of the finger,
// then a beginning, then a part.
func distance(typed, name string) int {
	const beginning, part, shortest = 2, 3, 3
	if d := edits(typed, name); d <= 1+len(typed)/5 && d < len(typed) {
		return d
	}
	if len(typed) < shortest || len(name) < shortest {
		return -1
	}
	switch {
	case strings.HasPrefix(name, typed):
		return beginning
	case strings.Contains(name, typed), strings.Contains(typed, name):
		return part
	}
	return -1
}

// edits is the number of letters to insert, drop, change or swap with their neighbour to turn a into b (the optimal
// string alignment distance).
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(x)][len(y)]
}

// compareBool puts false before true.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// orList joins words the way a person does: "a, b or c".
func orList(words []string) string { return joinWords(words, "or") }

// andList joins words the way a person does: "a, b and c".
func andList(words []string) string { return joinWords(words, "and") }

// joinWords joins words with commas and a last conjunction.
func joinWords(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
