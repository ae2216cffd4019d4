package all_test

import (
	"path/filepath"
	"testing"
)

// TestUserIsForTheServer: whom programs run as stands in applicationHost.config, never in a web.config.
func TestUserIsForTheServer(t *testing.T) {
	h := startHost(t, newHome(t, append(everything(), "http-platform", "fastcgi", "cgi")...))
	for name, section := range map[string]string{
		"a": `<httpPlatform processPath="x" user="root"/>`, "b": `<aspNetCore processPath="x" user="root"/>`, "c": `<iisnode user="root"/>`, "d": `<cgi user="root"/>`,
		"e": `<fastCgi><application fullPath="/bin/true" user="root"/></fastCgi>`,
	} {
		h.site(name+"/a.txt", "x")
		h.site(name+"/web.config", `<configuration><system.webServer>`+section+`</system.webServer></configuration>`)
		if a := h.get("/" + name + "/a.txt"); a.named() != "500.19" {
			t.Errorf("%s: %s", section, a.named())
		}
	}
	// A server that lets sites write <cgi> has not let them choose a user with that.
	replace(t, filepath.Join(h.home, "config/applicationHost.config"), "</configuration>",
		`<location overrideMode="Allow"><system.webServer><cgi/></system.webServer></location></configuration>`)
	if _, err := h.server.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	for section, want := range map[string]string{`<cgi timeout="00:01:00"/>`: "200", `<cgi user="root"/>`: "500.19", `<cgi createProcessAsUser="false"/>`: "500.19"} {
		h.site("d/web.config", `<configuration><system.webServer>`+section+`</system.webServer></configuration>`)
		if _, err := h.server.Reload(t.Context()); err != nil {
			t.Fatal(err)
		}
		if a := h.get("/d/a.txt"); a.named() != want {
			t.Errorf("%s: %s, want %s", section, a.named(), want)
		}
	}
}
