package main

import (
	"context"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/spf13/cobra"
)

// reloadResult is what `rolemgr reload --json` prints.
type reloadResult struct {
	Version    int      `json:"version"`
	Success    bool     `json:"success"`
	Generation uint64   `json:"generation"`
	Warnings   []string `json:"warnings"`
}

func newReloadCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "reload",
		Short: "Make the running host read its configuration again",
		Long: `Make the running host read its configuration again.

No connection is closed. When the configuration is at fault the old one goes on, and the fault is told with file, line
and column.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runReload(cmd.Context(), c) },
	}
}

func runReload(ctx context.Context, c *cli) error {
	if _, err := c.openToRead(ctx); err != nil {
		return err
	}
	r, err := wshost.NewAdmin(c.home).Reload(ctx)
	if err != nil {
		return err
	}
	res := reloadResult{Version: 1, Success: true, Generation: r.Generation, Warnings: append([]string{}, r.Warnings...)}
	return c.print(res, func(w io.Writer) {
		for _, warning := range r.Warnings {
			c.note("warning: %s", warning)
		}
		fmt.Fprintf(w, "reloaded: generation %d\n", r.Generation)
	})
}
