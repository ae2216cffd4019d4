package main

import (
	"context"
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

func newConfigClearCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "clear COLLECTION",
		Short: "Take what files above add out of a collection",
		Long: `Write a <clear> at the beginning of a collection: of its entries only those count that the file itself adds. To take the
<clear> back, remove the line, or the whole element with "rolemgr config unset".
` + pathHelp,
		Example: "  rolemgr config clear defaultDocument/files --site \"Default Web Site\"",
		Args:    argCount(1, 1, "a collection"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runConfigClear(cmd.Context(), c, args[0], o) },
	}
	o.addFlags(cmd)
	return cmd
}

func runConfigClear(ctx context.Context, c *cli, typed string, o setOptions) error {
	return c.editSection(ctx, typed, o, func(w *sectionEdit) error {
		coll, err := w.collection()
		if err != nil {
			return err
		}
		if coll.Clear == "" {
			return &usageError{fmt.Sprintf("the entries of <%s> cannot be cleared", w.path.element.Name), "remove them one by one with \"rolemgr config remove\""}
		}
		clear := edit.Step{Name: coll.Clear}
		if w.doc.Has(w.at.Then(clear)) {
			return nil
		}
		return w.doc.First(w.at, clear)
	})
}
