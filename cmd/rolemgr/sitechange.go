package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
	"github.com/spf13/cobra"
)

// closeGoingAway is the close code of an endpoint that goes away (RFC 6455, section 7.4.1).
const closeGoingAway = 1001

func newSiteRemoveCommand(c *cli) *cobra.Command {
	o := confOptions{}
	cmd := &cobra.Command{
		Use:   "remove SITE",
		Short: "Take a site away",
		Long: `Take a site out of applicationHost.config. Its folder and its logs stay. Requests in progress are answered; its sockets
are closed with 1001 (going away).`,
		Example: "  rolemgr site remove dist",
		Args:    argCount(1, 1, "the name of a site"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.editSite(cmd.Context(), o, args[0], func(_ *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
				_, err := d.Remove(p)
				return &confEdit{done: c.closeSockets(site)}, err
			})
		},
	}
	o.addFlags(cmd)
	return cmd
}

// closeSockets closes the upgraded connections of a site that is not served any more; requests end by themselves.
func (c *cli) closeSockets(site config.Site) func(context.Context) {
	return func(ctx context.Context) {
		n, err := wshost.NewAdmin(c.home).CloseSiteConnections(ctx, []uint32{site.ID}, closeGoingAway, "the site was stopped")
		if err != nil && !errors.Is(err, wshost.ErrNotRunning) {
			c.note("warning: the sockets of site %q could not be closed: %v", site.Name, err)
		}
		if n > 0 {
			c.note("closed %s", liveSockets(n))
		}
	}
}

func newSiteStateCommand(c *cli, start bool) *cobra.Command {
	o := confOptions{}
	cmd := &cobra.Command{
		Use:   "stop SITE",
		Short: "Stop serving a site",
		Long: `Stop serving a site: serverAutoStart="false" is written into applicationHost.config and the running host closes its
bindings, so that it stays stopped when the host starts again. Requests in progress are answered; its sockets are closed
with 1001 (going away).`,
		Example: "  rolemgr site stop \"Default Web Site\"",
		Args:    argCount(1, 1, "the name of a site"),
	}
	if start {
		cmd.Use, cmd.Short, cmd.Example = "start SITE", "Serve a site that is stopped", "  rolemgr site start \"Default Web Site\""
		cmd.Long = "Serve a site that is stopped: serverAutoStart is true again in applicationHost.config, and the running host opens its bindings."
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return c.editSite(cmd.Context(), o, args[0], func(_ *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
			const attr = "serverAutoStart"
			if !start {
				return &confEdit{done: c.closeSockets(site)}, d.Set(p, attr, "false")
			}
			if site.AutoStart {
				return &confEdit{}, nil
			}
			if _, err := d.Unset(p, attr); err != nil {
				return nil, err
			}
			// siteDefaults may say false for every site.
			if v, ok := d.Get(d.Place("", sitesSection).Then(edit.Step{Name: "siteDefaults"}), attr); ok && strings.EqualFold(v, "false") {
				return &confEdit{}, d.Set(p, attr, "true")
			}
			return &confEdit{}, nil
		})
	}
	o.addFlags(cmd)
	return cmd
}

type siteBindOptions struct {
	confOptions
	bindingFlags
}

func newSiteBindCommand(c *cli) *cobra.Command {
	o := siteBindOptions{}
	cmd := &cobra.Command{
		Use:   "bind SITE --port PORT",
		Short: "Give a site another binding",
		Long: `Give a site another binding. Those that it has are not touched, and no connection is closed.

An https binding names a certificate in PEM form; the files are looked at while the server runs, and a new certificate is
used as soon as it lies there. With --host the binding is for clients that ask for this name (SNI).`,
		Example: `  rolemgr site bind "Default Web Site" --port 8080 --ip '*' --host www.example.com
  rolemgr site bind "Default Web Site" --https --ip '*' --host a.example --cert a.pem --key a-key.pem`,
		Args: argCount(1, 1, "the name of a site"),
		RunE: func(cmd *cobra.Command, args []string) error { return runSiteBind(cmd.Context(), c, args[0], o) },
	}
	o.confOptions.addFlags(cmd)
	o.bindingFlags.addFlags(cmd)
	o.bindingFlags.addCertificateFlags(cmd)
	return cmd
}

func runSiteBind(ctx context.Context, c *cli, name string, o siteBindOptions) error {
	b, err := o.binding(c)
	if err != nil {
		return err
	}
	return c.editSite(ctx, o.confOptions, name, func(s *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
		if err := s.freeBinding(site, b); err != nil {
			return nil, err
		}
		if err := d.Ensure(p.Then(step("bindings"), b.step())); err != nil {
			return nil, &usageError{err.Error(), ""}
		}
		return &confEdit{ready: func() error { return s.portFree(b.info) }}, nil
	})
}

func newSiteUnbindCommand(c *cli) *cobra.Command {
	o := siteBindOptions{}
	cmd := &cobra.Command{
		Use:   "unbind SITE --port PORT",
		Short: "Take a binding from a site",
		Long: `Take a binding from a site. It is named by its parts, or whole as "rolemgr site list" shows it. Connections that came in
there end in their own time.`,
		Example: "  rolemgr site unbind \"Default Web Site\" --port 8080 --ip '*' --host www.example.com\n  rolemgr site unbind 1 '*:8080:www.example.com'",
		Args:    argCount(1, 2, "the name of a site"),
		RunE:    func(cmd *cobra.Command, args []string) error { return runSiteUnbind(cmd.Context(), c, args, o) },
	}
	o.confOptions.addFlags(cmd)
	o.bindingFlags.addFlags(cmd)
	return cmd
}

func runSiteUnbind(ctx context.Context, c *cli, args []string, o siteBindOptions) error {
	info := ""
	if len(args) == 2 {
		info = strings.TrimPrefix(strings.TrimPrefix(args[1], "https/"), "http/")
	} else {
		o.https = o.https || o.protocol == protocolHTTPS
		var err error
		if info, err = o.info(); err != nil {
			return err
		}
	}
	return c.editSite(ctx, o.confOptions, args[0], func(_ *confTree, d *edit.Document, site config.Site, p edit.Path) (*confEdit, error) {
		address, port, host := parsedBinding(info)
		var have []string
		for _, b := range site.Bindings {
			have = append(have, b.Info)
			if b.Protocol != protocolHTTP && b.Protocol != protocolHTTPS || b.Port != port || !sameAddress(b.Address, address) || !strings.EqualFold(b.Host, host) {
				continue
			}
			gone, err := d.Remove(p.Then(step("bindings"), bindingStep(b.Protocol, b.Info)))
			if err == nil && !gone {
				err = &hintedError{fmt.Errorf("the binding %q of site %q does not stand in its own element", b.Info, site.Name), fmt.Sprintf("take it out in %s", b.Pos)}
			}
			return &confEdit{}, err
		}
		hint := "it has none"
		if len(have) > 0 {
			hint = "it has " + strings.Join(have, ", ")
		}
		return nil, &usageError{fmt.Sprintf("site %q has no binding %q", site.Name, info), hint}
	})
}
