package httpplatform

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// effective is the configuration of a server with some sections.
func effective(t *testing.T, sections string) *config.Effective {
	t.Helper()
	schema, err := config.NewSchema(append(config.CoreSections(), platformSection(), coreSection(), nodeSection()), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "applicationHost.config")
	if err := os.WriteFile(file, []byte("<configuration><system.webServer>"+sections+"</system.webServer></configuration>"), 0o644); err != nil {
		t.Fatal(err)
	}
	tree, err := config.Open(config.Options{AppHost: file, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Server()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// folderFiles is module.Files for one application.
type folderFiles struct {
	module.Files
	app, dir string
}

func (f folderFiles) Application(string) (appPath, folder string) { return f.app, f.dir }

// request is one that the host has mapped to a module.
func request(t *testing.T, c *config.Effective, name, dir, script string) *module.Request {
	return &module.Request{
		SiteID: 3, Config: c, Files: folderFiles{app: "/Shop", dir: dir}, Logger: slog.New(slog.DiscardHandler), User: "anna",
		Handler: &module.Handler{Name: "test", Modules: []string{name}, Script: script},
	}
}

func TestReadPlatform(t *testing.T) {
	c := effective(t, `<httpPlatform processPath="node" arguments="x y" startupTimeLimit="7" startupRetryCount="3" rapidFailsPerMinute="4" requestTimeout="00:01:01"
		stdoutLogEnabled="true" stdoutLogFile=".\logs\app" processesPerApplication="2" drainTimeLimit="00:00:05" user="www-data">
		<environmentVariables><environmentVariable name="A" value="b=c"/></environmentVariables>
		<recycleOnFileChange><file path="bin\*.dll"/></recycleOnFileChange></httpPlatform>`)
	s, id, err := read(platformModule, request(t, c, platformModule, "/srv/shop", ""), "/Shop/x")
	want := settings{
		section: platformPath, program: "node", arguments: "x y", folder: "/srv/shop", appPath: "/Shop", startup: 7 * time.Second, shutdown: shutdownDefault,
		request: 61 * time.Second, drain: 5 * time.Second, retries: 3, rapidFails: 4, processes: 2, log: "/srv/shop/logs/app", env: "A=b=c\x00", watch: "bin/*.dll\x00",
		user: "www-data", showsError: true,
	}
	if err != nil || s != want {
		t.Errorf("%v\n%+v, want\n%+v", err, s, want)
	}
	if id.site != 3 || id.appPath != "/shop" || id.section != platformPath || id.script != "" || !strings.HasSuffix(id.file, "applicationHost.config") {
		t.Errorf("identity %+v", id)
	}
}

func TestReadCoreAndNode(t *testing.T) {
	c := effective(t, `<aspNetCore processPath="dotnet" shutdownTimeLimit="9" disableStartUpErrorPage="true" stdoutLogEnabled="true" stdoutLogFile="C:\logs\app" user="42"/>
		<iisnode nodeProcessCommandLine="node --x" nodeProcessCountPerApplication="3" maxConcurrentRequestsPerProcess="5" gracefulShutdownTimeout="1500" watchedFiles="*.js; lib\*.js;node_modules\*"
		logDirectory="..\logs" devErrorsEnabled="false" node_env="production" promoteServerVars="A,B" user="43"/>`)
	for _, name := range []string{coreModule, coreModuleV2} {
		s, _, err := read(name, request(t, c, name, "/srv/shop", ""), "/Shop")
		if err != nil || s.section != corePath || s.shutdown != 9*time.Second || s.showsError || s.log != "/srv/shop/app" || s.user != "42" || s.startup != 120*time.Second {
			t.Errorf("%s: %v %+v", name, err, s)
		}
	}
	s, id, err := read(nodeModule, request(t, c, nodeModule, "/srv/shop", "/Shop/api/server.js"), "/Shop/api/server.js/x")
	if err != nil || s.program != "node --x" || s.script != "api/server.js" || id.script != s.script || s.processes != 3 || s.concurrent != 5 || s.shutdown != 1500*time.Millisecond ||
		s.watch != "api/*.js\x00api/lib/*.js\x00" || s.log != "/srv/logs/server.js" || s.showsError || s.env != "NODE_ENV=production\x00" || s.promote != "A,B" || s.user != "43" {
		t.Errorf("%v %+v", err, s)
	}
	c = effective(t, `<iisnode nodeProcessCountPerApplication="0"/>`)
	s, _, err = read(nodeModule, request(t, c, nodeModule, "/srv/shop", "/Shop/server.js"), "/Shop/server.js")
	if err != nil || s.processes != processors() || s.env != "" || s.program != nodeDefault || s.user != "" || s.log != "/srv/shop/iisnode/server.js" {
		t.Errorf("%v %+v", err, s)
	}
}

// TestServeRefusals: what is missing is told.
func TestServeRefusals(t *testing.T) {
	b := newBench(t)
	dir := site(t, "web.config")
	for _, c := range []struct {
		name, script, sections string
		status                 int
		summary                string
	}{
		{platformModule, "", "", 500, "none is configured for this URL"},
		{coreModuleV2, "", "", 500, "none is configured for this URL"},
		{nodeModule, "/Shop/server.js", "", 404, "there is no script"},
		{nodeModule, "/Shop/", "", 404, "there is no script"},
	} {
		h := &handler{name: c.name, log: b.handler.log, manager: b.manager, generation: b.generation}
		q := request(t, effective(t, c.sections), c.name, dir, c.script)
		var got *module.HTTPError
		q.RenderError = func(_ http.ResponseWriter, _ *http.Request, e *module.HTTPError) { got = e }
		passed := false
		next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { passed = true })
		r := module.WithRequest(httptest.NewRequest("GET", "/Shop/x", nil), q)
		h.Middleware(next).ServeHTTP(httptest.NewRecorder(), r)
		if got == nil || got.Status != c.status || !strings.Contains(got.Summary, c.summary) || got.Module != c.name || passed {
			t.Errorf("%s: %+v", c.name, got)
		}
		q.Handler.Modules = []string{"StaticFileModule"}
		if h.Middleware(next).ServeHTTP(httptest.NewRecorder(), r); !passed {
			t.Errorf("%s takes what is another's", c.name)
		}
	}
}

// TestPrepare: what a program is told beside the forwarding fields, and what a client may not tell it.
func TestPrepare(t *testing.T) {
	b := newBench(t)
	for section, want := range map[string]map[string]string{
		platformPath: {"Ms-Aspnetcore-Token": "", "Uri": "/server.js?b=2"},
		corePath:     {"Ms-Aspnetcore-Token": "*", "Uri": "/server.js?b=2"},
		nodePath:     {"Ms-Aspnetcore-Token": "", "Uri": "/users/a%20b?a=1", "X-Iisnode-Remote_addr": "192.0.2.7", "X-Iisnode-Auth_user": "", "X-Iisnode-Https": "off", "X-Iisnode-Request_method": "GET"},
	} {
		s := b.settings("ok", func(s *settings) {
			s.section, s.promote = section, "REMOTE_ADDR, AUTH_USER,,HTTPS,request_method,NO_SUCH"
		})
		if section == nodePath {
			exe, _ := os.Executable()
			s.program, s.script = "'"+exe+"'", "server.js"
		}
		b.id = identity{section: section}
		r := httptest.NewRequest("GET", "/server.js?b=2", nil)
		r.RequestURI, r.RemoteAddr = "/users/a%20b?a=1", "192.0.2.7:5"
		for _, name := range []string{"Ms-Aspnetcore-Token", "Ms-Aspnetcore-Clientcert", "Ms-Aspnetcore-Winauthtoken", "X-Iis-Windowsauthtoken", "X-Iisnode-Auth_user"} {
			r.Header.Set(name, "forged")
		}
		a := b.send(context.Background(), s, r)
		uri, fields, _ := strings.Cut(a.body, "\n")
		got := map[string]string{"Uri": uri}
		for line := range strings.Lines(fields) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			got[name] = value
			if value == "forged" && (name != "X-Iisnode-Auth_user" || section == nodePath) {
				t.Errorf("%s: %s is the client's", section, name)
			}
		}
		for name, value := range want {
			if value == "*" {
				value = b.app().token
			}
			if got[name] != value {
				t.Errorf("%s: %s is %q, want %q", section, name, got[name], value)
			}
		}
	}
}

// TestUserIsLocked: whom processes run as is never for a site to say.
func TestUserIsLocked(t *testing.T) {
	for _, s := range []config.Section{platformSection(), coreSection(), nodeSection()} {
		if len(s.LockAttributes) != 1 || s.LockAttributes[0] != userName {
			t.Errorf("%s: locked %q", s.Path, s.LockAttributes)
		}
	}
	b := newBench(t)
	a := b.ask(b.settings("ok", func(s *settings) { s.user = "no-such-user" }), "/pid")
	if a.status != 502 || a.sub != 5 || !strings.Contains(a.failure.Summary, `there is no user "no-such-user"`) {
		t.Errorf("%d.%d %+v", a.status, a.sub, a.failure)
	}
}
