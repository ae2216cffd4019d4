package config

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A level is the merged configuration at a URL path that has something to say of its own: a web.config, or a location
// tag that names it. Paths in between share the level above. It is immutable, apart from its cache of deeper levels.
type level struct {
	eff      *Effective
	errs     []*Error
	child    []*sectionState // what nested applications inherit; nil when they inherit everything
	childErr []*Error
	pending  map[string][]pendingUse // by folded URL path
	declared *declared

	sources []source // the web.config that was read, and what it includes
	read    time.Time
	settled atomic.Bool // no change can hide behind an equal state any more

	mu   sync.Mutex
	kids map[slotKey]*levelSlot
}

// A slotKey names a deeper level: a folder with a file, or a path that only location tags name.
type slotKey struct {
	file bool
	path string // folded when there is no file
}

// A levelSlot holds the current version of a level.
type levelSlot struct {
	mu  sync.Mutex // held while a version is made, so that it is made once
	cur atomic.Pointer[level]
}

// A pendingUse is a section in a location tag that waits for its path.
type pendingUse struct {
	u     *use
	level int
}

func (l *level) slot(key slotKey) *levelSlot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.kids[key]
	if s == nil {
		if l.kids == nil {
			l.kids = map[slotKey]*levelSlot{}
		}
		s = &levelSlot{}
		l.kids[key] = s
	}
	return s
}

func (l *level) forget() {
	l.mu.Lock()
	l.kids = nil
	l.mu.Unlock()
}

// A builder makes a level from the one above.
type builder struct {
	tree            *Tree
	site            string
	sections, child []*sectionState
	copied, forked  bool
	target          levelKind
	errs, childErrs []*Error
	declared        *declared
	pending         map[string][]pendingUse
}

// apply lays one use over the sections.
func (b *builder) apply(u *use, fileLevel int, dropIn bool) {
	private := u.loc != nil && u.loc.noInherit
	if u.fault != nil {
		b.fault(u.fault, private)
		return
	}
	id := u.sec.id
	if private && !b.forked {
		b.forked = true
		if b.child == nil {
			b.child = slices.Clone(b.sections)
		}
	}
	if !b.copied {
		b.copied = true
		b.sections = slices.Clone(b.sections)
		b.child = slices.Clone(b.child)
	}
	old := b.sections[id]
	next, errs := b.merge(old, u, fileLevel, dropIn)
	b.sections[id] = next
	apart := b.child != nil && b.child[id] != old // what nested applications inherit is merged, and judged, by itself
	for _, e := range errs {
		b.fault(e, private || apart)
	}
	if private || b.child == nil {
		return
	}
	if b.child[id] == old {
		b.child[id] = next
		return
	}
	next, errs = b.merge(b.child[id], u, fileLevel, dropIn)
	b.child[id] = next
	b.childErrs = append(b.childErrs, errs...)
}

func (b *builder) merge(st *sectionState, u *use, fileLevel int, dropIn bool) (*sectionState, []*Error) {
	m := merger{level: fileLevel, dropIn: dropIn, appHost: b.tree.o.AppHost, site: b.site, getenv: b.tree.o.Getenv}
	next := m.merge(st, u, b.target)
	return next, m.errs
}

// fault records an error for the level and, unless it is private to the application, for nested applications.
func (b *builder) fault(e *Error, private bool) {
	b.errs = append(b.errs, e)
	if !private {
		b.childErrs = append(b.childErrs, e)
	}
}

func (b *builder) level() *level {
	return &level{
		eff: &Effective{schema: b.tree.o.Schema, sections: b.sections}, child: b.child,
		declared: b.declared, pending: b.pending, errs: b.errs, childErr: b.childErrs,
	}
}
