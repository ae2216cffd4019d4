// Package apply carries a plan out as one transaction: a write-ahead journal with pre-images, the steps, the proof by
// probes, and the rename of state.toml as the one commit point. Whatever is interrupted before that is undone;
// whatever is interrupted after it is finished. It never guesses.
//
// It is not where decisions are made: it does not look at how a plan was made, only whether it is still fresh.
package apply

import (
	"context"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// Host is the running or throw-away host that a transaction is proven against.
type Host interface {
	// Reload makes the host serve what is on disk. Without a running host it only checks that one could.
	Reload(ctx context.Context) error
	// Probe performs the probe of a step. detail is what was seen, for people: "echo of 32 bytes in 0.4 ms".
	Probe(ctx context.Context, s plan.Step) (detail string, err error)
	// CloseSockets closes the upgraded connections of the step's units with 1001 and returns how many there were.
	CloseSockets(ctx context.Context, s plan.Step) (int, error)
}

// Options are what a transaction runs with.
type Options struct {
	Home    string
	FS      atomicfile.FS
	Store   *state.Store
	Host    Host
	Content func(sha256 string) ([]byte, error) // bytes of a put-file step
	Now     func() time.Time
	Version string        // of rolemgr, recorded
	Command string        // the command line, recorded in journal and lock
	Wait    time.Duration // for the lock
	Emit    func(Event)   // may be nil; called from one goroutine
	// Check, if not nil, is called under the lock right before the first step: the last chance to refuse (blast radius).
	Check func(ctx context.Context) error
}

// EventKind is the kind of an Event. The values reach JSON output.
type EventKind string

// The kinds of events, in the order in which a transaction emits them.
const (
	EventBegin    EventKind = "begin"     // Total is set
	EventStep     EventKind = "step"      // a step begins: Step, N, Total
	EventStepDone EventKind = "step-done" // Detail may be set
	EventUndo     EventKind = "undo"      // a step is being undone
	EventCommit   EventKind = "commit"    // state.toml was renamed: Serial
	EventEnd      EventKind = "end"       // Err is set when it failed
)

// Event tells how a transaction is going.
type Event struct {
	Kind   EventKind  `json:"kind"`
	Time   time.Time  `json:"time"`
	N      int        `json:"n,omitempty"`
	Total  int        `json:"total,omitempty"`
	Step   *plan.Step `json:"step,omitempty"`
	Detail string     `json:"detail,omitempty"`
	Serial uint64     `json:"serial,omitempty"`
	Err    string     `json:"error,omitempty"`
}

// Result is the outcome of a committed transaction.
type Result struct {
	Transaction string
	State       state.State
	Closed      int // sockets closed
	// Warnings are what could not be finished after the commit, which the next command tries again, and what a person
	// should know: where a file that was changed by hand is kept.
	Warnings []string
	// Recovered tells of the interrupted transaction that was finished or undone first; zero when there was none.
	Recovered Recovery
}

// Recovery tells what Recover did.
type Recovery struct {
	Transaction string // "" when there was nothing to recover
	Finished    bool   // it was committed and has been finished
	Undone      bool   // it was not committed and has been undone
	Command     string // the command that was interrupted
	// Warnings are what is right on disk but could not be carried on: a host that does not reload, sockets still open.
	Warnings []string
}
