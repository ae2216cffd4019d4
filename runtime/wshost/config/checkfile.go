package config

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CheckFile reads one configuration file by itself and returns every fault that can be seen without the files above:
// all of them, not only the first, in the order of the file. A file named web.config (in any case) is checked as that
// of an application's folder, any other as one of the server level. Whether a section is locked by a file above and
// whether an entry is inherited from one is not known here; (*Tree).CheckSite knows.
func CheckFile(path string, schema *Schema) []*Error {
	raw, _, err := readFile(path)
	if err != nil {
		return []*Error{unreadable(path, err)}
	}
	doc, fault := parse(path, raw, schema)
	if fault != nil {
		return []*Error{fault}
	}
	folder := strings.EqualFold(filepath.Base(path), webConfigName)
	f := bind(doc, !folder, false, nil)
	f.include()
	t := &Tree{o: Options{AppHost: path, BaseDir: filepath.Dir(filepath.Dir(path)), Schema: schema, Getenv: os.Getenv}}
	if folder {
		t.o.AppHost = ""
	}
	errs := append([]*Error(nil), f.faults...)
	errs = append(errs, t.checkUses(f)...)
	slices.SortStableFunc(errs, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return unique(errs)
}

// checkUses merges the sections of one file over the defaults, path by path.
func (t *Tree) checkUses(f *file) []*Error {
	fileLevel := 0
	t.mergeServer(nil)
	if !f.server {
		fileLevel = 1
		for i, st := range t.base.eff.sections {
			t.base.eff.sections[i] = st.with(rule{mode: Allow})
		}
	}
	for _, r := range f.rules {
		t.base.eff.sections[r.sec.id] = t.base.eff.sections[r.sec.id].with(r)
	}
	paths := map[string][]*use{"": nil}
	for i := range f.uses {
		paths[f.uses[i].path()] = append(paths[f.uses[i].path()], &f.uses[i])
	}
	var errs []*Error
	levels := map[string][]*sectionState{}
	for _, p := range slices.Sorted(maps.Keys(paths)) {
		above := p
		for above != "" && levels[above] == nil {
			above = above[:max(0, strings.LastIndexByte(above, '/'))]
		}
		b := &builder{tree: t, sections: levels[above], target: atApplication}
		if b.sections == nil {
			b.sections = t.base.eff.sections
		}
		if f.server && p == "" {
			b.target = atServer
		}
		for _, u := range paths[p] {
			b.apply(u, fileLevel, false)
		}
		levels[p] = b.sections
		errs = append(errs, b.errs...)
		if f.server && p == "" {
			t.base = b.level()
			errs = append(errs, t.readSites()...)
		}
	}
	return errs
}

// unique drops errors that say the same about the same place.
func unique(errs []*Error) []*Error {
	type key struct {
		pos     Pos
		message string
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(errs, func(e *Error) bool {
		k := key{e.Pos, e.Message}
		double := seen[k]
		seen[k] = true
		return double
	})
}

// CheckDir checks every web.config in a folder and below it, as CheckFile does, in the order of their names. Links to
// folders are not followed.
func CheckDir(dir string, schema *Schema) []*Error {
	var errs []*Error
	eachWebConfig(dir, func(path string, err error) {
		if err != nil {
			errs = append(errs, unreadable(path, err))
			return
		}
		errs = append(errs, CheckFile(path, schema)...)
	})
	return errs
}

func eachWebConfig(dir string, visit func(path string, err error)) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			visit(path, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case !d.IsDir() && (d.Name() == webConfigName || d.Name() == webConfigOtherName):
			visit(path, nil)
		}
		return nil
	})
}

// CheckSite returns every fault of the configuration of a site: of the server level, of the location tags that name
// the site or something below it, and of every web.config in its folders, with inheritance and locks.
func (t *Tree) CheckSite(name string) []*Error {
	r := t.root(name)
	if r == nil {
		return slices.Clone(t.base.errs)
	}
	var errs []*Error
	queued := map[string]bool{}
	var todo []string
	queue := func(url string) {
		if p, ok := cleanPath(url); ok && !queued[p] {
			queued[p] = true
			todo = append(todo, p)
		}
	}
	queue("/")
	for _, a := range r.apps {
		for _, v := range a.vdirs {
			queue(v.url)
			eachWebConfig(v.dir, func(path string, err error) {
				if err != nil {
					errs = append(errs, unreadable(path, err))
				} else if rel, err := filepath.Rel(v.dir, filepath.Dir(path)); err == nil {
					queue(v.url + "/" + filepath.ToSlash(rel))
				}
			})
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		l := t.walk(r, todo[0])
		errs = append(errs, l.errs...)
		for _, deeper := range slices.Sorted(maps.Keys(l.pending)) {
			queue(deeper)
		}
	}
	return unique(errs)
}
