package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/spf13/cobra"
)

// connectionsResult is what `rolemgr connections --json` prints.
type connectionsResult struct {
	Version     int                 `json:"version"`
	Connections []wshost.Connection `json:"connections"`
}

func newConnectionsCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "connections",
		Short: "List the live sockets of the running host",
		Long: `List the WebSocket connections of the running host: who, since when, in which protocol, who serves it, and how much has passed.
A relay passes messages on to an application, a tunnel its bytes; else it is the type of an endpoint. Messages are counted,
and of a tunnel bytes.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runConnections(cmd.Context(), c) },
	}
}

func runConnections(ctx context.Context, c *cli) error {
	if _, err := c.homeDir(); err != nil {
		return err
	}
	all, err := wshost.NewAdmin(c.home).Connections(ctx)
	if err != nil {
		return err
	}
	return c.print(connectionsResult{1, all}, func(w io.Writer) { writeConnections(w, all) })
}

func writeConnections(w io.Writer, all []wshost.Connection) {
	for _, n := range all {
		passed := fmt.Sprintf("%d in, %d out", n.MessagesIn, n.MessagesOut)
		if n.Endpoint == "tunnel" { // which knows no messages
			passed = fmt.Sprintf("%d in, %d out bytes", n.BytesIn, n.BytesOut)
		}
		fmt.Fprintf(w, "%6d  %s  %s  %-8s  %-7s  %-7s  %s  %s  %s\n", n.ID, n.Since.UTC().Format(time.DateTime), fit(n.Remote, 21),
			n.Protocol, orDash(n.TLS), orDash(n.Endpoint), fit(n.Site, 16), n.Path, passed)
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "There is no live socket.")
	}
}

func orDash(s string) string {
	if strings.TrimSpace(s) == "" {
		return "-"
	}
	return s
}
