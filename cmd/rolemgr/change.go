package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/spf13/cobra"
)

// replans is how often a plan is made again because the server changed meanwhile.
const replans = 3

// changeOptions are what every command that changes the server has in common.
type changeOptions struct {
	whatIf, yes, detailedExitCode bool
	maxCut                        int
	wait                          time.Duration

	needs []checkNeed // why features are asked for, of install --for
}

func (o *changeOptions) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.whatIf, "what-if", false, "print the plan and change nothing; needs no permission to write")
	f.BoolVarP(&o.yes, "yes", "y", false, "do not ask before live sockets are closed (without a terminal nothing is ever asked)")
	f.IntVar(&o.maxCut, "max-cut", -1, "refuse to close more live sockets than that; -1: no bound")
	f.DurationVar(&o.wait, "wait", 0, "how long to wait for another rolemgr to finish, as in 30s")
	f.BoolVar(&o.detailedExitCode, "detailed-exitcode", false, "exit with 3 when no change is needed")
}

// check refuses values that mean nothing, where a slip of the hand would otherwise lift a bound.
func (o *changeOptions) check() error {
	switch {
	case o.maxCut < -1:
		return &usageError{fmt.Sprintf("--max-cut %d is not a number of sockets", o.maxCut), "give 0 or more, or -1 for no bound"}
	case o.wait < 0:
		return &usageError{fmt.Sprintf("--wait %s is not a time to wait", o.wait), "give it as in 30s; 0s does not wait"}
	}
	return nil
}

// changeResult is the outcome of a command that changes the server.
type changeResult struct {
	Version     int                `json:"version"`
	Success     bool               `json:"success"`
	Result      string             `json:"result"` // "changed", "no-change", "planned"
	Serial      uint64             `json:"serial"` // of the state afterwards; for "planned" of the state now
	Transaction string             `json:"transaction,omitempty"`
	Closed      int                `json:"closed"` // live sockets closed
	Plan        plan.Plan          `json:"plan"`
	Probes      []target.UnitProbe `json:"probes"`
	Diagnostics diag.List          `json:"diagnostics"`
	Warnings    []string           `json:"warnings"`
	For         []checkNeed        `json:"for,omitempty"` // of install --for: what the files need, and where
	DurationMS  float64            `json:"duration_ms"`
}

// change plans a request, shows the plan, asks where a question is due, and carries the plan out. When the server
// changed between plan and lock, it plans again.
func (c *cli) change(ctx context.Context, t target.Target, r plan.Request, o changeOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	var stale *apply.StaleError
	for attempt := 0; ; attempt++ {
		err := c.changeOnce(ctx, t, r, o)
		if !errors.As(err, &stale) || attempt == replans {
			return err
		}
		c.note("note: %v; planning again", err)
	}
}

func (c *cli) changeOnce(ctx context.Context, t target.Target, r plan.Request, o changeOptions) error {
	p, diags, err := t.Plan(ctx, r)
	if err != nil {
		return err
	}
	c.warn(diags)
	p.Changes, p.Steps = append([]plan.Change{}, p.Changes...), append([]plan.Step{}, p.Steps...) // [] in JSON, not null
	res := changeResult{
		Version: 1, Success: true, Serial: p.BaseSerial, Plan: p, Diagnostics: append(diag.List{}, diags...),
		Probes: []target.UnitProbe{}, Warnings: []string{}, For: o.needs,
	}
	if !c.json {
		c.writeNeededFor(c.Out, o.needs)
	}
	if p.Empty() {
		res.Result = "no-change"
		if err := c.print(res, func(w io.Writer) { c.writeNoChange(w, r, p) }); err != nil {
			return err
		}
		if o.detailedExitCode {
			return &silentError{ExitNoChange}
		}
		return nil
	}
	if !c.json {
		c.writePlan(c.Out, t, p)
	}
	if o.maxCut >= 0 && p.Cuts > o.maxCut {
		return &target.TooManyCutsError{Cuts: p.Cuts, Max: o.maxCut}
	}
	if o.maxCut >= 0 && slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == target.SocketsUnknown }) {
		return &boundError{o.maxCut}
	}
	if o.whatIf {
		res.Result = "planned"
		return c.print(res, func(w io.Writer) { fmt.Fprintln(w, "Nothing was changed (--what-if).") })
	}
	if err := c.confirm(ctx, p, o); err != nil {
		return err
	}
	return c.carryOut(ctx, t, o, res)
}

// carryOut applies a plan and prints the result.
func (c *cli) carryOut(ctx context.Context, t target.Target, o changeOptions, res changeResult) error {
	pr := c.newProgress()
	begin := c.Now()
	unhear := context.AfterFunc(ctx, pr.interrupted)
	defer unhear()
	done, err := t.Apply(ctx, res.Plan, target.ApplyOptions{
		Command: c.line, Wait: o.wait, MaxCut: o.maxCut, Emit: pr.emit,
	})
	pr.finish()
	if err != nil {
		return stillConfigured(err, res.Plan)
	}
	res.Result, res.Serial, res.Transaction, res.Closed = "changed", done.State.Serial, done.Transaction, done.Closed
	res.Probes = append(res.Probes, pr.probes...)
	res.Warnings = append(res.Warnings, done.Warnings...)
	res.DurationMS = float64(c.Now().Sub(begin).Microseconds()) / 1000
	for _, w := range done.Warnings {
		c.note("warning: %s", w)
	}
	return c.print(res, func(w io.Writer) { c.writeChanged(w, res) })
}

// stillConfigured gives the error of a removal that a person's configuration stands against its own next step: the
// configuration would say "install it", which is what was just to be undone.
func stillConfigured(err error, p plan.Plan) error {
	var conf *config.Error
	if !errors.As(err, &conf) || conf.Feature == "" {
		return err
	}
	removed := slices.ContainsFunc(p.Changes, func(ch plan.Change) bool {
		return ch.Action == plan.Remove && string(ch.Unit) == conf.Feature
	})
	if !removed {
		return err
	}
	return &hintedError{err, fmt.Sprintf("take the section out of %s first, then remove the feature again", conf.Pos)}
}

// warn prints the diagnostics that do not refuse the plan.
func (c *cli) warn(diags diag.List) {
	for _, d := range diags {
		c.note("%s: %s", d.Severity, d.Error())
		if d.Hint != "" {
			c.note("hint: %s", d.Hint)
		}
	}
}

// confirm asks once before live sockets are closed, on a terminal and without --yes. Nothing else is ever asked.
func (c *cli) confirm(ctx context.Context, p plan.Plan, o changeOptions) error {
	if p.Cuts == 0 || o.yes || c.json || !c.InTTY || !c.ErrTTY {
		return nil
	}
	fmt.Fprintf(c.Err, "Close %s? [y/N] ", liveSockets(p.Cuts))
	line, err := readLine(ctx, c.In)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return &declinedError{}
}

// readLine reads a line, or what there is before the end of the input. When ctx ends it returns at once; the reading
// goes on in the background until the program ends, for a read of a terminal cannot be taken back.
func readLine(ctx context.Context, in io.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	read := make(chan answer, 1)
	go func() {
		line, err := bufio.NewReader(in).ReadString('\n')
		if errors.Is(err, io.EOF) {
			err = nil
		}
		read <- answer{line, err}
	}()
	select {
	case a := <-read:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// liveSockets returns "1 live socket" or "n live sockets".
func liveSockets(n int) string {
	if n == 1 {
		return "1 live socket"
	}
	return fmt.Sprintf("%d live sockets", n)
}
