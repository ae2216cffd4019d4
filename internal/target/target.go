// Package target is a server as the faces see it: what is installed, what a request would change, and changing it.
// Local is the server of a home folder on this machine.
//
// It renders nothing and asks nothing: wizard, plain dialogue and command line do.
package target

import (
	"context"
	"fmt"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// Target is a server. Methods may be called concurrently; writers exclude one another by the server's lock.
type Target interface {
	// Name is the server's name as shown to people.
	Name() string
	// State returns what is recorded. It writes nothing.
	State(ctx context.Context) (state.State, error)
	// Plan returns what a request would change. It writes nothing and needs no permission to write.
	Plan(ctx context.Context, r plan.Request) (plan.Plan, diag.List, error)
	// Apply carries a plan out (see apply.Run).
	Apply(ctx context.Context, p plan.Plan, o ApplyOptions) (apply.Result, error)
	// Recover finishes or undoes an interrupted transaction.
	Recover(ctx context.Context) (apply.Recovery, error)
	// Pending reports an interrupted transaction. It writes nothing.
	Pending(ctx context.Context) (apply.Recovery, bool, error)
	// Verify compares the recorded files with the disk. It writes nothing.
	Verify(ctx context.Context) ([]FileCheck, error)
	// Probe looks at every installed unit on the running host, or on a throw-away one when none runs.
	Probe(ctx context.Context) ([]UnitProbe, error)
	// Host returns the running host's status; wshost.ErrNotRunning when none runs.
	Host(ctx context.Context) (wshost.Status, error)
	// History returns the past states that can be returned to, newest first, the current one at the head.
	History(ctx context.Context) ([]state.State, error)
}

// ApplyOptions are the choices of one Apply.
type ApplyOptions struct {
	Command string
	Wait    time.Duration // for the lock
	MaxCut  int           // refuse to close more live sockets than that; negative: no bound
	Emit    func(apply.Event)
}

// TooManyCutsError is a plan refused because it would close more live sockets than allowed.
type TooManyCutsError struct{ Cuts, Max int }

// Error names both numbers.
func (e *TooManyCutsError) Error() string {
	return fmt.Sprintf("%s would be closed, but at most %d may be", sockets(e.Cuts), e.Max)
}

// sockets returns "1 live socket" or "n live sockets".
func sockets(n int) string {
	if n == 1 {
		return "1 live socket"
	}
	return fmt.Sprintf("%d live sockets", n)
}

// FileState is how a recorded file compares with the disk. The values reach JSON output.
type FileState string

// The file states.
const (
	FileOK      FileState = "ok"
	FileChanged FileState = "changed"
	FileMissing FileState = "missing"
	// FileOutdated is a file as it was recorded, where this version of rolemgr brings another one, or none. It also is a file
	// that this version brings and that is not there yet.
	FileOutdated FileState = "outdated"
	// FileUnrecorded is a drop-in that no feature has put there, although the host reads it.
	FileUnrecorded FileState = "unrecorded"
)

// FileCheck is one recorded file, one that a newer version of its feature has, or a drop-in that is not recorded.
type FileCheck struct {
	Unit  features.ID `json:"unit"` // "" when it is not recorded
	Path  string      `json:"path"`
	State FileState   `json:"state"`
}

// UnitProbe is what a probe saw of a unit.
type UnitProbe struct {
	Unit   features.ID `json:"unit"`
	OK     bool        `json:"ok"`
	Detail string      `json:"detail"` // what was seen, or why it failed
}
