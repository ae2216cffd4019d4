package features

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Catalog is a validated, immutable set of units. Its methods may be called concurrently; the slices inside the
// units it returns must not be changed.
type Catalog struct {
	units    map[ID]Unit
	order    []ID       // display order
	place    map[ID]int // index in order
	children map[ID][]ID
	assets   map[ID][]File
	seeds    map[ID][]File
	hash     string
}

// NewCatalog checks the units and returns every fault at once: duplicate ids or names, an unknown parent or
// requirement, a cycle, a requirement without a reason, a module name used twice, a file that cannot be read, lies
// outside config/ and sites/, or is brought by two units.
func NewCatalog(units []Unit) (*Catalog, error) {
	c := &Catalog{
		units:    make(map[ID]Unit, len(units)),
		children: map[ID][]ID{},
		place:    map[ID]int{},
		assets:   map[ID][]File{},
		seeds:    map[ID][]File{},
	}
	f := &faults{c: c}
	for _, u := range units {
		if _, twice := c.units[u.ID]; twice {
			f.add(u.ID, "is declared twice")
			continue
		}
		c.units[u.ID] = u
		f.unit(u)
		c.load(u, f)
	}
	f.whole(units)
	if err := errors.Join(f.list...); err != nil {
		return nil, err
	}
	for _, u := range units {
		c.children[u.Parent] = append(c.children[u.Parent], u.ID)
	}
	for _, ids := range c.children {
		slices.SortFunc(ids, c.compareSiblings)
	}
	c.arrange("")
	c.hash = c.digest()
	return c, nil
}

// load reads the unit's files.
func (c *Catalog) load(u Unit, f *faults) {
	var err error
	if c.assets[u.ID], err = readFiles(u.Assets); err != nil {
		f.add(u.ID, "has assets that cannot be used: %v", err)
	}
	if c.seeds[u.ID], err = readFiles(u.Seeds); err != nil {
		f.add(u.ID, "has seeds that cannot be used: %v", err)
	}
}

// compareSiblings is the order of Server Manager: default services first, the others after them, each by title.
// Rank overrides it in the few places where Server Manager has an order of its own.
func (c *Catalog) compareSiblings(a, b ID) int {
	x, y := c.units[a], c.units[b]
	if x.Default != y.Default {
		if x.Default {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(x.Rank, y.Rank),
		strings.Compare(strings.ToLower(x.Title), strings.ToLower(y.Title)),
		strings.Compare(string(a), string(b)),
	)
}

// arrange lists the subtree below a node depth first.
func (c *Catalog) arrange(id ID) {
	for _, child := range c.children[id] {
		c.place[child] = len(c.order)
		c.order = append(c.order, child)
		c.arrange(child)
	}
}

// Units returns every unit in display order: depth first, siblings as Server Manager shows them.
func (c *Catalog) Units() []Unit {
	units := make([]Unit, len(c.order))
	for i, id := range c.order {
		units[i] = c.units[id]
	}
	return units
}

// Unit returns the unit with that id.
func (c *Catalog) Unit(id ID) (Unit, bool) {
	u, ok := c.units[id]
	return u, ok
}

// Children returns the ids of the children of a node in display order; "" gives the roots.
func (c *Catalog) Children(id ID) []ID { return slices.Clone(c.children[id]) }

// Ancestors returns the ids of the nodes above a node, its parent first and its root last.
func (c *Catalog) Ancestors(id ID) []ID {
	var above []ID
	for p := c.units[id].Parent; p != ""; p = c.units[p].Parent {
		above = append(above, p)
	}
	return above
}

// Descendants returns the ids of the nodes below a node in display order.
func (c *Catalog) Descendants(id ID) []ID {
	var below []ID
	for _, child := range c.children[id] {
		below = append(below, child)
		below = append(below, c.Descendants(child)...)
	}
	return below
}

// Depth returns how many ancestors a node has.
func (c *Catalog) Depth(id ID) int { return len(c.Ancestors(id)) }

// Modules returns the modules of every unit with Feature and Title filled in, in display order of their units.
func (c *Catalog) Modules() []module.Info {
	var infos []module.Info
	for _, id := range c.order {
		u := c.units[id]
		for _, m := range u.Modules {
			m.Feature, m.Title = string(u.ID), u.Title
			infos = append(infos, m)
		}
	}
	return infos
}

// Hash identifies the catalogue's content: ids, names, relations and the files of every unit. It is part of every
// plan, in lower-case hex.
func (c *Catalog) Hash() string { return c.hash }

// leaf reports whether a node holds no others: a role service that counts when a role asks for at least one.
func (c *Catalog) leaf(id ID) bool { return len(c.children[id]) == 0 }
