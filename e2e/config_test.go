//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// switchOff writes what the article on WebSocket Protocol gives, <webSocket enabled="false" />, into the web.config of
// the default site.
func (s *server) switchOff() {
	s.t.Helper()
	s.edit("sites/default/web.config", "</system.webServer>", "  <webSocket enabled=\"false\" />\n  </system.webServer>")
}

// upgradeStatus sends a correct handshake and returns the answer's status.
func (s *server) upgradeStatus(addr string) int {
	s.t.Helper()
	answers, _ := exchange(s.t, addr, lines(goodHandshake(addr)))
	if len(answers) == 0 {
		s.t.Fatal("the handshake was not answered")
	}
	return answers[0].StatusCode
}

func TestSwitchWithoutRestart(t *testing.T) {
	s := startServer(t, "websocket")
	open := s.openSockets(1)
	pid := s.status().PID
	original := s.read("sites/default/web.config")
	for range 3 {
		s.switchOff()
		s.eventually("the switch is off", func() error { return wantStatus(s, func(st int) bool { return st != 101 }) })
		if status, _ := s.get("/"); status != http.StatusOK {
			t.Errorf("the site answers %d while the switch is off", status)
		}
		s.write("sites/default/web.config", original)
		s.eventually("the switch is on", func() error { return wantStatus(s, func(st int) bool { return st == 101 }) })
	}
	echoAll(t, open, "after the switching")
	if got := s.status().PID; got != pid {
		t.Errorf("the host was restarted: %d became %d", pid, got)
	}
}

func wantStatus(s *server, right func(int) bool) error {
	if st := s.upgradeStatus(s.addr); !right(st) {
		return fmt.Errorf("the upgrade is answered with %d", st)
	}
	return nil
}

func TestSwitchInLocation(t *testing.T) {
	s := startServer(t, "websocket")
	s.edit("config/applicationHost.config", "</configuration>", `  <location path="Default Web Site">
    <system.webServer>
      <webSocket enabled="false" />
    </system.webServer>
  </location>
</configuration>`)
	if st := s.upgradeStatus(s.addr); st != 101 {
		t.Errorf("before the reload the upgrade is answered with %d", st)
	}
	s.must("reload")
	if st := s.upgradeStatus(s.addr); st == 101 {
		t.Error("the switch in the location tag has no effect after the reload")
	}
	if status, _ := s.get("/"); status != http.StatusOK {
		t.Errorf("the site answers %d", status)
	}
}

// addSite adds a second site with a page of its own to applicationHost.config.
func (s *server) addSite() {
	s.t.Helper()
	s.write("sites/second/index.htm", "the second site")
	s.edit("config/applicationHost.config", "</sites>", `<site name="Second" id="2">
        <application path="/"><virtualDirectory path="/" physicalPath="sites/second" /></application>
        <bindings><binding protocol="http" bindingInformation="127.0.0.1:0:" /></bindings>
      </site></sites>`)
}

// lineOf returns the number of the only line that holds a text.
func lineOf(t *testing.T, content, text string) int {
	t.Helper()
	before, _, found := strings.Cut(content, text)
	if !found {
		t.Fatalf("%q is not in\n%s", text, content)
	}
	return 1 + strings.Count(before, "\n")
}

