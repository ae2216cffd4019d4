package plan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

var update = flag.Bool("update", false, "write the golden files anew")

// bundled returns the catalogue of this binary.
func bundled(t testing.TB) *features.Catalog {
	t.Helper()
	c, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// disk is a home as a plan sees it: hashes by path, "" as a folder's hash.
type disk map[string]string

func (d disk) facts() plan.Facts {
	return plan.Facts{
		Hash: func(p string) string { return d[p] },
		Dir:  func(p string) bool { _, ok := d[p+"/"]; return ok },
	}
}

// carry does to the disk what a plan would do.
func (d disk) carry(p plan.Plan) {
	for _, s := range p.Steps {
		switch {
		case s.Op == plan.MakeDir:
			d[s.Path+"/"] = ""
		case s.Op == plan.PutFile && (!s.Seed || d[s.Path] == ""):
			d[s.Path] = s.SHA256
		case s.Op == plan.RemoveFile:
			delete(d, s.Path)
		}
	}
}

func build(t *testing.T, c *features.Catalog, s state.State, r plan.Request, f plan.Facts) plan.Plan {
	t.Helper()
	p, diags, err := plan.Build(c, s, r, f)
	if err != nil {
		t.Fatalf("%+v: %v", diags, err)
	}
	return p
}

// commit is what a transaction records after a plan was carried out.
func commit(p plan.Plan) state.State {
	s := p.After
	s.Serial++
	return s
}

func install(ids ...features.ID) plan.Request {
	return plan.Request{Wish: features.Wish{Install: ids}}
}

func remove(ids ...features.ID) plan.Request {
	return plan.Request{Wish: features.Wish{Remove: ids}}
}

// golden is one story: what is on the server, what is asked for, and the plan in testdata.
type golden struct {
	name  string
	build func(t *testing.T, c *features.Catalog) (plan.Plan, diag.List)
}

func goldens() []golden {
	fresh := state.State{Level: "8.0"}
	// on a server with the role and sockets, everything as recorded
	standing := func(t *testing.T, c *features.Catalog) (state.State, disk) {
		d := disk{}
		p := build(t, c, fresh, install("web-server"), d.facts())
		d.carry(p)
		s := commit(p)
		p = build(t, c, s, install("websocket"), d.facts())
		d.carry(p)
		return commit(p), d
	}
	plain := func(r plan.Request) func(*testing.T, *features.Catalog) (plan.Plan, diag.List) {
		return func(t *testing.T, c *features.Catalog) (plan.Plan, diag.List) {
			p, diags, err := plan.Build(c, fresh, r, disk{}.facts())
			if err != nil {
				t.Fatal(err)
			}
			return p, diags
		}
	}
	on := func(r plan.Request, change func(c *features.Catalog, s *state.State, d disk, f *plan.Facts)) func(*testing.T, *features.Catalog) (plan.Plan, diag.List) {
		return func(t *testing.T, c *features.Catalog) (plan.Plan, diag.List) {
			s, d := standing(t, c)
			f := d.facts()
			if change != nil {
				change(c, &s, d, &f)
			}
			p, diags, err := plan.Build(c, s, r, f)
			var refused *features.RefusedError
			if err != nil && !errors.As(err, &refused) {
				t.Fatal(err)
			}
			return p, diags
		}
	}
	return []golden{
		{"install-role", plain(install("web-server"))},
		{"install-websocket-fresh", plain(install("websocket"))},
		{"install-websocket-again", on(install("websocket"), nil)},
		{"install-marks", on(install("static-content"), nil)},
		{"install-repairs", on(install("websocket"), func(_ *features.Catalog, _ *state.State, d disk, _ *plan.Facts) {
			d["config/features.d/websocket.config"] = "changed"
			delete(d, "config/features.d/web-server-core.config")
			d["config/features.d/http-logging.config"] = "changed too, and none of this wish's business"
		})},
		{"remove-websocket-with-sockets", on(remove("websocket"), func(_ *features.Catalog, _ *state.State, _ disk, f *plan.Facts) {
			f.Sockets = map[features.ID]int{"websocket": 1204}
		})},
		{"remove-role", on(remove("web-server"), nil)},
		{"level-raised", on(plan.Request{Level: "8.5"}, nil)},
		{"level-refused", on(plan.Request{Level: "7.5", Wish: features.Wish{Install: []features.ID{"asp", "server-side-includes"}}}, nil)},
	}
}

func TestGoldenPlans(t *testing.T) {
	c := bundled(t)
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			p, diags := g.build(t, c)
			if p.Catalog != "" {
				if p.Catalog != c.Hash() {
					t.Errorf("catalogue %q", p.Catalog)
				}
				p.Catalog = "(hash of the catalogue)"
			}
			mask(c, p.Steps)
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(struct {
				Plan        plan.Plan
				Diagnostics diag.List `json:",omitempty"`
			}{p, diags}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", g.name+".json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("differs from %s (run with -update to see the change):\n%s", file, got.Bytes())
			}
		})
	}
}

// mask replaces hashes of content by what they stand for, so that a better sentence in a start page does not change
// every plan. A hash that is not that of the unit's own file stays as it is and shows up.
func mask(c *features.Catalog, steps []plan.Step) {
	for i, s := range steps {
		for _, f := range append(c.Assets(s.Unit), c.Seeds(s.Unit)...) {
			if f.Path == s.Path && f.SHA256 == s.SHA256 {
				steps[i].SHA256 = "(bundled)"
			}
		}
	}
}
