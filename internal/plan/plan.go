// Package plan turns a request into a plan: the changes a person reads and the steps that carry them out, as data.
// It is pure: no clock, no disk, no network. A plan can be printed, saved, journalled and compared.
package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
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
	// Refresh is for a unit that another version of rolemgr has installed: its files become those of this version.
	Refresh Action = "^"
	Keep    Action = "=" // installed already; only listed when it was asked for
	Mark    Action = "*" // only the record changes: the reason of a unit (required -> requested), or the server level
)

// Change is what happens to one unit, and why.
type Change struct {
	Unit    features.ID `json:"unit"` // "" for the server level
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
	// After is the state as it will be recorded. Serial, Written, WrittenBy and LastTransaction are still those of the
	// state before; apply fills them in, and Installed and Version of the features whose Installed is zero.
	After state.State `json:"-"`
}

// Empty reports whether the plan changes nothing, neither on the disk nor in the record.
func (p Plan) Empty() bool {
	for _, c := range p.Changes {
		if c.Action != Keep {
			return false
		}
	}
	return len(p.Steps) == 0
}

// Describe says in a few words what a step does, for events and errors: "put config/features.d/websocket.config".
func Describe(s Step) string {
	switch s.Op {
	case MakeDir:
		return "make folder " + s.Path
	case PutFile:
		if s.Seed {
			return "put " + s.Path + " unless there is one"
		}
		return "put " + s.Path
	case RemoveFile:
		return "remove " + s.Path
	case Reload:
		return "reload the host"
	case Probe:
		return "probe " + string(s.Unit) + describeProbe(s.Probe)
	case CloseSockets:
		ids := make([]string, len(s.Units))
		for i, id := range s.Units {
			ids[i] = string(id)
		}
		return "close the sockets of " + strings.Join(ids, ", ")
	}
	return fmt.Sprintf("unknown step %q", s.Op)
}

// describeProbe says how a probe looks at a unit.
func describeProbe(p *features.Probe) string {
	if p == nil {
		return ""
	}
	switch p.Kind {
	case features.ProbeHTTP:
		return ": GET " + p.Path
	case features.ProbeWebSocket:
		return ": handshake and echo on " + p.Path
	case features.ProbeModule:
		return ": its modules are loaded"
	}
	return ""
}

// Facts is what a plan needs to know of the server beside its state. A nil field means: nothing known, as on a fresh home.
type Facts struct {
	// Hash returns the SHA-256 (lower-case hex) of a file below the home, "" when it does not exist.
	Hash func(path string) string
	// Dir reports whether a folder below the home exists. When it is nil, the plan makes each folder that it needs,
	// which does no harm to one that exists.
	Dir func(path string) bool
	// Sockets are the live upgraded connections by feature.
	Sockets map[features.ID]int
	// Blob reports whether content with that hash is kept from an earlier installation (for rollbacks).
	Blob func(sha256 string) bool
}

// Content returns the bytes of every put-file step that come from the catalogue, by SHA-256.
func Content(c *features.Catalog) (map[string][]byte, error) {
	content := map[string][]byte{}
	for _, u := range c.Units() {
		for _, f := range slices.Concat(c.Assets(u.ID), c.Seeds(u.ID)) {
			content[f.SHA256] = f.Data
		}
	}
	return content, nil
}
