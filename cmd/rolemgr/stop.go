package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/spf13/cobra"
)

type stopOptions struct {
	stopTimeout time.Duration
}

// stopResult is what `rolemgr stop --json` prints.
type stopResult struct {
	Version int  `json:"version"`
	Success bool `json:"success"`
}

func newStopCommand(c *cli) *cobra.Command {
	o := stopOptions{}
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "Stop the running host",
		Long: `Stop the running host in an orderly way and wait for its end: requests in progress are answered, sockets are
closed with 1001 (going away), and what has not ended after --stop-timeout is cut.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runStop(cmd.Context(), c, o) },
	}
	cmd.Flags().DurationVar(&o.stopTimeout, "stop-timeout", defaultStopTimeout, "how long requests and sockets may take to end")
	return cmd
}

func runStop(ctx context.Context, c *cli, o stopOptions) error {
	if _, err := c.openToRead(ctx); err != nil {
		return err
	}
	if err := wshost.NewAdmin(c.home).Stop(ctx, o.stopTimeout); err != nil {
		return err
	}
	return c.print(stopResult{Version: 1, Success: true}, func(w io.Writer) { fmt.Fprintln(w, "stopped") })
}
