package features

// Cause is why a unit is part of a selection. The values reach the disk.
type Cause string

// The causes.
const (
	Requested Cause = "requested" // named by the person
	Required  Cause = "required"  // needed by another unit
	ByDefault Cause = "default"   // a default service of a role, or a subfeature taken with --include-all-subfeatures
)

// Wish is what a person asks for.
type Wish struct {
	Install, Remove        []ID
	IncludeAllSubfeatures  bool
	IncludeManagementTools bool
}

// Installed is a unit that is installed now, with the cause recorded for it.
type Installed struct {
	ID    ID
	Cause Cause
	By    []ID // who required it
}

// Pick is one unit of a selection.
type Pick struct {
	ID    ID
	Cause Cause
	By    []ID   // who requires it, or the role whose default it is; sorted
	Why   string // the reason, for people
	New   bool   // not installed before
}

// Drop is one unit to be removed.
type Drop struct {
	ID    ID
	Cause Cause // Requested, or Required when it goes because something it needs goes
	By    []ID
	Why   string
}

// Selection is the outcome of a wish: what will be installed afterwards, in dependency order with ties by display
// order, and what goes, dependents first.
type Selection struct {
	Picks []Pick
	Drops []Drop
	// Skipped are default services that are not available here, with the reason.
	Skipped []Skip
}

// Skip is a unit that would have come by default but is not available.
type Skip struct {
	ID     ID
	Reason string
}

// Resolve completes a wish against what is installed: every ancestor and requirement, with the reason; the default
// services of a role that becomes installed; nothing twice. The same arguments always give the same selection.
//
// It returns a *RefusedError with all problems at once: units that are not available, units that a level does not
// have yet, conflicts, and removals that would break what stays (with who still requires it, unless those are
// removed by the same wish).
func (c *Catalog) Resolve(w Wish, installed []Installed, level Level) (Selection, error) {
	panic("contract")
}

// Problem is one reason why a wish is refused.
type Problem struct {
	ID      ID
	Code    string // "unavailable", "not-built", "level", "conflict", "required", "last-service"
	Summary string
	Hint    string
}

// RefusedError is a wish that cannot be fulfilled.
type RefusedError struct{ Problems []Problem }

// Error names the first problem and how many there are.
func (e *RefusedError) Error() string { panic("contract") }
