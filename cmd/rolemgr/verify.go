package main

import (
	"context"
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/spf13/cobra"
)

// verifyResult is what `rolemgr verify --json` prints.
type verifyResult struct {
	Version int                `json:"version"`
	OK      bool               `json:"ok"`
	Files   []target.FileCheck `json:"files"`
}

func newVerifyCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "verify",
		Short: "Compare the recorded files with the disk",
		Long: `Compare every file that rolemgr put below the home folder with what it recorded.

Exit code 1 tells that a file was changed or is missing, or that it is outdated because another version of rolemgr has put it
there, which installing its feature again mends; any installation refreshes what is outdated. Or it tells that there is a
file in config/features.d that is not recorded: the host reads it, but no feature put it there. Files that belong to
people are not looked at.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runVerify(cmd.Context(), c) },
	}
}

func runVerify(ctx context.Context, c *cli) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	files, err := t.Verify(ctx)
	if err != nil {
		return err
	}
	res := verifyResult{Version: 1, OK: true, Files: append([]target.FileCheck{}, files...)}
	bad, unrecorded := 0, 0
	for _, f := range files {
		if f.State != target.FileOK {
			res.OK = false
			bad++
		}
	}
	if err := c.print(res, func(w io.Writer) {
		for _, f := range files {
			if f.State == target.FileUnrecorded {
				fmt.Fprintf(w, "%s %s\n", f.State, f.Path)
				unrecorded++
				continue
			}
			fmt.Fprintf(w, "%-8s %s  (%s)\n", f.State, f.Path, f.Unit)
		}
		fmt.Fprintf(w, "%d recorded, %d not as recorded\n", len(files)-unrecorded, bad)
	}); err != nil {
		return err
	}
	if bad > 0 {
		return &silentError{ExitFailed}
	}
	return nil
}
