package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A source is a file that a level was made from.
type source struct {
	path  string
	state FileState
	raw   []byte
}

// fresh reports whether the level still is what its files say; state is that of the web.config, examined just now
// under the given name.
func (l *level) fresh(name string, state FileState) bool {
	if len(l.sources) == 0 || l.sources[0].state != state || l.sources[0].path != name {
		return len(l.sources) == 0 && state == (FileState{})
	}
	for _, s := range l.sources[1:] {
		if again, _ := statFile(s.path); again != s.state {
			return false
		}
	}
	if l.settled.Load() {
		return true
	}
	now := time.Now()
	for _, s := range l.sources {
		raw, again, err := readFile(s.path)
		if errors.Is(err, os.ErrNotExist) && s.state == (FileState{}) {
			continue // an included file that is still missing
		}
		if err != nil || again != s.state || string(raw) != string(s.raw) {
			return false
		}
	}
	if now.Sub(l.read) > maxSettling || !slices.ContainsFunc(l.sources, func(s source) bool { return s.state.racy(now) }) {
		l.settled.Store(true)
	}
	return true
}

// cost is what the level takes of the cacheBudget.
func (l *level) cost() int64 {
	n := 0
	for _, s := range l.sources {
		n += len(s.raw)
	}
	return 1 + int64(n)>>10
}

// include replaces sections that are kept in a file of their own (configSource="file"). It returns the files.
func (f *file) include() []source {
	var sources []source
	left := int64(maxFileSize) // of all of them together: location tags may name one file many times
	for i := range f.uses {
		u := &f.uses[i]
		if u.fault != nil {
			continue
		}
		a, ok := u.n.attr(attrConfigSource)
		if !ok {
			continue
		}
		at := place{f.doc, a.start}
		name, problem := sourcePath(a.value)
		hint := "name a file in or below the folder of this file"
		if problem == "" && (len(u.n.attrs) > 1 || len(u.n.kids) > 0) {
			problem, hint = "leaves no room for other attributes or elements in the section", "move them into that file"
		}
		if problem != "" {
			u.fault = at.fault(HResultMalformed, u.sec.Path, fmt.Sprintf("configSource=%q %s", a.value, problem), hint)
			continue
		}
		s := source{path: filepath.Join(filepath.Dir(f.doc.file), name)}
		if s.state, _ = statFile(s.path); s.state.size > left {
			u.fault = at.fault(HResultMalformed, u.sec.Path, fmt.Sprintf("configSource=%q: the files that are named like that are together larger than %d MiB", a.value, maxFileSize>>20),
				"write a section that many paths share once, for a path above them")
			continue
		}
		raw, state, err := readFile(s.path)
		if err != nil {
			e := unreadable(s.path, err)
			if !lasting(err) {
				s.state = FileState{} // as if it were missing: it is tried again for as long as it exists
			}
			u.fault = at.fault(e.HResult, u.sec.Path, fmt.Sprintf("configSource=%q: %s", a.value, e.Message), e.Hint)
			sources = append(sources, s)
			continue
		}
		left -= int64(len(raw))
		s.state, s.raw = state, raw
		sources = append(sources, s)
		doc, fault := parseFragment(s.path, raw, f.doc.schema, &u.sec.root)
		if fault == nil && doc.root.name != u.n.name {
			fault = doc.root.place().fault(HResultMalformed, u.sec.Path, fmt.Sprintf("the root element is <%s>", doc.root.name),
				fmt.Sprintf("the file is included as a section: its root element is <%s>", u.n.name))
		}
		if fault != nil {
			fault.Section = u.sec.Path
			u.fault = fault
			continue
		}
		u.n = doc.root
	}
	return sources
}

// sourcePath makes the written path of an included file one of this system, relative to the including file.
func sourcePath(written string) (path, problem string) {
	path = filepath.FromSlash(strings.ReplaceAll(written, `\`, "/"))
	if !filepath.IsLocal(path) {
		return "", "is not a path below the folder of this file"
	}
	return path, ""
}
