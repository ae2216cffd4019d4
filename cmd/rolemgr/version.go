package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

// versionResult is what `rolemgr version --json` prints.
type versionResult struct {
	Version  int    `json:"version"`
	Program  string `json:"program"`
	Catalog  string `json:"catalog"` // hash of what can be installed
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func newVersionCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program and of its catalogue",
		Args:  argCount(0, 0, ""),
		RunE:  func(*cobra.Command, []string) error { return runVersion(c) },
	}
}

func runVersion(c *cli) error {
	cat, err := c.catalog()
	if err != nil {
		return err
	}
	v := versionResult{1, c.Version, cat.Hash(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	return c.print(v, func(w io.Writer) {
		fmt.Fprintf(w, "rolemgr %s (catalogue %.12s, %s, %s)\n", v.Program, v.Catalog, v.Go, v.Platform)
	})
}
