package target

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// StillConfigured is the code of what is told of a section that people wrote for a feature that is to go.
const StillConfigured = "still-configured"

// inUse looks for sections of the features that a plan removes in the files of people: applicationHost.config and the
// web.config files at the roots of applications and virtual directories. Below them "rolemgr config check" looks.
//
// A section at the level of the server refuses the plan: the host could not load the rest either, so the transaction
// would certainly be rolled back. Anywhere else it is a warning: requests there are answered with 500.19.
func (l *Local) inUse(p plan.Plan) (diag.List, error) {
	gone := map[string]features.ID{} // sections, and the unit that goes with them: their owner, or the last that reads them
	for _, ch := range p.Changes {
		if u, ok := l.o.Catalog.Unit(ch.Unit); ok && ch.Action == plan.Remove {
			for _, m := range u.Modules {
				for _, s := range slices.Concat(m.Sections, m.Reads) {
					gone[s.Path] = u.ID
				}
			}
		}
	}
	if len(gone) == 0 || !slices.ContainsFunc(p.Steps, func(s plan.Step) bool { return s.Op == plan.Reload }) {
		return nil, nil
	}
	schema, err := l.schemaAfter(p)
	if err != nil {
		return nil, err
	}
	appHost := filepath.Join(l.o.Home, "config", "applicationHost.config")
	server, files := l.withoutDropIns(appHost, schema)
	if server != nil && server.Feature != "" && gone[server.Section] != "" {
		id := gone[server.Section]
		return nil, &features.RefusedError{Problems: []features.Problem{{
			ID: id, Code: StillConfigured,
			Summary: fmt.Sprintf("%s: section %q is written for the whole server and needs %q, so that the host could not load the file without it",
				server.Pos, server.Section, l.title(string(id))),
			Hint: fmt.Sprintf("take the section out of %s first, then remove the feature", server.Pos),
		}}}
	}
	if len(l.modulesAfter(p)) == 0 {
		return nil, nil // nothing is left that would answer a request
	}
	var found diag.List
	for _, file := range append([]string{appHost}, files...) {
		for _, e := range config.CheckFile(file, schema) {
			if id := gone[e.Section]; e.Feature != "" && id != "" {
				found = append(found, diag.Diagnostic{
					Severity: diag.Warning, Code: StillConfigured, Pos: e.Pos.String(),
					Summary: fmt.Sprintf("section %q needs %q; without it requests there are answered with 500.19", e.Section, l.title(string(id))),
					Hint:    fmt.Sprintf("take the section out of %s", e.Pos),
				})
			}
		}
	}
	return found, nil
}

// withoutDropIns reads the configuration as it would be without a file of rolemgr. It returns the fault of the level of
// the server, if there is one, and the web.config files at the roots of what the sites serve.
func (l *Local) withoutDropIns(appHost string, schema *config.Schema) (server *config.Error, files []string) {
	tree, err := config.Open(config.Options{AppHost: appHost, BaseDir: l.o.Home, Schema: schema})
	if err == nil {
		_, err = tree.Server()
	}
	if tree != nil {
		for _, s := range tree.Sites() {
			for _, a := range s.Applications {
				for _, v := range a.VirtualDirs {
					name := filepath.Join(v.PhysicalPath, "web.config")
					if _, serr := l.o.FS.Lstat(name); serr == nil && !slices.Contains(files, name) {
						files = append(files, name)
					}
				}
			}
		}
	}
	if !errors.As(err, &server) {
		return nil, files
	}
	return server, files
}

// modulesAfter returns the modules of what is installed after a plan.
func (l *Local) modulesAfter(p plan.Plan) []module.Info {
	var loaded []module.Info
	for _, f := range p.After.Features {
		if u, ok := l.o.Catalog.Unit(features.ID(f.ID)); ok {
			loaded = append(loaded, u.Modules...)
		}
	}
	return loaded
}

// schemaAfter returns the schema that the host uses after a plan.
func (l *Local) schemaAfter(p plan.Plan) (*config.Schema, error) {
	schema, err := wshost.Schema(l.modulesAfter(p), l.o.Catalog.Modules(), l.o.Catalog.Known())
	if err != nil {
		return nil, fmt.Errorf("look for sections in use: %w", err)
	}
	return schema, nil
}

// title is a feature's display name, or its id when the catalogue does not know it.
func (l *Local) title(id string) string {
	if u, ok := l.o.Catalog.Unit(features.ID(id)); ok {
		return u.Title
	}
	return id
}
