package config

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
)

// A sectionState is the merged state of a section at some level. It is immutable, apart from what was decoded from it.
type sectionState struct {
	sec     *sectionDecl
	root    *element
	mode    sectionLock
	rule    sectionRule
	written bool
	decoded sync.Map                        // reflect.Type to *decoded
	asked   atomic.Pointer[map[string]bool] // answers of Effective.Has
}

// A sectionLock says whether files below a level may contain the section.
type sectionLock struct {
	deny  bool
	level int
	at    place // unset for the default of the section
}

// A sectionRule says where a section may be written at all.
type sectionRule struct {
	definition Definition
	noLocation bool
}

func (sec *sectionDecl) newState() *sectionState {
	root := newElement(&sec.root)
	if len(sec.LockAttributes) > 0 {
		root.locks = []lock{{kind: lockAttrs, names: sec.LockAttributes}}
	}
	return &sectionState{
		sec: sec, root: root,
		mode: sectionLock{deny: sec.OverrideModeDefault == Deny},
		rule: sectionRule{sec.AllowDefinition, sec.NoLocation},
	}
}

// with returns the state under a declaration in <configSections>.
func (st *sectionState) with(r rule) *sectionState {
	next := &sectionState{sec: st.sec, root: st.root, mode: st.mode, rule: st.rule, written: st.written}
	if r.mode != "" {
		next.mode = sectionLock{deny: r.mode == Deny, at: r.at}
	}
	if r.definition != "" {
		next.rule.definition = r.definition
	}
	next.rule.noLocation = next.rule.noLocation || r.noLocation
	return next
}

// levelKind is what a URL path is, for allowDefinition.
type levelKind int

const (
	atServer levelKind = iota
	atApplication
	atFolder
)

// merge lays a use of the section over the state. The level of the file is m.level, the target is where it applies.
func (m *merger) merge(st *sectionState, u *use, target levelKind) *sectionState {
	m.sec = st.sec
	if u.path() != "" {
		m.loc = strings.TrimSuffix(u.loc.written, "/")
	}
	if !m.allowed(st, u, target) {
		return st
	}
	next := &sectionState{sec: st.sec, mode: st.mode, rule: st.rule, written: true}
	next.root = m.element(st.root, &st.sec.root, u.n)
	if u.loc == nil || u.loc.mode == Inherit {
		return next
	}
	if u.loc.mode == Allow && st.mode.deny && st.mode.level > m.level {
		err := u.loc.modeAt.fault(HResultLocked, st.sec.Path,
			fmt.Sprintf("section %q is unlocked here, but a file in between locks it", st.sec.Path), "")
		by := st.mode.at.pos()
		err.LockedBy = &by
		err.Hint = "a lock is taken away where it was set, in " + by.String()
		m.errs = append(m.errs, err)
		return next
	}
	next.mode = sectionLock{deny: u.loc.mode == Deny, level: m.level, at: u.loc.modeAt}
	return next
}

// allowed reports whether the section may be written by this file for this target at all.
func (m *merger) allowed(st *sectionState, u *use, target levelKind) bool {
	path := st.sec.Path
	misplaced := func(message, hint string) bool {
		m.errs = append(m.errs, u.n.place().fault(HResultLocked, path, message, hint))
		return false
	}
	switch {
	case st.rule.noLocation && u.loc != nil:
		return misplaced(fmt.Sprintf("section %q cannot be used inside a location tag", path), "write it outside of location tags")
	case st.rule.definition == AppHostOnly && (m.level > 0 || target != atServer):
		return misplaced(fmt.Sprintf("section %q can be used only at the level of the server", path), "write it in applicationHost.config, outside of location tags")
	case st.rule.definition == MachineToApplication && target == atFolder:
		return misplaced(fmt.Sprintf("section %q cannot be used below the root of an application", path), "move it to the web.config of the application")
	case !st.mode.deny || st.mode.level >= m.level:
		return true
	}
	by := st.mode.at.pos()
	if st.mode.at.doc == nil {
		by = Pos{File: m.appHost}
	}
	err := u.n.place().fault(HResultLocked, path,
		fmt.Sprintf("section %q cannot be used at this path: it is locked at a higher level", path), m.unlockHint(path, by, st.mode.at.doc == nil))
	err.LockedBy = &by
	m.errs = append(m.errs, err)
	return false
}

// unlockHint tells how to allow a section at a lower level.
func (m *merger) unlockHint(path string, by Pos, byDefault bool) string {
	if !byDefault {
		return fmt.Sprintf(`unlock it where it is locked (%s) with overrideMode="Allow", or set it there`, by)
	}
	return fmt.Sprintf(`unlock it in applicationHost.config: <location path=%q overrideMode="Allow">%s</location>`, cmp.Or(m.site, "."), nested(path))
}

// nested writes a section path as empty elements.
func nested(path string) string {
	open, tail := "", ""
	for {
		name, rest, more := strings.Cut(path, "/")
		if !more {
			return open + "<" + name + " />" + tail
		}
		open, tail, path = open+"<"+name+">", "</"+name+">"+tail, rest
	}
}
