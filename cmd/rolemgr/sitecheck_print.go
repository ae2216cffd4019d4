package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// writeCheck prints the verdict in one line, then what is behind it, most severe first.
func (c *cli) writeCheck(w io.Writer, r checkResult) {
	fmt.Fprintln(w, r.Summary)
	writeFaults(w, r)
	writeReasons(w, r, config.Unsupported, "Not supported (a section is answered with 500.19 until it is taken out):")
	writeNeeds(w, r)
	writeReasons(w, r, config.WithoutEffect, "Accepted without effect:")
	writeReasons(w, r, config.Ignored, "Ignored, harmless:")
	writeReasons(w, r, config.Honoured, "Honoured, to be known:")
	writeHonoured(w, r)
	if len(r.Skipped) > 0 {
		fmt.Fprintf(w, "\nNot looked into: %s\n", strings.Join(r.Skipped, ", "))
	}
	for _, note := range r.Notes {
		fmt.Fprintf(w, "\nNote: %s\n", note)
	}
	if len(r.Server.Assumed) > 0 {
		fmt.Fprintf(w, "\nNothing is installed in %s; the default services of the first installation are taken as given.\n", r.Server.Home)
	}
	if r.Counts.NeedsFeature > 0 {
		fmt.Fprintf(w, "\nInstall what is needed with: rolemgr install --for %s\n", r.Path)
	}
}

func (f finding) place() string {
	return config.Pos{File: f.File, Line: f.Line, Column: f.Column}.String()
}

func writeFaults(w io.Writer, r checkResult) {
	heading := "\nFaults (answered with 500.19):\n"
	for _, f := range r.Findings {
		if f.Verdict != config.Faulty {
			continue
		}
		fmt.Fprintf(w, "%s  %s: %s (%s)\n", heading, f.place(), f.Reason, f.Code)
		heading = ""
		for i, line := range f.source.Lines {
			mark := " "
			if f.source.First+i == f.Line {
				mark = ">"
			}
			fmt.Fprintf(w, "    %s %4d | %s\n", mark, f.source.First+i, line)
		}
		if f.Hint != "" {
			fmt.Fprintf(w, "      hint: %s\n", f.Hint)
		}
	}
}

// writeReasons prints the findings of a verdict, each with its reason.
func writeReasons(w io.Writer, r checkResult, v config.Verdict, heading string) {
	heading = "\n" + heading + "\n"
	for _, f := range r.Findings {
		if f.Verdict != v || f.inner || f.Reason == "" {
			continue
		}
		fmt.Fprintf(w, "%s  %s: %s: %s\n", heading, f.place(), f.Name, f.Reason)
		heading = ""
	}
}

func writeNeeds(w io.Writer, r checkResult) {
	heading := "\nNeeds a feature (a section is answered with 500.19 until it is installed):\n"
	for _, n := range r.Needs {
		missing := false
		for _, f := range r.Findings {
			if f.Verdict != config.NeedsFeature || f.Feature != string(n.Feature) || f.inner {
				continue
			}
			if !missing {
				fmt.Fprintf(w, "%s  %s: %s\n", heading, n.Title, n.Command)
				heading, missing = "", true
			}
			fmt.Fprintf(w, "    %s: %s\n", f.place(), f.Name)
		}
	}
}

// writeHonoured names the sections and location tags that are honoured, with how many elements are in them. The
// single ones are in the JSON.
func writeHonoured(w io.Writer, r checkResult) {
	type row struct {
		finding
		elements int
	}
	var rows []*row
	sections := map[string]*row{}
	for _, f := range r.Findings {
		if f.worst != config.Honoured || !f.Kind.IsElement() {
			continue
		}
		key := f.File + "\x00" + f.Section
		at := sections[key]
		if at == nil || f.Kind != config.OfElement || f.Section == "" {
			at = &row{finding: f}
			sections[key] = at
			rows = append(rows, at)
		}
		at.elements++
	}
	heading := "\nHonoured:\n"
	for _, at := range rows {
		name := at.Name
		if at.Section != "" {
			name = at.Section
		}
		fmt.Fprintf(w, "%s  %s: %s", heading, at.place(), name)
		heading = ""
		if at.elements > 1 {
			fmt.Fprintf(w, " (%d elements)", at.elements)
		}
		fmt.Fprintln(w)
	}
}
