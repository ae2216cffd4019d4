package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// Options says where a Tree is read from.
type Options struct {
	// AppHost is the path of applicationHost.config.
	AppHost string
	// DropInDir is the folder of the drop-ins of installed features (*.config), merged in the order of their names, that of
	// the core (web-server-core.config) before all others, as if they stood before applicationHost.config at the same level: applicationHost.config can override them. It may
	// repeat an entry of a collection with equal values; with other values it has to remove the entry first.
	DropInDir string
	// BaseDir is what relative physical paths in applicationHost.config are relative to: the server's home.
	BaseDir string
	// Schema declares the sections.
	Schema *Schema
	// Getenv expands %NAME%; nil means os.Getenv.
	Getenv func(string) string
	// Instead is text that stands for a configuration file, by its path: what a file would mean that is not written yet, or
	// the drop-in of a feature that is not installed. It may name a file that does not exist.
	Instead map[string][]byte
}

// Tree is a configuration tree as of one Open: applicationHost.config and the drop-ins are read once, the web.config
// files of sites are read when a URL needs them and re-read when they change. Methods may be called concurrently.
type Tree struct {
	o     Options
	sites []Site
	base  *level               // the server level
	roots map[string]*siteRoot // by folded name: declared sites, and names that location tags mention
	known folders
	cost  atomic.Int64 // of what the levels of sites hold, see cacheBudget
}

// Open reads applicationHost.config and the drop-ins. It fails with a *Error when one of them cannot be used at all
// or when the sites cannot be known; faults that concern only some URLs are reported by Effective.
func Open(o Options) (*Tree, error) {
	if o.Schema == nil {
		return nil, errors.New("open configuration: no schema is given")
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	t := &Tree{o: o}
	files, err := t.readServer()
	if err != nil {
		return nil, err
	}
	t.mergeServer(files)
	for _, e := range t.base.errs {
		if e.Section == sitesPath {
			return nil, e
		}
	}
	if errs := t.readSites(); len(errs) > 0 {
		return nil, errs[0]
	}
	t.makeRoots(files)
	return t, nil
}

// readServer reads the files of the server level, drop-ins first.
func (t *Tree) readServer() ([]*file, error) {
	paths, err := t.dropIns()
	if err != nil {
		return nil, err
	}
	var docs []*document
	for _, path := range append(paths, t.o.AppHost) {
		src, _, err := t.o.read(path)
		if err != nil {
			return nil, unreadable(path, err)
		}
		doc, fault := parse(path, src, t.o.Schema)
		if fault != nil {
			return nil, fault
		}
		docs = append(docs, doc)
	}
	var files []*file
	var names *declared
	// The sections that applicationHost.config declares are known in drop-ins too, so it is bound twice.
	if apphost := bind(docs[len(docs)-1], true, false, nil); len(apphost.faults) == 0 {
		names = apphost.declared
	}
	for i, doc := range docs {
		f := bind(doc, true, i < len(docs)-1, names)
		f.include()
		if len(f.faults) > 0 {
			return nil, f.faults[0]
		}
		names = f.declared
		files = append(files, f)
	}
	return files, nil
}

// coreDropIn is merged first: what a feature adds to a list of the core, as <handlers>, comes before what is there for all.
const coreDropIn = "web-server-core.config"

func (t *Tree) dropIns() ([]string, error) {
	dir := t.o.DropInDir
	if dir == "" {
		return nil, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, unreadable(dir, err)
	}
	var paths []string
	for _, e := range entries {
		if !e.IsDir() && strings.HasSuffix(e.Name(), ".config") && !strings.HasPrefix(e.Name(), ".") {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	for path := range t.o.Instead {
		if filepath.Dir(path) == filepath.Clean(dir) && path != t.o.AppHost {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	if i := slices.Index(paths, filepath.Join(dir, coreDropIn)); i > 0 {
		core := paths[i]
		copy(paths[1:], paths[:i])
		paths[0] = core
	}
	return paths, nil
}

// mergeServer makes the server level.
func (t *Tree) mergeServer(files []*file) {
	sections := make([]*sectionState, len(t.o.Schema.sections))
	for i, sec := range t.o.Schema.sections {
		sections[i] = sec.defaults
	}
	for _, f := range files {
		for _, r := range f.rules {
			sections[r.sec.id] = sections[r.sec.id].with(r)
		}
	}
	b := &builder{tree: t, sections: sections, target: atServer}
	for _, f := range files {
		for i := range f.uses {
			if u := &f.uses[i]; u.path() == "" {
				b.apply(u, 0, f.dropIn)
			}
		}
		b.declared = f.declared
	}
	t.base = b.level()
}

// Server returns the configuration of the server level: drop-ins and applicationHost.config without location tags
// for sites. It is what a Module sees at Provision, and what the host's probe site runs under.
func (t *Tree) Server() (*Effective, error) {
	if len(t.base.errs) > 0 {
		return nil, t.base.errs[0]
	}
	return t.base.eff, nil
}

// Sites returns the declared sites, by id.
func (t *Tree) Sites() []Site { return slices.Clone(t.sites) }
