package features

import (
	"slices"
	"strings"
)

// Match returns the units whose id, names or title match a pattern with * (any letters) and ? (one letter), in
// display order and any case. A pattern that matches nothing gives no units and no error, as it does in
// Get-WindowsFeature; a name without * and ? is looked up with Find.
func (c *Catalog) Match(pattern string) ([]Unit, error) {
	if !strings.ContainsAny(pattern, "*?") {
		u, err := c.Find(pattern)
		if err != nil {
			return nil, err
		}
		return []Unit{u}, nil
	}
	p := []rune(fold(pattern))
	var units []Unit
	for _, u := range c.Units() {
		if slices.ContainsFunc(foldAll(names(u)), func(n string) bool { return matches(p, []rune(n)) }) {
			units = append(units, u)
		}
	}
	return units, nil
}

// matches reports whether a whole name fits a pattern. On a mismatch it goes back only to the last star, so that the
// time is bounded by the product of both lengths.
func matches(p, s []rune) bool {
	i, j := 0, 0
	star, from := -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
