package config

import (
	"maps"
	"strings"
)

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
	asked := st.asked.Load()
	if asked != nil {
		if has, ok := (*asked)[key]; ok {
			return has
		}
	}
	has := st.has(key)
	if asked == nil || len(*asked) < maxAsked {
		more := map[string]bool{key: has}
		if asked != nil {
			maps.Copy(more, *asked)
		}
		st.asked.CompareAndSwap(asked, &more)
	}
	return has
}

// maxAsked is how many answers of Has are kept for a section: the same few names are asked for with every request.
const maxAsked = 64

func (st *sectionState) has(key string) bool {
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
