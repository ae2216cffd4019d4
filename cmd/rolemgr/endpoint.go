package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// endpointSection is the section that lists WebSocket endpoints, endpointFeature the feature that serves all types beside echo.
const (
	endpointSection = "system.webServer/webSocketEndpoints"
	endpointFeature = "websocket-endpoints"
)

// endpointFlag is a flag of endpoint add and the attribute that it sets.
type endpointFlag struct{ flag, attribute, usage string }

// endpointFlags are those with a value.
func endpointFlags() []endpointFlag {
	return []endpointFlag{
		{"type", "type", "what serves the endpoint: process, tcp, hub or echo"},
		{"subprotocol", "subprotocol", "the subprotocol that is spoken"},
		{"command", "command", "process: the program with its arguments; it is split at spaces outside quotation marks, and no shell sees it"},
		{"working-directory", "workingDirectory", "process: the folder it starts in (default: that of the application)"},
		{"framing", "framing", "process: lines or binary"},
		{"user", "user", "process: whom it runs as, when the host is root; written into applicationHost.config"},
		{"target", "target", "tcp: HOST:PORT or unix:/PATH"},
		{"allow", "allowedTargets", "tcp: the targets that clients may choose from, between commas"},
		{"target-parameter", "targetParameter", "tcp: the query parameter by which they choose"},
		{"connect-timeout", "connectTimeout", "tcp: as in 00:00:10"},
		{"max-connections", "maxConnections", "process, tcp: connections at once"},
		{"max-connections-per-client", "maxConnectionsPerClient", "process, tcp: connections of one client at once"},
		{"history", "history", "hub: how many of the last messages newcomers are told"},
		{"history-bytes", "historyBytes", "hub: of how many bytes in all"},
		{"max-rooms", "maxRooms", "hub: rooms at once"},
		{"max-members", "maxMembers", "hub: members of one room"},
		{"slow-consumer", "slowConsumer", "hub: what becomes of a member that takes less than is said: close or dropOldest"},
	}
}

func newEndpointCommand(c *cli) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "endpoint",
		Short: "Add, list and remove WebSocket endpoints that need no code",
		Args:  c.noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEndpointAddCommand(c), newEndpointRemoveCommand(c), newEndpointListCommand(c))
	return cmd
}

func newEndpointAddCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "add PATH --type TYPE",
		Short: "Add a WebSocket endpoint to a site",
		Long: `Add a WebSocket endpoint to a site, in its web.config or with --commit apphost in applicationHost.config.

PATH counts from the root of the site; one that ends with /* stands for all paths below it. "rolemgr show websocket-endpoints"
tells of the types: a program for each connection (process), a bridge to a TCP server (tcp), rooms whose members hear each
other (hub), and every message sent back (echo).`,
		Example: `  rolemgr endpoint add /log --site "Default Web Site" --type process --command "tail -f /var/log/x"
  rolemgr endpoint add /vnc --type tcp --target 127.0.0.1:5900
  rolemgr endpoint add '/chat/*' --type hub --history 20`,
		Args: argCount(1, 1, "the path of the endpoint"),
	}
	o.addFlags(cmd)
	for _, f := range endpointFlags() {
		cmd.Flags().String(f.flag, "", f.usage)
	}
	sender := cmd.Flags().Bool("include-sender", false, "hub: the sender hears its own messages too")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		values := []assignment{{"path", args[0]}}
		for _, f := range endpointFlags() {
			if flag := cmd.Flags().Lookup(f.flag); flag.Changed {
				values = append(values, assignment{f.attribute, flag.Value.String()})
			}
		}
		if *sender {
			values = append(values, assignment{"includeSender", "true"})
		}
		return runEndpointAdd(cmd.Context(), c, values, o)
	}
	return cmd
}

// valueOf returns what is assigned to a name.
func valueOf(values []assignment, name string) (string, bool) {
	i := slices.IndexFunc(values, func(a assignment) bool { return a.name == name })
	if i < 0 {
		return "", false
	}
	return values[i].value, true
}

func runEndpointAdd(ctx context.Context, c *cli, values []assignment, o setOptions) error {
	kind, ok := valueOf(values, "type")
	if !ok {
		return &usageError{"--type is missing", "it is process, tcp, hub or echo"}
	}
	if _, given := valueOf(values, "user"); given && o.commit == "" {
		o.commit = commitAppHost
	}
	if err := c.endpointReady(ctx, kind, &o); err != nil {
		return err
	}
	return c.editSection(ctx, endpointSection, o, func(w *sectionEdit) error {
		step, key, err := newEntry(w.path.element.Collection.Add, values)
		if err != nil {
			return err
		}
		if old, there := w.entry(key); there {
			if says(old, values) {
				return nil
			}
			pos, _ := old.Written()
			path, _ := valueOf(values, "path")
			return refusal("conflict", fmt.Sprintf("site %q has an endpoint %q already, from %s", w.place.site, path, pos),
				fmt.Sprintf("take it away first with: rolemgr endpoint remove '%s' --site \"%s\"", path, o.site))
		}
		if err := w.doc.Add(w.at, step); err != nil {
			return &usageError{err.Error(), ""}
		}
		return w.verifyEndpoint(func() (config.Node, bool) { return w.still(key) })
	})
}

