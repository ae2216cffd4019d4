package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
)

// actionGroup is one heading of a printed plan.
type actionGroup struct {
	action  plan.Action
	heading string
	verb    string // "3 to add"
}

func actionGroups() []actionGroup {
	return []actionGroup{
		{plan.Remove, "Remove:", "to remove"},
		{plan.Add, "Add:", "to add"},
		{plan.Refresh, "Refresh:", "to refresh"},
		{plan.Repair, "Repair:", "to repair"},
		{plan.Mark, "Change in the record only:", "to mark"},
		{plan.Keep, "Installed already:", "to keep"},
	}
}

// writePlan prints a plan as people read it: what happens to each unit, and why.
func (c *cli) writePlan(w io.Writer, t target.Target, p plan.Plan) {
	fmt.Fprintf(w, "Plan for server %q in %s (level %s)\n", t.Name(), c.home, p.Level)
	c.writeChanges(w, p)
	if len(p.Skipped) > 0 {
		fmt.Fprint(w, "\nLeft out, not available here:\n")
		for _, s := range p.Skipped {
			fmt.Fprintf(w, "    %s: %s\n", c.title(s.ID), s.Reason)
		}
	}
	fmt.Fprintf(w, "\n%s; %s would be closed.\n", planTotals(p), liveSockets(p.Cuts))
}

// writeChanges prints the changes of a plan in groups, each with its sign, its name and its reason.
func (c *cli) writeChanges(w io.Writer, p plan.Plan) {
	titleWidth, idWidth := 0, 0
	for _, ch := range p.Changes {
		titleWidth = max(titleWidth, utf8.RuneCountInString(ch.Title))
		idWidth = max(idWidth, len(ch.Unit))
	}
	for _, g := range actionGroups() {
		heading := "\n" + g.heading + "\n"
		for _, ch := range p.Changes {
			if ch.Action != g.action {
				continue
			}
			line := fmt.Sprintf("  %s %s  %-*s  %s", ch.Action, pad(ch.Title, titleWidth), idWidth, ch.Unit, ch.Why)
			if ch.Sockets > 0 {
				line += fmt.Sprintf(" (closes %s)", liveSockets(ch.Sockets))
			}
			fmt.Fprint(w, heading, strings.TrimRight(line, " "), "\n")
			heading = ""
		}
	}
}

// planTotals counts the changes: "2 to add, 1 to remove".
func planTotals(p plan.Plan) string {
	counts := map[plan.Action]int{}
	for _, ch := range p.Changes {
		counts[ch.Action]++
	}
	parts := []string{fmt.Sprintf("%d to add", counts[plan.Add]), fmt.Sprintf("%d to remove", counts[plan.Remove])}
	for _, g := range actionGroups()[2:] {
		if n := counts[g.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, g.verb))
		}
	}
	return strings.Join(parts, ", ")
}

// writeNoChange says that everything asked for is so already.
func (c *cli) writeNoChange(w io.Writer, r plan.Request, p plan.Plan) {
	var installed, absent []string
	for _, ch := range p.Changes {
		if ch.Action == plan.Keep {
			installed = append(installed, ch.Title)
		}
	}
	for _, id := range r.Remove {
		absent = append(absent, c.title(id))
	}
	switch {
	case len(installed) > 0:
		fmt.Fprintf(w, "no change needed: %s %s installed already\n", strings.Join(installed, ", "), isOrAre(installed))
	case len(absent) > 0:
		fmt.Fprintf(w, "no change needed: %s %s not installed\n", strings.Join(absent, ", "), isOrAre(absent))
	default:
		fmt.Fprintln(w, "no change needed")
	}
}

func isOrAre(names []string) string {
	if len(names) > 1 {
		return "are"
	}
	return "is"
}

// writeChanged prints the outcome of a transaction.
func (c *cli) writeChanged(w io.Writer, res changeResult) {
	fmt.Fprintf(w, "\nDone in %.0f ms: %s (serial %d).\n", res.DurationMS, pastTotals(res.Plan), res.Serial)
	if res.Closed > 0 {
		verb := "was"
		if res.Closed > 1 {
			verb = "were"
		}
		fmt.Fprintf(w, "%s %s closed.\n", liveSockets(res.Closed), verb)
	}
	for _, p := range res.Probes {
		fmt.Fprintf(w, "  proven  %s: %s\n", c.title(p.Unit), p.Detail)
	}
}

// pastTotals counts what was done: "12 features added".
func pastTotals(p plan.Plan) string {
	counts := map[plan.Action]int{}
	for _, ch := range p.Changes {
		counts[ch.Action]++
	}
	var parts []string
	for _, v := range []struct {
		action plan.Action
		past   string
	}{{plan.Add, "added"}, {plan.Remove, "removed"}, {plan.Refresh, "refreshed"}, {plan.Repair, "repaired"}, {plan.Mark, "marked"}} {
		if n := counts[v.action]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, v.past))
		}
	}
	if len(parts) == 0 {
		return "level " + string(p.Level)
	}
	return strings.Join(parts, ", ")
}

// title returns the display name of a unit, its id when the catalogue does not know it.
func (c *cli) title(id features.ID) string {
	if c.cat != nil {
		if u, ok := c.cat.Unit(id); ok {
			return u.Title
		}
	}
	return string(id)
}

// pad fills a text with spaces up to a width in characters.
func pad(s string, width int) string {
	return s + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(s)))
}
