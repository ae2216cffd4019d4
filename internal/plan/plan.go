// Package plan turns a request into a plan: the changes a person reads and the steps that carry them out, as data.
// It is pure: no clock, no disk, no network. A plan can be printed, saved, journalled and compared.
package plan

import (
	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Request is what a person asks for, whichever face they used.
type Request struct {
	features.Wish
	Level features.Level // set the server's level; "" leaves it
	// To, if not nil, asks for exactly the features of a past state (rollback); Wish must be empty then.
	To *state.State
}

// Op is the kind of a step. The list is closed; the values reach the disk.
type Op string

// The ops. Steps before the commit are undone when one fails; close-sockets runs after the commit.
const (
	MakeDir      Op = "make-dir"
	PutFile      Op = "put-file" // replaces a file of rolemgr's, or seeds one that does not exist
	RemoveFile   Op = "remove-file"
	Reload       Op = "reload"
	Probe        Op = "probe"
	CloseSockets Op = "close-sockets"
)

// Step is one thing to do, in order.
type Step struct {
	Op     Op              `json:"op"`
	Unit   features.ID     `json:"unit,omitempty"`
	Path   string          `json:"path,omitempty"`   // slash-separated, relative to the home
	SHA256 string          `json:"sha256,omitempty"` // content of a put-file
	Mode   uint32          `json:"mode,omitempty"`   // permission bits
	Seed   bool            `json:"seed,omitempty"`   // leave an existing file alone; it belongs to a person
	Probe  *features.Probe `json:"probe,omitempty"`
	Units  []features.ID   `json:"units,omitempty"` // of close-sockets
}

// Action is what happens to a unit; the values are the signs that are printed.
type Action string

// The actions.
const (
	Add    Action = "+"
	Remove Action = "-"
	Repair Action = "~" // installed, but its files are not what was recorded
	Keep   Action = "=" // installed already; only listed when it was asked for
	Mark   Action = "*" // installed already, but the recorded reason changes (required -> requested)
)

// Change is what happens to one unit, and why.
type Change struct {
	Unit    features.ID `json:"unit"`
	Title   string      `json:"title"`
	Action  Action      `json:"action"`
	Why     string      `json:"why"`
	Sockets int         `json:"sockets"` // live sockets that this change closes
}

// Plan is a complete transaction as data.
type Plan struct {
	Version    int             `json:"version"` // of this format: 1
	BaseSerial uint64          `json:"base_serial"`
	Catalog    string          `json:"catalog"` // features.Catalog.Hash
	Level      features.Level  `json:"level"`
	Changes    []Change        `json:"changes"`
	Steps      []Step          `json:"steps"`
	Skipped    []features.Skip `json:"skipped,omitempty"`
	Cuts       int             `json:"cuts"` // live sockets that the plan closes, in all
	After      state.State     `json:"-"`    // features as they will be recorded; serial, times and transaction are filled in by apply
}

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool { panic("contract") }

// Facts is what a plan needs to know of the server beside its state. A nil field means: nothing known, as on a fresh home.
type Facts struct {
	// Hash returns the SHA-256 (lower-case hex) of a file below the home, "" when it does not exist.
	Hash func(path string) string
	// Sockets are the live upgraded connections by feature.
	Sockets map[features.ID]int
	// Blob reports whether content with that hash is kept from an earlier installation (for rollbacks).
	Blob func(sha256 string) bool
}

// Build makes the plan for a request. The diagnostics hold warnings (files changed by hand) and, when the request is
// refused, every problem; then err is a *features.RefusedError.
func Build(c *features.Catalog, s state.State, r Request, f Facts) (Plan, diag.List, error) {
	panic("contract")
}

// Content returns the bytes of every put-file step that come from the catalogue, by SHA-256.
func Content(c *features.Catalog) (map[string][]byte, error) { panic("contract") }
