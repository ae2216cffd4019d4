package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// recoverResult is what `rolemgr recover --json` prints.
type recoverResult struct {
	Version     int    `json:"version"`
	Success     bool   `json:"success"`
	Result      string `json:"result"` // "nothing", "finished", "undone"
	Transaction string `json:"transaction,omitempty"`
	Command     string `json:"command,omitempty"`
}

func newRecoverCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "recover",
		Short: "Finish or undo an interrupted change",
		Long: `Finish or undo a change that was interrupted, by a crash or a loss of power.

What had been committed is finished, everything else is undone. Every command does this by itself when it can; recover
does nothing else, and fails when it cannot.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runRecover(cmd.Context(), c) },
	}
}

func runRecover(ctx context.Context, c *cli) error {
	t, err := c.server()
	if err != nil {
		return err
	}
	r, err := t.Recover(ctx)
	if err != nil {
		return err
	}
	res := recoverResult{Version: 1, Success: true, Result: "nothing", Transaction: r.Transaction, Command: r.Command}
	line := "nothing to recover"
	switch {
	case r.Finished:
		res.Result, line = "finished", recoveryLine(r)
	case r.Undone:
		res.Result, line = "undone", recoveryLine(r)
	}
	return c.print(res, func(w io.Writer) { fmt.Fprintln(w, line) })
}
