package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

type siteAddOptions struct {
	confOptions
	bindingFlags
	name string
	id   uint32
}

func newSiteAddCommand(c *cli) *cobra.Command {
	o := siteAddOptions{}
	cmd := &cobra.Command{
		Use:   "add FOLDER --port PORT",
		Short: "Serve a folder as a site of its own",
		Long: `Serve a folder as a site of its own: applicationHost.config gets a <site>, and a running host serves it at once. The name
is that of the folder unless --name gives another; the id is the next free one.

Without --ip the site can be reached from this machine only. Several sites may share a port when their host names differ.
A binding that another site has, and a port that another program has, are refused.`,
		Example: `  rolemgr site add ./dist --port 8081
  rolemgr site add /srv/www/shop --name Shop --port 80 --ip '*' --host shop.example.com
  rolemgr site add ./dist --https --port 8443 --cert site.pem --key site-key.pem`,
		Args: argCount(1, 1, "a folder"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSiteAdd(cmd.Context(), c, args[0], o) },
	}
	o.confOptions.addFlags(cmd)
	o.bindingFlags.addFlags(cmd)
	o.bindingFlags.addCertificateFlags(cmd)
	cmd.Flags().StringVar(&o.name, "name", "", "the name of the site (default: the name of the folder)")
	cmd.Flags().Uint32Var(&o.id, "id", 0, "the id of the site (default: the next free one)")
	return cmd
}

func runSiteAdd(ctx context.Context, c *cli, folder string, o siteAddOptions) error {
	b, err := o.binding(c)
	if err != nil {
		return err
	}
	return c.editSites(ctx, o.confOptions, func(s *confTree, d *edit.Document) (*confEdit, error) {
		dir, err := c.contentFolder(folder)
		if err != nil {
			return nil, err
		}
		name := o.name
		if name == "" {
			name = filepath.Base(dir)
		}
		if strings.TrimSpace(name) == "" || strings.ContainsAny(name, `/\?`) {
			return nil, &usageError{fmt.Sprintf("%q is no name of a site", name), `give it one without any of / \ ? with --name`}
		}
		id, err := s.freeSite(name, o.id)
		if err != nil {
			return nil, err
		}
		if err := s.freeBinding(config.Site{}, b); err != nil {
			return nil, err
		}
		site := edit.Step{Name: elemSite, Keys: []edit.Key{{Name: "name", Value: name}, {Name: "id", Value: fmt.Sprint(id)}}}
		sites := d.Place("", sitesSection)
		if err := d.Add(sites, site); err != nil {
			return nil, &usageError{err.Error(), ""}
		}
		at := sites.Then(site)
		for _, p := range []edit.Path{
			{step(elemApp, "path", "/"), step(elemVDir, "path", "/", "physicalPath", dir)},
			{step("bindings"), b.step()},
		} {
			if err := d.Ensure(at.Then(p...)); err != nil {
				return nil, &usageError{err.Error(), ""}
			}
		}
		row := &siteRow{ID: id, Name: name, State: siteUnknown, AutoStart: true, Bindings: []string{b.protocol + "/" + b.info}, Path: dir}
		return &confEdit{ready: func() error { return s.portFree(b.info) }, site: row}, nil
	})
}

func step(name string, keys ...string) edit.Step {
	s := edit.Step{Name: name}
	for i := 0; i+1 < len(keys); i += 2 {
		s.Keys = append(s.Keys, edit.Key{Name: keys[i], Value: keys[i+1]})
	}
	return s
}

// contentFolder checks a folder that is to be served and returns its absolute path.
func (c *cli) contentFolder(typed string) (string, error) {
	dir, err := filepath.Abs(typed)
	if err != nil {
		return "", fmt.Errorf("the folder %q: %w", typed, err)
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &usageError{fmt.Sprintf("the folder %q does not exist", dir), "make it first, or name another"}
	case err != nil:
		return "", fmt.Errorf("look at the folder: %w", err)
	case !info.IsDir():
		return "", &usageError{fmt.Sprintf("%q is a file", dir), fmt.Sprintf("name its folder, %q", filepath.Dir(dir))}
	}
	if strings.HasPrefix(c.home+"/", strings.TrimSuffix(dir, "/")+"/") {
		return "", &usageError{fmt.Sprintf("%q holds the home folder of this server, %q, with its configuration", dir, c.home), "name a folder that holds content only"}
	}
	if _, err := os.ReadDir(dir); err != nil {
		return "", &hintedError{fmt.Errorf("read the folder: %w", err), "give the account of the server permission to read it"}
	}
	return dir, nil
}

// freeSite checks that no site has the name and chooses an id: one above those in use, so that the logs of a site that
// is gone are not continued.
func (s *confTree) freeSite(name string, id uint32) (uint32, error) {
	next := uint32(1)
	for _, site := range s.tree.Sites() {
		if strings.EqualFold(site.Name, name) {
			return 0, refusal("conflict", fmt.Sprintf("there is a site %q already, for %q", site.Name, rootFolder(site)), "give this one another name with --name")
		}
		if site.ID == id {
			return 0, refusal("conflict", fmt.Sprintf("site %q has the id %d already", site.Name, id), "leave --id out, and a free one is chosen")
		}
		next = max(next, site.ID+1)
	}
	if id != 0 {
		next = id
	}
	return next, nil
}

func refusal(code, summary, hint string) error {
	return &features.RefusedError{Problems: []features.Problem{{Code: code, Summary: summary, Hint: hint}}}
}

// portFree refuses a port that another program listens on. One that a site of this server has is the host's business:
// the reload tells.
func (s *confTree) portFree(info string) error {
	address, port, _ := parsedBinding(info)
	for _, site := range s.tree.Sites() {
		for _, b := range site.Bindings {
			if b.Port == port {
				return nil
			}
		}
	}
	if address == "*" {
		address = ""
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
	switch {
	case err == nil:
		return ln.Close()
	case errors.Is(err, syscall.EADDRINUSE):
		return refusal("in-use", fmt.Sprintf("another program listens on port %d", port), fmt.Sprintf("choose another with --port, or see which with: ss -ltnp 'sport = :%d'", port))
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return refusal("in-use", fmt.Sprintf("this machine has no address %q", address), "see those that it has with: ip address")
	case errors.Is(err, syscall.EACCES):
		return nil // this account may not; that of the server may
	}
	return fmt.Errorf("try the port: %w", err)
}
