package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
)

// openToRead returns the server for a command that only reads. An interrupted transaction is recovered when that can
// be done; when it cannot (no permission, somebody at work) a note says so and the command goes on.
func (c *cli) openToRead(ctx context.Context) (target.Target, error) {
	t, err := c.server()
	if err != nil {
		return nil, err
	}
	if err := c.mend(ctx, t); err != nil {
		c.noteUnmended(err)
	}
	return t, nil
}

// noteUnmended says what may be wrong with what a command is going to show.
func (c *cli) noteUnmended(err error) {
	var locked *state.LockedError
	var unknown *pendingUnknownError
	switch {
	case errors.As(err, &locked):
		c.note("note: %v; what follows is the state before it", err)
	case errors.As(err, &unknown):
		c.note("note: %v", err)
	default:
		c.note("note: an interrupted transaction waits for \"rolemgr recover\": %v", err)
	}
}

// pendingUnknownError says that nobody can tell whether a transaction was interrupted.
type pendingUnknownError struct{ err error }

func (e *pendingUnknownError) Error() string {
	return fmt.Sprintf("it is not known whether a change was interrupted: %v", e.err)
}

func (e *pendingUnknownError) Unwrap() error { return e.err }

// openToWrite returns the server for a command that changes it, or with whatIf only says what it would change. A
// transaction of somebody at work is no error yet: the command's own transaction waits for the lock.
func (c *cli) openToWrite(ctx context.Context, whatIf bool) (target.Target, error) {
	if whatIf {
		return c.openToRead(ctx)
	}
	t, err := c.server()
	if err != nil {
		return nil, err
	}
	var locked *state.LockedError
	if err := c.mend(ctx, t); err != nil && !errors.As(err, &locked) {
		return nil, err
	}
	return t, nil
}

// mend recovers an interrupted transaction, if there is one, and says so in one line.
func (c *cli) mend(ctx context.Context, t target.Target) error {
	_, pending, err := t.Pending(ctx)
	if err != nil {
		return &pendingUnknownError{err}
	}
	if !pending {
		return nil
	}
	r, err := t.Recover(ctx)
	if err != nil {
		return err
	}
	if r.Finished || r.Undone {
		c.note("%s", recoveryLine(r))
	}
	return nil
}

// recoveryLine says in one line what a recovery did.
func recoveryLine(r apply.Recovery) string {
	command := r.Command
	if command == "" {
		command = "a command"
	}
	if r.Finished {
		return "recovered: \"" + command + "\" had been interrupted after its commit and was finished"
	}
	return "recovered: \"" + command + "\" had been interrupted and was undone"
}
