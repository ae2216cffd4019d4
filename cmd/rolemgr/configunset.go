package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
)

func newConfigUnsetCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "unset SECTION [ATTRIBUTE...]",
		Short: "Take attributes of a section out of a file, or the section",
		Long: `Take attributes out of a configuration file, so that what files above say, or the default, holds again. Without the
name of an attribute the whole element goes. Elements that say nothing any more go with it.
` + pathHelp,
		Example: `  rolemgr config unset webSocket enabled --site "Default Web Site/chat"
  rolemgr config unset staticContent/clientCache`,
		Args: argCount(1, -1, "a section"),
		RunE: func(cmd *cobra.Command, args []string) error { return runConfigUnset(cmd.Context(), c, args, o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runConfigUnset(ctx context.Context, c *cli, args []string, o setOptions) error {
	return c.editSection(ctx, args[0], o, func(w *sectionEdit) error {
		if len(args) == 1 {
			_, err := w.doc.Remove(w.at)
			return err
		}
		for _, name := range args[1:] {
			a, err := w.path.attributeNamed(name)
			if err != nil {
				return err
			}
			if a.Required && w.doc.Has(w.at) {
				return &usageError{fmt.Sprintf("<%s> needs the attribute %q", w.path.element.Name, a.Name), "set it to another value, or take out the whole element by leaving its name out"}
			}
			if _, err := w.doc.Unset(w.at, a.Name); err != nil {
				return err
			}
		}
		return nil
	})
}