// wantConfigFailure checks a 500.19 that names its place: file, line and column on the page and in the log, and the
// error code.
func (s *server) wantConfigFailure(path, file string, line int, code string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.url(path), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	resp, err := (&http.Client{Timeout: patience}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var page struct {
		Status, SubStatus int
		ErrorCode         string
		Config            struct {
			File         string
			Line, Column int
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&page); err != nil || resp.StatusCode != http.StatusInternalServerError {
		s.t.Fatalf("GET %s: status %d, %v; want 500 as JSON", path, resp.StatusCode, err)
	}
	at := page.Config
	if page.SubStatus != 19 || page.ErrorCode != code || at.File != filepath.Join(s.home, file) || at.Line != line || at.Column < 1 {
		s.t.Errorf("GET %s: %+v; want 500.19 %s at %s:%d", path, page, code, file, line)
	}
	if place := fmt.Sprintf("%s:%d:%d", at.File, at.Line, at.Column); !strings.Contains(s.hostLog(), place) {
		s.t.Errorf("logs/wshost.log does not name %s", place)
	}
	_, html := s.get(path)
	for _, want := range []string{"500.19", code, at.File, fmt.Sprintf("%d, column %d", at.Line, at.Column)} {
		if !strings.Contains(html, want) {
			s.t.Errorf("GET %s: the page does not hold %q:\n%s", path, want, html)
		}
	}
}

func TestSectionLockedByTheAdministrator(t *testing.T) {
	s := newHome(t, "websocket")
	s.addSite()
	s.edit("config/applicationHost.config", "</configuration>", `  <location path="Default Web Site" overrideMode="Deny">
    <system.webServer>
      <webSocket enabled="true" />
    </system.webServer>
  </location>
</configuration>`)
	s.start("serve")
	if st := s.upgradeStatus(s.addr); st != 101 {
		t.Fatalf("the upgrade is answered with %d before anything is wrong", st)
	}
	s.switchOff()
	line := lineOf(t, s.read("sites/default/web.config"), `<webSocket enabled="false" />`)
	s.eventually("the locked section is noticed", func() error { return wantStatus(s, func(st int) bool { return st == 500 }) })
	s.wantConfigFailure("/", "sites/default/web.config", line, "0x80070021")
	second, err := siteAddr(s.status(), "Second")
	if err != nil {
		t.Fatal(err)
	}
	if status, body := fetch(t, "http://"+second+"/"); status != http.StatusOK || body != "the second site" {
		t.Errorf("the second site answers %d %q", status, body)
	}
}

func TestBrokenWebConfig(t *testing.T) {
	var entities strings.Builder
	entities.WriteString("<!DOCTYPE configuration [\n<!ENTITY e0 \"ha\">\n")
	for i := 1; i <= 30; i++ {
		fmt.Fprintf(&entities, "<!ENTITY e%d \"&e%d;&e%d;&e%d;&e%d;\">\n", i, i-1, i-1, i-1, i-1)
	}
	entities.WriteString("]>\n<configuration>&e30;</configuration>\n")
	tests := []struct {
		folder, content string
		line            int
	}{
		{"unclosed", "<configuration>\n  <system.webServer>\n</configuration>\n", 3},
		{"garbage", "<configuration>\n  <system.webServer>\n    <webSocket enabled=\"false\" <>\n  </system.webServer>\n</configuration>\n", 3},
		{"value", "<configuration>\n  <system.webServer>\n    <webSocket enabled=\"perhaps\" />\n  </system.webServer>\n</configuration>\n", 3},
		{"attribute", "<configuration>\n  <system.webServer>\n    <webSocket enabled=\"true\" speed=\"9\" />\n  </system.webServer>\n</configuration>\n", 3},
		{"section", "<configuration>\n  <system.webServer>\n    <noSuchSection />\n  </system.webServer>\n</configuration>\n", 3},
		{"binary", "<configuration>\n\x00\x01</configuration>\n", 2},
		{"entities", entities.String(), 1},
		{"external", "<!DOCTYPE configuration [ <!ENTITY x SYSTEM \"file:///etc/passwd\"> ]>\n<configuration>&x;</configuration>\n", 1},
		{"deep", strings.Repeat("<a>", 100000), 1},
	}
	for _, tt := range tests {
		t.Run(tt.folder, func(t *testing.T) {
			s := startServer(t, "websocket")
			s.write("sites/default/"+tt.folder+"/web.config", tt.content)
			before := s.memory("VmHWM")
			s.wantConfigFailure("/"+tt.folder+"/", "sites/default/"+tt.folder+"/web.config", tt.line, "0x8007000d")
			if grown := s.memory("VmHWM") - before; grown > 64<<20 {
				t.Errorf("the file made the server %d MiB larger", grown>>20)
			}
			if _, body := s.get("/" + tt.folder + "/"); strings.Contains(body, "root:") {
				t.Error("an external entity was read")
			}
			s.stillServes()
		})
	}
}

// TestSectionOfMissingFeature uses the article's snippet on a server without WebSocket Protocol: the answer names the
// command that installs it, and after that command the same file is right.
func TestSectionOfMissingFeature(t *testing.T) {
	s := startServer(t, "web-server")
	s.write("sites/default/app/web.config", `<configuration>
  <system.webServer>
    <webSocket enabled="false" />
  </system.webServer>
</configuration>
`)
	s.write("sites/default/app/index.htm", "the app")
	s.wantConfigFailure("/app/", "sites/default/app/web.config", 3, "0x8007000d")
	if _, body := s.get("/app/"); !strings.Contains(body, "rolemgr install websocket") {
		t.Errorf("the page does not name the command:\n%s", body)
	}
	s.must("install", "websocket")
	if status, body := s.get("/app/"); status != http.StatusOK || body != "the app" {
		t.Errorf("after the install: %d %q", status, body)
	}
}

// TestForeignSectionsStaySecret brings a web.config of an ASP.NET application: its sections are passed over, and a fault
// right beside them prints nothing of them.
func TestForeignSectionsStaySecret(t *testing.T) {
	const secret = "hunter2-5c7e"
	s := startServer(t, "websocket")
	config := `<configuration>
  <connectionStrings><add name="db" connectionString="Password=` + secret + `" /></connectionStrings>
  <system.webServer><webSocket enabled="true" /></system.webServer>
  <appSettings><add key="token" value="` + secret + `" /></appSettings>
</configuration>
`
	s.write("sites/default/app/index.htm", "the app")
	s.write("sites/default/app/web.config", config)
	if status, body := s.get("/app/"); status != http.StatusOK || body != "the app" {
		t.Fatalf("a file with foreign sections: %d %q", status, body)
	}
	for _, broken := range []string{
		strings.Replace(config, `enabled="true"`, `enabled="yes"`, 1),
		strings.Replace(config, `<webSocket enabled="true" />`, `<webSocket>`, 1),
		strings.Replace(config, "</connectionStrings>", "", 1),
		strings.Replace(config, "</configuration>", "", 1),
	} {
		s.write("sites/default/app/web.config", broken)
		s.eventually("the fault is seen", func() error {
			if status, _ := s.get("/app/"); status != http.StatusInternalServerError {
				return fmt.Errorf("status %d", status)
			}
			return nil
		})
		if _, body := s.get("/app/"); strings.Contains(body, secret) {
			t.Errorf("the page prints a secret:\n%s", body)
		}
	}
	if strings.Contains(s.hostLog()+s.out.String(), secret) {
		t.Error("the log holds a secret")
	}
}

// TestMissingFeature removes WebSocket Protocol below live sockets: the number is announced, they are closed with 1001,
// and the next upgrade is an ordinary GET whose reason stands in the log.
func TestMissingFeature(t *testing.T) {
	const n = 20
	s := startServer(t, "websocket")
	conns := s.openSockets(n)

	if out, code := s.rolemgr("remove", "websocket", "--max-cut", "0"); code != 7 || !strings.Contains(out, fmt.Sprint(n)) {
		t.Errorf("remove --max-cut 0: exit code %d, want 7 and the number %d\n%s", code, n, out)
	}
	echoAll(t, conns, "after the refusal")

	out := s.must("remove", "websocket")
	if !strings.Contains(out, fmt.Sprintf("%d live sockets", n)) {
		t.Errorf("remove does not tell that it closes %d live sockets:\n%s", n, out)
	}
	for i, c := range conns {
		if code, err := c.closeCode(); err != nil || code != 1001 {
			t.Fatalf("socket %d was closed with %d, %v; want 1001", i, code, err)
		}
	}
	answers, closed := exchange(t, s.addr, lines(replaced(goodHandshake(s.addr), "GET", "GET /iisstart.htm HTTP/1.1")))
	if len(answers) != 1 || answers[0].StatusCode != http.StatusOK || !closed {
		t.Fatalf("the upgrade after the removal is not an ordinary GET: %d answers, closed %v", len(answers), closed)
	}
	if body, err := io.ReadAll(answers[0].Body); err != nil || !strings.Contains(string(body), "<title>") {
		t.Errorf("the ordinary GET gives %q, %v", body, err)
	}
	s.eventually("the log explains it", func() error {
		if log := s.hostLog(); !strings.Contains(log, "WebSocket Protocol") || !strings.Contains(log, "rolemgr install websocket") {
			return fmt.Errorf("it does not name the feature and the command")
		}
		return nil
	})
	s.must("install", "websocket")
	s.stillServes()
}

// TestInstallAndServe is the one command of the README, on a home whose binding a person has moved to a free port.
func TestInstallAndServe(t *testing.T) {
	s := newHome(t, "web-server")
	s.start("install", "websocket", "--serve")
	s.eventually("the upgrade works", func() error { return wantStatus(s, func(st int) bool { return st == 101 }) })
	s.stillServes()
	if _, err := os.Stat(filepath.Join(s.home, "state.toml")); err != nil {
		t.Error(err)
	}
}
