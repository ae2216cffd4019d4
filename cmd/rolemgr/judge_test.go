package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/diag"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// judgedCatalog has a unit whose section lists programs, some of which belong to other units.
func judgedCatalog() (*features.Catalog, error) {
	programs := config.Element{Name: "programs", Collection: &config.Collection{Add: config.Element{
		Name: "add", Attributes: []config.Attribute{{Name: "name", Type: config.String, Key: true, Required: true}},
		Judge: func(attribute func(string) string) config.Judgement {
			switch name := attribute("name"); name {
			case "own":
				return config.Judgement{}
			case "foreign":
				return config.Judgement{Unsupported: "it runs on Windows only"}
			default:
				return config.Judgement{Feature: name}
			}
		},
	}}}
	seed := fstest.MapFS{"config/applicationHost.config": {Data: []byte("<configuration/>")}}
	return features.NewCatalog([]features.Unit{
		{ID: "role", Kind: features.Role, Title: "Role", Group: true, Doc: "It holds."},
		{ID: "lister", Parent: "role", Kind: features.RoleService, Title: "Lister", Default: true, Doc: "It lists.", Seeds: seed,
			Modules: []module.Info{{Name: "ListerModule", Stage: module.StageHandle, New: func() module.Module { return nil },
				Sections: []config.Section{{Path: "system.webServer/programs", Element: programs}}}}},
		{ID: "runner", Parent: "role", Kind: features.RoleService, Title: "Runner", Doc: "It runs."},
		{ID: "later", Parent: "role", Kind: features.RoleService, Title: "Later", Doc: "It comes.",
			Unavailable: &features.Unavailable{NotBuilt: true, Reason: "it is not built", Instead: "use another"}},
	})
}

func TestJudgedEntries(t *testing.T) {
	site := t.TempDir()
	text := `<configuration><system.webServer><programs><add name="own"/>
<add name="runner"/>
<add name="later"/>
<add name="nobody"/>
<add name="foreign"/></programs></system.webServer></configuration>`
	if err := os.WriteFile(filepath.Join(site, "web.config"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e, _, out, errs := newTestEnv(t)
	e.Catalog = judgedCatalog
	if code := execute(context.Background(), e, []string{"config", "check", site, "--json"}); code != ExitFailed {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	var r checkResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Faults) != 0 || r.OK {
		t.Errorf("ok %v, faults %v: entries are no faults, and they do not do what they say", r.OK, r.Faults)
	}
	var got []string
	for _, f := range r.Findings {
		if f.Kind.IsElement() {
			got = append(got, strings.TrimSpace(string(f.Verdict)+" "+f.Feature+" "+f.Reason))
		}
	}
	want := "honoured lister|honoured lister|needs-feature runner|unsupported later Later: it is not built; use another|" +
		"unsupported nobody this version of rolemgr has no feature nobody|unsupported  it runs on Windows only"
	if strings.Join(got, "|") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "|"), want)
	}
	if len(r.Needs) != 2 || r.Needs[1].Feature != "runner" || r.Needs[1].Places[0].Line != 2 {
		t.Errorf("needs %+v", r.Needs)
	}

	// What --for asks for.
	var asked plan.Request
	e, _, out, errs = newTestEnv(t)
	e.Catalog = judgedCatalog
	e.NewTarget = func(o target.LocalOptions) target.Target { return askedTarget{target.NewLocal(o), &asked} }
	if code := execute(context.Background(), e, []string{"install", "--for", site, "--what-if"}); code != ExitDone {
		t.Fatalf("exit code %d: %s%s", code, out, errs)
	}
	if len(asked.Install) != 2 || asked.Install[0] != "lister" || asked.Install[1] != "runner" {
		t.Errorf("asked for %v", asked.Install)
	}
	if !strings.Contains(errs.String(), "system.webServer/programs/add is not supported: it runs on Windows only") {
		t.Errorf("standard error: %s", errs)
	}
}

// askedTarget notes what is asked of it.
type askedTarget struct {
	target.Target
	asked *plan.Request
}

func (a askedTarget) Plan(ctx context.Context, r plan.Request) (plan.Plan, diag.List, error) {
	*a.asked = r
	return a.Target.Plan(ctx, r)
}

// A link to the folder of a site is looked into.
func TestCheckFollowsTheNamedLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	site := t.TempDir()
	text := `<configuration><system.webServer><httpErrors errorMode="Custom" /></system.webServer></configuration>`
	if err := os.WriteFile(filepath.Join(site, "web.config"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(site, link); err != nil {
		t.Fatal(err)
	}
	e, _, out, _ := newTestEnv(t)
	if code := execute(context.Background(), e, []string{"config", "check", link}); code != ExitDone || !strings.Contains(out.String(), "1 of 1 element honoured") {
		t.Errorf("exit code %d: %s", code, out)
	}
}
