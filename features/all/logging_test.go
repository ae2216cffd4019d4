package all_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

const defaultFields = "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken"

// logHome is a home whose default site logs as the attributes say; configure changes applicationHost.config further.
func logHome(t *testing.T, logFile string) string {
	home := newHome(t, "web-server-core", "static-content", "http-logging", "request-filtering")
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</bindings>\n      </site>", "</bindings>\n"+logFile+"</site>")
	return home
}

func TestAccessLog(t *testing.T) {
	h := startHost(t, logHome(t, ""))
	h.site("a b.txt", "hello")
	for _, request := range []string{
		"GET /a%20b.txt?x=1&y=2 HTTP/1.1\nUser-Agent: Probe/1 (x; y)\nReferer: http://example.com/from here",
		"GET /web.config HTTP/1.1",
		"GET /line%0Abreak%1b[31m HTTP/1.1",
		"GET /%E2%82%AC%ff HTTP/1.1",
		"#odd /iisstart.htm HTTP/1.1",
	} {
		h.ask(request, "")
	}
	lines, whole := h.accessLog()
	head := regexp.MustCompile(`^#Software: wshost\n#Version: 1\.0\n#Date: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n`)
	if !head.MatchString(whole) || strings.Count(whole, defaultFields+"\n") != 1 {
		t.Errorf("the directives are wrong:\n%s", whole)
	}
	_, port, _ := strings.Cut(h.addr, ":")
	start := `^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 127\.0\.0\.1 `
	for i, want := range []string{
		start + `GET /a\+b\.txt x=1&y=2 ` + port + ` - 127\.0\.0\.1 Probe/1\+\(x;\+y\) http://example\.com/from\+here 200 0 0 \d+$`,
		start + `GET /web\.config - ` + port + ` - 127\.0\.0\.1 - - 404 8 0 \d+$`,
		start + `GET /line%0Abreak%1B\[31m - ` + port + ` - 127\.0\.0\.1 - - 400 0 0 \d+$`,
		start + `GET /€%FF - ` + port + ` - 127\.0\.0\.1 - - 404 0 0 \d+$`,
		start + `#odd /iisstart\.htm - ` + port + ` - 127\.0\.0\.1 - - 405 0 0 \d+$`,
	} {
		if i >= len(lines) || !regexp.MustCompile(want).MatchString(lines[i]) {
			t.Errorf("line %d does not match %s in\n%s", i, want, whole)
		}
	}
	if len(lines) != 5 {
		t.Errorf("%d lines for 5 requests:\n%s", len(lines), whole)
	}
}

func TestAccessLogFields(t *testing.T) {
	flags := "Method, Date, Time, ClientIP, UserName, SiteName, ComputerName, ServerIP, UriStem, UriQuery, HttpStatus, Win32Status, " +
		"BytesSent, BytesRecv, TimeTaken, ServerPort, UserAgent, Cookie, Referer, ProtocolVersion, Host, HttpSubStatus"
	h := startHost(t, logHome(t, `<logFile logExtFileFlags="`+flags+`" period="Monthly" />`))
	h.get("/iisstart.css", "Cookie: a=b; c=d", "Host: localhost:1")
	lines, whole := h.accessLog()
	fields := "#Fields: date time s-sitename s-computername s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version " +
		"cs(User-Agent) cs(Cookie) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\n"
	if !strings.Contains(whole, fields) {
		t.Errorf("the columns are not those of IIS in their order:\n%s", whole)
	}
	want := regexp.MustCompile(` W3SVC1 testhost 127\.0\.0\.1 GET /iisstart\.css - \d+ - 127\.0\.0\.1 HTTP/1\.1 - a=b;\+c=d - localhost:1 200 0 0 [1-9]\d* 0 \d+$`)
	if len(lines) != 1 || !want.MatchString(lines[0]) {
		t.Errorf("%s", whole)
	}
	if m, _ := filepath.Glob(filepath.Join(h.home, "logs/W3SVC1/u_ex????.log")); len(m) != 1 {
		t.Error("a monthly log has no monthly name")
	}
}

