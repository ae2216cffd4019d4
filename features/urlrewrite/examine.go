package urlrewrite

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// An examiner looks through rules for what is found out by a request otherwise.
type examiner struct {
	section  string
	alone    bool // the files above are not known
	outbound bool
	maps     *mapsConfig
	allowed  *allowedConfig  // nil when every server variable may be set, or when it is not known
	set      map[string]bool // server variables that rules set
	out      []config.Remark
}

// newExaminer gathers what rules refer to.
func newExaminer(e *config.Effective, section string, alone bool) *examiner {
	x := &examiner{section: section, alone: alone, outbound: section == sectionOutbound, set: map[string]bool{}}
	x.maps, _ = config.Decode[mapsConfig](e, sectionMaps)
	if section == sectionRules && !alone {
		x.allowed, _ = config.Decode[allowedConfig](e, sectionAllowed)
	}
	for _, s := range [...]string{sectionGlobal, sectionRules} {
		c, err := config.Decode[rulesConfig](e, s)
		if err != nil {
			continue
		}
		for _, r := range c.Entries {
			for _, v := range r.Variables.Entries {
				x.set[strings.ToUpper(v.Name)] = true
			}
		}
	}
	return x
}

// examineRules is the Examine of a section with inbound rules. What is switched off is not looked at.
func examineRules(section string) config.Examine {
	return func(e *config.Effective, alone bool) []config.Remark {
		c, err := config.Decode[rulesConfig](e, section)
		if err != nil {
			return nil // a type that does not fit is a mistake of this module, which its tests find
		}
		x := newExaminer(e, section, alone)
		for i := range c.Entries {
			if entry := &c.Entries[i]; entry.On {
				x.rule(entry)
			}
		}
		return x.out
	}
}

// examineOutbound is the Examine of the section with outbound rules.
func examineOutbound(e *config.Effective, alone bool) []config.Remark {
	c, err := config.Decode[outboundConfig](e, sectionOutbound)
	if err != nil {
		return nil
	}
	x := newExaminer(e, sectionOutbound, alone)
	for i := range c.Entries {
		entry := &c.Entries[i]
		if !entry.On {
			continue
		}
		r, fault := c.compileRule(entry)
		if fault != nil {
			x.refused(entry.At, fault)
			continue
		}
		if r.before != nil {
			for _, p := range c.PreConditions.Entries {
				if strings.EqualFold(p.Name, entry.PreCondition) {
					x.conditions(p.Entries, r.before, -1)
				}
			}
		}
		groups := r.pattern.groups()
		if r.negate {
			groups = -1
		}
		x.conditions(entry.Conditions.Entries, &r.conditions, groups)
		x.template(entry.Action.At, "value", &r.value, groups, r.conditions.groups(len(r.conditions.list)))
	}
	return x.out
}

func (x *examiner) rule(e *ruleConfig) {
	r, fault := e.compile(x.section == sectionGlobal)
	if fault != nil {
		x.refused(e.At, fault)
		return
	}
	groups := r.pattern.groups()
	if r.negate {
		groups = -1
	}
	x.conditions(e.Conditions.Entries, &r.conditions, groups)
	last := r.conditions.groups(len(r.conditions.list))
	for i, v := range e.Variables.Entries {
		if x.allowed != nil && !x.allowed.allows(v.Name) {
			x.unsupported(v.At, fmt.Sprintf("the server variable %q may not be set: a request that the rule matches is answered with 500.50 until it is listed in "+
				"<allowedServerVariables> of applicationHost.config; add it with: rolemgr config add allowedServerVariables name=%s", v.Name, v.Name))
		}
		x.template(v.At, "value", &r.variables[i].value, groups, last)
	}
	x.template(e.Action.At, "url", &r.action.url, groups, last)
	if elsewhere(e.Action.Type, e.Action.URL) {
		x.out = append(x.out, config.Remark{At: e.Action.At, Judgement: config.Judgement{Feature: "reverse-proxy"}})
	}
	x.template(e.Action.At, "statusReason", &r.action.reason, groups, last)
	x.template(e.Action.At, "statusDescription", &r.action.description, groups, last)
}

// elsewhere reports whether an action leads to another server. Of a URL with the name of a host that cannot be known for
// certain: it may be one of this site, which is rare.
func elsewhere(kind, target string) bool {
	scheme, rest, ok := strings.Cut(target, "://")
	if kind != actionRewrite || !ok || strings.ContainsAny(scheme, "/?#") {
		return false
	}
	host, _, _ := strings.Cut(rest, "/")
	return !strings.EqualFold(host, "{HTTP_HOST}")
}

// refused tells of a rule that does not compile.
func (x *examiner) refused(at config.Pos, fault *config.Error) {
	if fault.Pos.Line != 0 {
		at = fault.Pos
	}
	if x.alone && x.outbound && strings.HasSuffix(fault.Message, inFilesAbove) {
		return
	}
	x.out = append(x.out, config.Remark{At: at, Fault: fault.Message, Hint: fault.Hint})
}

func (x *examiner) unsupported(at config.Pos, why string) {
	x.out = append(x.out, config.Remark{At: at, Judgement: config.Judgement{Unsupported: why}})
}

