package main

import (
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
)

// splitKeys reads "a=1,b='2,3'".
func splitKeys(text string) ([]assignment, error) {
	var out []assignment
	for text != "" {
		name, rest, found := strings.Cut(text, "=")
		if !found {
			return nil, &usageError{fmt.Sprintf("%q has no value", text), "write it as in [fileExtension=.json]"}
		}
		a := assignment{name: strings.TrimSpace(name)}
		if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
			end := strings.IndexByte(rest[1:], rest[0])
			if end < 0 {
				return nil, &usageError{fmt.Sprintf("the quotation mark in %q is not closed", text), ""}
			}
			a.value, text = rest[1:1+end], strings.TrimPrefix(rest[end+2:], ",")
		} else {
			a.value, text, _ = strings.Cut(rest, ",")
		}
		out = append(out, a)
	}
	return out, nil
}

// assignment is an attribute and its value as typed.
type assignment struct{ name, value string }

// assignments reads the NAME=VALUE arguments of a command.
func assignments(args []string) ([]assignment, error) {
	var out []assignment
	for _, arg := range args {
		name, value, found := strings.Cut(arg, "=")
		if !found || name == "" {
			return nil, &usageError{fmt.Sprintf("%q sets nothing", arg), "write NAME=VALUE, as in enabled=false"}
		}
		out = append(out, assignment{strings.TrimPrefix(name, "@"), value})
	}
	return out, nil
}

// attributeNamed finds an attribute of the element, in any case.
func (p *confPath) attributeNamed(name string) (config.Attribute, error) {
	return attributeOf(p.element, name)
}

func attributeOf(e config.Element, name string) (config.Attribute, error) {
	var names []string
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, name) {
			return a, nil
		}
		names = append(names, a.Name)
	}
	if e.AllowUnrecognizedAttributes {
		return config.Attribute{Name: name, Type: config.String}, nil
	}
	hint := "it has no attributes of its own"
	if len(names) > 0 {
		hint = "it has " + strings.Join(names, ", ")
	}
	return config.Attribute{}, &usageError{fmt.Sprintf("<%s> has no attribute %q%s", e.Name, name, config.DidYouMean(name, names)), hint}
}

// accept checks a value of an attribute before anything else is looked at.
func accept(e config.Element, a assignment) (config.Attribute, error) {
	decl, err := attributeOf(e, a.name)
	if err != nil {
		return decl, err
	}
	if err := decl.Accepts(a.value); err != nil && !(decl.Expanded && strings.Contains(a.value, "%")) {
		shown := a.value
		if decl.Secret {
			shown = "…"
		}
		return decl, &usageError{fmt.Sprintf("%s=%q %v", decl.Name, shown, err), ""}
	}
	return decl, nil
}

func keyNames(e config.Element) []string {
	var names []string
	for _, a := range e.Attributes {
		if a.Key {
			names = append(names, a.Name)
		}
	}
	return names
}

// entryStep is the path step of an entry with a key.
func entryStep(e config.Element, directive string, values []assignment) (edit.Step, error) {
	step := edit.Step{Name: directive}
	given := map[string]string{}
	for _, v := range values {
		a, err := accept(e, v)
		if err != nil {
			return step, err
		}
		if !a.Key {
			return step, &usageError{fmt.Sprintf("%q is no key of <%s>", a.Name, e.Name), "an entry is named by " + strings.Join(keyNames(e), ", ")}
		}
		given[a.Name] = v.value
	}
	for _, a := range e.Attributes {
		value, ok := given[a.Name]
		switch {
		case !a.Key:
		case ok:
			step.Keys = append(step.Keys, edit.Key{Name: a.Name, Value: value, Default: a.Default, Exact: a.CaseSensitive})
		case a.Required || a.Default == "":
			return step, &usageError{fmt.Sprintf("<%s> is named by its %s, which is missing", e.Name, a.Name), fmt.Sprintf("write %s=VALUE", a.Name)}
		default:
			step.Keys = append(step.Keys, edit.Key{Name: a.Name, Value: a.Default, Default: a.Default, Exact: a.CaseSensitive})
		}
	}
	return step, nil
}
