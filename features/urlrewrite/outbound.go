package urlrewrite

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// An outSet is rewrite/outboundRules, compiled. err is its first fault.
type outSet struct {
	rules []*outRule
	err   *config.Error
}

// An outRule changes a field of the response's header, or its body.
type outRule struct {
	at         config.Pos
	name       string
	stop       bool
	before     *conditions // the precondition, nil for none
	field      string      // the field of the header, "" for a rule on the body
	tags       tagFilter   // nil for a rule on the whole body; custom tags may be none at all
	pattern    pattern
	negate     bool
	most       int // how many matches in a body are changed
	conditions conditions
	rewrites   bool
	value      template
	replace    bool
}

// onBody reports whether the rule looks at the body.
func (r *outRule) onBody() bool { return r.field == "" }

// compile returns the rules that are enabled.
func (c *outboundConfig) compile() *outSet {
	c.once.Do(func() {
		for i := range c.Entries {
			e := &c.Entries[i]
			if !e.On {
				continue
			}
			r, err := c.compileRule(e)
			if err != nil {
				err.Section = sectionOutbound
				c.compiled = outSet{err: err}
				return
			}
			c.compiled.rules = append(c.compiled.rules, r)
		}
	})
	return &c.compiled
}

func (c *outboundConfig) compileRule(e *outRuleConfig) (*outRule, *config.Error) {
	fault := func(at config.Pos, err error) (*outRule, *config.Error) {
		if at.Line == 0 {
			at = e.At
		}
		return nil, malformed(at, fmt.Errorf("outbound rule %q: %w", e.Name, err))
	}
	r := &outRule{
		at: e.At, name: e.Name, stop: e.Stop, negate: e.Match.Negate, most: int(min(max(e.Match.Occurrences, 0), 1<<30)),
		rewrites: e.Action.Type == actionRewrite, replace: e.Action.Replace,
	}
	var err error
	if r.field, r.tags, err = c.subjectOf(e); err != nil {
		return fault(e.Match.At, err)
	}
	if r.pattern, err = newPattern(e.Match.Pattern, e.Syntax, e.Match.IgnoreCase); err != nil {
		return fault(e.Match.At, err)
	}
	if r.onBody() && r.tags == nil && r.rewrites {
		if err := r.wholeBody(e); err != nil {
			return fault(e.Match.At, err)
		}
	}
	var ce *config.Error
	if r.conditions, ce = compileConditions(e.Conditions.Entries, e.Conditions.Grouping, e.Conditions.TrackAll, e.Syntax); ce != nil {
		return fault(ce.Pos, errors.New(ce.Message))
	}
	if r.before, ce = c.preCondition(e.PreCondition); ce != nil {
		return fault(ce.Pos, errors.New(ce.Message))
	}
	if r.value, err = parseTemplate(e.Action.Value); err != nil {
		return fault(e.Action.At, err)
	}
	return r, nil
}

// wholeBody prepares a rule that searches the whole body, where an exact match is one of a part.
func (r *outRule) wholeBody(e *outRuleConfig) error {
	switch {
	case e.Match.Pattern == "":
		return errors.New("a rule on the whole body needs a pattern")
	case e.Match.Negate:
		return errors.New("a rule on the whole body cannot be negated: there would be nothing to replace")
	case len(r.pattern.looks) > 0:
		return errors.New("a rule on the whole body cannot look ahead")
	case e.Syntax == syntaxWildcard:
		return errors.New("a wildcard matches a whole text and cannot be used without filterByTags")
	}
	expr := ""
	if r.pattern.search != nil {
		expr = r.pattern.search.re.String()
	} else if expr = regexp.QuoteMeta(e.Match.Pattern); e.Match.IgnoreCase {
		expr = "(?i)" + expr
	}
	var err error
	r.pattern.search, err = newSearch(expr, true)
	r.pattern.exact = false
	return err
}

// subjectOf returns what a rule looks at: a field of the header, tags, or neither for the whole body.
func (c *outboundConfig) subjectOf(e *outRuleConfig) (field string, tags tagFilter, err error) {
	if v := strings.ToUpper(e.Match.Variable); v != "" {
		field, ok := strings.CutPrefix(v, "RESPONSE_")
		if field = fieldName(field); !ok || field == "Status" || !validField(field) {
			return "", nil, fmt.Errorf("serverVariable %q is no header field of the response: it must be RESPONSE_ and the name of the field", e.Match.Variable)
		}
		return field, nil, nil
	}
	if len(e.Match.Filter) == 0 && e.Match.CustomTags == "" {
		return "", nil, nil
	}
	tags = tagFilter{}
	for _, name := range e.Match.Filter {
		if name != tagsCustom {
			tags.add(strings.ToLower(name), knownTagAttributes(name)...)
		}
	}
	if !slices.Contains(e.Match.Filter, tagsCustom) && e.Match.CustomTags == "" {
		return "", tags, nil
	}
	for _, t := range c.Tags.Entries {
		if !strings.EqualFold(t.Name, e.Match.CustomTags) {
			continue
		}
		for _, one := range t.Entries {
			tags.add(strings.ToLower(one.Name), strings.ToLower(one.Attribute))
		}
		return "", tags, nil
	}
	return "", nil, fmt.Errorf("there are no custom tags %q: add them to <customTags>"+inFilesAbove, e.Match.CustomTags)
}

// inFilesAbove ends the message of a fault that a file above may mend, which is not known of a file by itself.
const inFilesAbove = " of this file or one above"

// preCondition compiles the precondition of a name, nil for none.
func (c *outboundConfig) preCondition(name string) (*conditions, *config.Error) {
	if name == "" {
		return nil, nil
	}
	for _, p := range c.PreConditions.Entries {
		if strings.EqualFold(p.Name, name) {
			compiled, err := compileConditions(p.Entries, p.Grouping, false, p.Syntax)
			return &compiled, err
		}
	}
	return nil, malformed(config.Pos{}, fmt.Errorf("there is no precondition %q: add it to <preConditions>"+inFilesAbove, name))
}
