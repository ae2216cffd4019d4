package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/spf13/cobra"
)

// statusResult is what `rolemgr status --json` prints.
type statusResult struct {
	Version int            `json:"version"`
	OK      bool           `json:"ok"` // nothing drifted, every probe succeeded
	Name    string         `json:"name"`
	Home    string         `json:"home"`
	Level   string         `json:"level"`
	Serial  uint64         `json:"serial"`
	Running bool           `json:"running"`
	Host    *wshost.Status `json:"host,omitempty"`
	// HostUnknown says why the host could not be asked: only its own user may.
	HostUnknown string          `json:"host_unknown,omitempty"`
	Pending     string          `json:"pending,omitempty"` // command of an interrupted transaction
	Features    []statusFeature `json:"features"`
	Problems    []string        `json:"problems"`
}

type statusFeature struct {
	ID          features.ID        `json:"id"`
	DisplayName string             `json:"display_name"`
	State       installState       `json:"state"`
	Reason      string             `json:"reason"`
	Files       []target.FileCheck `json:"files"`
	Probe       *target.UnitProbe  `json:"probe,omitempty"` // nil: there is nothing to see of it
}

func newStatusCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show what is recorded, what is really there, and the difference",
		Long: `Show what is recorded, what is really there, and the difference.

Every installed feature is looked at: its files are compared with what was recorded, and a real request shows that it
works, on the running host or, when none runs, on a throw-away one. Exit code 1 tells that there is a difference.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), c) },
	}
}

func runStatus(ctx context.Context, c *cli) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	res, err := c.lookAt(ctx, t)
	if err != nil {
		return err
	}
	if err := c.print(res, func(w io.Writer) { writeStatus(w, res) }); err != nil {
		return err
	}
	if !res.OK {
		return &silentError{ExitFailed}
	}
	return nil
}

// lookAt compares what is recorded with what is there.
func (c *cli) lookAt(ctx context.Context, t target.Target) (statusResult, error) {
	v, err := surveyServer(ctx, t)
	if err != nil {
		return statusResult{}, err
	}
	res := statusResult{
		Version: 1, Name: t.Name(), Home: c.home, Level: v.state.Level, Serial: v.state.Serial,
		Features: []statusFeature{}, Problems: []string{},
	}
	switch r, pending, err := t.Pending(ctx); {
	case errors.Is(err, fs.ErrPermission): // said in a note; who may not look at the journal may see the rest
	case err != nil:
		res.Problems = append(res.Problems, (&pendingUnknownError{err}).Error())
	case pending:
		res.Pending = r.Command
		res.Problems = append(res.Problems, fmt.Sprintf("an unfinished change: %q", r.Command))
	}
	switch host, err := t.Host(ctx); {
	case err == nil:
		res.Running, res.Host = true, &host
		for _, n := range host.Certificates {
			if n.Problem != "" {
				res.Problems = append(res.Problems, n.Problem)
			} else if n.Expiry != "" && !c.Now().Before(n.NotAfter) {
				res.Problems = append(res.Problems, fmt.Sprintf("certificate %s: %s", n.File, n.Expiry))
			}
		}
	case errors.Is(err, fs.ErrPermission):
		res.HostUnknown = err.Error()
	case !errors.Is(err, wshost.ErrNotRunning):
		res.Problems = append(res.Problems, fmt.Sprintf("the host does not answer: %v", err))
	}
	probes, err := t.Probe(ctx)
	if err != nil {
		return res, err
	}
	byUnit := map[features.ID]target.UnitProbe{}
	for _, p := range probes {
		byUnit[p.Unit] = p
	}
	c.compare(&res, v, byUnit)
	res.OK = len(res.Problems) == 0
	return res, nil
}

// compare fills in the features and the differences, in the order of the catalogue; what it does not know comes last.
func (c *cli) compare(res *statusResult, v survey, probes map[features.ID]target.UnitProbe) {
	add := func(u features.Unit) {
		f := statusFeature{
			ID: u.ID, DisplayName: u.Title, State: v.of(u), Reason: v.recorded[u.ID].Reason,
			Files: append([]target.FileCheck{}, v.files[u.ID]...),
		}
		for _, check := range f.Files {
			switch check.State {
			case target.FileOK:
			case target.FileOutdated:
				res.Problems = append(res.Problems, fmt.Sprintf("%s: %s is of another version of rolemgr; refresh it with: rolemgr install %s", u.Title, check.Path, u.ID))
			default:
				res.Problems = append(res.Problems, fmt.Sprintf("%s: %s is %s", u.Title, check.Path, check.State))
			}
		}
		if p, ok := probes[u.ID]; ok {
			f.Probe = &p
			if !p.OK {
				res.Problems = append(res.Problems, fmt.Sprintf("%s: %s", u.Title, p.Detail))
			}
		}
		res.Features = append(res.Features, f)
	}
	for _, u := range c.cat.Units() {
		if _, ok := v.recorded[u.ID]; ok {
			add(u)
		}
	}
	for _, u := range v.strangers(c.cat) {
		add(u)
	}
	for _, check := range v.files[""] {
		res.Problems = append(res.Problems, fmt.Sprintf("%s is not recorded, but the host reads it: take it away, or install the feature that it belongs to", check.Path))
	}
}

func writeHost(w io.Writer, r statusResult) {
	switch {
	case r.HostUnknown != "":
		fmt.Fprintf(w, "Host   not known (%s); looked at on a throw-away host\n", r.HostUnknown)
		return
	case !r.Running:
		fmt.Fprintln(w, "Host   not running; looked at on a throw-away host")
		return
	}
	n := 0
	for _, sockets := range r.Host.Sockets {
		n += sockets
	}
	fmt.Fprintf(w, "Host   running: pid %d, generation %d, %s\n", r.Host.PID, r.Host.Generation, liveSockets(n))
	for _, s := range r.Host.Sites {
		for _, b := range s.Bindings {
			fmt.Fprintf(w, "       %s  %s (%s)\n", b, s.Name, s.State)
		}
	}
	for _, n := range r.Host.Certificates {
		writeCertificate(w, n.CertificateInfo, n.Bindings, n.Expiry, n.Problem, n.Hint)
	}
}

func writeStatus(w io.Writer, r statusResult) {
	fmt.Fprintf(w, "Server %q in %s (level %s, serial %d)\n", r.Name, r.Home, r.Level, r.Serial)
	writeHost(w, r)
	if len(r.Features) == 0 {
		fmt.Fprintln(w, "\nNothing is installed.")
	} else {
		fmt.Fprintln(w)
	}
	for _, f := range r.Features {
		seen := ""
		switch {
		case f.Probe != nil && f.Probe.OK:
			seen = f.Probe.Detail
		case f.Probe != nil:
			seen = "FAILED: " + f.Probe.Detail
		}
		line := fmt.Sprintf("  %s %s %s", fit(f.DisplayName, 34), fit(f.State.label(), 10), seen)
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
	if len(r.Problems) == 0 {
		fmt.Fprintln(w, "\nEverything is as recorded.")
		return
	}
	fmt.Fprintln(w, "\nDifferences:")
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", p)
	}
}
