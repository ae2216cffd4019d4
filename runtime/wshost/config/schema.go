package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Known is a section that the schema knows without it being usable: that of a feature that is not installed, or one
// that is ignored on purpose.
type Known struct {
	Path    string // "system.web" covers the group and everything below it
	Ignored bool   // accepted and skipped, never printed
	Feature string // id of the feature that would own it
	Title   string // its title
	Reason  string // why it cannot be used here, when no feature can provide it
	// Judge, unless nil, looks at the attributes that are written of it: where they have no effect (NoEffect) the section is
	// accepted and skipped. Unlike that of an element it decides what the host does.
	Judge Judge
}

// Schema is an immutable set of section declarations.
type Schema struct {
	sections []*sectionDecl
	index    map[string]int
	groups   map[string]bool // proper prefixes of paths; true when a usable section is below
	known    map[string]Known
}

// A sectionDecl is a section made ready for use.
type sectionDecl struct {
	Section
	id       int
	root     elementDecl
	defaults *sectionState // nothing written anywhere
}

// NewSchema builds a schema from usable sections and from sections that are only known. It returns every fault of the
// declarations at once: a duplicate section, a default that its own type refuses, a collection without key.
//
// A section that is both usable and known is usable. The sections of system.applicationHost that an
// applicationHost.config of IIS holds and that mean nothing here (application pools and the like) are always ignored.
func NewSchema(sections []Section, known []Known) (*Schema, error) {
	s := &Schema{index: map[string]int{}, groups: map[string]bool{}, known: map[string]Known{}}
	var faults []error
	for i := range sections {
		sec := &sectionDecl{Section: sections[i], id: len(s.sections)}
		if _, double := s.index[sec.Path]; double {
			faults = append(faults, fmt.Errorf("section %q is declared twice", sec.Path))
			continue
		}
		if err := sec.compile(); err != nil {
			faults = append(faults, fmt.Errorf("section %q: %w", sec.Path, err))
		}
		s.index[sec.Path] = sec.id
		s.sections = append(s.sections, sec)
		s.addGroups(sec.Path, true)
	}
	for _, k := range known {
		if _, double := s.known[k.Path]; !double {
			s.known[k.Path] = k
			s.addGroups(k.Path, false)
		}
	}
	for _, name := range [...]string{"applicationPools", "configHistory", "customMetadata", "listenerAdapters", "serviceAutoStartProviders"} {
		path := "system.applicationHost/" + name
		if _, given := s.known[path]; !given {
			s.known[path] = Known{Path: path, Ignored: true, Reason: "it is about the worker processes of Windows"}
		}
	}
	for path := range s.index {
		if s.groups[path] {
			faults = append(faults, fmt.Errorf("section %q contains another section: only groups nest", path))
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("configuration schema: %w", errors.Join(faults...))
	}
	return s, nil
}

func (s *Schema) addGroups(path string, usable bool) {
	for i := range len(path) {
		if path[i] == '/' {
			s.groups[path[:i]] = s.groups[path[:i]] || usable
		}
	}
}

// section returns the usable section of a path, or nil.
func (s *Schema) section(path string) *sectionDecl {
	if i, ok := s.index[path]; ok {
		return s.sections[i]
	}
	return nil
}

// isGroup reports whether sections are written inside an element: usable ones, or known ones with nothing known of the
// group as a whole.
func (s *Schema) isGroup(path string) bool {
	usable, group := s.groups[path]
	if group && !usable {
		_, known := s.knownAt(path)
		return !known
	}
	return group
}

// knownAt returns what is known of a path: the longest Known that covers it.
func (s *Schema) knownAt(path string) (Known, bool) {
	for p := path; p != ""; {
		if k, ok := s.known[p]; ok {
			return k, true
		}
		p = p[:max(0, strings.LastIndexByte(p, '/'))]
	}
	return Known{}, false
}

// harmless says why a known section that is written so changes nothing here, "" when it may.
func (k Known) harmless(n *node, path string) string {
	if k.Judge == nil || path != k.Path {
		return ""
	}
	return k.Judge(func(name string) string {
		a, _ := n.attr(name)
		return a.value
	}).NoEffect
}

// names returns the names that may stand in a group, for suggestions.
func (s *Schema) names(group string) []string {
	var names []string
	add := func(path string) {
		if group == "" {
			names = append(names, strings.SplitN(path, "/", 2)[0])
		} else if rest, ok := strings.CutPrefix(path, group+"/"); ok {
			names = append(names, strings.SplitN(rest, "/", 2)[0])
		}
	}
	for _, sec := range s.sections {
		add(sec.Path)
	}
	for p := range s.known {
		add(p)
	}
	return names
}

// Sections returns the usable sections by path.
func (s *Schema) Sections() []Section {
	out := make([]Section, len(s.sections))
	for i, sec := range s.sections {
		out[i] = sec.Section
	}
	slices.SortFunc(out, func(a, b Section) int { return strings.Compare(a.Path, b.Path) })
	return out
}

// Known returns the sections that are only known, by path.
func (s *Schema) Known() []Known {
	return slices.SortedFunc(maps.Values(s.known), func(a, b Known) int { return strings.Compare(a.Path, b.Path) })
}
