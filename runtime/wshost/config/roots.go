package config

import (
	"path"
	"strings"
)

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

func (t *Tree) root(site string) *siteRoot {
	if r := t.roots[site]; r != nil {
		return r
	}
	return t.roots[fold(site)]
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
