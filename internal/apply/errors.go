package apply

import (
	"fmt"

	"github.com/rolemgr/rolemgr/internal/plan"
)

// StaleError is a plan made from a state that is no longer the current one.
type StaleError struct{ Planned, Current uint64 }

// Error names both serials.
func (e *StaleError) Error() string {
	return fmt.Sprintf("the plan was made for state %d, but the server is at state %d now; plan again", e.Planned, e.Current)
}

// DamagedError is a journal that cannot be read, so that nobody can say whether its transaction is to be finished or
// undone. Nothing is changed while it is there.
type DamagedError struct {
	Dir string // absolute; the folder to move away once the files are known to be right
	Err error
}

// Error names the folder.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("the journal in %q is damaged: %v", e.Dir, e.Err)
}

// Unwrap returns what is wrong with it.
func (e *DamagedError) Unwrap() error { return e.Err }

// RolledBackError is a transaction that failed and was undone completely.
type RolledBackError struct {
	Step *plan.Step // the step that failed, nil when it was not a step
	Err  error
}

// Error names the step and why it failed.
func (e *RolledBackError) Error() string {
	if e.Step == nil {
		return fmt.Sprintf("nothing was changed, everything was rolled back: %v", e.Err)
	}
	return fmt.Sprintf("%s failed and everything was rolled back: %v", describe(*e.Step), e.Err)
}

// Unwrap returns why it failed.
func (e *RolledBackError) Unwrap() error { return e.Err }

// IncompleteError is a transaction that failed and could not be undone completely. Files names what is left, with
// the pre-image to put back by hand; nothing was deleted. Once the cause is gone, Recover finishes the work.
type IncompleteError struct {
	Err   error
	Files []Leftover
}

// Leftover is a file that could not be restored. Path and PreImage are absolute; PreImage is "" when there was no
// file before, so that Path is to be removed.
type Leftover struct{ Path, PreImage, Why string }

// Error names the first file.
func (e *IncompleteError) Error() string {
	if len(e.Files) == 0 {
		return fmt.Sprintf("the transaction failed and could not be rolled back yet: %v", e.Err)
	}
	f := e.Files[0]
	todo := fmt.Sprintf("its former content is kept in %q", f.PreImage)
	if f.PreImage == "" {
		todo = "it did not exist before"
	}
	more := ""
	if n := len(e.Files) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Sprintf("the transaction failed (%v) and %q could not be rolled back: %s; %s%s", e.Err, f.Path, f.Why, todo, more)
}

// Unwrap returns why the transaction failed.
func (e *IncompleteError) Unwrap() error { return e.Err }

// describe says for people what a step does.
func describe(s plan.Step) string {
	switch s.Op {
	case plan.MakeDir:
		return fmt.Sprintf("making the folder %q", s.Path)
	case plan.PutFile:
		return fmt.Sprintf("writing the file %q", s.Path)
	case plan.RemoveFile:
		return fmt.Sprintf("removing the file %q", s.Path)
	case plan.Reload:
		return "reloading the host"
	case plan.Probe:
		return fmt.Sprintf("the probe of %q", s.Unit)
	case plan.CloseSockets:
		return "closing sockets"
	}
	return fmt.Sprintf("the step %q", s.Op)
}
