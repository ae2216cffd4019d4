package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"syscall"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// problem is one thing that went wrong and the next step.
type problem struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// failure is what --json prints when a command fails before it has a result of its own.
type failure struct {
	Version  int       `json:"version"`
	Success  bool      `json:"success"`
	ExitCode ExitCode  `json:"exit_code"`
	Problems []problem `json:"problems"`
}

// reportError says what happened on standard error and, for --json, as the one object on standard output.
func (c *cli) reportError(err error, code ExitCode) {
	var silent *silentError
	if errors.As(err, &silent) {
		return
	}
	ps := c.problems(err)
	if code == ExitInterrupted {
		ps = []problem{interruptedProblem(err)}
	}
	for _, p := range ps {
		fmt.Fprintf(c.Err, "rolemgr: error: %s\n", p.Message)
		if p.Hint != "" {
			fmt.Fprintf(c.Err, "rolemgr: hint: %s\n", p.Hint)
		}
	}
	if c.json && !c.jsonDone {
		_ = c.printJSON(failure{Version: 1, ExitCode: code, Problems: ps}) // nobody is left to be told
	}
}

// interruptedProblem says that it was a signal that ended the command, and what became of the change.
func interruptedProblem(err error) problem {
	var rolledBack *apply.RolledBackError
	if errors.As(err, &rolledBack) && rolledBack.Err == context.Canceled { // and nothing else beside it
		return problem{Code: "interrupted", Message: "interrupted; everything was rolled back"}
	}
	if rolledBack == nil {
		return problem{Code: "interrupted", Message: "interrupted; nothing was changed"}
	}
	return problem{Code: "interrupted", Message: "interrupted: " + err.Error()}
}

// problems turns an error into what a person reads. Errors with a hint of their own keep it.
func (c *cli) problems(err error) []problem {
	var terminal *terminalError
	if errors.As(err, &terminal) {
		return []problem{{Code: "terminal", Message: err.Error(), Hint: terminal.instead}}
	}
	var refused *features.RefusedError
	if errors.As(err, &refused) {
		var ps []problem
		for _, p := range refused.Problems {
			ps = append(ps, problem{Code: p.Code, Message: p.Summary, Hint: p.Hint})
		}
		if len(ps) > 0 {
			return ps
		}
	}
	var incomplete *apply.IncompleteError
	if errors.As(err, &incomplete) {
		return incompleteProblems(incomplete)
	}
	var unknown unknownNames
	if errors.As(err, &unknown) {
		var ps []problem
		for _, one := range unknown {
			ps = append(ps, c.problems(one)...)
		}
		return ps
	}
	var notFound *features.NotFoundError
	if errors.As(err, &notFound) {
		return []problem{{Code: "not-found", Message: fmt.Sprintf("no feature is called %q", notFound.Name), Hint: didYouMean(notFound)}}
	}
	return []problem{{Message: err.Error(), Hint: hintFor(err)}}
}

func incompleteProblems(e *apply.IncompleteError) []problem {
	ps := []problem{{Code: "incomplete", Message: e.Error(), Hint: "mend what is named below, then run \"rolemgr recover\""}}
	for _, f := range e.Files {
		p := problem{Code: "leftover", Message: fmt.Sprintf("%q could not be restored: %s", f.Path, f.Why)}
		if f.PreImage != "" {
			p.Hint = fmt.Sprintf("its content before is kept in %q", f.PreImage)
		}
		ps = append(ps, p)
	}
	return ps
}

// hintFor returns the next step after an error, "" when there is none worth a line.
func hintFor(err error) string {
	var usage *usageError
	var hinted *hintedError
	var locked *state.LockedError
	var format *state.FormatError
	var cuts *target.TooManyCutsError
	var off *target.SwitchedOffError
	var conf *config.Error
	var damaged *apply.DamagedError
	var cert *wshost.CertificateError
	switch {
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &locked):
		return "wait for it with --wait 30s, or try again when it has finished"
	case errors.As(err, &format):
		return format.Hint
	case errors.As(err, &cuts):
		return "allow more with --max-cut, or wait until the sockets have closed"
	case errors.As(err, &off):
		return "set enabled=\"true\" there or take the line out, then try again"
	case errors.As(err, &conf):
		return conf.Hint
	case errors.As(err, &cert):
		return cert.Hint
	case errors.Is(err, wshost.ErrNotRunning):
		return "start it with \"rolemgr serve\""
	case errors.Is(err, wshost.ErrRunning):
		return "see it with \"rolemgr status\", make it read its files again with \"rolemgr reload\", end it with \"rolemgr stop\""
	case errors.As(err, &damaged):
		return fmt.Sprintf("see with \"rolemgr verify\" what differs, move %q away, then install what differs again", damaged.Dir)
	case errors.Is(err, fs.ErrPermission):
		return "run it as the user who owns the home folder"
	case errors.Is(err, syscall.EROFS):
		return "the home folder is on a file system that is mounted read-only"
	}
	return ""
}

// didYouMean names the nearest features.
func didYouMean(e *features.NotFoundError) string {
	if len(e.Suggestions) == 0 {
		return "\"rolemgr list\" shows every name"
	}
	var names []string
	for _, u := range e.Suggestions {
		names = append(names, fmt.Sprintf("%q (%s)", u.ID, u.Title))
	}
	return "did you mean " + strings.Join(names, " or ") + "?"
}

// note says something on standard error that is neither a result nor an error.
func (c *cli) note(format string, args ...any) {
	fmt.Fprintf(c.Err, "rolemgr: "+format+"\n", args...)
}

// printJSON prints the one object of a command.
func (c *cli) printJSON(v any) error {
	c.jsonDone = true
	enc := json.NewEncoder(c.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// print prints a command's value: as JSON when asked to, else by the function.
func (c *cli) print(v any, human func(io.Writer)) error {
	if c.json {
		return c.printJSON(v)
	}
	human(c.Out)
	return nil
}
