package all_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

const staticEntry = `<add name="StaticFile" path="*" verb="*" type="" modules="StaticFileModule,DefaultDocumentModule,DirectoryListingModule" ` +
	`scriptProcessor="" resourceType="Either" requireAccess="Read" allowPathInfo="false" preCondition="" responseBufferLimit="4194304" />`

func TestHandlers(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	for name, content := range map[string]string{"a.txt": "a", "docs/index.html": "start", "docs/index.php": "<?php", "app.js": "node", "up/a.php": "<?php", "bare/a.txt": "a"} {
		h.site(name, content)
	}
	const php = `<add name="PHP" path="*.php" verb="GET,HEAD,POST" modules="FastCgiModule" scriptProcessor="C:\php\php-cgi.exe" resourceType="Either" />`
	const core = `<add name="aspNetCore" path="*" verb="*" modules="AspNetCoreModuleV2" resourceType="Unspecified" />`
	const iisnode = `<add name="iisnode" path="app.js" verb="*" modules="iisnode" />`
	for _, c := range []struct{ name, section, request, want string }{
		{"nothing said", ``, "GET /a.txt", "200"},
		{"what is not there", `<remove name="ExtensionlessUrlHandler-Integrated-4.0" /><remove name="WebDAV" /><remove name="aspNetCore" /><remove name="svc-Integrated" />`, "GET /a.txt", "200"},
		{"StaticFile removed", `<remove name="StaticFile" />`, "GET /a.txt", "404.4"},
		{"StaticFile removed, a folder", `<remove name="StaticFile" />`, "GET /docs/", "404.4"},
		{"everything cleared", `<clear />`, "GET /a.txt", "404.4"},
		{"cleared and put back", `<clear />` + staticEntry, "GET /a.txt", "200"},
		{"removed and put back", `<remove name="StaticFile" />` + staticEntry, "GET /docs/", "200"},
		{"put back without removing", staticEntry, "GET /a.txt", "500.19"},
		{"another name for files", `<add name="Txt" path="*.txt" verb="GET" modules="StaticFileModule" resourceType="File" requireAccess="Read" />`, "GET /a.txt", "200"},
		{"files only", `<clear /><add name="F" path="*" verb="*" modules="StaticFileModule" resourceType="File" requireAccess="Read" />`, "GET /a.txt", "200"},
		{"files only, a folder", `<clear /><add name="F" path="*" verb="*" modules="StaticFileModule" resourceType="File" requireAccess="Read" />`, "GET /docs/", "404.0"},
		{"folders only, a file", `<clear /><add name="F" path="*" verb="*" modules="StaticFileModule" resourceType="Directory" requireAccess="Read" />`, "GET /a.txt", "404.0"},
		{"one verb only", `<clear /><add name="F" path="*" verb="GET" modules="StaticFileModule" resourceType="Either" requireAccess="Read" />`, "HEAD /a.txt", "404"},
		{"no default document", `<clear /><add name="F" path="*" verb="*" modules="StaticFileModule" resourceType="Either" requireAccess="Read" />`, "GET /docs/", "403.14"},

		{"iisnode, its file", iisnode, "GET /app.js", "500.21"},
		{"iisnode, the rest", iisnode, "GET /a.txt", "200"},
		{"ASP.NET Core takes everything", core, "GET /a.txt", "500.21"},
		{"an unknown module", `<add name="X" path="*.x" verb="*" modules="NoSuchModule" />`, "GET /b.x", "500.21"},
		{".NET by its class", `<add name="X" path="*.axd" verb="*" type="My.Handler, My" preCondition="integratedMode" />`, "GET /b.axd", "500.21"},
		{"the classic pipeline", `<add name="X" path="*" verb="*" modules="IsapiModule" preCondition="classicMode,bitness32" />`, "GET /a.txt", "200"},
		{"names without extension", `<add name="X" path="*." verb="*" type="System.Web.Handlers.TransferRequestHandler" />`, "GET /api/values", "500.21"},
		{"names without extension, a file", `<add name="X" path="*." verb="*" type="System.Web.Handlers.TransferRequestHandler" />`, "GET /a.txt", "200"},

		{"PHP", php, "GET /docs/index.php", "500.21"},
		{"PHP with path info", php, "GET /docs/index.php/news", "500.21"},
		{"PHP, nothing there", php, "GET /none.php", "404.0"},
		{"PHP, another verb", php, "PUT /docs/index.php", "405.0"},
		{"PHP, the rest", php, "GET /docs/", "200"},
		{"the .NET handlers of a template", `<remove name="ExtensionlessUrlHandler-Integrated-4.0" /><remove name="OPTIONSVerbHandler" /><remove name="TRACEVerbHandler" />` +
			`<add name="ExtensionlessUrlHandler-Integrated-4.0" path="*." verb="*" type="System.Web.Handlers.TransferRequestHandler" preCondition="integratedMode,runtimeVersionv4.0" />`, "GET /docs/", "200"},
		{"a section twice", php + `</handlers><handlers accessPolicy="Read">`, "GET /docs/index.php", "500.19"},
		{"OPTIONS", ``, "OPTIONS /a.txt", "200"},
		{"OPTIONS left to others", `<remove name="OPTIONSVerbHandler" />`, "OPTIONS /a.txt", "405.0"},
		{"TRACE never", `<clear />` + staticEntry, "TRACE /a.txt", "405.0"},
		{"OPTIONS by the framework", `<add name="OptionsHandler" verb="OPTIONS" path="*" type="System.Web.DefaultHttpHandler" requireAccess="None" />`, "OPTIONS /a.txt", "500.21"},
		{"OPTIONS by the framework, GET", `<add name="OptionsHandler" verb="OPTIONS" path="*" type="System.Web.DefaultHttpHandler" requireAccess="None" />`, "GET /a.txt", "200"},
		{"a wrong kind", `<add name="X" path="*" verb="*" resourceType="Sometimes" />`, "GET /a.txt", "500.19"},
		{"no verb", `<add name="X" path="*" />`, "GET /a.txt", "500.19"},
	} {
		h.webConfig(`<handlers>` + c.section + `</handlers>`)
		if got := h.ask(c.request+" HTTP/1.1\nContent-Length: 0", "").named(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	h.webConfig(`<handlers><add name="X" path="*.x" verb="*" modules="NoSuchModule" /></handlers><modules><add name="NoSuchModule" /></modules>`)
	if got := h.get("/b.x").named(); got != "500.21" {
		t.Errorf("a module that <modules> names and nothing loads: %s", got)
	}
	h.webConfig(`<handlers>` + iisnode + `</handlers>`)
	body := h.get("/app.js").body
	for _, want := range []string{"iisnode", "web.config:1:", "http-platform", "app.js"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not name %q: %s", want, body)
		}
	}
}

// TestHandlersOfDefaultDocuments holds that a start page is mapped like any other resource: its source must not be sent.
func TestHandlersOfDefaultDocuments(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("docs/index.php", "<?php secret")
	h.webConfig(`<handlers><add name="PHP" path="*.php" verb="*" modules="FastCgiModule" resourceType="File" /></handlers>
		<staticContent><mimeMap fileExtension=".php" mimeType="text/plain" /></staticContent>
		<defaultDocument><files><add value="index.php" /></files></defaultDocument>`)
	if a := h.get("/docs/"); a.named() != "500.21" || strings.Contains(a.body, "secret") {
		t.Errorf("%s", a.named())
	}
}

func TestAccessPolicy(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	h.site("a.php", "<?php")
	for policy, want := range map[string][2]string{ // of a file and of a script
		"Read, Script":           {"200", "500.21"},
		"Read, Execute, Script":  {"200", "500.21"},
		"Read, Execute":          {"200", "500.21"},
		"Read":                   {"200", "403.1"},
		"Script":                 {"403.2", "500.21"},
		"None":                   {"403.2", "403.1"},
		"Read, NoRemoteRead":     {"200", "403.1"}, // the client of this test is not remote
		"Read, Write":            {"200", "403.1"},
		"Read, NoSuchPermission": {"500.19", "500.19"},
	} {
		h.webConfig(`<handlers accessPolicy="` + policy + `"><add name="PHP" path="*.php" verb="*" modules="FastCgiModule" /></handlers>`)
		if got := [2]string{h.get("/a.txt").named(), h.get("/a.php").named()}; got != want {
			t.Errorf("%s: %v, want %v", policy, got, want)
		}
	}
	h.webConfig(`<handlers accessPolicy="Read, NoRemoteRead" />`)
	if a := h.get("/a.txt", "X-Forwarded-For: 192.0.2.1"); a.status != http.StatusForbidden {
		t.Errorf("through a proxy: %d", a.status)
	}
}

// TestModulesOfRealFiles holds lines that stand in real files and mean nothing here.
func TestModulesOfRealFiles(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	for _, section := range []string{
		`<modules runAllManagedModulesForAllRequests="true" />`,
		`<modules runAllManagedModulesForAllRequests="True"><remove name="WebDAVModule" /><remove name="FormsAuthentication" /></modules>`,
		`<modules><add name="ErrorLog" type="Elmah.ErrorLogModule, Elmah" preCondition="managedHandler" /></modules>`,
		`<modules runManagedModulesForWebDavRequests="false"><remove name="RewriteModule" /></modules>`,
	} {
		h.webConfig(section)
		if got := h.get("/a.txt").named(); got != "200" {
			t.Errorf("%s: %s", section, got)
		}
	}
}

// TestApplicationHostOfIIS repeats the handlers of the drop-in, as the file of a Windows server does.
func TestApplicationHostOfIIS(t *testing.T) {
	home := newHome(t, everything()...)
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configuration>", `<system.webServer><handlers accessPolicy="Read, Script">
		<add name="TRACEVerbHandler" path="*" verb="TRACE" modules="ProtocolSupportModule" requireAccess="None" />
		<add name="OPTIONSVerbHandler" path="*" verb="OPTIONS" modules="ProtocolSupportModule" requireAccess="None" />
		<add name="StaticFile" path="*" verb="*" modules="StaticFileModule,DefaultDocumentModule,DirectoryListingModule" resourceType="Either" requireAccess="Read" />
		</handlers></system.webServer></configuration>`)
	h := startHost(t, home)
	h.site("a.txt", "a")
	if got := h.get("/a.txt").named(); got != "200" {
		t.Errorf("%s", got)
	}
}

func TestSections(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	for _, c := range []struct{ section, want string }{
		{`<caching enabled="false" enableKernelCache="false" />`, "200"},
		{`<caching><profiles><add extension=".js" policy="CacheUntilChange" kernelCachePolicy="DontCache" duration="00:01:00" location="Any" varyByQueryString="*" /></profiles></caching>`, "200"},
		{`<caching><profiles><remove extension=".asp" /><clear /><add extension=".php" policy="DisableCache" /></profiles></caching>`, "200"},
		{`<caching><profiles><add extension=".js" policy="CacheForever" /></profiles></caching>`, "500.19"},
		{`<caching><profiles><add extension=".js" duration="00:00:00" /></profiles></caching>`, "500.19"},
		{`<caching><profiles><add extension=".js" duration="00:00:01" /></profiles></caching>`, "200"},
		{`<serverRuntime uploadReadAheadSize="2147483647" frequentHitThreshold="1" appConcurrentRequestLimit="100000" />`, "200"},
		{`<serverRuntime uploadReadAheadSize="2147483648" />`, "500.19"},
		{`<serverRuntime frequentHitThreshold="0" />`, "500.19"},
		{`<security><access sslFlags="None" /></security>`, "200"},
		{`<security><access sslFlags="SslNegotiateCert" /></security>`, "200"},
		{`<security><access sslFlags="Ssl" /></security>`, "403.4"},
		{`<security><access sslFlags="Ssl, SslNegotiateCert, SslRequireCert" /></security>`, "403.4"},
		{`<security><access sslFlags="Ssl128" /></security>`, "403.5"},
		{`<security><access sslFlags="SslRequireCert" /></security>`, "403.7"},
		{`<security><access sslFlags="Tls" /></security>`, "500.19"},
	} {
		h.webConfig(c.section)
		if got := h.get("/a.txt").named(); got != c.want {
			t.Errorf("%s: %s, want %s", c.section, got, c.want)
		}
	}
}
