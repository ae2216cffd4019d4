package config

import "strings"

// Effective is the merged configuration of one URL. It is immutable and may be used concurrently.
type Effective struct {
	schema   *Schema
	sections []*sectionState // by sectionDecl.id
}

func (e *Effective) state(section string) *sectionState {
	if i, ok := e.schema.index[section]; ok {
		return e.sections[i]
	}
	return nil
}

// Origin returns where the given section was last written for this URL, or false when it has its schema defaults.
func (e *Effective) Origin(section string) (Pos, bool) {
	st := e.state(section)
	if st == nil || !st.written {
		return Pos{}, false
	}
	return st.root.at.pos(), true
}

// Has reports whether a named entry (by key) is in a collection section such as "system.webServer/modules". The parts
// of a combined key are joined by commas in the order of the declaration.
func (e *Effective) Has(section, key string) bool {
	st := e.state(section)
	if st == nil || st.root.decl.add == nil {
		return false
	}
	decl := st.root.decl.add
	parts := []string{key}
	if len(decl.keys) > 1 {
		parts = strings.SplitN(key, ",", len(decl.keys))
	}
	if len(parts) != len(decl.keys) {
		return false
	}
	for i, k := range decl.keys {
		if !decl.Attributes[k].CaseSensitive {
			parts[i] = fold(parts[i])
		}
	}
	key = strings.Join(parts, "\x00")
	for _, item := range st.root.items {
		if item.key == key {
			return true
		}
	}
	return false
}
