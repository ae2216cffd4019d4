package urlrewrite

import (
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// verifyRules returns every fault of the rules of a URL, where a request meets the first of them, and the server
// variables that they may not set.
func verifyRules(e *config.Effective) []config.Remark { return verifyInbound(e, sectionRules) }

func verifyGlobalRules(e *config.Effective) []config.Remark { return verifyInbound(e, sectionGlobal) }

func verifyInbound(e *config.Effective, section string) []config.Remark {
	c, err := config.Decode[rulesConfig](e, section)
	if err != nil {
		return nil // the declarations do not fit: a fault of this program
	}
	var allowed *allowedConfig
	if section == sectionRules {
		if allowed, err = config.Decode[allowedConfig](e, sectionAllowed); err != nil {
			return nil
		}
	}
	maps, err := config.Decode[mapsConfig](e, sectionMaps)
	if err != nil {
		return nil
	}
	var out []config.Remark
	for i := range c.Entries {
		r := &c.Entries[i]
		if !r.On {
			continue
		}
		compiled, fault := r.compile(section == sectionGlobal)
		if fault != nil {
			fault.Section = section
			out = append(out, config.Remark{At: fault.Pos, Fault: fault})
			continue
		}
		out = append(out, r.lookUps(compiled, maps)...)
		if elsewhere(r.Action.Type, r.Action.URL) {
			out = append(out, config.Remark{At: r.Action.At, Judgement: config.Judgement{Feature: "reverse-proxy"}})
		}
		for _, v := range r.Variables.Entries {
			if !allowed.allows(v.Name) {
				out = append(out, config.Remark{At: v.At, Judgement: config.Judgement{Unsupported: fmt.Sprintf(
					"requests that rule %q fits are answered with 500.50 until %q is listed in <allowedServerVariables> of applicationHost.config; "+
						"add it with: rolemgr config add allowedServerVariables name=%s", r.Name, v.Name, v.Name)}})
			}
		}
	}
	return out
}

// verifyOutbound returns every fault of the outbound rules of a URL.
func verifyOutbound(e *config.Effective) []config.Remark {
	c, err := config.Decode[outboundConfig](e, sectionOutbound)
	if err != nil {
		return nil
	}
	var out []config.Remark
	for i := range c.Entries {
		r := &c.Entries[i]
		if !r.On {
			continue
		}
		if _, fault := c.compileRule(r); fault != nil {
			fault.Section = sectionOutbound
			out = append(out, config.Remark{At: fault.Pos, Fault: fault})
		}
	}
	return out
}

// lookUps names the rewrite maps that a rule asks and that are not there.
func (e *ruleConfig) lookUps(r *rule, maps *mapsConfig) []config.Remark {
	var out []config.Remark
	look := func(at config.Pos, t *template) {
		if err := missingMap(t.parts, maps); err != nil {
			out = append(out, config.Remark{At: at, Judgement: config.Judgement{
				Unsupported: fmt.Sprintf("%v; requests that rule %q fits are answered with 500.50", err, e.Name),
			}})
		}
	}
	for i := range r.conditions.list {
		look(e.Conditions.Entries[i].At, &r.conditions.list[i].input)
	}
	for i := range r.variables {
		look(e.Variables.Entries[i].At, &r.variables[i].value)
	}
	look(e.Action.At, &r.action.url)
	return out
}

func missingMap(parts []part, maps *mapsConfig) error {
	for i := range parts {
		if parts[i].kind == partMap {
			if _, err := maps.find(parts[i].text, ""); err != nil {
				return err
			}
		}
		if err := missingMap(parts[i].arg, maps); err != nil {
			return err
		}
	}
	return nil
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
