package features

import "slices"

// Levels returns every server level, oldest first: the versions of IIS from 7.0, which introduced the role services,
// to 10.0.
func Levels() []Level { return []Level{"7.0", "7.5", "8.0", "8.5", "10.0"} }

// Valid reports whether l is one of Levels.
func (l Level) Valid() bool { return slices.Contains(Levels(), l) }

// Compare returns a negative number when l is older than m, 0 when they are the same and a positive number when l is
// newer. It follows the order of Levels, because "10.0" is newer than "8.5" although it sorts before it as text.
func (l Level) Compare(m Level) int {
	return slices.Index(Levels(), l) - slices.Index(Levels(), m)
}

// has reports whether a server of this level has the unit. The empty level has everything.
func (l Level) has(u Unit) bool {
	if l == "" {
		return true
	}
	return (u.Since == "" || l.Compare(u.Since) >= 0) && (u.Until == "" || l.Compare(u.Until) <= 0)
}

// refuse says why a server of this level does not have the unit.
func (l Level) refuse(u Unit) string {
	if u.Since != "" && l.Compare(u.Since) < 0 {
		return u.Title + " came with IIS " + string(u.Since) + "; this server stands for IIS " + string(l)
	}
	return u.Title + " was last part of IIS " + string(u.Until) + "; this server stands for IIS " + string(l)
}
