package config

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
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
	return &level{eff: l.eff, err: l.err, child: l.child, childErr: l.childErr, pending: l.pending, declared: l.declared}
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
	l, err := t.walk(r, p)
	if err != nil {
		return nil, err
	}
	return l.eff, nil
}

func (t *Tree) root(site string) *siteRoot {
	if r := t.roots[site]; r != nil {
		return r
	}
	return t.roots[fold(site)]
}

func (t *Tree) walk(r *siteRoot, p string) (*level, error) {
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
	if cur.err != nil {
		return nil, cur.err
	}
	return cur, nil
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
	v, physical := r.locate(p)
	var state fileState
	var name string
	if v != nil && (v.subConfig || len(p) == len(v.url)) {
		name, state = findWebConfig(physical)
	}
	found := state != fileState{}
	nested := depth > 1 && (cur.child != nil || cur.err != cur.childErr) && r.isApp(p)
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
	t.cost.Add(1 + int64(len(l.raw))>>12)
	s.cur.Store(l)
	return l
}

// fresh reports whether the level still is what its file says.
func (l *level) fresh(name string, state fileState) bool {
	if l.state != state {
		return false
	}
	if l.settled.Load() || !state.exists {
		return true
	}
	now := time.Now()
	raw, again, err := readFile(name)
	if err != nil || again != l.state || string(raw) != string(l.raw) {
		return false
	}
	if !state.racy(now) || now.Sub(l.read) > time.Second {
		l.settled.Store(true)
	}
	return true
}

// build makes the level of p from the one above.
func (t *Tree) build(r *siteRoot, cur *level, p string, depth int, uses []pendingUse, name string, state fileState) *level {
	b := &builder{tree: t, sections: cur.eff.sections, child: cur.child, target: atFolder, declared: cur.declared, pending: cur.pending}
	b.errs, b.childErrs = oneError(cur.err), oneError(cur.childErr)
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
	var raw []byte
	read := time.Now()
	if state.errno != 0 {
		b.fault(unreadable(name, state.errno), false)
	} else if state.exists {
		var err error
		var doc *document
		var fault *Error
		raw, state, err = readFile(name)
		switch {
		case errors.Is(err, os.ErrNotExist): // deleted since it was examined
		case err != nil:
			b.fault(unreadable(name, err), false)
		default:
			if doc, fault = parse(name, raw, t.o.Schema); fault != nil {
				b.fault(fault, false)
			} else {
				b.own(bind(doc, false, false, cur.declared), p, depth)
			}
		}
	}
	l := b.level()
	l.state, l.raw, l.read = state, raw, read
	l.settled.Store(state.exists && !state.racy(read))
	return l
}

func oneError(e *Error) []*Error {
	if e == nil {
		return nil
	}
	return []*Error{e}
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
