package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/spf13/cobra"
)

type exportOptions struct {
	output string
}

// exportResult is what `rolemgr export --json` prints.
type exportResult struct {
	Version  int      `json:"version"`
	Level    string   `json:"level"`
	Features []string `json:"features"`
	Without  []string `json:"without"`          // default services that were left out
	Output   string   `json:"output,omitempty"` // the file that was written
}

func newExportCommand(c *cli) *cobra.Command {
	o := exportOptions{}
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write down what was asked for, to install it elsewhere",
		Long: `Write down the server level, the features that were asked for, and the default services that were left out, as a
short file that can be edited by hand. What the features need and the other default services come by themselves when the
file is installed with "rolemgr install --file FILE".`,
		Example: "  rolemgr export --output server.toml\n  rolemgr install --file server.toml --home /srv/other",
		Args:    argCount(0, 0, ""),
		RunE:    func(cmd *cobra.Command, _ []string) error { return runExport(cmd.Context(), c, o) },
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "", "file to write; default: standard output")
	return cmd
}

func runExport(ctx context.Context, c *cli, o exportOptions) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	s, err := t.State(ctx)
	if err != nil {
		return err
	}
	a := answersOf(c.cat, s)
	text := a.encode(c.title)
	if o.output != "" {
		if err := atomicfile.Write(atomicfile.OS{}, o.output, text, 0o644); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	res := exportResult{Version: 1, Level: a.Level, Features: a.Features, Without: a.Without, Output: o.output}
	return c.print(res, func(w io.Writer) {
		if o.output == "" {
			_, _ = w.Write(text) // as every other print to standard output
			return
		}
		what := "features"
		if len(a.Features) == 1 {
			what = "feature"
		}
		fmt.Fprintf(w, "%d %s written to %s\n", len(a.Features), what, o.output)
	})
}

// answersOf returns what has to be asked for to get a state again: what was asked for by name or as a subfeature, and
// the default services that somebody left out.
func answersOf(cat *features.Catalog, s state.State) answers {
	a := answers{Version: answersVersion, Level: s.Level, Features: []string{}, Without: []string{}}
	recorded := map[features.ID]bool{}
	for _, f := range s.Features {
		recorded[features.ID(f.ID)] = true
		u, _ := cat.Unit(features.ID(f.ID))
		if f.Reason == string(features.Requested) || f.Reason == string(features.ByDefault) && !u.Default {
			a.Features = append(a.Features, f.ID)
		}
	}
	for _, u := range cat.Units() {
		if u.Default && u.Unavailable == nil && !recorded[u.ID] && recorded[u.Parent] && !onlyHolds(cat, u) {
			a.Without = append(a.Without, string(u.ID))
		}
	}
	return a
}

// onlyHolds reports whether a unit is a group with nothing in it that could be installed: it is not there because
// there is nothing to hold, not because somebody left it out.
func onlyHolds(cat *features.Catalog, u features.Unit) bool {
	if !u.Group {
		return false
	}
	for _, id := range cat.Children(u.ID) {
		if child, _ := cat.Unit(id); child.Default && child.Unavailable == nil {
			return false
		}
	}
	return true
}

// readAnswers reads an exported file; "-" is standard input.
func (c *cli) readAnswers(name string) (answers, error) {
	if name == "-" {
		b, err := io.ReadAll(c.In)
		if err != nil {
			return answers{}, fmt.Errorf("read standard input: %w", err)
		}
		return decodeAnswers("standard input", b)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		return answers{}, fmt.Errorf("read the file to install: %w", err)
	}
	return decodeAnswers(name, b)
}
