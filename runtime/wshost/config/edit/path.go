package edit

import (
	"slices"
	"strings"
)

// Path leads from the root element to an element below it.
type Path []Step

// Step is one element of a path: the first one of that name whose attributes are as the keys say.
type Step struct {
	Name    string
	Keys    []Key
	Section bool // it is the element of a section: what a location tag locks
}

// Key is what an attribute of an element must be.
type Key struct {
	Name, Value string
	Default     string // what an element without the attribute counts as; written only when Value differs
	Exact       bool   // upper and lower case differ
	Absent      bool   // the element must not have the attribute at all
}

// Elements returns the path of nested elements without keys: "system.webServer/webSocket".
func Elements(path string) Path {
	var p Path
	for name := range strings.SplitSeq(path, "/") {
		p = append(p, Step{Name: name})
	}
	return p
}

// Then returns the path extended by steps.
func (p Path) Then(steps ...Step) Path { return append(slices.Clip(p), steps...) }

func (s Step) matches(n *node) bool {
	if n.name != s.Name {
		return false
	}
	for _, k := range s.Keys {
		if !k.matches(n) {
			return false
		}
	}
	return true
}

func (k Key) matches(n *node) bool {
	a := n.attr(k.Name)
	if k.Absent {
		return a == nil
	}
	value := k.Default
	if a != nil {
		value = a.value
	}
	if k.Exact {
		return value == k.Value
	}
	return strings.EqualFold(value, k.Value)
}

// find goes down the path as far as it leads, and returns the last element with the steps that are left. The same group
// or location may stand in a file more than once: the way that leads farthest counts, and of two the first.
func (n *node) find(p Path) (*node, Path) {
	best, left := n, p
	if len(p) == 0 {
		return best, left
	}
	for _, k := range n.kids {
		if !p[0].matches(k) {
			continue
		}
		if at, rest := k.find(p[1:]); len(rest) < len(left) {
			best, left = at, rest
		}
	}
	return best, left
}

// lookup returns the element of a path, nil when there is none.
func (d *Document) lookup(p Path) *node {
	if n, left := d.root.find(p); len(left) == 0 {
		return n
	}
	return nil
}

// Has reports whether the element is there.
func (d *Document) Has(p Path) bool { return d.lookup(p) != nil }

// Get returns the value of an attribute as written, unescaped.
func (d *Document) Get(p Path, name string) (string, bool) {
	if n := d.lookup(p); n != nil {
		if a := n.attr(name); a != nil {
			return a.value, true
		}
	}
	return "", false
}

// Place returns where a section stands for a location path: "" for the level of the file. A section that is not there
// yet is placed outside of location tags, or into one that says nothing but its path: another may lock what is in it, or
// keep it from nested applications.
func (d *Document) Place(location, section string) Path {
	bare := Elements(section)
	bare[len(bare)-1].Section = true
	if location == "" {
		if d.Has(bare) {
			return bare
		}
		for _, written := range [...]string{".", ""} {
			if tagged := (Path{locationStep(written)}).Then(bare...); d.Has(tagged) {
				return tagged
			}
		}
		return bare
	}
	if tagged := (Path{locationStep(location)}).Then(bare...); d.Has(tagged) {
		return tagged
	}
	plain := locationStep(location)
	for _, name := range [...]string{attrOverrideMode, attrAllowOverride, attrInherit} {
		plain.Keys = append(plain.Keys, Key{Name: name, Absent: true})
	}
	return Path{plain}.Then(bare...)
}

// The attributes of location tags.
const (
	attrPath          = "path"
	attrOverrideMode  = "overrideMode"
	attrAllowOverride = "allowOverride" // the older spelling
	attrInherit       = "inheritInChildApplications"
)

func locationStep(path string) Step {
	return Step{Name: "location", Keys: []Key{{Name: attrPath, Value: path}}}
}
