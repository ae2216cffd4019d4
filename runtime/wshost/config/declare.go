package config

import (
	"fmt"
	"strings"
)

// declared is a set of section and group names that <configSections> declares; it continues in the files above.
type declared struct {
	above    *declared
	sections map[string]bool
	groups   map[string]bool
}

func (d *declared) section(path string) bool {
	for ; d != nil; d = d.above {
		if d.sections[path] {
			return true
		}
	}
	return false
}

func (d *declared) group(path string) bool {
	for ; d != nil; d = d.above {
		if d.groups[path] {
			return true
		}
	}
	return false
}

// A rule is what <configSections> of the server level says of a section of the schema.
type rule struct {
	sec        *sectionDecl
	mode       OverrideMode // "" when not said
	definition Definition   // "" when not said
	noLocation bool
	at         place
}

// declare reads <configSections> or a <sectionGroup> of it.
func (f *file) declare(n *node, path string) {
	f.noText(n, "")
	if path == "" {
		f.declared = &declared{above: f.declared, sections: map[string]bool{}, groups: map[string]bool{}}
	}
	for _, k := range n.kids {
		name, ok := k.attr("name")
		if k.name == "remove" || k.name == "clear" {
			continue // of .NET files: it takes back declarations of machine.config, of which there are none
		}
		if k.name != "section" && k.name != "sectionGroup" {
			f.fault(k.start, "configSections", fmt.Sprintf("unknown element <%s> in <%s>", k.name, n.name), "it holds <section> and <sectionGroup>")
			continue
		}
		if !ok || name.value == "" || strings.Contains(name.value, "/") {
			f.fault(k.start, "configSections", fmt.Sprintf("<%s> needs a name", k.name), `write name="..."`)
			continue
		}
		sub := join(path, name.value)
		if k.name == "sectionGroup" {
			f.declared.groups[sub] = true
			f.declare(k, sub)
			continue
		}
		f.declareSection(k, sub)
	}
}

func (f *file) declareSection(n *node, path string) {
	sec := f.doc.schema.section(path)
	known, isKnown := f.doc.schema.knownAt(path)
	switch {
	case sec == nil && !isKnown:
		if f.own[path] != (place{}) {
			f.duplicate(n, path, f.own[path])
		}
		f.own[path] = n.place()
		f.declared.sections[path] = true
	case sec != nil && !f.server:
		if !f.tooMany() {
			f.faults = append(f.faults, n.place().fault(HResultDuplicate, path, fmt.Sprintf("section %q is already declared", path),
				"only applicationHost.config can change the declaration of a section of the server; delete this one"))
		}
		return
	case isKnown && known.Ignored && sec == nil:
		return
	}
	for _, earlier := range f.rules {
		if earlier.sec == sec && sec != nil {
			f.duplicate(n, path, earlier.at)
			return
		}
	}
	r := rule{sec: sec, at: n.place()}
	for _, a := range n.attrs {
		f.declareAttribute(n, &r, a)
	}
	if sec != nil {
		f.rules = append(f.rules, r)
	}
}

// duplicate records a second declaration of a section: a lock in the first must not be lost to it unseen.
func (f *file) duplicate(n *node, path string, first place) {
	if !f.tooMany() {
		f.faults = append(f.faults, n.place().fault(HResultDuplicate, path,
			fmt.Sprintf("section %q is declared twice, first in line %d", path, first.pos().Line), "delete one of the two"))
	}
}

func (f *file) declareAttribute(n *node, r *rule, a attr) {
	bad := func(allowed string) {
		f.fault(a.start, "configSections", fmt.Sprintf("%s=%q", a.name, a.value), "it must be one of "+allowed)
	}
	switch a.name {
	case "overrideModeDefault":
		switch a.value {
		case string(Allow), string(Deny):
			r.mode = OverrideMode(a.value)
		default:
			bad("Allow, Deny")
		}
	case "allowDefinition":
		switch a.value {
		case string(Everywhere), string(MachineToApplication), string(AppHostOnly):
			r.definition = Definition(a.value)
		case "MachineOnly", "MachineToRootWeb": // levels of .NET above applicationHost.config, which do not exist here
			r.definition = AppHostOnly
		default:
			bad("Everywhere, MachineToApplication, AppHostOnly, MachineToRootWeb, MachineOnly")
		}
	case "allowLocation":
		switch strings.ToLower(a.value) {
		case "true":
		case "false":
			r.noLocation = true
		default:
			bad("true, false")
		}
	case "name", "type", "requirePermission", "restartOnExternalChanges", "allowExeDefinition":
	default:
		f.fault(a.start, "configSections", fmt.Sprintf("<%s> has no attribute %q", n.name, a.name), "delete the attribute")
	}
}
