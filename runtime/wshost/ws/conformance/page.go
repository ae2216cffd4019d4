package conformance

import (
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var page string

// WriteHTML writes the report as one page that needs nothing else: it follows the reader's light or dark setting, can
// be printed, and filters by outcome without a script.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"class": func(o Outcome) string { return string(o) },
		"share": func(n, all int) template.CSS {
			return template.CSS(fmt.Sprintf("%.3f%%", 100*float64(n)/float64(max(all, 1))))
		},
	}).Parse(page)
	if err != nil {
		return err
	}
	groups := make([]pageGroup, len(r.Groups))
	rest := r.Results
	for i, g := range r.Groups {
		groups[i], rest = pageGroup{g, rest[:g.Cases]}, rest[g.Cases:]
	}
	return t.Execute(w, struct {
		*Report
		Outcomes []Outcome
		Parts    []pageGroup
		Verdict  bool
		Failures int
	}{r, Outcomes(), groups, r.Passed(false), r.Counts[Failed]})
}

// pageGroup is a group with its results.
type pageGroup struct {
	GroupCount
	Results []Result
}
