package all_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// TestModuleNames holds what is said of entries of <modules> to the catalogue: every feature that is named there exists,
// every module of a unit is known, and only one that nobody has is reported.
func TestModuleNames(t *testing.T) {
	cat, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	schema, err := wshost.Schema(cat.Modules(), cat.Modules(), cat.Known())
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		entry   string
		verdict config.Verdict
		feature string // "" for none
	}
	add := func(name string) string { return `<add name="` + name + `" />` }
	rows := []row{
		{`<remove name="WebDAVModule" />`, config.Honoured, ""}, {`<remove name="Nobodys" />`, config.Honoured, ""},
		{add("Nobodys"), config.Unsupported, ""}, {`<add name="Mine" type="My.Class, My" />`, config.WithoutEffect, ""},
		{add("UriCacheModule"), config.WithoutEffect, ""}, {add("AnonymousAuthenticationModule"), config.WithoutEffect, ""},
	}
	var global strings.Builder
	ours := map[string]bool{}
	for _, m := range cat.Modules() {
		global.WriteString(add(m.Name))
		rows = append(rows, row{add(m.Name), config.Honoured, m.Feature})
		ours[m.Name] = true
	}
	for name, id := range map[string]string{
		"WindowsAuthenticationModule": "windows-authentication", "WebDAVModule": "webdav-publishing", "IpRestrictionModule": "ip-and-domain-restrictions",
		"FastCgiModule": "fastcgi", "CgiModule": "cgi", "AspNetCoreModuleV2": "http-platform", "iisnode": "http-platform", "UrlAuthorizationModule": "url-authorization",
		"FailedRequestsTracingModule": "tracing", "BasicAuthenticationModule": "basic-authentication", "DigestAuthenticationModule": "digest-authentication",
		"ApplicationInitializationModule": "application-initialization", "ApplicationRequestRouting": "reverse-proxy", "CertificateMappingAuthenticationModule": "client-certificate-mapping",
		"IISCertificateMappingAuthenticationModule": "iis-client-certificate-mapping", "IsapiFilterModule": "isapi-filters", "IsapiModule": "isapi-extensions",
		"ManagedEngine": "asp-net-45", "RequestMonitorModule": "request-monitor", "ServerSideIncludeModule": "server-side-includes", "CustomLoggingModule": "custom-logging",
	} {
		if _, known := cat.Unit(features.ID(id)); !known {
			t.Errorf("%s: no feature %s", name, id)
		}
		if !ours[name] {
			rows = append(rows, row{add(name), config.Honoured, id})
		}
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("<configuration>"+text+"</configuration>"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("applicationHost.config", `<configSections><sectionGroup name="system.webServer"><section name="modules" overrideModeDefault="Allow" /></sectionGroup></configSections>
<system.webServer><globalModules>`+global.String()+`</globalModules></system.webServer>`)
	text := ""
	for _, r := range rows {
		text += "\n" + r.entry
	}
	write("web.config", "<system.webServer><modules>"+text+"</modules></system.webServer>")
	tree, err := config.Open(config.Options{AppHost: filepath.Join(dir, "applicationHost.config"), BaseDir: dir, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range tree.Inspect(dir, filepath.Join(dir, "web.config")) {
		if f.Kind != config.OfElement {
			continue
		}
		// A module of this host alone needs no feature to be named: globalModules has it.
		r := rows[f.Pos.Line-2]
		if f.Verdict != r.verdict || f.Feature != r.feature && (f.Feature != "" || !ours[strings.Split(r.entry, `"`)[1]]) {
			t.Errorf("%s: %s [%s] %s, want %s [%s]", r.entry, f.Verdict, f.Feature, f.Reason, r.verdict, r.feature)
		}
		if f.Verdict == config.Unsupported && !strings.Contains(f.Reason, `no module "Nobodys"`) {
			t.Errorf("%s: %s", r.entry, f.Reason)
		}
	}
}
