package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// siteListResult is what `rolemgr site list --json` prints.
type siteListResult struct {
	Version      int       `json:"version"`
	Running      bool      `json:"running"`
	Sites        []siteRow `json:"sites"`
	Certificates []certRow `json:"certificates"` // that bindings of the sites name
}

// siteRow is a site as it is listed.
type siteRow struct {
	ID        uint32   `json:"id"`
	Name      string   `json:"name"`
	State     string   `json:"state"` // "Started", "Stopped", "Unknown"
	AutoStart bool     `json:"auto_start"`
	Bindings  []string `json:"bindings"` // "http/*:8080:www.example.com"
	Path      string   `json:"path"`     // folder of the root
}

// States of a site as IIS names them; Unknown is that of a host that may not be asked.
const (
	siteStopped = "Stopped"
	siteUnknown = "Unknown"
)

func newSiteCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "site",
		Short: "Add, list and change the sites of this server",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSiteListCommand(c), newSiteAddCommand(c), newSiteRemoveCommand(c), newSiteBindCommand(c), newSiteUnbindCommand(c),
		newSiteStateCommand(c, true), newSiteStateCommand(c, false))
	return cmd
}

func newSiteListCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the sites",
		Long:  "List the sites that applicationHost.config declares, and whether the running host serves them.",
		Args:  argCount(0, 0, ""),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runSiteList(cmd.Context(), c) },
	}
}

func runSiteList(ctx context.Context, c *cli) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	states := map[uint32]string{}
	res := siteListResult{Version: 1, Sites: []siteRow{}}
	host, err := wshost.NewAdmin(c.home).Status(ctx)
	switch {
	case err == nil:
		res.Running = true
		for _, site := range host.Sites {
			states[site.ID] = site.State
		}
	case errors.Is(err, fs.ErrPermission):
		c.note("note: %v; the states are not known", err)
	case !errors.Is(err, wshost.ErrNotRunning):
		return err
	}
	unknown := err != nil && !errors.Is(err, wshost.ErrNotRunning)
	for _, site := range s.tree.Sites() {
		row := siteRow{ID: site.ID, Name: site.Name, State: states[site.ID], AutoStart: site.AutoStart, Bindings: []string{}, Path: rootFolder(site)}
		switch {
		case unknown:
			row.State = siteUnknown
		case row.State == "": // no host, or one that has not read the site yet
			row.State = siteStopped
		}
		for _, b := range site.Bindings {
			row.Bindings = append(row.Bindings, b.Protocol+"/"+b.Info)
		}
		res.Sites = append(res.Sites, row)
	}
	res.Certificates = c.certificatesOf(s.tree.Sites())
	return c.print(res, func(w io.Writer) { writeSites(w, res) })
}

func writeSites(w io.Writer, r siteListResult) {
	for _, s := range r.Sites {
		fmt.Fprintf(w, "%4d  %s  %s  %s  %s\n", s.ID, fit(s.Name, 24), fit(s.State, 8), strings.Join(s.Bindings, " "), s.Path)
	}
	if len(r.Sites) == 0 {
		fmt.Fprintln(w, "There is no site.")
	}
	writeCertificates(w, r.Certificates)
	if !r.Running {
		fmt.Fprintln(w, "No host is running.")
	}
}

// rootFolder is the folder of the root of a site.
func rootFolder(s config.Site) string {
	for _, a := range s.Applications {
		if a.Path != "/" {
			continue
		}
		for _, v := range a.VirtualDirs {
			if v.Path == "/" {
				return v.PhysicalPath
			}
		}
	}
	return ""
}

// Elements of <sites>.
const (
	sitesSection = "system.applicationHost/sites"
	elemSite     = "site"
	elemApp      = "application"
	elemVDir     = "virtualDirectory"
	elemBinding  = "binding"
)

func sitePath(d *edit.Document, name string) edit.Path {
	return d.Place("", sitesSection).Then(edit.Step{Name: elemSite, Keys: []edit.Key{{Name: "name", Value: name}}})
}

func bindingStep(protocol, info string) edit.Step {
	return edit.Step{Name: elemBinding, Keys: []edit.Key{{Name: "protocol", Value: protocol}, {Name: "bindingInformation", Value: info}}}
}

// editSites changes applicationHost.config.
func (c *cli) editSites(ctx context.Context, o confOptions, change func(*confTree, *edit.Document) (*confEdit, error)) error {
	return c.editConfig(ctx, o, func(s *confTree) (*confEdit, error) {
		place := confPlace{file: s.options.AppHost}
		before, doc, err := place.document()
		if err != nil {
			return nil, err
		}
		e, err := change(s, doc)
		if err != nil {
			return nil, err
		}
		e.place, e.before, e.after = place, before, doc
		return e, nil
	})
}

// editSite changes one site, which applicationHost.config must declare itself.
func (c *cli) editSite(ctx context.Context, o confOptions, name string, change func(*confTree, *edit.Document, config.Site, edit.Path) (*confEdit, error)) error {
	return c.editSites(ctx, o, func(s *confTree, d *edit.Document) (*confEdit, error) {
		site, err := s.site(name)
		if err != nil {
			return nil, err
		}
		p := sitePath(d, site.Name)
		if !d.Has(p) {
			return nil, &hintedError{fmt.Errorf("site %q is not declared in %q", site.Name, s.options.AppHost), fmt.Sprintf("change it in %s", site.Pos)}
		}
		return change(s, d, site, p)
	})
}
