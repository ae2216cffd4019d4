package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/features"
	"github.com/spf13/cobra"
)

// The columns of the list, as Get-WindowsFeature has them.
const (
	titleColumn = 55
	nameColumn  = 23
	stateColumn = 16
)

// listResult is what `rolemgr list --json` prints.
type listResult struct {
	Version  int        `json:"version"`
	Level    string     `json:"level"`
	Serial   uint64     `json:"serial"`
	Features []listItem `json:"features"`
}

type listItem struct {
	ID          features.ID    `json:"id"`
	Name        string         `json:"name,omitempty"` // Windows name
	DISMName    string         `json:"dism_name,omitempty"`
	DisplayName string         `json:"display_name"`
	Kind        features.Kind  `json:"kind"`
	Parent      features.ID    `json:"parent,omitempty"`
	Depth       int            `json:"depth"`
	Since       features.Level `json:"since,omitempty"`
	Installed   bool           `json:"installed"`
	State       installState   `json:"state"`
	Reason      string         `json:"reason,omitempty"` // recorded: requested, required, default
}

func newListCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "list [PATTERN]",
		Short: "List roles, role services and features with their install state",
		Long: `List roles, role services and features with their install state.

PATTERN may hold * and ? and is compared with ids, Windows names, DISM names and display names in any case.

States: Available, Installed, Drifted (installed, but a file of it was changed or is missing), Not available (it cannot
exist outside Windows; "rolemgr show" says what to use instead), Not built yet.`,
		Example:           "  rolemgr list\n  rolemgr list '*socket*'",
		Args:              argCount(0, 1, ""),
		ValidArgsFunction: c.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runList(cmd.Context(), c, strings.Join(args, ""))
		},
	}
}

func runList(ctx context.Context, c *cli, pattern string) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	units := c.cat.Units()
	if pattern != "" {
		if units, err = c.match(pattern); err != nil {
			return err
		}
	}
	v, err := surveyServer(ctx, t)
	if err != nil {
		return err
	}
	res := listResult{Version: 1, Level: v.state.Level, Serial: v.state.Serial, Features: []listItem{}}
	if pattern == "" {
		units = append(units, v.strangers(c.cat)...)
	}
	for _, u := range units {
		st := v.of(u)
		res.Features = append(res.Features, listItem{
			ID: u.ID, Name: u.WindowsName, DISMName: u.DISMName, DisplayName: u.Title, Kind: u.Kind, Parent: u.Parent,
			Depth: c.cat.Depth(u.ID), Since: u.Since, State: st, Reason: v.recorded[u.ID].Reason,
			Installed: st.installed(),
		})
	}
	return c.print(res, func(w io.Writer) { writeList(w, res) })
}

// match returns the units that a pattern matches. A name without * and ? that nothing has is told what was meant.
func (c *cli) match(pattern string) ([]features.Unit, error) {
	units, err := c.cat.Match(pattern)
	var notFound *features.NotFoundError
	switch {
	case errors.As(err, &notFound) && !strings.ContainsAny(pattern, "*?"):
		return nil, err
	case err != nil || len(units) == 0:
		return nil, &usageError{fmt.Sprintf("nothing matches %q", pattern), "\"rolemgr list\" shows every name; a pattern holds * and ?, as in '*socket*'"}
	}
	return units, nil
}

// writeList prints the tree with the columns of Get-WindowsFeature.
func writeList(w io.Writer, res listResult) {
	row := func(title, name, state string) {
		fmt.Fprintf(w, "%s %s %*s\n", fit(title, titleColumn), fit(name, nameColumn), stateColumn, state)
	}
	row("Display Name", "Name", "Install State")
	row("------------", "----", "-------------")
	for _, f := range res.Features {
		name := f.Name
		if name == "" {
			name = string(f.ID)
		}
		row(strings.Repeat("    ", f.Depth)+f.State.box()+" "+f.DisplayName, name, f.State.label())
	}
}

// fit makes a text exactly so wide: filled with spaces, or cut with "..." at its end.
func fit(s string, width int) string {
	if utf8.RuneCountInString(s) > width {
		return string([]rune(s)[:width-3]) + "..."
	}
	return pad(s, width)
}
