package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// cacheBudget bounds what the levels of all sites hold together, in units of one level or 4 KiB of source. When it is
// spent everything is forgotten and read again as needed.
const cacheBudget = 1 << 14

// A siteRoot is where the levels of a site begin.
type siteRoot struct {
	name string
	apps []appRoot // longest path first; empty for a site that is not declared
	base *level    // the server level with the location tags of the site pending
}

// makeRoots prepares the sites and the names that location tags mention.
func (t *Tree) makeRoots(files []*file) {
	t.roots = map[string]*siteRoot{}
	root := func(name string) *siteRoot {
		r := t.roots[fold(name)]
		if r == nil {
			r = &siteRoot{name: name, base: t.base.copy()}
			t.roots[fold(name)] = r
		}
		return r
	}
	for i := range t.sites {
		root(t.sites[i].Name).apps = appRoots(&t.sites[i])
	}
	for _, f := range files {
		for i := range f.uses {
			u := &f.uses[i]
			if u.path() == "" {
				continue
			}
			name, rest, _ := strings.Cut(u.path(), "/")
			b := root(name).base
			if b.pending == nil {
				b.pending = map[string][]pendingUse{}
			}
			b.pending["/"+rest] = append(b.pending["/"+rest], pendingUse{u, 0})
		}
	}
}

// copy returns a level with the same configuration and a cache of its own.
func (l *level) copy() *level {
	return &level{eff: l.eff, errs: l.errs, child: l.child, childErr: l.childErr, pending: l.pending, declared: l.declared}
}

// Effective returns the configuration of a URL path of a site. urlPath is decoded and begins with "/". The result is
// immutable and shared; it is computed once per folder and file state. When any section that applies there is at
// fault the error is a *Error, to be answered with 500.19. site "" is the server level.
//
// A site that is not declared has the server level and the location tags of its name; no file is read for it. A
// back-slash in urlPath counts as a slash, and "." and ".." are resolved before anything else. The paths of location
// tags, applications and virtual directories are compared without regard to case, the names of folders are not.
func (t *Tree) Effective(site, urlPath string) (*Effective, error) {
	r := t.root(site)
	if r == nil {
		return t.Server()
	}
	p, ok := cleanPath(urlPath)
	if !ok {
		return nil, &Error{HResult: HResultMalformed, Message: fmt.Sprintf("%q is not a URL path", urlPath)}
	}
	l := t.walk(r, p)
	if len(l.errs) > 0 {
		return nil, l.errs[0]
	}
	return l.eff, nil
}

func (t *Tree) root(site string) *siteRoot {
	if r := t.roots[site]; r != nil {
		return r
	}
	return t.roots[fold(site)]
}

// walk returns the level of a clean URL path.
func (t *Tree) walk(r *siteRoot, p string) *level {
	if t.cost.Load() > cacheBudget {
		t.cost.Store(0)
		for _, other := range t.roots {
			other.base.forget()
		}
	}
	cur := t.step(r, r.base, "/", 1)
	for i, depth := 1, 2; i < len(p); depth++ {
		n := strings.IndexByte(p[i:], '/')
		if n < 0 {
			n = len(p) - i
		}
		cur = t.step(r, cur, p[:i+n], depth)
		i += n + 1
	}
	return cur
}

// cleanPath makes a URL path canonical: rooted, without a slash at its end, "." and ".." resolved.
func cleanPath(p string) (string, bool) {
	if p == "" || p[0] != '/' && p[0] != '\\' || strings.IndexByte(p, 0) >= 0 {
		return "", false
	}
	if strings.IndexByte(p, '\\') >= 0 {
		p = strings.ReplaceAll(p, `\`, "/")
	}
	return path.Clean(p), true
}

// step goes down to the level of p, the path of the folder or file at the given depth (the root has depth 1).
func (t *Tree) step(r *siteRoot, cur *level, p string, depth int) *level {
	var uses []pendingUse
	folded := ""
	if len(cur.pending) > 0 {
		folded = fold(p)
		uses = cur.pending[folded]
	}
	v := r.locate(p)
	var state fileState
	var name string
	if v != nil && (v.subConfig || len(p) == len(v.url)) {
		name, state = v.findWebConfig(p)
	}
	found := state != fileState{}
	nested := depth > 1 && (cur.child != nil || len(cur.errs) != len(cur.childErr)) && r.isApp(p)
	if !found && !nested && len(uses) == 0 {
		return cur
	}
	key := slotKey{found, p}
	switch {
	case !found:
		key.path = fold(p)
	case p[:len(v.url)] != v.url: // spelled as declared: an application has one folder under any spelling
		key.path = v.url + p[len(v.url):]
	}
	s := cur.slot(key)
	if l := s.cur.Load(); l != nil && l.fresh(name, state) {
		return l
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.cur.Load(); l != nil && l.fresh(name, state) {
		return l
	}
	l := t.build(r, cur, p, depth, uses, name, state)
	t.cost.Add(l.cost())
	s.cur.Store(l)
	return l
}

// build makes the level of p from the one above.
func (t *Tree) build(r *siteRoot, cur *level, p string, depth int, uses []pendingUse, name string, state fileState) *level {
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
func (b *builder) readFolder(name string, state fileState, p string, depth int) []source {
	raw, read, err := readFile(name)
	if errors.Is(err, os.ErrNotExist) { // deleted since it was examined
		return nil
	}
	if err != nil {
		b.fault(unreadable(name, err), false)
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
