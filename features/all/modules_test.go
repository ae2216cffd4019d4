package all_test

import (
	"path/filepath"
	"testing"
)

// TestSitesCannotTakeModulesOut holds the drop-ins to lockItem: <modules> is open to sites, but what an administrator
// installed is not theirs to remove.
func TestSitesCannotTakeModulesOut(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	for section, want := range map[string]string{
		`<modules><remove name="WebDAVModule" /></modules>`:           "200",
		`<modules><remove name="RequestFilteringModule" /></modules>`: "500.19",
		`<modules><remove name="HttpLoggingModule" /></modules>`:      "500.19",
		`<modules><clear /></modules>`:                                "500.19",
	} {
		h.webConfig(section)
		if got := h.ask("GET /a.txt HTTP/1.1", "").named(); got != want {
			t.Errorf("%s: %s, want %s", section, got, want)
		}
	}
}

// TestAdministratorTakesModulesOut removes a module for everybody in applicationHost.config, where the drop-ins do not
// stand above.
func TestAdministratorTakesModulesOut(t *testing.T) {
	home := newHome(t, everything()...)
	h := startHost(t, home)
	h.site("a.txt", "a")
	if got := h.ask("GET /%2561.txt HTTP/1.1", "").named(); got != "404.11" {
		t.Fatalf("before: %s", got)
	}
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configuration>",
		`<system.webServer><modules><remove name="RequestFilteringModule" /></modules></system.webServer></configuration>`)
	if _, err := h.server.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.ask("GET /%2561.txt HTTP/1.1", "").named(); got != "404.0" {
		t.Errorf("after: %s, want 404.0", got)
	}
}
