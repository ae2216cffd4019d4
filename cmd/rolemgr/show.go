package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/spf13/cobra"
)

// showResult is what `rolemgr show --json` prints.
type showResult struct {
	Version     int                `json:"version"`
	ID          features.ID        `json:"id"`
	Name        string             `json:"name,omitempty"`
	DISMName    string             `json:"dism_name,omitempty"`
	DisplayName string             `json:"display_name"`
	Kind        features.Kind      `json:"kind"`
	Path        []string           `json:"path"` // display names from the root to the unit
	Since       features.Level     `json:"since,omitempty"`
	Until       features.Level     `json:"until,omitempty"`
	Default     bool               `json:"default"`
	State       installState       `json:"state"`
	Reason      string             `json:"reason,omitempty"`
	RequiredBy  []string           `json:"required_by,omitempty"`
	Doc         string             `json:"doc,omitempty"`
	Requires    []showRequire      `json:"requires"`
	Modules     []string           `json:"modules"`
	Sections    []string           `json:"sections"`
	Files       []string           `json:"files"` // rolemgr's: removed with the unit
	Seeds       []string           `json:"seeds"` // put once, a person's from then on
	Recorded    []target.FileCheck `json:"recorded,omitempty"`
	Unavailable *showUnavailable   `json:"unavailable,omitempty"`
	Probe       *features.Probe    `json:"probe,omitempty"`
}

type showRequire struct {
	ID  features.ID `json:"id"`
	Why string      `json:"why"`
}

type showUnavailable struct {
	NotBuilt bool   `json:"not_built"` // a later version will have it
	Reason   string `json:"reason"`
	Instead  string `json:"instead,omitempty"`
}

func newShowCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:               "show NAME",
		Short:             "Show one feature: what it is, needs, adds, and its state",
		Example:           "  rolemgr show websocket\n  rolemgr show IIS-WebSockets --json",
		Args:              argCount(1, 1, "the name of a feature"),
		ValidArgsFunction: c.completeNames,
		RunE:              func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), c, args[0]) },
	}
}

func runShow(ctx context.Context, c *cli, name string) error {
	ids, err := c.ids([]string{name})
	if err != nil {
		return err
	}
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	v, err := surveyServer(ctx, t)
	if err != nil {
		return err
	}
	u, _ := c.cat.Unit(ids[0])
	res, err := c.describe(u, v)
	if err != nil {
		return err
	}
	return c.print(res, func(w io.Writer) { c.writeShow(w, res) })
}

// describe gathers everything there is to say about a unit.
func (c *cli) describe(u features.Unit, v survey) (showResult, error) {
	rec := v.recorded[u.ID]
	res := showResult{
		Version: 1, ID: u.ID, Name: u.WindowsName, DISMName: u.DISMName, DisplayName: u.Title, Kind: u.Kind,
		Since: u.Since, Until: u.Until, Default: u.Default, State: v.of(u), Reason: rec.Reason, RequiredBy: rec.RequiredBy,
		Doc: strings.TrimSpace(u.Doc), Requires: []showRequire{},
		Modules: []string{}, Sections: []string{}, Recorded: v.files[u.ID],
	}
	if a := u.Unavailable; a != nil {
		res.Unavailable = &showUnavailable{a.NotBuilt, a.Reason, a.Instead}
	}
	for _, q := range u.Requires {
		res.Requires = append(res.Requires, showRequire{q.ID, q.Why})
	}
	for id := u.ID; id != ""; {
		p, _ := c.cat.Unit(id)
		res.Path = append([]string{p.Title}, res.Path...)
		id = p.Parent
	}
	for _, m := range u.Modules {
		res.Modules = append(res.Modules, m.Name)
		for _, s := range slices.Concat(m.Sections, m.Reads) {
			res.Sections = append(res.Sections, s.Path)
		}
	}
	if u.Probe.Kind != features.ProbeNone {
		res.Probe = &u.Probe
	}
	var err error
	if res.Files, err = filesOf(u.Assets); err != nil {
		return res, fmt.Errorf("files of %q: %w", u.ID, err)
	}
	if res.Seeds, err = filesOf(u.Seeds); err != nil {
		return res, fmt.Errorf("seeds of %q: %w", u.ID, err)
	}
	return res, nil
}

// filesOf lists the files of a file system, which may be nil.
func filesOf(fsys fs.FS) ([]string, error) {
	names := []string{}
	if fsys == nil {
		return names, nil
	}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

func (c *cli) writeShow(w io.Writer, r showResult) {
	fmt.Fprintf(w, "%s\n", r.DisplayName)
	line := func(label, format string, args ...any) {
		if text := fmt.Sprintf(format, args...); text != "" {
			fmt.Fprintf(w, "  %-13s %s\n", label, text)
		}
	}
	line("Id", "%s", r.ID)
	line("Windows name", "%s", r.Name)
	line("DISM name", "%s", r.DISMName)
	line("Kind", "%s", r.Kind)
	line("Path", "%s", strings.Join(r.Path, " > "))
	line("Since", "%s", r.Since)
	line("Until", "%s", r.Until)
	line("State", "%s", r.State.label())
	if r.Reason != "" {
		line("Installed", "%s", recordedReason(r))
	}
	if r.Unavailable != nil {
		line("Why not", "%s", r.Unavailable.Reason)
		line("Instead", "%s", r.Unavailable.Instead)
	}
	for _, q := range r.Requires {
		line("Requires", "%s: %s", c.title(q.ID), q.Why)
	}
	line("Modules", "%s", strings.Join(r.Modules, ", "))
	line("Sections", "%s", strings.Join(r.Sections, ", "))
	for _, name := range r.Files {
		line("File", "%s%s", name, fileState(r.Recorded, name))
	}
	for _, name := range r.Seeds {
		line("Seed", "%s", name)
	}
	if r.Doc != "" {
		fmt.Fprintf(w, "\n%s\n", r.Doc)
	}
}

// recordedReason says why a unit is installed.
func recordedReason(r showResult) string {
	if len(r.RequiredBy) == 0 {
		return r.Reason
	}
	return r.Reason + " by " + strings.Join(r.RequiredBy, ", ")
}

// fileState returns " (changed)" for a recorded file that is not as recorded.
func fileState(checks []target.FileCheck, name string) string {
	for _, check := range checks {
		if check.Path == name && check.State != target.FileOK {
			return " (" + string(check.State) + ")"
		}
	}
	return ""
}
