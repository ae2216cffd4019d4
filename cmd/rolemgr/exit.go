package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// ExitCode is the exit status of every command. Scripts depend on the values.
type ExitCode int

// The exit codes.
const (
	ExitDone        ExitCode = 0
	ExitFailed      ExitCode = 1
	ExitUsage       ExitCode = 2
	ExitNoChange    ExitCode = 3
	ExitLocked      ExitCode = 4
	ExitRolledBack  ExitCode = 5
	ExitIncomplete  ExitCode = 6
	ExitRefused     ExitCode = 7
	ExitTerminal    ExitCode = 64
	ExitInterrupted ExitCode = 130
)

// exitCodes lists the codes with their meaning in the order of the help.
func exitCodes() []struct {
	Code    ExitCode
	Meaning string
} {
	return []struct {
		Code    ExitCode
		Meaning string
	}{
		{ExitDone, "done"},
		{ExitFailed, "failed; status and verify: something is not as recorded"},
		{ExitUsage, "wrong usage, or a name that nothing has"},
		{ExitNoChange, "no change needed (only with --detailed-exitcode)"},
		{ExitLocked, "locked: another rolemgr, or a running host, holds the server"},
		{ExitRolledBack, "failed, and everything was rolled back"},
		{ExitIncomplete, "failed, and the rollback is incomplete"},
		{ExitRefused, "refused: not available, level, conflict, still in use, or too many live sockets"},
		{ExitTerminal, "needs a terminal"},
		{ExitInterrupted, "interrupted, and rolled back"},
	}
}

// exitHelp is the end of every command's help.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit codes:\n")
	for _, c := range exitCodes() {
		fmt.Fprintf(&b, "  %-4d %s\n", c.Code, c.Meaning)
	}
	return b.String()
}

// usageError is a command line that cannot be understood.
type usageError struct{ message, hint string }

func (e *usageError) Error() string { return e.message }

// hintedError is an error with a next step for the person.
type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Unwrap() error { return e.err }

// silentError ends a command with a code when everything there is to say has been said.
type silentError struct{ code ExitCode }

func (e *silentError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// boundError is a bound on closed sockets that cannot be kept, for nobody can tell how many are open.
type boundError struct{ max int }

func (e *boundError) Error() string {
	return fmt.Sprintf("at most %s may be closed, but it is not known how many are open", liveSockets(e.max))
}

// declinedError is a question answered with no.
type declinedError struct{}

func (*declinedError) Error() string {
	return "nothing was changed: the question was not answered with yes"
}

// codeOf is the one place where errors become exit codes. interrupted tells whether a signal asked for the end.
func codeOf(err error, interrupted bool) ExitCode {
	var silent *silentError
	var usage *usageError
	var notFound *features.NotFoundError
	var refused *features.RefusedError
	var cuts *target.TooManyCutsError
	var locked *state.LockedError
	var incomplete *apply.IncompleteError
	var rolledBack *apply.RolledBackError
	var declined *declinedError
	var bound *boundError
	var terminal *terminalError
	switch {
	case err == nil:
		return ExitDone
	case errors.As(err, &silent):
		return silent.code
	case errors.As(err, &terminal):
		return ExitTerminal
	case errors.As(err, &incomplete):
		return ExitIncomplete
	case interrupted && (errors.As(err, &rolledBack) || errors.Is(err, context.Canceled)):
		return ExitInterrupted
	case errors.As(err, &cuts), errors.As(err, &refused), errors.As(err, &declined), errors.As(err, &bound):
		return ExitRefused
	case errors.As(err, &rolledBack):
		return ExitRolledBack
	case errors.As(err, &locked), errors.Is(err, wshost.ErrRunning):
		return ExitLocked
	case errors.As(err, &usage), errors.As(err, &notFound):
		return ExitUsage
	}
	return ExitFailed
}
