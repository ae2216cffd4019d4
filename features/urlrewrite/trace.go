package urlrewrite

import (
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// ActionError is the Action of a Trace in which a rule could not be carried out.
const ActionError = "Error"

// Trace is what the rules made of a request, step by step.
type Trace struct {
	Steps []Step `json:"steps"`
	// Action is what happens in the end: "None" (the request goes on under its URL), "Rewrite" (it goes on under URL),
	// "Redirect", "CustomResponse", "AbortRequest", or "Error" when a rule could not be carried out.
	Action string `json:"action"`
	// URL is the path and query string that the request goes on with, or the Location of a redirection.
	URL string `json:"url,omitempty"`
	// Status and SubStatus are what is answered by a rule; 0 when the request goes on.
	Status    int    `json:"status,omitempty"`
	SubStatus int    `json:"sub_status,omitempty"`
	Message   string `json:"message,omitempty"`
	Hint      string `json:"hint,omitempty"`
}

// Step is one rule that was looked at.
type Step struct {
	Section string     `json:"section"` // "rules" or "globalRules"
	Rule    string     `json:"rule"`
	At      config.Pos `json:"-"`
	File    string     `json:"file"`
	Line    int        `json:"line"`
	// Input is the path that the pattern was tested against. Skipped is set instead when the rule was not tested.
	Input      string      `json:"input"`
	Skipped    string      `json:"skipped,omitempty"`
	Pattern    string      `json:"pattern"` // "" matches everything
	Negate     bool        `json:"negate,omitempty"`
	Matched    bool        `json:"matched"` // the pattern, with Negate taken into account
	Conditions []Condition `json:"conditions,omitempty"`
	// Applied tells that the conditions held as well, so that the action was carried out.
	Applied   bool       `json:"applied"`
	Variables []Variable `json:"variables,omitempty"`
	Action    string     `json:"action,omitempty"`
	URL       string     `json:"url,omitempty"` // path and query string, or the Location, after the action
	Stop      bool       `json:"stop,omitempty"`
}

// Condition is one condition that was tested.
type Condition struct {
	Input   string `json:"input"` // as written
	Value   string `json:"value"` // what it stood for
	Test    string `json:"test"`  // "Pattern", "IsFile" or "IsDirectory"
	Pattern string `json:"pattern,omitempty"`
	Negate  bool   `json:"negate,omitempty"`
	Met     bool   `json:"met"` // with Negate taken into account
}

// Variable is a server variable that a rule has set.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Walk runs the inbound rules of a request's configuration over it, as the module does, and answers nothing. q needs
// Config, Files and, to follow a rewrite into a folder with a configuration of its own, Reconfigure.
func Walk(r *http.Request, q *module.Request) *Trace {
	t := &Trace{Steps: []Step{}}
	v := decide(newSubject(r, q), t)
	t.Action, t.URL, t.Status, t.SubStatus, t.Message = v.kind, v.url, v.status, v.subStatus, v.text()
	if v.failure != nil {
		t.Action, t.Status, t.SubStatus, t.Message, t.Hint = ActionError, v.failure.Status, v.failure.SubStatus, v.failure.Summary, v.failure.Hint
		if c := v.failure.Config; c != nil {
			t.Message, t.Hint = c.Error(), c.Hint
		}
	}
	return t
}
