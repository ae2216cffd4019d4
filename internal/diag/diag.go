// Package diag holds diagnostics: what a person is told about a file or a wish, with a position and a next step.
// It is not an error package: errors that programs branch on are types of the package that returns them.
package diag

import "fmt"

// Severity orders diagnostics. The values reach JSON output.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

// Diagnostic is one thing to tell a person.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	Code     string   `json:"code"`    // stable, for programs: "not-built"
	Summary  string   `json:"summary"` // lower case, no full stop
	Detail   string   `json:"detail,omitempty"`
	Hint     string   `json:"hint,omitempty"` // the next step a person can take
	Pos      string   `json:"pos,omitempty"`  // "file:line:column"
}

// Error returns position and summary.
func (d Diagnostic) Error() string {
	if d.Pos != "" {
		return fmt.Sprintf("%s: %s", d.Pos, d.Summary)
	}
	return d.Summary
}

// List is diagnostics in the order in which they were found.
type List []Diagnostic

// HasErrors reports whether one of them is an error.
func (l List) HasErrors() bool {
	for _, d := range l {
		if d.Severity == Error {
			return true
		}
	}
	return false
}
