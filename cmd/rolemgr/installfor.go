package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// malformedError is a site whose files cannot be understood: what they need is not known.
type malformedError struct {
	first finding
	more  int
}

func (e *malformedError) Error() string {
	text := fmt.Sprintf("%s: %s", e.first.place(), e.first.Reason)
	if e.more > 0 {
		text += fmt.Sprintf(" (and %s more)", plural(e.more, "fault"))
	}
	return text
}

// neededFor returns the features that the configuration files of sites need, with every place that needs them, and the
// ids of those that are not installed. What cannot be honoured is told on standard error; a file that is malformed is an
// error.
func (c *cli) neededFor(ctx context.Context, paths []string) ([]checkNeed, []features.ID, error) {
	if len(paths) == 0 {
		return nil, nil, nil
	}
	j, err := c.newJudge(ctx)
	if err != nil {
		return nil, nil, err
	}
	all := checkResult{}
	for _, path := range paths {
		res, err := j.check(path)
		if err != nil {
			return nil, nil, err
		}
		if err := malformed(res); err != nil {
			return nil, nil, &hintedError{err, "mend it first; all there is to say of the files: rolemgr config check " + path}
		}
		for _, f := range res.Findings {
			if (f.Verdict == config.Faulty || f.Verdict == config.Unsupported) && !f.inner {
				c.note("warning: %s: %s%s", f.place(), about(f), f.Reason)
			}
		}
		all.Findings = append(all.Findings, res.Findings...)
		all.php = append(all.php, res.php...)
	}
	all.needs(j)
	var missing []features.ID
	for _, n := range all.Needs {
		if !n.Installed {
			missing = append(missing, n.Feature)
		}
	}
	return all.Needs, missing, nil
}

// malformed returns the first fault that keeps a file from being understood.
func malformed(res checkResult) error {
	var e *malformedError
	for _, f := range res.Findings {
		switch {
		case f.Verdict != config.Faulty || f.examined || f.Code == fmt.Sprintf("%#08x", config.HResultDuplicate) || f.Code == fmt.Sprintf("%#08x", config.HResultLocked):
		case e == nil:
			e = &malformedError{first: f}
		default:
			e.more++
		}
	}
	if e == nil {
		return nil
	}
	return e
}

// about names what an unsupported finding is about; the message of a fault says it itself.
func about(f finding) string {
	if f.Verdict == config.Faulty {
		return ""
	}
	return f.Name + " is not supported: "
}

// writeNeededFor says why each feature is in the plan.
func (c *cli) writeNeededFor(w io.Writer, needs []checkNeed) {
	if len(needs) == 0 {
		return
	}
	fmt.Fprintln(w, "The files of the site need:")
	for _, n := range needs {
		title := n.Title
		if n.Installed {
			title += " (installed already)"
		}
		fmt.Fprintf(w, "  %s\n", title)
		for i, p := range n.Places {
			if i == fewPlaces {
				fmt.Fprintf(w, "    and %d more\n", len(n.Places)-i)
				break
			}
			fmt.Fprintf(w, "    %s uses %s\n", strings.TrimSuffix(config.Pos{File: p.File, Line: p.Line}.String(), ":0"), p.Name)
		}
	}
	fmt.Fprintln(w)
}

// fewPlaces is how many places are told of one feature.
const fewPlaces = 5
