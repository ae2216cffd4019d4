package config

import (
	"fmt"
	"slices"
)

// A collector carries out the directives of a collection in the order of the file.
type collector struct {
	m         *merger
	owner     *element
	decl      *Collection
	inherited []*element // nil where an entry was removed
	own       []*element // added by this file, likewise
	byKey     map[string]slot
}

// A slot is where an entry is held.
type slot struct {
	own bool
	i   int
}

func newCollector(m *merger, owner *element) *collector {
	c := &collector{m: m, owner: owner, decl: owner.decl.Collection, inherited: slices.Clone(owner.items), byKey: map[string]slot{}}
	for i, e := range c.inherited {
		c.byKey[e.key] = slot{false, i}
	}
	return c
}

// directive carries out one directive; it returns false when the element is none.
func (c *collector) directive(n *node) bool {
	switch n.name {
	case c.decl.Add.Name:
		c.add(n)
	case "":
		return false
	case c.decl.Remove:
		c.remove(n)
	case c.decl.Clear:
		c.clear(n)
	default:
		return false
	}
	return true
}

func (c *collector) at(s slot) *element { return *c.held(s) }

// held is where the entry of a slot is.
func (c *collector) held(s slot) **element {
	if s.own {
		return &c.own[s.i]
	}
	return &c.inherited[s.i]
}

func (c *collector) add(n *node) {
	before := len(c.m.errs)
	e := c.m.element(nil, c.owner.decl.add, n)
	if len(c.m.errs) > before {
		return
	}
	e.key, e.dropIn = e.makeKey(), c.m.dropIn
	s, double := c.byKey[e.key]
	if !double || c.decl.AllowDuplicates {
		c.byKey[e.key] = slot{true, len(c.own)}
		c.own = append(c.own, e)
		return
	}
	old := c.at(s)
	// A person may repeat what a drop-in says: the two agree. Only a contradiction needs a decision.
	if old.dropIn && c.m.level == 0 && old.at.doc != n.doc && old.equal(e) {
		return
	}
	if c.decl.StockYields && old.dropIn && !e.dropIn {
		if l := old.locked(lockWhole, "", c.m.level); l != nil {
			c.m.lockedAt(n.place(), l, fmt.Sprintf("the entry with %s", e.describe()))
			return
		}
		*c.held(s) = nil
		c.byKey[e.key] = slot{true, len(c.own)}
		c.own = append(c.own, e)
		return
	}
	hint := "delete one of the two"
	if old.at.doc != n.doc && c.decl.Remove != "" {
		hint = fmt.Sprintf("write <%s %s /> before it to replace the entry of %s", c.decl.Remove, e.describe(), old.at.pos())
	}
	c.m.fault(n.place(), HResultDuplicate, fmt.Sprintf("<%s> with %s is already in the collection, from %s", n.name, e.describe(), old.at.pos()), hint)
}

// remove takes out the entry with the same key. That there is none is harmless, as in IIS.
func (c *collector) remove(n *node) {
	decl := c.owner.decl.add
	probe := newElement(decl)
	for _, a := range n.attrs {
		i, ok := decl.attrs[a.name]
		at := place{n.doc, a.start}
		if !ok || !decl.Attributes[i].Key {
			var keys []string
			for _, k := range decl.keys {
				keys = append(keys, decl.Attributes[k].Name)
			}
			c.m.malformed(at, fmt.Sprintf("<%s> has no attribute %q%s", n.name, a.name, didYouMean(a.name, keys)), "it names the key of the entry only")
			return
		}
		v, ok := c.m.value(&decl.Attributes[i], a.value, at)
		if !ok {
			return
		}
		probe.vals[i] = v
	}
	for _, k := range decl.keys {
		if a := &decl.Attributes[k]; !probe.vals[k].set && (a.Required || a.Default == "") {
			c.m.malformed(n.place(), fmt.Sprintf("<%s> needs the attribute %q", n.name, a.Name), "")
			return
		}
	}
	c.noContent(n)
	key := probe.makeKey()
	s, ok := c.byKey[key]
	if !ok {
		return
	}
	if l := c.at(s).locked(lockWhole, "", c.m.level); l != nil {
		c.m.lockedAt(n.place(), l, fmt.Sprintf("the entry with %s", probe.describe()))
		return
	}
	delete(c.byKey, key)
	if !c.decl.AllowDuplicates {
		*c.held(s) = nil
		return
	}
	for _, part := range [2][]*element{c.inherited, c.own} {
		for i, e := range part {
			if e != nil && e.key == key {
				part[i] = nil
			}
		}
	}
}

func (c *collector) clear(n *node) {
	for _, a := range n.attrs {
		c.m.malformed(place{n.doc, a.start}, fmt.Sprintf("<%s> has no attribute %q", n.name, a.name), "")
	}
	c.noContent(n)
	for _, e := range c.inherited {
		if e == nil {
			continue
		}
		if l := e.locked(lockWhole, "", c.m.level); l != nil {
			c.m.lockedAt(n.place(), l, fmt.Sprintf("the entry with %s, which <%s> would remove,", e.describe(), n.name))
			return
		}
	}
	c.inherited, c.own = nil, nil
	clear(c.byKey)
}

func (c *collector) noContent(n *node) {
	if len(n.kids) > 0 || n.text >= 0 {
		c.m.malformed(n.place(), fmt.Sprintf("<%s> must be empty", n.name), "")
	}
}

func (c *collector) result(prepend bool) []*element {
	first, second := c.inherited, c.own
	if prepend {
		first, second = second, first
	}
	items := make([]*element, 0, len(first)+len(second))
	for _, part := range [2][]*element{first, second} {
		for _, e := range part {
			if e != nil {
				items = append(items, e)
			}
		}
	}
	return items
}
