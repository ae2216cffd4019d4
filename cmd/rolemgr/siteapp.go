package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// mappingListResult is what `rolemgr app list --json` and `rolemgr vdir list --json` print.
type mappingListResult struct {
	Version  int       `json:"version"`
	Mappings []mapping `json:"mappings"`
}

// mapping is a URL path of a site and its folder.
type mapping struct {
	Site string `json:"site"`
	Path string `json:"path"` // of the URL
	App  string `json:"app"`  // application that it belongs to
	Dir  string `json:"dir"`
}

// A mappingKind is what app and vdir differ in.
type mappingKind struct{ use, what, whats string }

func newAppCommand(c *cli) *cobra.Command {
	return newMappingCommand(c, mappingKind{"app", "an application", "the applications"})
}

func newVDirCommand(c *cli) *cobra.Command {
	return newMappingCommand(c, mappingKind{"vdir", "a virtual directory", "the virtual directories"})
}

func newMappingCommand(c *cli, k mappingKind) *cobra.Command {
	cmd := &cobra.Command{
		Use:   k.use,
		Short: fmt.Sprintf("Add, list and remove %s of the sites", k.whats),
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add, remove := confOptions{}, confOptions{}
	addCmd := &cobra.Command{
		Use:     "add SITE/PATH FOLDER",
		Short:   fmt.Sprintf("Make a URL path of a site %s with a folder of its own", k.what),
		Long:    fmt.Sprintf("Make a URL path of a site %s with a folder of its own, in applicationHost.config. A running host serves it at once.", k.what),
		Example: fmt.Sprintf("  rolemgr %s add \"Default Web Site/docs\" ./docs", k.use),
		Args:    argCount(2, 2, "SITE/PATH and a folder"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runMappingAdd(cmd.Context(), c, k, args, add) },
	}
	add.addFlags(addCmd)
	removeCmd := &cobra.Command{
		Use:     "remove SITE/PATH",
		Short:   fmt.Sprintf("Take %s away", k.what),
		Long:    fmt.Sprintf("Take %s out of applicationHost.config. Its folder stays.", k.what),
		Example: fmt.Sprintf("  rolemgr %s remove \"Default Web Site/docs\"", k.use),
		Args:    argCount(1, 1, "SITE/PATH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runMappingRemove(cmd.Context(), c, k, args[0], remove)
		},
	}
	remove.addFlags(removeCmd)
	cmd.AddCommand(addCmd, removeCmd, &cobra.Command{
		Use:   "list [SITE]",
		Short: fmt.Sprintf("List %s with their folders", k.whats),
		Args:  argCount(0, 1, ""),
		RunE:  func(cmd *cobra.Command, args []string) error { return runMappingList(cmd.Context(), c, k, args) },
	})
	return cmd
}

// mappings are the applications of a site by their roots, or every virtual directory.
func (k mappingKind) mappings(s config.Site) []mapping {
	var out []mapping
	for i := len(s.Applications) - 1; i >= 0; i-- { // shortest path first
		a := s.Applications[i]
		for j := len(a.VirtualDirs) - 1; j >= 0; j-- {
			v := a.VirtualDirs[j]
			if k.use == "app" && v.Path != "/" {
				continue
			}
			out = append(out, mapping{s.Name, joinURL(a.Path, v.Path), a.Path, v.PhysicalPath})
		}
	}
	return out
}

func joinURL(app, vdir string) string {
	switch {
	case app == "/":
		return vdir
	case vdir == "/":
		return app
	}
	return app + vdir
}

func runMappingList(ctx context.Context, c *cli, k mappingKind, args []string) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	sites := s.tree.Sites()
	if len(args) == 1 {
		site, err := s.site(args[0])
		if err != nil {
			return err
		}
		sites = []config.Site{site}
	}
	res := mappingListResult{Version: 1, Mappings: []mapping{}}
	for _, site := range sites {
		res.Mappings = append(res.Mappings, k.mappings(site)...)
	}
	return c.print(res, func(w io.Writer) {
		for _, m := range res.Mappings {
			fmt.Fprintf(w, "%s  %s\n", fit(m.Site+m.Path, 40), m.Dir)
		}
	})
}

// splitMapping splits SITE/PATH.
func splitMapping(typed string) (site, path string, err error) {
	site, path, _ = strings.Cut(typed, "/")
	path = "/" + strings.Trim(path, "/")
	if site == "" || path == "/" {
		return "", "", &usageError{fmt.Sprintf("%q names no path of a site", typed), "write it as in \"Default Web Site/docs\""}
	}
	return site, path, nil
}

func runMappingAdd(ctx context.Context, c *cli, k mappingKind, args []string, o confOptions) error {
	name, path, err := splitMapping(args[0])
	if err != nil {
		return err
	}
	return c.editSite(ctx, o, name, func(_ *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
		dir, err := c.contentFolder(args[1])
		if err != nil {
			return nil, err
		}
		for _, m := range (mappingKind{}).mappings(site) {
			if strings.EqualFold(m.Path, path) {
				what := "a virtual directory"
				if strings.EqualFold(m.App, path) {
					what = "an application"
				}
				return nil, refusal("conflict", fmt.Sprintf("%q of site %q is %s already, for %q", path, site.Name, what, m.Dir), "take it away first, or choose another path")
			}
		}
		below := edit.Path{step(elemApp, "path", path), step(elemVDir, "path", "/", "physicalPath", dir)}
		if k.use == "vdir" {
			app := owningApp(site, path)
			below = edit.Path{step(elemApp, "path", app), step(elemVDir, "path", belowApp(path, app), "physicalPath", dir)}
		}
		if err := d.Ensure(p.Then(below...)); err != nil {
			return nil, &usageError{err.Error(), ""}
		}
		return &confEdit{}, nil
	})
}

// belowApp returns what follows the path of an application in one of its own.
func belowApp(path, app string) string { return path[len(strings.TrimSuffix(app, "/")):] }

// owningApp returns the path of the application that a URL path belongs to, as written.
func owningApp(s config.Site, path string) string {
	for _, a := range s.Applications { // longest path first
		if a.Path == "/" || len(path) > len(a.Path) && strings.EqualFold(path[:len(a.Path)], a.Path) && path[len(a.Path)] == '/' {
			return a.Path
		}
	}
	return "/"
}

func runMappingRemove(ctx context.Context, c *cli, k mappingKind, typed string, o confOptions) error {
	name, path, err := splitMapping(typed)
	if err != nil {
		return err
	}
	return c.editSite(ctx, o, name, func(_ *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
		var have []string
		for _, m := range k.mappings(site) {
			if m.Path == "/" || k.use == "vdir" && m.Path == m.App {
				continue
			}
			have = append(have, m.Path)
			if !strings.EqualFold(m.Path, path) {
				continue
			}
			at := p.Then(step(elemApp, "path", m.App))
			if k.use == "vdir" {
				at = at.Then(step(elemVDir, "path", belowApp(m.Path, m.App)))
			}
			_, err := d.Remove(at)
			return &confEdit{}, err
		}
		hint := "it has none beside its root"
		if len(have) > 0 {
			hint = "it has " + strings.Join(have, ", ")
		}
		return nil, &usageError{fmt.Sprintf("site %q has no %s %q%s", site.Name, strings.SplitN(k.what, " ", 2)[1], path, config.DidYouMean(path, have)), hint}
	})
}