func (x *examiner) empty(at config.Pos, attribute, why string) {
	x.out = append(x.out, config.Remark{At: at, Attribute: attribute, Judgement: config.Judgement{NoEffect: why}})
}

// conditions looks at the inputs of conditions; rule is the highest group that {R:n} may name in them.
func (x *examiner) conditions(entries []conditionConfig, c *conditions, rule int) {
	for i := range c.list {
		x.template(entries[i].At, "input", &c.list[i].input, rule, c.groups(i))
	}
}

// template looks at the references of a template. rule and condition are the highest groups that {R:n} and {C:n} may name
// in it, -1 where there is none.
func (x *examiner) template(at config.Pos, attribute string, t *template, rule, condition int) {
	x.parts(at, attribute, t.parts, rule, condition)
}

func (x *examiner) parts(at config.Pos, attribute string, parts []part, rule, condition int) {
	for i := range parts {
		switch p := &parts[i]; p.kind {
		case partLiteral:
		case partVariable:
			if why := x.unknown(p.text); why != "" {
				x.empty(at, attribute, why)
			}
		case partRule:
			if p.n > rule {
				x.empty(at, attribute, fmt.Sprintf("{R:%d} stands for nothing: %s", p.n, groupsOf(rule, "the pattern of the rule")))
			}
		case partCondition:
			if p.n > condition {
				x.empty(at, attribute, fmt.Sprintf("{C:%d} stands for nothing: %s", p.n, groupsOf(condition, "no condition before it")))
			}
		case partMap:
			if _, err := x.maps.find(p.text, ""); err != nil && !x.alone {
				x.unsupported(at, fmt.Sprintf("there is no function and no rewrite map %q: a request that needs it is answered with 500.50 until it is in <rewriteMaps>%s", p.text, config.DidYouMean(p.text, x.maps.names())))
			}
		}
		x.parts(at, attribute, parts[i].arg, rule, condition)
	}
}

// groupsOf says why a group is not there; highest is the last one that is.
func groupsOf(highest int, what string) string {
	if strings.HasPrefix(what, "no ") {
		return what + " captures so much"
	}
	switch highest {
	case -1:
		return what + " is negated and captures nothing"
	case 0:
		return what + " has no group, only {R:0}"
	}
	return fmt.Sprintf("%s has groups up to {R:%d}", what, highest)
}

// unknown says why a variable is always empty; "" for one that has a value.
func (x *examiner) unknown(name string) string {
	if x.set[name] || strings.HasPrefix(name, "HTTP_") {
		return ""
	}
	if strings.HasPrefix(name, "RESPONSE_") {
		if x.outbound {
			return ""
		}
		return fmt.Sprintf("{%s} stands for nothing before there is a response: it is for outbound rules", name)
	}
	s := &subject{
		r: &http.Request{Header: http.Header{}, URL: &url.URL{Path: "/"}}, q: &module.Request{Files: nowhere{}}, path: "/",
	}
	if _, ok := s.urlVariable(name); ok {
		return ""
	}
	if _, ok := s.connectionVariable(name); ok {
		return ""
	}
	bare := strings.Trim(name, "{} ")
	suggestion := config.DidYouMean(bare, variableNames())
	if bare != name && x.unknown(bare) == "" {
		suggestion = "; write {" + bare + "}"
	}
	return fmt.Sprintf("{%s} is no server variable of this host and stands for nothing%s", name, suggestion)
}

// variableNames returns the server variables that have a name of their own, for suggestions.
func variableNames() []string {
	return []string{
		"APPL_PHYSICAL_PATH", "AUTH_USER", "CACHE_URL", "CONTENT_LENGTH", "CONTENT_TYPE", "DOCUMENT_ROOT", "GATEWAY_INTERFACE", "HTTPS", "HTTP_HOST",
		"INSTANCE_ID", "LOCAL_ADDR", "LOGON_USER", "PATH_INFO", "PATH_TRANSLATED", "QUERY_STRING", "REMOTE_ADDR", "REMOTE_HOST", "REMOTE_PORT",
		"REMOTE_USER", "REQUEST_FILENAME", "REQUEST_METHOD", "REQUEST_URI", "SCRIPT_FILENAME", "SCRIPT_NAME", "SCRIPT_TRANSLATED", "SERVER_NAME",
		"SERVER_PORT", "SERVER_PORT_SECURE", "SERVER_PROTOCOL", "UNENCODED_URL", "URL", "URL_PATH_INFO",
	}
}

// groups returns the highest group of the pattern.
func (p *pattern) groups() int {
	if p.search == nil {
		return 0
	}
	return p.search.re.NumSubexp()
}

// groups returns the highest group that the first n conditions leave behind, -1 for none.
func (c *conditions) groups(n int) int {
	highest := -1
	for _, one := range c.list[:n] {
		if one.test != typePattern || one.negate {
			continue
		}
		switch own := one.pattern.groups(); {
		case c.trackAll && highest >= 0:
			highest += own
		case c.any:
			highest = max(highest, own)
		default: // every condition has matched, and the last one counts
			highest = own
		}
	}
	return highest
}

// nowhere are the files of a request that is never made.
type nowhere struct{}

func (nowhere) Open(string) (*os.File, error)    { return nil, fs.ErrNotExist }
func (nowhere) Stat(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }
func (nowhere) Physical(string) string           { return "" }
