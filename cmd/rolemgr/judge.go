package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// A judge tells what configuration files mean here: under everything that this version can install, on the server at
// hand. It starts nothing and writes nothing.
type judge struct {
	cat    *features.Catalog
	home   string
	owners map[string]features.ID
	schema *config.Schema // everything that can be installed
	tree   *config.Tree   // the server level with everything installed; nil when it cannot be read
	// have are the features that are installed, or on a server without any what the first installation brings.
	have      map[features.ID]bool
	installed []features.ID // in display order
	note      string        // what makes the judgement less than it could be
}

// newJudge looks at the server at hand, which need not exist.
func (c *cli) newJudge(ctx context.Context) (*judge, error) {
	t, err := c.openToRead(ctx)
	if err != nil {
		return nil, err
	}
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	j := &judge{cat: c.cat, home: c.home, owners: c.cat.Owners(), have: map[features.ID]bool{}}
	for _, f := range s.Features {
		j.have[features.ID(f.ID)] = true
		j.installed = append(j.installed, features.ID(f.ID))
	}
	if len(j.installed) == 0 {
		if err := j.assumeDefaults(s.Level); err != nil {
			return nil, err
		}
	}
	modules := c.cat.Modules()
	if j.schema, err = wshost.Schema(modules, modules, c.cat.Known()); err != nil {
		return nil, err
	}
	j.openTree()
	return j, nil
}

// assumeDefaults takes what any first installation brings as given.
func (j *judge) assumeDefaults(level string) error {
	for _, u := range j.cat.Units() {
		if u.Kind != features.Role || u.Unavailable != nil {
			continue
		}
		sel, err := j.cat.Resolve(features.Wish{Install: []features.ID{u.ID}}, nil, features.Level(level))
		var refused *features.RefusedError
		if errors.As(err, &refused) {
			continue // a role that the level does not have brings nothing
		}
		if err != nil {
			return err
		}
		for _, p := range sel.Picks {
			j.have[p.ID] = true
		}
	}
	return nil
}

// openTree reads the server level as it would be with every feature installed, or where their files contradict one
// another with those at hand only. Where the files of the server stand against it, those of a new one are taken instead.
func (j *judge) openTree() {
	var first error
	for _, fresh := range []bool{false, true} {
		for _, all := range []bool{true, false} {
			t, err := j.open(fresh, all)
			if err != nil {
				first = cmp.Or(first, err)
				continue
			}
			if j.tree = t; fresh {
				j.note = "the configuration of the server cannot be used: " + first.Error() + "; what it locks and lists is not looked at"
			}
			return
		}
	}
	j.note = "the configuration of the server cannot be used: " + first.Error() + "; each file is judged by itself"
}

// open reads the server level: of a new server or with the files at hand, with the files of all features or of those
// that are installed.
func (j *judge) open(fresh, all bool) (*config.Tree, error) {
	o := config.Options{
		AppHost: filepath.Join(j.home, "config", "applicationHost.config"), DropInDir: filepath.Join(j.home, "config", "features.d"),
		BaseDir: j.home, Schema: j.schema, Instead: map[string][]byte{},
	}
	if fresh {
		o.DropInDir = filepath.Join(j.home, "config", "features.d", "of a new server")
	}
	for _, u := range j.cat.Units() {
		if !all && !j.have[u.ID] {
			continue
		}
		for _, f := range j.cat.Assets(u.ID) {
			name := filepath.Join(j.home, filepath.FromSlash(f.Path))
			if path.Dir(f.Path) != "config/features.d" {
				continue
			}
			if fresh {
				name = filepath.Join(o.DropInDir, filepath.Base(name))
			}
			if fresh || absent(name) {
				o.Instead[name] = f.Data
			}
		}
		for _, f := range j.cat.Seeds(u.ID) {
			if name := filepath.Join(j.home, filepath.FromSlash(f.Path)); name == o.AppHost && (fresh || absent(name)) {
				o.Instead[name] = f.Data
			}
		}
	}
	t, err := config.Open(o)
	if err != nil {
		return nil, err
	}
	if _, err := t.Server(); err != nil {
		return nil, err
	}
	return t, nil
}

func absent(name string) bool {
	_, err := os.Stat(name)
	return errors.Is(err, fs.ErrNotExist)
}

// inspect judges one file; root is the folder of the site that it is taken for.
func (j *judge) inspect(root, name string) []config.Finding {
	var found []config.Finding
	if base := filepath.Base(name); j.tree != nil && (base == "web.config" || base == "Web.config") {
		found = j.tree.Inspect(root, name)
	} else {
		found = config.Inspect(name, j.schema)
	}
	for i := range found {
		j.complete(&found[i])
	}
	return found
}

// complete adds what only the catalogue and the server know: which feature a finding needs, and whether it is there.
func (j *judge) complete(f *config.Finding) {
	owner := j.owners[f.Section]
	switch f.Verdict {
	case config.Honoured, config.WithoutEffect:
	case config.NeedsFeature:
		return
	default:
		if f.Feature == "" && f.Verdict == config.Faulty {
			f.Feature = string(owner)
		}
		return
	}
	if f.Feature != "" { // by the judgement of the section that lists it
		u, known := j.cat.Unit(features.ID(f.Feature))
		if !known || u.Unavailable != nil {
			f.Verdict, f.Reason = config.Unsupported, unavailableReason(u, f.Feature)
			if !strings.HasPrefix(f.Reason, u.Title) {
				f.Reason = u.Title + ": " + f.Reason
			}
			return
		}
		if !j.have[u.ID] {
			f.Verdict, f.Reason = config.NeedsFeature, ""
			return
		}
		if owner == "" || j.have[owner] {
			return
		}
	}
	f.Feature = string(owner)
	if owner != "" && !j.have[owner] {
		f.Verdict, f.Reason = config.NeedsFeature, ""
	}
}

// unavailableReason says why a feature cannot be installed here, and what to use instead.
func unavailableReason(u features.Unit, id string) string {
	if u.Unavailable == nil {
		return "this version of rolemgr has no feature " + id
	}
	if u.Unavailable.Instead == "" {
		return u.Unavailable.Reason
	}
	return u.Unavailable.Reason + "; " + u.Unavailable.Instead
}

// installedSchema returns the schema that the host would use with the features that are recorded now.
func (c *cli) installedSchema(ctx context.Context) (*config.Schema, error) {
	t, err := c.openToRead(ctx)
	if err != nil {
		return nil, err
	}
	s, err := t.State(ctx)
	if err != nil {
		return nil, err
	}
	recorded := map[string]bool{}
	for _, f := range s.Features {
		recorded[f.ID] = true
	}
	var loaded []module.Info
	for _, m := range c.cat.Modules() {
		if recorded[m.Feature] {
			loaded = append(loaded, m)
		}
	}
	return wshost.Schema(loaded, c.cat.Modules(), c.cat.Known())
}
