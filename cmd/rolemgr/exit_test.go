package main

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

func TestErrorsBecomeExitCodes(t *testing.T) {
	rolledBack := &apply.RolledBackError{Err: context.Canceled}
	for _, tc := range []struct {
		err         error
		interrupted bool
		want        ExitCode
	}{
		{nil, false, 0},
		{nil, true, 0}, // the signal came too late
		{errors.New("any other"), false, 1},
		{errors.New("any other"), true, 1},
		{&usageError{}, false, 2},
		{&features.NotFoundError{}, false, 2},
		{unknownNames{&features.NotFoundError{}}, false, 2},
		{&silentError{ExitNoChange}, false, 3},
		{&state.LockedError{}, false, 4},
		{wshost.ErrRunning, false, 4},
		{&apply.RolledBackError{Err: errors.New("probe")}, false, 5},
		{rolledBack, true, 130},
		{&apply.IncompleteError{Err: errors.New("disk")}, false, 6},
		{&apply.IncompleteError{Err: rolledBack}, true, 6}, // what is left matters more than the signal
		{&apply.RolledBackError{Err: &state.LockedError{}}, false, 5},
		{&features.RefusedError{}, false, 7},
		{&target.TooManyCutsError{}, false, 7},
		{&boundError{}, false, 7},
		{&declinedError{}, false, 7},
		{context.Canceled, true, 130},
	} {
		if got := codeOf(tc.err, tc.interrupted); got != tc.want {
			t.Errorf("codeOf(%T %v, %v) = %d; want %d", tc.err, tc.err, tc.interrupted, got, tc.want)
		}
		if tc.err == nil {
			continue
		}
		if got := codeOf(fmt.Errorf("wrapped: %w", tc.err), tc.interrupted); got != tc.want {
			t.Errorf("codeOf(wrapped %T, %v) = %d; want %d", tc.err, tc.interrupted, got, tc.want)
		}
	}
}

func TestEveryExitCodeIsInTheHelp(t *testing.T) {
	seen := map[ExitCode]bool{}
	for _, c := range exitCodes() {
		if c.Meaning == "" || seen[c.Code] {
			t.Errorf("exit code %d has the meaning %q, or is listed twice", c.Code, c.Meaning)
		}
		seen[c.Code] = true
	}
	for _, c := range []ExitCode{0, 1, 2, 3, 4, 5, 6, 7, 64, 130} {
		if !seen[c] {
			t.Errorf("exit code %d is not in the help", c)
		}
	}
}
