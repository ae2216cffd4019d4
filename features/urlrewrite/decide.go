package urlrewrite

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// maxMoves is how many times rules may lead into a folder whose configuration brings more rules. A rule runs once for a
// request, so nothing loops; a chain this long is a mistake all the same.
const maxMoves = 10

// A verdict is what the rules make of a request.
type verdict struct {
	kind        string // the type of the last action: None and Rewrite let the request go on
	url         string // path and query string to go on with, or the Location
	status      int
	subStatus   int
	reason      string
	description string
	failure     *module.HTTPError
}

// text is the reason and description of a custom response.
func (v *verdict) text() string {
	if v.reason == "" || v.description == "" {
		return v.reason + v.description
	}
	return v.reason + ": " + v.description
}

// final reports whether the action ends the request.
func (v *verdict) final() bool {
	return v.failure != nil || v.kind != actionNone && v.kind != actionRewrite
}

// A walker takes a request through its rules.
type walker struct {
	*subject
	trace   *Trace // nil unless asked for
	section string // under which the rules stand that run now
	maps    *mapsConfig
	allowed *allowedConfig // nil when every server variable may be set
	ran     []*ruleSet     // below whose configuration the request is not any more
	verdict verdict
}

// done reports whether a rule has run. The configuration of another folder has the rules of the folders above it, too.
func (w *walker) done(r *rule) bool {
	for _, set := range w.ran {
		if set.at[r.at] {
			return true
		}
	}
	return false
}

// decide runs the global rules, then those of the URL's configuration. Where these lead into another folder, the rules
// that are written there follow, for IIS evaluates rules from parent to child.
func decide(s *subject, t *Trace) verdict {
	w := &walker{subject: s, trace: t, verdict: verdict{kind: actionNone}}
	w.run(sectionGlobal)
	w.follow()
	for moves := 0; !w.verdict.final(); moves++ {
		if moves > maxMoves {
			w.fail("the rewrite rules lead from folder to folder more than %d times", maxMoves)
			break
		}
		if stopped := w.run(sectionRules); !w.follow() || stopped {
			break
		}
	}
	if w.verdict.url == "" && w.verdict.failure == nil {
		w.verdict.url = w.current()
	}
	return w.verdict
}

// current is the path and query string as they are now.
func (s *subject) current() string { return joinQuery(escapeReserved(s.path), s.query) }

// run runs the rules of a section that have not run yet, and reports whether one has stopped the others.
func (w *walker) run(section string) (stopped bool) {
	c, err := config.Decode[rulesConfig](w.q.Config, section)
	if err != nil {
		w.verdict.failure = module.Misfit(name, section, err)
		return true
	}
	if len(c.Entries) == 0 {
		return false
	}
	set := c.compile(section == sectionGlobal)
	if set.err != nil {
		w.verdict.failure = module.ConfigFailure(set.err)
		return true
	}
	if slices.Contains(w.ran, set) {
		return false
	}
	w.section = section
	if w.maps, err = config.Decode[mapsConfig](w.q.Config, sectionMaps); err != nil {
		w.verdict.failure = module.Misfit(name, sectionMaps, err)
		return true
	}
	w.allowed = nil
	if section == sectionRules { // global rules are an administrator's and may set every variable
		if w.allowed, err = config.Decode[allowedConfig](w.q.Config, sectionAllowed); err != nil {
			w.verdict.failure = module.Misfit(name, sectionAllowed, err)
			return true
		}
	}
	for _, r := range set.rules {
		if w.done(r) {
			continue
		}
		if stopped = w.apply(r); stopped || w.verdict.final() {
			break
		}
	}
	if section == sectionRules && w.path != w.from {
		w.ran = append(w.ran, set)
	}
	return stopped
}

// follow brings the request under the configuration of its new path, and reports whether there is one.
func (w *walker) follow() bool {
	if w.verdict.final() || w.path == w.from {
		return false
	}
	w.own()
	if refusal := w.q.Move(w.r, w.path); refusal != nil {
		w.verdict.failure = refusal
		return false
	}
	w.from, w.bases = w.path, w.bases[:0]
	return true
}

// apply looks at one rule, carries it out when it matches, and reports whether it stops the others.
func (w *walker) apply(r *rule) (stop bool) {
	step := w.step(r)
	base := "/"
	if w.section == sectionRules {
		base = w.base(r.at.File, r.below)
	}
	input, ok := w.below(base)
	if !ok {
		if step != nil {
			step.Skipped = "the URL is not below " + base + ", where the rule is written"
		}
		return false
	}
	groups, found, err := r.pattern.match(input, &w.budget)
	if err != nil {
		w.fail("the rewrite rule %q cannot be carried out: %v", r.name, err)
		return true
	}
	if step != nil {
		step.Input, step.Matched = input, found != r.negate
	}
	if found == r.negate {
		return false
	}
	if r.negate {
		groups = nil // nothing was matched
	}
	c := &scope{subject: w.subject, rule: groups, maps: w.maps}
	held, err := r.conditions.met(c, step)
	if err != nil {
		w.fail("the rewrite rule %q cannot be carried out: %v", r.name, err)
		return true
	}
	if !held {
		return false
	}
	if err := w.assign(r, c, step); err != nil {
		w.fail("the rewrite rule %q cannot be carried out: %v", r.name, err)
		return true
	}
	if err := w.act(r, c, base); err != nil {
		w.fail("the rewrite rule %q cannot be carried out: %v", r.name, err)
		return true
	}
	if step != nil {
		step.Applied, step.Action, step.Stop = true, r.action.kind, r.stop || w.verdict.final()
		if step.URL = w.verdict.url; step.URL == "" {
			step.URL = w.current()
		}
	}
	return r.stop
}

// step begins the record of a rule, nil when nobody wants it.
func (w *walker) step(r *rule) *Step {
	if w.trace == nil {
		return nil
	}
	w.trace.Steps = append(w.trace.Steps, Step{
		Section: w.section[strings.LastIndexByte(w.section, '/')+1:], Rule: r.name, File: r.at.File, Line: r.at.Line, At: r.at,
		Pattern: r.pattern.written, Negate: r.negate,
	})
	return &w.trace.Steps[len(w.trace.Steps)-1]
}

// assign sets the server variables of a rule.
func (w *walker) assign(r *rule, c *scope, step *Step) error {
	for i := range r.variables {
		v := &r.variables[i]
		if !w.allowed.allows(v.name) {
			return fmt.Errorf("the server variable %q may not be set: list it in <allowedServerVariables> of applicationHost.config", v.name)
		}
		value, err := c.expand(&v.value)
		if err != nil {
			return err
		}
		w.setVariable(v.name, value, v.replace)
		if step != nil {
			step.Variables = append(step.Variables, Variable{v.name, value})
		}
	}
	return nil
}

func (c *allowedConfig) allows(name string) bool {
	if c == nil {
		return true
	}
	for _, e := range c.Entries {
		if strings.EqualFold(e.Name, name) {
			return true
		}
	}
	return false
}

// fail ends the request with the error of a rule: 500.50, for global rules 500.51.
func (w *walker) fail(format string, args ...any) {
	sub := 50
	if w.section == sectionGlobal {
		sub = 51
	}
	w.verdict.failure = &module.HTTPError{
		Status: http.StatusInternalServerError, SubStatus: sub, Module: name, Summary: fmt.Sprintf(format, args...),
		Hint: "walk the URL through the rules with: rolemgr rewrite test URL",
	}
}
