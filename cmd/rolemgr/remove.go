package main

import (
	"context"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/spf13/cobra"
)

type removeOptions struct {
	change                 changeOptions
	names                  []string
	includeManagementTools bool
}

func newRemoveCommand(c *cli) *cobra.Command {
	o := removeOptions{}
	cmd := &cobra.Command{
		Use:     "remove NAME... [flags]",
		Aliases: []string{"uninstall"},
		Short:   "Remove roles, role services and features",
		Long: `Remove roles, role services and features, with everything below them.

The plan tells how many live sockets each removal closes; --max-cut refuses a plan that would close more. Files that
belong to people, such as applicationHost.config and the content of sites, stay.`,
		Example: `  rolemgr remove websocket --what-if
  rolemgr remove websocket --max-cut 0`,
		Args:              argCount(1, -1, "the name of a feature"),
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			return runRemove(cmd.Context(), c, o)
		},
	}
	o.change.addFlags(cmd)
	cmd.Flags().BoolVar(&o.includeManagementTools, "include-management-tools", false, "remove the management tools too")
	return cmd
}

func runRemove(ctx context.Context, c *cli, o removeOptions) error {
	ids, err := c.ids(o.names)
	if err != nil {
		return err
	}
	t, err := c.openToWrite(ctx, o.change.whatIf)
	if err != nil {
		return err
	}
	return c.change(ctx, t, plan.Request{Wish: features.Wish{
		Remove: ids, IncludeManagementTools: o.includeManagementTools,
	}}, o.change)
}
