package config

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// build makes the level of p from the one above.
func (t *Tree) build(r *siteRoot, cur *level, p string, depth int, uses []pendingUse, name string, state FileState) *level {
	b := &builder{tree: t, site: r.name, sections: cur.eff.sections, child: cur.child, target: atFolder, declared: cur.declared, pending: cur.pending}
	b.errs, b.childErrs = slices.Clip(cur.errs), slices.Clip(cur.childErr)
	if depth == 1 || r.isApp(p) {
		b.target = atApplication
	}
	if depth > 1 && b.target == atApplication {
		if b.child != nil {
			b.sections, b.child = b.child, nil
		}
		b.errs = b.childErrs
	}
	for _, u := range uses {
		b.apply(u.u, u.level, false)
	}
	read := time.Now()
	var sources []source
	if state.errno != 0 {
		b.fault(unreadable(name, state.errno), false)
		sources = []source{{path: name, state: state}}
	} else if state.exists {
		sources = b.readFolder(name, state, p, depth)
	}
	l := b.level()
	l.sources, l.read = sources, read
	l.settled.Store(!slices.ContainsFunc(sources, func(s source) bool { return s.state.racy(read) }))
	return l
}

// readFolder reads the web.config of a folder and lays it over the level. It returns what was read.
func (b *builder) readFolder(name string, state FileState, p string, depth int) []source {
	raw, read, err := b.tree.o.read(name)
	if errors.Is(err, os.ErrNotExist) { // deleted since it was examined
		return nil
	}
	if err != nil {
		b.fault(unreadable(name, err), false)
		if !lasting(err) {
			return nil // no level without sources is fresh while the file exists
		}
		return []source{{path: name, state: state}}
	}
	sources := []source{{name, read, raw}}
	if other, ok := strings.CutSuffix(name, webConfigName); ok {
		if twin, _ := statFile(other + webConfigOtherName); twin.exists && twin.ino != read.ino {
			b.fault(&Error{Pos: Pos{File: name}, HResult: HResultDuplicate, Message: "the folder has both web.config and Web.config",
				Hint: "delete one of the two: Windows does not tell them apart"}, false)
		}
	}
	doc, fault := parse(name, raw, b.tree.o.Schema)
	if fault != nil {
		b.fault(fault, false)
		return sources
	}
	f := bind(doc, false, false, b.declared)
	sources = append(sources, f.include()...)
	b.own(f, p, depth)
	return sources
}

// own lays a web.config over the level of its folder and keeps its location tags for deeper ones.
func (b *builder) own(f *file, p string, depth int) {
	for _, e := range f.faults {
		b.fault(e, false)
	}
	b.declared = f.declared
	if f.count >= maxFaults { // the file as a whole is unusable, and what follows would cost more than it is worth
		return
	}
	copied := false
	for i := range f.uses {
		u := &f.uses[i]
		if u.path() == "" {
			b.apply(u, depth, false)
			continue
		}
		if !copied {
			copied = true
			b.pending = maps.Clone(b.pending)
			if b.pending == nil {
				b.pending = map[string][]pendingUse{}
			}
		}
		at := strings.TrimSuffix(fold(p), "/") + "/" + u.path()
		kept := b.pending[at]
		b.pending[at] = append(kept[:len(kept):len(kept)], pendingUse{u, depth})
	}
}
