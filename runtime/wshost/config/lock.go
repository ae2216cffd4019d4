package config

import (
	"fmt"
	"slices"
	"strings"
)

// A lockKind is what a fine-grained lock protects.
type lockKind int

const (
	lockAttrs lockKind = iota
	lockElems
	lockWhole // lockItem
)

// A lock is a fine-grained lock on an element. It holds for files of deeper levels than the one that set it.
type lock struct {
	kind   lockKind
	except bool // names are those that stay free
	names  []string
	level  int
	at     place
}

func (l *lock) holds(name string) bool {
	listed := slices.Contains(l.names, name) || slices.Contains(l.names, "*")
	return listed != l.except
}

// locked returns the lock of an element that stops a file of the given level, or nil.
func (e *element) locked(kind lockKind, name string, level int) *lock {
	if e == nil {
		return nil
	}
	for i := range e.locks {
		l := &e.locks[i]
		if l.kind == kind && l.level < level && (kind == lockWhole || l.holds(name)) {
			return l
		}
	}
	return nil
}

// isLockAttribute reports whether an attribute sets a fine-grained lock.
func isLockAttribute(name string) bool {
	switch name {
	case attrLockAttributes, attrLockAttributesExcept, attrLockElements, attrLockElementsExcept, attrLockItem:
		return true
	}
	return false
}

// readLock turns an attribute that sets a lock into the lock.
func (m *merger) readLock(e *element, n *node, a attr) {
	l := lock{level: m.level, at: place{n.doc, a.start}}
	var names []string
	for part := range strings.SplitSeq(a.value, ",") {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(names, part) {
			names = append(names, part)
		}
		if len(names) > maxAttributes {
			m.malformed(l.at, fmt.Sprintf("%s has more than %d names", a.name, maxAttributes), "")
			return
		}
	}
	var known []string
	switch a.name {
	case attrLockItem:
		l.kind = lockWhole
		switch strings.ToLower(a.value) {
		case "true":
			e.locks = append(slices.Clip(e.locks), l)
		case "false":
		default:
			m.malformed(l.at, fmt.Sprintf("lockItem=%q", a.value), "it must be true or false")
		}
		return
	case attrLockAttributes, attrLockAttributesExcept:
		l.kind, known = lockAttrs, e.decl.attributeNames()
	default:
		l.kind, known = lockElems, e.decl.childNames()
	}
	l.except = a.name == attrLockAttributesExcept || a.name == attrLockElementsExcept
	for _, name := range names {
		if name != "*" && !slices.Contains(known, name) && !(l.kind == lockAttrs && e.decl.AllowUnrecognizedAttributes) {
			m.malformed(l.at, fmt.Sprintf("%s names %q, which <%s> does not have%s", a.name, name, n.name, didYouMean(name, known)), "")
			return
		}
	}
	l.names = names
	if len(names) > 0 || l.except {
		e.locks = append(slices.Clip(e.locks), l)
	}
}

func (d *elementDecl) attributeNames() []string {
	names := make([]string, len(d.Attributes))
	for i := range d.Attributes {
		names[i] = d.Attributes[i].Name
	}
	return names
}

func (d *elementDecl) childNames() []string {
	var names []string
	for _, k := range d.kids {
		names = append(names, k.Name)
	}
	if c := d.Collection; c != nil {
		names = append(names, c.Add.Name)
		if c.Remove != "" {
			names = append(names, c.Remove)
		}
		if c.Clear != "" {
			names = append(names, c.Clear)
		}
	}
	return names
}

// lockedAt reports the violation of a lock.
func (m *merger) lockedAt(at place, l *lock, what string) {
	err := at.fault(HResultLocked, m.sec.Path, what+" is locked at a higher level", "")
	by := l.at.pos()
	if l.at.doc == nil {
		by = Pos{File: m.appHost}
	}
	err.LockedBy = &by
	err.Hint = fmt.Sprintf("delete it here, or take the lock away in %s", by)
	if l.at.doc == nil {
		err.Hint = "delete it here and set it in applicationHost.config, inside a location tag for this path"
	}
	m.errs = append(m.errs, err)
}
