package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
)

// confPath is an element of a section as it is named on the command line:
//
//	SECTION { "/" ELEMENT [ "[" KEY "=" VALUE { "," KEY "=" VALUE } "]" ] } [ "/@" ATTRIBUTE ]
type confPath struct {
	typed     string
	section   string
	steps     []edit.Step        // below the element of the section
	element   config.Element     // declaration of the last one
	entry     *config.Collection // of which the last one is an entry, or nil
	attribute string
}

// segments splits a path at its slashes, but not at those in brackets.
func segments(path string) ([]string, error) {
	var out []string
	var quote rune
	depth, from := 0, 0
	for i, r := range path {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case depth > 0 && (r == '\'' || r == '"'):
			quote = r
		case r == '[':
			depth++
		case r == ']':
			depth--
		case r == '/' && depth == 0:
			out, from = append(out, path[from:i]), i+1
		}
	}
	out = append(out, path[from:])
	if depth != 0 || quote != 0 || slices.Contains(out, "") {
		return nil, &usageError{fmt.Sprintf("%q is no path of a section", path), "write it as in staticContent/clientCache or staticContent/mimeMap[fileExtension=.json]"}
	}
	return out, nil
}

// confPath understands a path as typed.
func (s *confTree) path(typed string) (*confPath, error) {
	parts, err := segments(typed)
	if err != nil {
		return nil, err
	}
	p := &confPath{typed: typed}
	if last := parts[len(parts)-1]; strings.HasPrefix(last, "@") && len(parts) > 1 {
		p.attribute, parts = last[1:], parts[:len(parts)-1]
	}
	n, err := p.findSection(s.options.Schema, parts)
	if err != nil {
		return nil, err
	}
	p.element, _ = s.options.Schema.Declaration(p.section)
	for _, part := range parts[n:] {
		if err := p.descend(part); err != nil {
			return nil, err
		}
	}
	if p.attribute != "" {
		a, err := p.attributeNamed(p.attribute)
		if err != nil {
			return nil, err
		}
		p.attribute = a.Name
	}
	return p, nil
}

// findSection finds the section that a path begins with, whole or by its last names, and returns how many parts that
// are.
func (p *confPath) findSection(schema *config.Schema, parts []string) (int, error) {
	paths := schema.SectionPaths()
	for n := len(parts); n > 0; n-- {
		name := strings.Join(parts[:n], "/")
		found := sectionsNamed(paths, name)
		switch len(found) {
		case 0:
		case 1:
			p.section = found[0]
			return n, nil
		default:
			return 0, severalSections(name, found)
		}
	}
	return 0, unknownSection(schema, parts)
}

// sectionsNamed returns the sections that a name may mean: the one with that path, else those whose path ends with it.
func sectionsNamed(paths []string, name string) []string {
	var found []string
	for _, path := range paths {
		if strings.EqualFold(path, name) {
			return []string{path}
		}
		if cut := len(path) - len(name); cut > 0 && path[cut-1] == '/' && strings.EqualFold(path[cut:], name) {
			found = append(found, path)
		}
	}
	return found
}

func severalSections(name string, found []string) error {
	return &usageError{fmt.Sprintf("%q is more than one section", name), "it is one of " + strings.Join(found, ", ")}
}

// unknownSection says why a section cannot be used: its feature is not installed, or nothing has that name.
func unknownSection(schema *config.Schema, parts []string) error {
	for _, prefix := range [...]string{"", "system.webServer/", "system.webServer/security/", "system.applicationHost/"} {
		for n := len(parts); n > 0; n-- {
			path := prefix + strings.Join(parts[:n], "/")
			known, ok := schema.KnownSection(path)
			switch {
			case !ok || known.Path != path:
			case known.Ignored:
				return &usageError{fmt.Sprintf("section %q means nothing to this server", path), "it is left to whoever wrote it"}
			case known.Reason != "":
				return &usageError{fmt.Sprintf("section %q cannot be used: %s", path, known.Reason), ""}
			default:
				return &hintedError{fmt.Errorf("section %q belongs to the feature %q, which is not installed", path, known.Title), "install it with: rolemgr install " + known.Feature}
			}
		}
	}
	var names []string
	for _, path := range schema.SectionPaths() {
		names = append(names, path, path[strings.LastIndexByte(path, '/')+1:])
	}
	typed := strings.Join(parts, "/")
	suggestion := config.DidYouMean(typed, names)
	if suggestion == "" {
		suggestion = config.DidYouMean(parts[len(parts)-1], names)
	}
	if suggestion == "" {
		suggestion = config.DidYouMean(parts[0], names)
	}
	return &usageError{fmt.Sprintf("unknown section %q%s", typed, suggestion), "the sections are those of the installed features: " + strings.Join(schema.SectionPaths(), ", ")}
}

// descend goes to a child element or an entry of the collection.
func (p *confPath) descend(part string) error {
	name, keys, isEntry := strings.Cut(part, "[")
	if c := p.element.Collection; c != nil && strings.EqualFold(c.Add.Name, name) {
		if !isEntry {
			return &usageError{fmt.Sprintf("%q does not say which <%s>", p.typed, c.Add.Name), fmt.Sprintf("name it by its key: %s[%s=...]", c.Add.Name, strings.Join(keyNames(c.Add), "=...,"))}
		}
		values, err := splitKeys(strings.TrimSuffix(keys, "]"))
		if err != nil {
			return err
		}
		step, err := entryStep(c.Add, c.Add.Name, values)
		if err != nil {
			return err
		}
		p.steps, p.element, p.entry = append(p.steps, step), c.Add, c
		return nil
	}
	var names []string
	for _, e := range p.element.Elements {
		if strings.EqualFold(e.Name, name) && !isEntry {
			p.steps, p.element, p.entry = append(p.steps, edit.Step{Name: e.Name}), e, nil
			return nil
		}
		names = append(names, e.Name)
	}
	if c := p.element.Collection; c != nil {
		names = append(names, c.Add.Name)
	}
	hint := "it has no elements"
	if len(names) > 0 {
		hint = "it has " + strings.Join(names, ", ")
	}
	return &usageError{fmt.Sprintf("<%s> has no element %q%s", p.element.Name, part, config.DidYouMean(name, names)), hint}
}

// in returns the path of the element in a file.
func (p *confPath) in(d *edit.Document, location string) edit.Path {
	return d.Place(location, p.section).Then(p.steps...)
}

// node returns the element as it holds at a place, false when there is no such entry.
func (p *confPath) node(eff *config.Effective) (config.Node, bool) {
	n, ok := eff.Node(p.section)
	for _, step := range p.steps {
		if !ok {
			return n, false
		}
		n, ok = child(n, step)
	}
	return n, ok
}

func child(n config.Node, step edit.Step) (config.Node, bool) {
	if len(step.Keys) > 0 {
		for _, e := range n.Entries() {
			if isEntry(e, step) {
				return e, true
			}
		}
		return config.Node{}, false
	}
	for _, e := range n.Elements() {
		if e.Declaration().Name == step.Name {
			return e, true
		}
	}
	return config.Node{}, false
}

func isEntry(n config.Node, step edit.Step) bool {
	values := map[string]string{}
	for _, v := range n.Values() {
		values[v.Attribute.Name] = v.Text
	}
	for _, k := range step.Keys {
		if v := values[k.Name]; v != k.Value && (k.Exact || !strings.EqualFold(v, k.Value)) {
			return false
		}
	}
	return true
}
