package urlrewrite

import (
	"strings"
)

// An outWalker applies outbound rules to one response.
type outWalker struct {
	*subject
	maps *mapsConfig
	met  []*outRule // the rules whose precondition holds
}

// prepare finds the rules whose precondition holds for the response as it is.
func (o *outWalker) prepare(rules []*outRule) error {
	for _, r := range rules {
		if r.before != nil {
			ok, err := r.before.met(&scope{subject: o.subject, maps: o.maps}, nil)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
		}
		o.met = append(o.met, r)
	}
	return nil
}

// bodyRules returns those of the rules that look at the body.
func (o *outWalker) bodyRules() []*outRule {
	var rules []*outRule
	for _, r := range o.met {
		if r.onBody() && (r.rewrites || r.stop) {
			rules = append(rules, r)
		}
	}
	return rules
}

// changeHeader applies the rules on the header, in their order.
func (o *outWalker) changeHeader() error {
	for _, r := range o.met {
		if r.onBody() {
			continue
		}
		applied, err := o.changeField(r)
		if err != nil {
			return err
		}
		if applied && r.stop {
			return nil
		}
	}
	return nil
}

// changeField applies a rule to every value of its field; one that is not there counts as empty, so that a rule can add
// it. A value that becomes empty is taken out.
func (o *outWalker) changeField(r *outRule) (applied bool, err error) {
	h := o.response.header
	before := h.Values(r.field)
	if len(before) == 0 {
		before = []string{""}
	}
	var after []string
	for _, old := range before {
		value, ok, err := o.replaced(r, old)
		if err != nil {
			return false, err
		}
		applied = applied || ok
		if ok && r.rewrites && (r.replace || old == "") {
			old = fieldValue(value)
		}
		if old != "" {
			after = append(after, old)
		}
	}
	switch {
	case !applied:
	case len(after) == 0:
		h.Del(r.field)
	default:
		h[r.field] = after
	}
	return applied, nil
}

// fieldValue takes out what no field of a header may hold (RFC 9110, section 5.5).
func fieldValue(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' || c == 0x7f {
			return -1
		}
		return c
	}, s)
}

// replaced returns what a rule makes of a whole text; false when it does not apply.
func (o *outWalker) replaced(r *outRule, old string) (value string, applied bool, err error) {
	groups, found, err := r.pattern.match(old, &o.budget)
	if err != nil || found == r.negate {
		return old, false, err
	}
	if r.negate {
		groups = nil
	}
	return o.carryOut(r, old, groups)
}

// carryOut tests the conditions of a rule that matched, and returns its value.
func (o *outWalker) carryOut(r *outRule, old string, groups captures) (value string, applied bool, err error) {
	c := &scope{subject: o.subject, rule: groups, maps: o.maps}
	ok, err := r.conditions.met(c, nil)
	if err != nil || !ok {
		return old, false, err
	}
	if !r.rewrites {
		return old, true, nil
	}
	value, err = c.expand(&r.value)
	return value, err == nil, err
}
