package features

import "github.com/rolemgr/rolemgr/runtime/wshost/module"

// Catalog is a validated, immutable set of units.
type Catalog struct{}

// NewCatalog checks the units and returns every fault at once: duplicate ids or names, an unknown parent or
// requirement, a cycle, a requirement without a reason, a module name used twice.
func NewCatalog(units []Unit) (*Catalog, error) { panic("contract") }

// Tree returns the nodes that are not units with a folder of their own: the role, its groups, and the role services
// that are not available here, in the order of Windows Server 2012 (facts: the role tree of IIS 8).
func Tree() []Unit { panic("contract") }

// Units returns every unit in display order: depth first, siblings as Server Manager shows them.
func (c *Catalog) Units() []Unit { panic("contract") }

// Unit returns the unit with that id.
func (c *Catalog) Unit(id ID) (Unit, bool) { panic("contract") }

// Children returns the ids of the children of a node in display order; "" gives the roots.
func (c *Catalog) Children(id ID) []ID { panic("contract") }

// Depth returns how many ancestors a node has.
func (c *Catalog) Depth(id ID) int { panic("contract") }

// Find looks a unit up by id, Windows name, DISM name or display name, in any case. The error is a *NotFoundError.
func (c *Catalog) Find(name string) (Unit, error) { panic("contract") }

// Match returns the units whose id, names or title match a pattern with * and ?, in display order.
func (c *Catalog) Match(pattern string) ([]Unit, error) { panic("contract") }

// Modules returns the modules of every unit with Feature and Title filled in.
func (c *Catalog) Modules() []module.Info { panic("contract") }

// Hash identifies the catalogue's content: ids, assets, versions. It is part of every plan.
func (c *Catalog) Hash() string { panic("contract") }

// NotFoundError is a name that no unit has.
type NotFoundError struct {
	Name        string
	Suggestions []Unit // best first, at most three
}

// Error names what was typed.
func (e *NotFoundError) Error() string { panic("contract") }
