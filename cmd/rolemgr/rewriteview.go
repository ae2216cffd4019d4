package main

import (
	"fmt"
	"io"

	"github.com/rolemgr/rolemgr/features/urlrewrite"
)

// writeTrace tells a trace to a person.
func writeTrace(w io.Writer, res rewriteResult) {
	fmt.Fprintf(w, "%s %s, site %q\n", res.Method, res.Request, res.Site)
	for i := range res.Steps {
		writeStep(w, &res.Steps[i])
	}
	if len(res.Steps) == 0 {
		fmt.Fprintln(w, "no rule is written for this URL")
	}
	switch res.Action {
	case urlrewrite.ActionError:
		fmt.Fprintf(w, "in the end: error %d.%d: %s\n", res.Status, res.SubStatus, res.Message)
		if res.Hint != "" {
			fmt.Fprintf(w, "    hint: %s\n", res.Hint)
		}
	case "None":
		fmt.Fprintf(w, "in the end: nothing is rewritten, %s\n", res.URL)
	case "Rewrite":
		fmt.Fprintf(w, "in the end: rewritten to %s\n", res.URL)
	case "Redirect":
		fmt.Fprintf(w, "in the end: redirected with %d to %s\n", res.Status, res.URL)
	case "CustomResponse":
		fmt.Fprintf(w, "in the end: answered with %d.%d %s\n", res.Status, res.SubStatus, res.Message)
	default:
		fmt.Fprintln(w, "in the end: the connection is closed without an answer")
	}
}

func writeStep(w io.Writer, s *urlrewrite.Step) {
	fmt.Fprintf(w, "%s %q, %s:%d\n", map[string]string{"rules": "rule", "globalRules": "global rule"}[s.Section], s.Rule, s.File, s.Line)
	if s.Skipped != "" {
		fmt.Fprintf(w, "    not tested: %s\n", s.Skipped)
		return
	}
	pattern := fmt.Sprintf("matches %q", s.Pattern)
	if s.Pattern == "" {
		pattern = "matches everything"
	}
	if s.Negate {
		pattern = "not: " + pattern
	}
	fmt.Fprintf(w, "    %s %q %s\n", mark(s.Matched), s.Input, pattern)
	for _, c := range s.Conditions {
		test := fmt.Sprintf("matches %q", c.Pattern)
		switch c.Test {
		case "IsFile":
			test = "is a file"
		case "IsDirectory":
			test = "is a folder"
		}
		if c.Negate {
			test = "not: " + test
		}
		fmt.Fprintf(w, "    %s %s = %q %s\n", mark(c.Met), c.Input, c.Value, test)
	}
	for _, v := range s.Variables {
		fmt.Fprintf(w, "    set %s = %q\n", v.Name, v.Value)
	}
	if !s.Applied {
		return
	}
	stop := ""
	if s.Stop {
		stop = ", no further rule is looked at"
	}
	fmt.Fprintf(w, "    %s: %s%s\n", s.Action, s.URL, stop)
}

// mark tells whether something held, in a word that a screen reader reads, too.
func mark(held bool) string {
	if held {
		return "yes"
	}
	return "no "
}
