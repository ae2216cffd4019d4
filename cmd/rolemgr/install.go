package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/spf13/cobra"
)

type installOptions struct {
	change                 changeOptions
	names, without, sites  []string
	file                   string
	level                  string
	includeAllSubfeatures  bool
	includeManagementTools bool
	serve                  bool
}

func newInstallCommand(c *cli) *cobra.Command {
	o := installOptions{}
	cmd := &cobra.Command{
		Use:   "install NAME... [flags]",
		Short: "Install roles, role services and features",
		Long: `Install roles, role services and features, with everything they need.

NAME is an id (websocket), a Windows name (Web-WebSockets), a DISM name (IIS-WebSockets) or a display name
("WebSocket Protocol"), in any case. The plan is printed first; the change is proven by a request against the server
and undone when it fails.

A role brings its default services; --without keeps one out, and removes it where it is installed.

--for reads the web.config of a site, or all of them below its folder, and installs what they use and nothing else; it
says which line needs what. What cannot be honoured is told; a file that is malformed ends the command.`,
		Example: `  rolemgr install websocket --serve
  rolemgr install Web-WebSockets --what-if
  rolemgr install web-server --without http-logging
  rolemgr install --for /srv/www/site --what-if
  rolemgr install --file server.toml`,
		Args:              argCount(0, -1, ""),
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			return runInstall(cmd.Context(), c, o)
		},
	}
	o.change.addFlags(cmd)
	f := cmd.Flags()
	f.StringVarP(&o.file, "file", "f", "", "install what an exported file lists; - reads standard input")
	f.StringArrayVar(&o.sites, "for", nil, "install what the web.config files of a site need; may be given more than once")
	f.StringArrayVar(&o.without, "without", nil, "keep a default service out; may be given more than once")
	f.StringVar(&o.level, "level", "", "set the server level: "+strings.Join(levelNames(), ", "))
	f.BoolVar(&o.includeAllSubfeatures, "include-all-subfeatures", false, "install everything below the named features too")
	f.BoolVar(&o.includeManagementTools, "include-management-tools", false, "install the management tools too")
	_ = cmd.RegisterFlagCompletionFunc("without", c.completeNames) // fails only for a flag that does not exist
	f.BoolVar(&o.serve, "serve", false, "serve in the foreground afterwards")
	return cmd
}

// runInstall installs and, when asked to, serves.
func runInstall(ctx context.Context, c *cli, o installOptions) error {
	if o.file == "" && len(o.names) == 0 && o.level == "" && len(o.sites) == 0 {
		return &usageError{"nothing to install was named", "name a feature, as in \"rolemgr install websocket\", or a file with --file"}
	}
	if o.file != "" && len(o.names) > 0 {
		return &usageError{"both names and --file were given", "add the names to the features of the file, or leave --file out"}
	}
	if o.file != "" && len(o.without) > 0 {
		return &usageError{"both --without and --file were given", "add the names to \"without\" in the file, or leave --file out"}
	}
	if o.file != "" && len(o.sites) > 0 {
		return &usageError{"both --for and --file were given", "install one after the other"}
	}
	if o.serve && o.change.whatIf {
		return &usageError{"--serve and --what-if exclude one another", "leave --serve out to see the plan"}
	}
	if o.file != "" {
		a, err := c.readAnswers(o.file)
		if err != nil {
			return err
		}
		o.names, o.without = a.Features, a.Without
		o.includeManagementTools = o.includeManagementTools || a.ManagementTools
		if o.level == "" {
			o.level = a.Level
		}
	}
	level, err := parseLevel(o.level)
	if err != nil {
		return err
	}
	ids, err := c.ids(o.names)
	if err != nil {
		return err
	}
	out, err := c.ids(o.without)
	if err != nil {
		return err
	}
	needs, missing, err := c.neededFor(ctx, o.sites)
	if err != nil {
		return err
	}
	o.change.needs = needs
	for _, id := range missing {
		if !slices.Contains(ids, id) && !slices.Contains(out, id) {
			ids = append(ids, id)
		}
	}
	t, err := c.openToWrite(ctx, o.change.whatIf)
	if err != nil {
		return err
	}
	request := plan.Request{Level: level, Wish: features.Wish{
		Install: ids, Remove: out, IncludeAllSubfeatures: o.includeAllSubfeatures, IncludeManagementTools: o.includeManagementTools,
	}}
	err = c.change(ctx, t, request, o.change)
	var silent *silentError // no change needed: there is something to serve all the same
	if !o.serve || err != nil && !errors.As(err, &silent) {
		return err
	}
	return runServe(ctx, c, serveOptions{stopTimeout: defaultStopTimeout})
}
