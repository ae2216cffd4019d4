package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/spf13/cobra"
)

type rollbackOptions struct {
	change changeOptions
	serial string // as typed; "" for the previous state
}

func newRollbackCommand(c *cli) *cobra.Command {
	o := rollbackOptions{}
	cmd := &cobra.Command{
		Use:   "rollback [SERIAL] [flags]",
		Short: "Return to a past state",
		Long: `Return to a past state, the previous one unless a serial of "rolemgr history" is given.

It is a change like any other: planned, proven, recorded under a new serial, and undone when it fails.`,
		Args: argCount(0, 1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.serial = strings.Join(args, "")
			return runRollback(cmd.Context(), c, o)
		},
	}
	o.change.addFlags(cmd)
	return cmd
}

func runRollback(ctx context.Context, c *cli, o rollbackOptions) error {
	t, err := c.openToWrite(ctx, o.change.whatIf)
	if err != nil {
		return err
	}
	past, err := pastState(ctx, t, o.serial)
	if err != nil {
		return err
	}
	return c.change(ctx, t, plan.Request{To: &past}, o.change)
}

// pastState finds the state to return to.
func pastState(ctx context.Context, t target.Target, typed string) (state.State, error) {
	states, err := t.History(ctx)
	if err != nil {
		return state.State{}, err
	}
	if typed == "" {
		if len(states) < 2 {
			return state.State{}, &hintedError{fmt.Errorf("there is no past state to return to"), "\"rolemgr history\" lists what is kept"}
		}
		return states[1], nil
	}
	serial, err := strconv.ParseUint(typed, 10, 64)
	if err != nil {
		return state.State{}, &usageError{fmt.Sprintf("%q is not a serial", typed), "a serial is a number of \"rolemgr history\""}
	}
	for _, s := range states {
		if s.Serial == serial {
			return s, nil
		}
	}
	return state.State{}, &usageError{fmt.Sprintf("no state with serial %d is kept", serial), "\"rolemgr history\" lists what is kept"}
}
