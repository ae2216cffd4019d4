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
	f, fault := bindFile(path, schema)
	if fault != nil {
		return []*Error{fault}
	}
	return f.check()
}

// bindFile reads a configuration file that stands by itself.
func bindFile(path string, schema *Schema) (*file, *Error) {
	raw, _, err := readFile(path)
	if err != nil {
		return nil, unreadable(path, err)
	}
	doc, fault := parse(path, raw, schema)
	if fault != nil {
		return nil, fault
	}
	return bind(doc, !strings.EqualFold(filepath.Base(path), webConfigName), false, nil), nil
}

// check returns every fault of a file that stands by itself, in its order.
func (f *file) check() []*Error {
	errs, remarks := f.checkAlone()
	errs = append(errs, faultsOf(remarks)...)
	sortErrors(errs)
	return unique(errs)
}

// checkAlone returns every fault that the tree finds in a file that stands by itself, in its order, and what the owners of
// sections say of it.
func (f *file) checkAlone() ([]*Error, []remark) {
	f.include()
	path := f.doc.file
	t := &Tree{o: Options{AppHost: path, BaseDir: filepath.Dir(filepath.Dir(path)), Schema: f.doc.schema, Getenv: os.Getenv}}
	if !f.server {
		t.o.AppHost = ""
	}
	errs := append([]*Error(nil), f.faults...)
	more, remarks := t.checkUses(f)
	errs = append(errs, more...)
	sortErrors(errs)
	return unique(errs), remarks
}

// checkUses merges the sections of one file over the defaults, path by path.
func (t *Tree) checkUses(f *file) ([]*Error, []remark) {
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
	var remarks []remark
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
		l := b.level()
		remarks = append(remarks, l.eff.examine(true)...)
		if f.server && p == "" {
			t.base = l
			errs = append(errs, t.readSites()...)
		}
	}
	return errs, remarks
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

// Listing is what WebConfigs finds in a folder.
type Listing struct {
	Files   []string // the web.config files, the folder's own first
	Skipped []string // folders that were not looked into
	Errors  []*Error // what could not be read
}

// WebConfigs lists the web.config files of a folder and below it, as they are read for a site. Folders that belong to
// tools rather than to the site are not looked into: those of version control and editors, node_modules and
// bower_components. Links to folders are not followed, except dir itself.
func WebConfigs(dir string) Listing {
	var l Listing
	top := strings.TrimSuffix(dir, "/") + "/." // what a link leads to
	_ = filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.Errors = append(l.Errors, unreadable(path, err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir() && path != top && ofTool(d.Name()):
			l.Skipped = append(l.Skipped, path)
			return fs.SkipDir
		case !d.IsDir() && (d.Name() == webConfigName || d.Name() == webConfigOtherName):
			l.Files = append(l.Files, path)
		}
		return nil
	})
	slices.SortStableFunc(l.Files, func(a, b string) int {
		return cmp.Or(strings.Compare(filepath.Dir(a), filepath.Dir(b)), -strings.Compare(a, b))
	})
	// Beside a web.config the other spelling is never read; that it is there is a fault of the first.
	l.Files = slices.CompactFunc(l.Files, func(a, b string) bool { return filepath.Dir(a) == filepath.Dir(b) })
	return l
}

// ofTool reports whether a folder of that name belongs to a tool. Other names with a dot in front, such as .well-known,
// are part of sites.
func ofTool(name string) bool {
	switch name {
	case "node_modules", "bower_components", ".git", ".hg", ".svn", ".vs", ".vscode", ".idea":
		return true
	}
	return false
}

// CheckSite returns every fault of the configuration of a site: of the server level, of the location tags that name
// the site or something below it, and of every web.config in its folders, with inheritance and locks. What the owners of
// sections refuse is among them.
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
			for _, path := range slices.Sorted(maps.Keys(t.o.Instead)) {
				if rel, err := filepath.Rel(v.dir, filepath.Dir(path)); err == nil && filepath.IsLocal(rel) {
					queue(v.url + "/" + filepath.ToSlash(rel))
				}
			}
		}
	}
	for ; len(todo) > 0; todo = todo[1:] {
		l, _ := t.walk(r, todo[0], nil)
		errs = append(errs, l.errs...)
		errs = append(errs, faultsOf(l.eff.examine(len(l.errs) > 0))...)
		for _, deeper := range slices.Sorted(maps.Keys(l.pending)) {
			queue(deeper)
		}
	}
	return unique(errs)
}
