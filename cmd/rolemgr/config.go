package main

import "github.com/spf13/cobra"

func newConfigCommand(c *cli) *cobra.Command {
	return &cobra.Command{Use: "config", Args: c.noSuchCommand}
}
