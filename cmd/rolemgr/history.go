package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/spf13/cobra"
)

// historyResult is what `rolemgr history --json` prints.
type historyResult struct {
	Version int            `json:"version"`
	States  []historyState `json:"states"` // newest first, the current one at the head
}

type historyState struct {
	Serial      uint64    `json:"serial"`
	Current     bool      `json:"current"`
	Written     time.Time `json:"written,omitzero"`
	Transaction string    `json:"transaction,omitempty"`
	Level       string    `json:"level"`
	Features    []string  `json:"features"`
	Added       []string  `json:"added"`   // compared with the state before it
	Removed     []string  `json:"removed"` // compared with the state before it
}

func newHistoryCommand(c *cli) *cobra.Command {
	return &cobra.Command{
		Use:   "history",
		Short: "List the past states that can be returned to",
		Args:  argCount(0, 0, ""),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runHistory(cmd.Context(), c) },
	}
}

func runHistory(ctx context.Context, c *cli) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	states, err := t.History(ctx)
	if err != nil {
		return err
	}
	res := historyResult{Version: 1, States: []historyState{}}
	for i, s := range states {
		h := historyState{
			Serial: s.Serial, Current: i == 0, Written: s.Written, Transaction: s.LastTransaction, Level: s.Level,
			Features: featureIDs(s), Added: []string{}, Removed: []string{},
		}
		if i+1 < len(states) {
			h.Added, h.Removed = difference(states[i+1], s)
		}
		res.States = append(res.States, h)
	}
	return c.print(res, func(w io.Writer) { writeHistory(w, res) })
}

func featureIDs(s state.State) []string {
	ids := []string{}
	for _, f := range s.Features {
		ids = append(ids, f.ID)
	}
	return ids
}

// difference returns what came and what went between two states.
func difference(before, after state.State) (added, removed []string) {
	added, removed = []string{}, []string{}
	old, now := featureIDs(before), featureIDs(after)
	for _, id := range now {
		if !slices.Contains(old, id) {
			added = append(added, id)
		}
	}
	for _, id := range old {
		if !slices.Contains(now, id) {
			removed = append(removed, id)
		}
	}
	return added, removed
}

func writeHistory(w io.Writer, r historyResult) {
	for _, s := range r.States {
		mark, when := " ", "never written"
		if s.Current {
			mark = "*"
		}
		if !s.Written.IsZero() {
			when = s.Written.Local().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s %4d  %-19s  level %-4s  %2d installed%s\n", mark, s.Serial, when, s.Level, len(s.Features), signed(s))
	}
}

// signed writes what came and went: "  +websocket -cgi".
func signed(s historyState) string {
	var parts []string
	for _, id := range s.Added {
		parts = append(parts, "+"+id)
	}
	for _, id := range s.Removed {
		parts = append(parts, "-"+id)
	}
	if len(parts) == 0 {
		return ""
	}
	return "  " + strings.Join(parts, " ")
}
