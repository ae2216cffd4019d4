package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
)

// TestWizardChecksSitesInTheirPlace sees what only the files above tell: a lock of applicationHost.config, an inherited
// entry, and a folder of a site that is not below the home.
func TestWizardChecksSitesInTheirPlace(t *testing.T) {
	e, _, _, _ := newTestEnv(t)
	e.Catalog = func() (*features.Catalog, error) { return features.NewCatalog(all.Units()) }
	home, elsewhere := t.TempDir(), t.TempDir()
	c := &cli{env: e, homeFlag: home, homeGiven: func() bool { return true }, home: home}
	var err error
	if c.cat, err = e.Catalog(); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte("<configuration>"+text+"</configuration>"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	site := func(name, id, dir string) string {
		return `<site name="` + name + `" id="` + id + `"><application path="/"><virtualDirectory path="/" physicalPath="` + dir + `" /></application></site>`
	}
	write(filepath.Join(home, "config/applicationHost.config"), `<system.applicationHost><sites>`+site("Default Web Site", "1", "sites/default")+site("Two", "2", elsewhere)+site("Gone", "3", "/srv/is/not/there")+`</sites></system.applicationHost>
<location path="Two" overrideMode="Deny"><system.webServer><defaultDocument enabled="true" /></system.webServer></location>`)
	write(filepath.Join(home, "sites/default/web.config"), `<system.webServer><httpErrors errorMode="Detailed" /><rewrite><rules><rule name="r"><match url="(" /></rule></rules></rewrite></system.webServer>`)
	write(filepath.Join(elsewhere, "web.config"), `<system.webServer><defaultDocument enabled="false" /></system.webServer>`)
	lines, err := c.checkSites(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(lines, "\n")
	for _, want := range []string{
		`sites/default/web.config:1:`, `rewrite rule "r": the regular expression "(" cannot be read`,
		filepath.Join(elsewhere, "web.config") + `:1:34: section "system.webServer/defaultDocument" cannot be used at this path: it is locked`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "Gone") || strings.Contains(got, "not/there") {
		t.Errorf("%s", got)
	}
}
