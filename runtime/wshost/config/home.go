package config

import (
	"fmt"
	"strings"
)

// transformHint is the next step for an attribute of an XML transformation, "" for any other.
func transformHint(attribute string) string {
	if !strings.HasPrefix(attribute, "xdt:") {
		return ""
	}
	return "it belongs to a transformation such as web.Release.config, which is carried out when a site is published: delete it, or copy the published file here"
}

// home says where an element of that name belongs, for one that stands somewhere else; "" when the schema has none. A
// section is preferred to an element in one.
func (s *Schema) home(name string) string {
	for _, path := range s.paths() {
		if parent, ok := strings.CutSuffix(path, "/"+name); ok {
			return inside(parent)
		}
		if i := strings.Index(path, "/"+name+"/"); i >= 0 {
			return inside(path[:i])
		}
	}
	for _, sec := range s.sections {
		if owner := sec.root.home(name); owner != "" {
			return inside(owner)
		}
	}
	return ""
}

// paths returns the paths of all sections, usable ones first.
func (s *Schema) paths() []string {
	paths := s.SectionPaths()
	for _, k := range s.Known() {
		paths = append(paths, k.Path)
	}
	return paths
}

// home returns the name of the element that has one of the given name in it. An entry called "add" could be anybody's.
func (d *elementDecl) home(name string) string {
	if _, ok := d.elems[name]; ok || d.add != nil && d.add.Name == name && name != "add" {
		return d.Name
	}
	for _, k := range d.kids {
		if owner := k.home(name); owner != "" {
			return owner
		}
	}
	if d.add != nil {
		return d.add.home(name)
	}
	return ""
}

func inside(path string) string {
	return fmt.Sprintf("write it inside <%s>", path[strings.LastIndexByte(path, '/')+1:])
}
