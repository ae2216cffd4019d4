package main

import (
	"context"
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// newConfigLockCommand makes lock (Deny) or unlock (Allow).
func newConfigLockCommand(c *cli, mode config.OverrideMode) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "lock SECTION",
		Short: "Keep web.config files from containing a section",
		Long: `Keep web.config files from containing a section: applicationHost.config gets a location tag with
overrideMode="Deny" that holds the section, for every site or for the one of --site. What is written of the section moves
into it. A site that uses the section already would be answered with error 500.19, so the lock is refused, with the place.`,
		Example: "  rolemgr config lock webSocket\n  rolemgr config lock staticContent --site \"Default Web Site\"",
		Args:    argCount(1, 1, "a section"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConfigLock(cmd.Context(), c, args[0], mode, o)
		},
	}
	if mode == config.Allow {
		cmd.Use, cmd.Short = "unlock SECTION", "Let web.config files contain a section"
		cmd.Long = `Let web.config files contain a section that is locked: applicationHost.config gets a location tag with
overrideMode="Allow" that holds the section, for every site or for the one of --site.`
		cmd.Example = "  rolemgr config unlock webSocket --site \"Default Web Site\""
	}
	o.confOptions.addFlags(cmd)
	cmd.Flags().StringVar(&o.site, "site", "", "the site, or a path of it: NAME[/PATH] (default: every site)")
	return cmd
}

func runConfigLock(ctx context.Context, c *cli, typed string, mode config.OverrideMode, o setOptions) error {
	o.commit = commitAppHost
	return c.editSection(ctx, typed, o, func(w *sectionEdit) error {
		if len(w.path.steps) > 0 {
			return &usageError{
				fmt.Sprintf("%q is an element of a section: sections are locked whole", typed),
				fmt.Sprintf("name the section, %s, or write lockElements or lockAttributes on it by hand", w.path.section),
			}
		}
		if w.eff != nil {
			if by, locked := w.eff.Locked(w.path.section); locked == (mode == config.Deny) && (by.File == "" || by.File == w.place.file) {
				return nil
			}
		}
		return w.doc.Override(w.place.location, w.path.section, string(mode))
	})
}
