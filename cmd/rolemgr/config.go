package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/spf13/cobra"
)

// checkResult is what `rolemgr config check --json` prints.
type checkResult struct {
	Version int     `json:"version"`
	OK      bool    `json:"ok"`
	Path    string  `json:"path"`
	Faults  []fault `json:"faults"`
}

// fault is a fault of a configuration file.
type fault struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Code    string `json:"code"` // the HRESULT that IIS would show: "0x8007000d"
	Section string `json:"section,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Feature string `json:"feature,omitempty"` // id of the feature that is missing

	source config.Excerpt
}

func newConfigCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at configuration files",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check SITE_DIR|FILE",
		Short: "Check a web.config, or all of them below a folder",
		Long: `Check a web.config, or all of them below a folder, against the features that are installed on this server.

Every fault is told with file, line and column, as the server would answer it with error 500.19; nothing is served and
nothing is changed. A section of a feature that is not installed is a fault that names the feature. Sections of the .NET
Framework are passed over. What applicationHost.config locks is not looked at.`,
		Example: "  rolemgr config check /srv/www/site\n  rolemgr config check web.config --json",
		Args:    argCount(1, 1, "a folder or a file"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runConfigCheck(cmd.Context(), c, args[0]) },
	})
	return cmd
}

func runConfigCheck(ctx context.Context, c *cli, path string) error {
	schema, err := c.installedSchema(ctx)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("check the configuration: %w", err)
	}
	check := config.CheckFile
	if info.IsDir() {
		check = config.CheckDir
	}
	res := checkResult{Version: 1, Path: path, Faults: []fault{}}
	for _, e := range check(path, schema) {
		res.Faults = append(res.Faults, fault{
			File: e.Pos.File, Line: e.Pos.Line, Column: e.Pos.Column, Code: fmt.Sprintf("%#08x", e.HResult), Section: e.Section,
			Message: e.Message, Hint: e.Hint, Feature: e.Feature, source: e.Source,
		})
	}
	res.OK = len(res.Faults) == 0
	if err := c.print(res, func(w io.Writer) { writeCheck(w, res) }); err != nil {
		return err
	}
	if !res.OK {
		return &silentError{ExitFailed}
	}
	return nil
}

// installedSchema returns the schema that the host would use with the features that are recorded now.
func (c *cli) installedSchema(ctx context.Context) (*config.Schema, error) {
	t, err := c.openToRead(ctx)
	if err != nil {
		return nil, err
	}
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	recorded := map[string]bool{}
	for _, f := range s.Features {
		recorded[f.ID] = true
	}
	var loaded []module.Info
	for _, m := range c.cat.Modules() {
		if recorded[m.Feature] {
			loaded = append(loaded, m)
		}
	}
	return wshost.Schema(loaded, c.cat.Modules(), c.cat.Known())
}

func writeCheck(w io.Writer, r checkResult) {
	for _, f := range r.Faults {
		pos := config.Pos{File: f.File, Line: f.Line, Column: f.Column}
		fmt.Fprintf(w, "%s: %s\n", pos, f.Message)
		for i, line := range f.source.Lines {
			mark := " "
			if f.source.First+i == f.Line {
				mark = ">"
			}
			fmt.Fprintf(w, "  %s %4d | %s\n", mark, f.source.First+i, line)
		}
		if f.Hint != "" {
			fmt.Fprintf(w, "    hint: %s\n", f.Hint)
		}
	}
	switch len(r.Faults) {
	case 0:
		fmt.Fprintf(w, "%s: no fault\n", r.Path)
	case 1:
		fmt.Fprintf(w, "%s: 1 fault\n", r.Path)
	default:
		fmt.Fprintf(w, "%s: %d faults\n", r.Path, len(r.Faults))
	}
}
