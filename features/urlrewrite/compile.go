package urlrewrite

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// A ruleSet is a section with rules, compiled. err is its first fault.
type ruleSet struct {
	rules []*rule
	err   *config.Error
	at    map[config.Pos]bool // where the rules are written
}

// A rule is an inbound rule.
type rule struct {
	at         config.Pos
	below      string // path of the location tag that it is written in, from the folder of its file
	name       string
	stop       bool
	pattern    pattern
	negate     bool
	conditions conditions
	variables  []assignment
	action     action
}

type assignment struct {
	name    string
	value   template
	replace bool
}

type action struct {
	kind        string
	url         template
	appendQuery bool
	status      int
	subStatus   int
	reason      template
	description template
}

// compile returns the rules that are enabled. What is switched off may be as broken as it likes.
func (c *rulesConfig) compile(global bool) *ruleSet {
	c.once.Do(func() {
		c.compiled.at = make(map[config.Pos]bool, len(c.Entries))
		for i := range c.Entries {
			e := &c.Entries[i]
			if !e.On {
				continue
			}
			r, err := e.compile(global)
			if err != nil {
				c.compiled = ruleSet{err: err}
				return
			}
			c.compiled.rules = append(c.compiled.rules, r)
			c.compiled.at[r.at] = true
		}
	})
	return &c.compiled
}

func (e *ruleConfig) compile(global bool) (*rule, *config.Error) {
	r := &rule{at: e.At, below: e.below(), name: e.Name, stop: e.Stop, negate: e.Match.Negate}
	var err error
	if e.Match.URL == "" {
		r.pattern = pattern{any: true}
	} else if r.pattern, err = newPattern(e.Match.URL, e.Syntax, e.Match.IgnoreCase); err != nil {
		return nil, e.fault(e.Match.At, err)
	}
	for _, c := range e.Conditions.Entries {
		if global && c.Type != typePattern {
			return nil, e.fault(c.At, fmt.Errorf("matchType %q cannot be used in <globalRules>", c.Type))
		}
	}
	var ce *config.Error
	if r.conditions, ce = compileConditions(e.Conditions.Entries, e.Conditions.Grouping, e.Conditions.TrackAll, e.Syntax); ce != nil {
		return nil, e.fault(ce.Pos, errors.New(ce.Message))
	}
	for _, v := range e.Variables.Entries {
		value, err := parseTemplate(v.Value)
		if err != nil {
			return nil, e.fault(v.At, err)
		}
		r.variables = append(r.variables, assignment{strings.ToUpper(v.Name), value, v.Replace})
	}
	if r.action, err = e.compileAction(); err != nil {
		return nil, e.fault(e.Action.At, err)
	}
	return r, nil
}

// below returns the path of the location tag around the rule. One of applicationHost.config begins with the name of a site.
func (e *ruleConfig) below() string {
	if !e.Server {
		return e.Below
	}
	_, rest, _ := strings.Cut(e.Below, "/")
	return rest
}

func (e *ruleConfig) compileAction() (action, error) {
	a := action{kind: e.Action.Type, appendQuery: e.Action.AppendQuery, subStatus: int(e.Action.SubStatus)}
	switch a.kind {
	case actionRewrite, actionRedirect:
		if e.Action.URL == "" && a.kind == actionRedirect {
			return a, errors.New(`an action of type "Redirect" needs a url`)
		}
		a.status = redirectStatus(e.Action.Redirect)
		var err error
		a.url, err = parseTemplate(e.Action.URL)
		return a, err
	case actionCustom:
		// An informational status answers nothing, and net/http has no place for one above 599.
		if a.status = int(e.Action.Status); a.status < 200 || a.status > 599 {
			return a, fmt.Errorf("an action of type %q needs a statusCode from 200 to 299 or from 308 to 599", a.kind)
		}
		var err error
		if a.reason, err = parseTemplate(e.Action.Reason); err == nil {
			a.description, err = parseTemplate(e.Action.Description)
		}
		return a, err
	}
	return a, nil
}

func redirectStatus(kind string) int {
	switch kind {
	case redirectFound:
		return http.StatusFound
	case redirectSeeOther:
		return http.StatusSeeOther
	case redirectTemporary:
		return http.StatusTemporaryRedirect
	}
	return http.StatusMovedPermanently
}

// fault is a fault of the rule, at the element that has it.
func (e *ruleConfig) fault(at config.Pos, err error) *config.Error {
	if at.Line == 0 {
		at = e.At
	}
	return malformed(at, fmt.Errorf("rewrite rule %q: %w", e.Name, err))
}

func malformed(at config.Pos, err error) *config.Error {
	return &config.Error{
		Pos: at, HResult: config.HResultMalformed, Section: sectionRules, Message: err.Error(),
		Hint: `correct the rule, or switch it off with enabled="false"`,
	}
}