func TestAccessLogPlaces(t *testing.T) {
	for _, c := range []struct{ name, logFile, defaults, folder string }{
		{"the default", ``, ``, "logs/W3SVC1"},
		{"a relative folder", `<logFile directory="elsewhere\logs" />`, ``, "elsewhere/logs/W3SVC1"},
		{"that of all sites", ``, `<siteDefaults><logFile directory="all" /></siteDefaults>`, "all/W3SVC1"},
		{"the site's own", `<logFile directory="own" />`, `<siteDefaults><logFile directory="all" /></siteDefaults>`, "own/W3SVC1"},
		{"none", `<logFile enabled="false" />`, ``, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			home := logHome(t, c.logFile)
			replace(t, filepath.Join(home, "config/applicationHost.config"), "<sites>", "<sites>"+c.defaults)
			h := startHost(t, home)
			h.get("/iisstart.htm")
			h.stop()
			var found []string
			for _, pattern := range []string{"*/W3SVC1/*.log", "*/*/W3SVC1/*.log"} {
				m, _ := filepath.Glob(filepath.Join(home, pattern))
				found = append(found, m...)
			}
			if c.folder == "" && len(found) == 0 {
				return
			}
			if len(found) != 1 || filepath.Dir(found[0]) != filepath.Join(home, c.folder) {
				t.Errorf("logs at %v, want one in %s", found, c.folder)
			}
		})
	}
}

func TestSelectiveLogging(t *testing.T) {
	for _, c := range []struct{ section, want string }{
		{`<httpLogging selectiveLogging="LogAll" />`, "200 404"},
		{`<httpLogging selectiveLogging="LogSuccessful" />`, "200"},
		{`<httpLogging selectiveLogging="LogError" />`, "404"},
		{`<httpLogging dontLog="true" />`, ""},
	} {
		home := logHome(t, `<logFile logExtFileFlags="HttpStatus" />`)
		replace(t, filepath.Join(home, "config/applicationHost.config"), "</configSections>", "</configSections><system.webServer>"+c.section+"</system.webServer>")
		h := startHost(t, home)
		h.get("/iisstart.htm")
		h.get("/missing.txt")
		h.stop()
		var got []string
		if b, err := os.ReadFile(logFileOf(t, home, c.want != "")); err == nil {
			for line := range strings.Lines(string(b)) {
				if !strings.HasPrefix(line, "#") {
					got = append(got, strings.TrimSpace(line))
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: logged %v, want %q", c.section, got, c.want)
		}
	}
	h := startHost(t, logHome(t, ""))
	h.webConfig(`<httpLogging dontLog="true" />`)
	if a := h.get("/iisstart.htm"); a.status != 500 {
		t.Errorf("a site hides its requests: %d", a.status)
	}
	if lines, _ := h.accessLog(); len(lines) != 1 || !strings.Contains(lines[0], " 500 19 ") {
		t.Errorf("the configuration error is logged as %v", lines)
	}
}

func logFileOf(t *testing.T, home string, must bool) string {
	t.Helper()
	m, _ := filepath.Glob(filepath.Join(home, "logs/W3SVC1/*.log"))
	if len(m) == 1 {
		return m[0]
	}
	if must {
		t.Fatalf("%d log files", len(m))
	}
	return ""
}

func TestAccessLogOutlivesGenerations(t *testing.T) {
	home := logHome(t, `<logFile logExtFileFlags="Method, UriStem" />`)
	h := startHost(t, home)
	h.get("/1")
	if _, err := h.server.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.get("/2")
	replace(t, filepath.Join(home, "config/applicationHost.config"), "Method, UriStem", "UriStem")
	if _, err := h.server.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.get("/3")
	h.stop()
	h2 := startHost(t, home)
	h2.get("/4")
	h2.stop()
	b, err := os.ReadFile(logFileOf(t, home, true))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`#Software: wshost\n#Version: 1\.0\n#Date: .*\n`).ReplaceAllString(string(b), "")
	want := "#Fields: cs-method cs-uri-stem\nGET /1\nGET /2\n#Fields: cs-uri-stem\n/3\n#Fields: cs-uri-stem\n/4\n"
	if text != want {
		t.Errorf("got\n%swant\n%s", text, want)
	}
}

// TestLocalTimeRollover relies on the zone that TestMain sets.
func TestLocalTimeRollover(t *testing.T) {
	for _, local := range []bool{false, true} {
		for _, defaults := range []bool{false, true} {
			file := fmt.Sprintf(`<logFile period="Hourly" localTimeRollover="%v" />`, local)
			home := logHome(t, file)
			if defaults {
				home = logHome(t, "")
				replace(t, filepath.Join(home, "config/applicationHost.config"), "<sites>", "<sites><siteDefaults>"+file+"</siteDefaults>")
			}
			h := startHost(t, home)
			before := time.Now().UTC()
			h.get("/iisstart.htm")
			h.stop()
			found, _ := filepath.Glob(filepath.Join(home, "logs/W3SVC1/u_ex????????.log"))
			var want []string
			for _, at := range []time.Time{before, time.Now().UTC()} {
				if local {
					at = at.Local()
				}
				want = append(want, "u_ex"+at.Format("06010215")+".log")
			}
			if len(found) != 1 || !slices.Contains(want, filepath.Base(found[0])) {
				t.Errorf("localTimeRollover=%v, for all sites %v: %v, want one of %v", local, defaults, found, want)
			}
		}
	}
}
