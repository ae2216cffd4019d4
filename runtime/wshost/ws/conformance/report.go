package conformance

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Result is what became of one case.
type Result struct {
	ID       string        `json:"id"`
	Group    string        `json:"group"`
	Title    string        `json:"title"`
	Section  string        `json:"section"`
	Outcome  Outcome       `json:"outcome"`
	Sent     []string      `json:"sent"`
	Expected []Expectation `json:"expected"`
	Seen     []string      `json:"seen"`

	late bool // a time ran out
}

// doubtful reports whether another outcome may be expected from a peer that is faster.
func (r Result) doubtful() bool { return r.late && (r.Outcome == Failed || r.Outcome == NonStrict) }

// GroupCount counts the outcomes of one group.
type GroupCount struct {
	Group  string          `json:"group"`
	Cases  int             `json:"cases"`
	Counts map[Outcome]int `json:"counts"`
}

// Report is a run. It holds no times: two runs against an endpoint that behaves alike give equal reports.
type Report struct {
	Version int             `json:"version"` // 1
	Subject Subject         `json:"subject"`
	Agent   string          `json:"agent"`
	Target  string          `json:"target"` // address of the server; of the judge when the subject is a client
	Cases   int             `json:"cases"`
	Counts  map[Outcome]int `json:"counts"`
	Groups  []GroupCount    `json:"groups"`
	Results []Result        `json:"results"`
}

func (c Case) result() Result {
	return Result{ID: c.ID, Group: c.Group, Title: c.Title, Section: c.Section, Sent: c.Sends(), Expected: c.Expects()}
}

func newReport(s Subject, agent, address string, results []Result) *Report {
	r := &Report{Version: 1, Subject: s, Agent: agent, Target: address, Cases: len(results), Counts: map[Outcome]int{}, Results: results}
	for _, res := range results {
		if n := len(r.Groups); n == 0 || r.Groups[n-1].Group != res.Group {
			r.Groups = append(r.Groups, GroupCount{Group: res.Group, Counts: map[Outcome]int{}})
		}
		g := &r.Groups[len(r.Groups)-1]
		g.Cases++
		g.Counts[res.Outcome]++
		r.Counts[res.Outcome]++
	}
	return r
}

// Passed reports whether no case failed; with strict, none was non-strict either.
func (r *Report) Passed(strict bool) bool {
	return r.Counts[Failed] == 0 && (!strict || r.Counts[NonStrict] == 0)
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// WriteText writes a table of the groups for a terminal, then the cases that failed with what was expected and seen;
// with strict, also those that were not strict.
func (r *Report) WriteText(w io.Writer, strict bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s under test: %s\n\n", r.Subject, r.Agent)
	row := func(name string, counts map[Outcome]int, cases int) {
		fmt.Fprintf(&b, "%-22s", name)
		for _, o := range Outcomes() {
			n := fmt.Sprint(counts[o])
			if counts[o] == 0 {
				n = "-"
			}
			fmt.Fprintf(&b, " %*s", len(o)+2, n)
		}
		fmt.Fprintf(&b, " %7d\n", cases)
	}
	fmt.Fprintf(&b, "%-22s", "group")
	for _, o := range Outcomes() {
		fmt.Fprintf(&b, "   %s", o)
	}
	b.WriteString("   cases\n")
	for _, g := range r.Groups {
		row(g.Group, g.Counts, g.Cases)
	}
	row("all", r.Counts, r.Cases)
	for _, res := range r.Results {
		if res.Outcome == Failed || strict && res.Outcome == NonStrict {
			res.writeText(&b)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Result) writeText(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s  %s  %s (%s)\n", strings.ToUpper(string(r.Outcome)), r.ID, r.Title, r.Section)
	for _, e := range r.Expected {
		if e.Outcome == OK {
			fmt.Fprintf(b, "  expected  %s\n", e.Seen)
		}
	}
	fmt.Fprintf(b, "  seen      %s\n", strings.Join(r.Seen, ", then "))
}

// describe writes events for people; long rows of pongs and messages are cut.
func describe(events []event) []string {
	var out []string
	for i, e := range events {
		if len(events) > 12 && i >= 5 && i < len(events)-5 {
			if i == 5 {
				out = append(out, fmt.Sprintf("%d more events", len(events)-10))
			}
			continue
		}
		out = append(out, e.String())
	}
	return out
}