// endpointReady finds the site, when there is only one, and refuses a type whose feature is not installed.
func (c *cli) endpointReady(ctx context.Context, kind string, o *setOptions) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	if o.site == "" {
		sites := s.tree.Sites()
		if len(sites) != 1 {
			return &usageError{fmt.Sprintf("--site is missing, and the server has %d sites", len(sites)), "\"rolemgr site list\" shows them"}
		}
		o.site = sites[0].Name
	}
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	st, err := t.State(ctx)
	if err != nil {
		return err
	}
	for _, f := range st.Features {
		if string(f.ID) == endpointFeature {
			return nil
		}
	}
	switch kind {
	case "process", "tcp", "hub":
		return &hintedError{fmt.Errorf("endpoints of type %q belong to the feature WebSocket Endpoints, which is not installed", kind), "install it with: rolemgr install " + endpointFeature}
	}
	return nil
}

// verifyEndpoint refuses what the module would refuse of the new entry, and what its type does not look at.
func (w *sectionEdit) verifyEndpoint(entry func() (config.Node, bool)) error {
	t, err := w.tree.with(w.place.file, w.doc.Bytes())
	if err != nil {
		return nil //nolint:nilerr // the validation of the whole file tells
	}
	eff, err := w.place.effective(t)
	if err != nil {
		return nil //nolint:nilerr // so here
	}
	n, ok := entry()
	if !ok {
		return nil
	}
	at, _ := n.Written()
	for _, r := range eff.Remarks() {
		if r.Fault != "" && r.At == at {
			return &usageError{r.Fault, r.Hint}
		}
		for _, v := range n.Values() {
			if v.Set && v.Pos == r.At && r.Judgement.NoEffect != "" {
				return &usageError{fmt.Sprintf("%s=%q: %s", v.Attribute.Name, v.Text, r.Judgement.NoEffect), "leave it out"}
			}
		}
	}
	return nil
}

func newEndpointRemoveCommand(c *cli) *cobra.Command {
	o := setOptions{}
	cmd := &cobra.Command{
		Use:   "remove PATH",
		Short: "Take a WebSocket endpoint away",
		Long: `Take a WebSocket endpoint away. One that a file above adds gets a <remove>. Connections that are open stay open;
"rolemgr connections" shows them.`,
		Example: `  rolemgr endpoint remove /log --site "Default Web Site"`,
		Args:    argCount(1, 1, "the path of the endpoint"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.endpointReady(cmd.Context(), "", &o); err != nil {
				return err
			}
			return runConfigRemove(cmd.Context(), c, []string{endpointSection, "path=" + args[0]}, o)
		},
	}
	o.addFlags(cmd)
	return cmd
}

// endpointListResult is what `rolemgr endpoint list --json` prints.
type endpointListResult struct {
	Version   int           `json:"version"`
	Endpoints []endpointRow `json:"endpoints"`
}

type endpointRow struct {
	Site       string            `json:"site"`
	Path       string            `json:"path"`
	Type       string            `json:"type"`
	Attributes map[string]string `json:"attributes"` // that are written, beside path and type
	File       string            `json:"file"`
	Line       int               `json:"line"`
}

func newEndpointListCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "list [SITE[/PATH]]",
		Short: "List the WebSocket endpoints of the sites",
		Long:  `List the WebSocket endpoints that hold at the root of each site, or at a path of one, with the file that adds them.`,
		Args:  argCount(0, 1, ""),
		RunE:  func(cmd *cobra.Command, args []string) error { return runEndpointList(cmd.Context(), c, args) },
	}
}

func runEndpointList(ctx context.Context, c *cli, args []string) error {
	s, err := c.openConfig(ctx)
	if err != nil {
		return err
	}
	if _, err := s.path(endpointSection); err != nil {
		return err
	}
	targets := args
	if len(args) == 0 {
		for _, site := range s.tree.Sites() {
			targets = append(targets, site.Name)
		}
	}
	res := endpointListResult{Version: 1, Endpoints: []endpointRow{}}
	for _, target := range targets {
		place, err := s.place(target, commitAppHost)
		if err != nil {
			return err
		}
		eff, err := place.effective(s.tree)
		if err != nil {
			return err
		}
		n, _ := eff.Node(endpointSection)
		for _, e := range n.Entries() {
			res.Endpoints = append(res.Endpoints, newEndpointRow(place.site, e))
		}
	}
	return c.print(res, func(w io.Writer) {
		for _, e := range res.Endpoints {
			var more []string
			for _, name := range sortedNames(e.Attributes) {
				more = append(more, fmt.Sprintf("%s=%q", name, e.Attributes[name]))
			}
			fmt.Fprintln(w, strings.TrimRight(fmt.Sprintf("%s  %s  %s", fit(e.Site+e.Path, 40), fit(e.Type, 7), strings.Join(more, " ")), " "))
		}
	})
}

func newEndpointRow(site string, n config.Node) endpointRow {
	row := endpointRow{Site: site, Attributes: map[string]string{}}
	for _, v := range n.Values() {
		switch {
		case v.Attribute.Name == "path":
			row.Path = v.Text
		case v.Attribute.Name == "type":
			row.Type = v.Text
		case v.Set:
			row.Attributes[v.Attribute.Name] = v.Text
		}
	}
	if pos, ok := n.Written(); ok {
		row.File, row.Line = pos.File, pos.Line
	}
	return row
}

func sortedNames(m map[string]string) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
