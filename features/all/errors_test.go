package all_test

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// elsewhere makes a request one that does not come from the server itself.
const elsewhere = "X-Forwarded-For: 192.0.2.1"

func errorHost(t *testing.T, more ...module.Info) *testHost {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors", "request-filtering"), more...)
	h.site("x.unknown", "x") // 404.3
	return h
}

func TestDetailedPage(t *testing.T) {
	h := errorHost(t)
	a := h.get("/a%3Cscript%3E.txt?x=<script>")
	for _, want := range []string{"404.0", "StaticFileModule", "http://localhost/a%3Cscript%3E.txt?x=&lt;script&gt;", filepath.Join(h.home, "sites/default/a&lt;script&gt;.txt"), "Default Web Site", "case-sensitive"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not hold %q", want)
		}
	}
	if strings.Contains(a.body, "<script") || a.header.Get("Cache-Control") != "no-store" || !strings.Contains(a.header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("an unsafe page: %v\n%s", a.header, a.body)
	}
	if a := h.ask("HEAD /missing.txt HTTP/1.1", ""); a.status != 404 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
	for accept, typ := range map[string]string{
		"application/json":                         "application/json",
		"application/json, text/plain, */*":        "application/json",
		"text/html, application/json;q=0.9":        "text/html; charset=utf-8",
		"application/json;q=0, */*":                "text/html; charset=utf-8",
		"*/*":                                      "text/html; charset=utf-8",
		"text/html;q=0.1, application/json ; q=.5": "application/json",
	} {
		if got := h.get("/missing.txt", "Accept: "+accept).header.Get("Content-Type"); got != typ {
			t.Errorf("Accept %q: %q, want %q", accept, got, typ)
		}
	}
	var v struct {
		Version, Status, SubStatus     int
		Summary, Hint, Module, URL, ID string
	}
	if err := json.Unmarshal([]byte(h.get("/x.unknown", "Accept: application/json").body), &v); err != nil || v.Version != 1 || v.Status != 404 || v.Module != "StaticFileModule" {
		t.Errorf("%+v %v", v, err)
	}
}

func TestConfigurationErrorPage(t *testing.T) {
	h := errorHost(t)
	h.site("web.config", "<configuration>\n  <system.webServer>\n    <staticContent>\n      <mimeMap fileExtension=\".new\" mimeType=\"x/y\" /><mimeMap fileExtension=\".NEW\" mimeType=\"a&lt;b\" />\n    </staticContent>\n  </system.webServer>\n</configuration>\n")
	a := h.get("/")
	file := filepath.Join(h.home, "sites/default/web.config")
	for _, want := range []string{"500.19", "0x800700b7", "<dd>" + file + "</dd>", "<dd>4, column 54</dd>", `class="at"`, "&gt; 4: ", "mimeType=&#34;a&amp;lt;b&#34;", "system.webServer/staticContent"} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the page does not hold %q:\n%s", want, a.body)
		}
	}
	var v struct {
		Config struct {
			File         string
			Line, Column int
			Source       []struct {
				Line   int
				Marked bool
			}
		}
	}
	if err := json.Unmarshal([]byte(h.get("/", "Accept: application/json").body), &v); err != nil || v.Config.File != file || v.Config.Line != 4 || len(v.Config.Source) != 3 || !v.Config.Source[1].Marked {
		t.Errorf("%+v %v", v, err)
	}
	a = h.get("/", elsewhere)
	if a.status != 500 || strings.Contains(a.body, h.home) || strings.Contains(a.body, "mimeMap") {
		t.Errorf("a visitor sees the configuration: %d\n%s", a.status, a.body)
	}
	h.webConfig(`<httpErrors defaultPath="x.htm" />`)
	if a := h.get("/"); a.named() != "500.19" || !strings.Contains(a.body, "0x80070021") || !strings.Contains(a.body, "Locked at") {
		t.Errorf("an attribute that is locked: %s\n%s", a.named(), a.body)
	}
}

func TestErrorModes(t *testing.T) {
	h := errorHost(t)
	details := "StaticFileModule"
	for _, c := range []struct {
		mode, from string
		detailed   bool
	}{
		{"DetailedLocalOnly", "", true}, {"DetailedLocalOnly", elsewhere, false},
		{"Custom", "", false}, {"Custom", elsewhere, false},
		{"Detailed", "", true}, {"Detailed", elsewhere, true},
		{"DetailedLocalOnly", "Forwarded: for=127.0.0.1", false}, {"DetailedLocalOnly", "Via: 1.1 proxy", false},
	} {
		h.webConfig(`<httpErrors errorMode="` + c.mode + `" />`)
		header := []string{}
		if c.from != "" {
			header = append(header, c.from)
		}
		a := h.get("/x.unknown", header...)
		if a.status != 404 || strings.Contains(a.body, details) != c.detailed || strings.Contains(a.body, "404.3") != c.detailed {
			t.Errorf("%s %s: detailed must be %v, is %s", c.mode, c.from, c.detailed, a.named())
		}
	}
}

func TestErrorEntries(t *testing.T) {
	h := errorHost(t)
	h.site("404.htm", "root 404")
	h.site("errors/any.html", "any 404")
	h.site("errors/mime.txt", "mime 404")
	h.site("lang/de/404.htm", "deutsch")
	h.site("lang/en-US/404.htm", "english")
	absolute := filepath.Join(h.home, "absolute.htm")
	write(t, absolute, "absolute")
	const remove = `<remove statusCode="404" />`
	entry := func(attributes string) string { return remove + "<error statusCode=\"404\" " + attributes + " />" }
	for _, c := range []struct {
		name, entries, request string
		status                 int
		body                   string // part of the body, or of Location
	}{
		{"from the root of the site", ``, "GET /missing.txt", 404, "root 404"},
		{"its type", entry(`subStatusCode="3" path="errors/mime.txt"`), "GET /x.unknown", 404, "mime 404"},
		{"an own file", entry(`path="errors\any.html"`), "GET /missing.txt", 404, "any 404"},
		{"the sub-status wins", entry(`path="errors/any.html"`) + `<error statusCode="404" subStatusCode="3" path="errors/mime.txt" />`, "GET /x.unknown", 404, "mime 404"},
		{"the sub-status wins, first", remove + `<error statusCode="404" subStatusCode="3" path="errors/mime.txt" /><error statusCode="404" path="errors/any.html" />`, "GET /x.unknown", 404, "mime 404"},
		{"another sub-status", entry(`path="errors/any.html"`) + `<error statusCode="404" subStatusCode="3" path="errors/mime.txt" />`, "GET /missing.txt", 404, "any 404"},
		{"no such file", entry(`path="errors/none.html"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"out of the site", entry(`path="../../absolute.htm"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"an absolute path", entry(`path="` + absolute + `"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"no entry", `<clear />`, "GET /missing.txt", 404, "There is nothing at this address"},
		{"the configuration", entry(`path="web.config"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"the configuration, other case", entry(`path="errors/../WEB.config"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"HEAD", ``, "HEAD /missing.txt", 404, ""},
		{"a language", entry(`prefixLanguageFilePath="lang" path="404.htm"`), "GET /missing.txt HTTP/1.1\nAccept-Language: fr, de;q=0.8", 404, "deutsch"},
		{"no such language", entry(`prefixLanguageFilePath="lang" path="404.htm"`), "GET /missing.txt HTTP/1.1\nAccept-Language: ../de", 404, "english"},
		{"a redirection", entry(`path="https://example.com/lost" responseMode="Redirect"`), "GET /missing.txt", 302, "https://example.com/lost"},
		{"an internal request", entry(`path="/errors/any.html" responseMode="ExecuteURL"`), "GET /missing.txt", 404, "any 404"},
		{"an internal request for a HEAD", entry(`path="/errors/any.html" responseMode="ExecuteURL"`), "HEAD /missing.txt", 404, ""},
		{"an internal request, condition", entry(`path="/errors/any.html" responseMode="ExecuteURL"`), "GET /missing.txt HTTP/1.1\nRange: bytes=0-0", 404, "any 404"},
		{"an internal request that fails", entry(`path="/errors/none.html" responseMode="ExecuteURL"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"an internal request after a refusal", entry(`path="/errors/any.html" responseMode="ExecuteURL"`), "GET /web.config", 404, "any 404"},
		{"an internal request that is none", entry(`path="errors/any.html" responseMode="ExecuteURL"`), "GET /missing.txt", 404, "There is nothing at this address"},
		{"a status listed already", `<error statusCode="404" path="x.htm" />`, "GET /missing.txt", 500, ""},
		{"a status out of range", `<error statusCode="399" path="x.htm" />`, "GET /missing.txt", 500, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig(`<httpErrors errorMode="Custom">` + c.entries + `</httpErrors>`)
			line, rest, _ := strings.Cut(c.request, " HTTP/1.1")
			a := h.ask(line+" HTTP/1.1"+rest, "")
			if a.status != c.status || !strings.Contains(a.body+a.header.Get("Location"), c.body) || strings.HasPrefix(line, "HEAD") && a.body != "" {
				t.Errorf("%d %s %v, want %d %q", a.status, a.body, a.header, c.status, c.body)
			}
		})
	}
}

// TestExecutedPage looks at the header: a failure must not be kept by caches as its page may be, and a page that fails
// itself leaves nothing behind.
func TestExecutedPage(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "http-errors", "websocket"))
	h.site("oops.htm", "oops")
	for url, body := range map[string]string{"/oops.htm": "oops", "/echo": "There is nothing at this address"} {
		h.webConfig(`<staticContent><clientCache cacheControlMode="UseMaxAge" httpExpires="Tue, 19 Jan 2038 03:14:07 GMT" /></staticContent>
			<httpErrors errorMode="Custom"><remove statusCode="404" /><error statusCode="404" path="` + url + `" responseMode="ExecuteURL" /></httpErrors>`)
		a := h.get("/missing.txt")
		if a.status != 404 || !strings.Contains(a.body, body) || strings.Contains(a.header.Get("Cache-Control"), "max-age") {
			t.Errorf("%s: %d %v\n%s", url, a.status, a.header, a.body)
		}
		for _, k := range []string{"ETag", "Last-Modified", "Accept-Ranges", "Upgrade", "Sec-WebSocket-Version"} {
			if v := a.header.Get(k); v != "" {
				t.Errorf("%s: the failure has %s: %s", url, k, v)
			}
		}
	}
}

func TestAbsoluteErrorPageOfTheServer(t *testing.T) {
	home := newHome(t, "web-server-core", "static-content", "http-errors")
	page := filepath.Join(home, "server.html")
	write(t, page, "the server's page")
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configSections>",
		`</configSections><system.webServer><httpErrors errorMode="Custom"><remove statusCode="404" /><error statusCode="404" path="`+page+`" /></httpErrors></system.webServer>`)
	h := startHost(t, home)
	if a := h.get("/missing.txt"); a.status != 404 || a.body != "the server's page" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

func TestExistingResponse(t *testing.T) {
	h := errorHost(t, app(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/app/own":
			w.Header().Set("ETag", `"x"`)
			http.Error(w, "the application's own words", http.StatusTeapot)
		case "/app/good":
			_, _ = w.Write([]byte("good"))
		case "/app/flushed":
			w.WriteHeader(http.StatusBadGateway)
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write([]byte("the application's own words"))
		}
	}))
	for _, c := range []struct{ existing, path, want string }{
		{"Auto", "/app/own", "the application's own words"},
		{"Auto", "/missing.txt", "The request"},
		{"PassThrough", "/app/own", "the application's own words"},
		{"PassThrough", "/missing.txt", ""},
		{"Replace", "/app/own", "HTTP Error 418.0"},
		{"Replace", "/app/flushed", "HTTP Error 502.0"},
		{"Replace", "/app/good", "good"},
		{"Replace", "/missing.txt", "HTTP Error 404.0"},
		{"Replace", "/iisstart.htm", "<!"},
	} {
		h.webConfig(`<httpErrors existingResponse="` + c.existing + `" />`)
		a := h.get(c.path)
		if a.status == 502 && !strings.Contains(h.log.String(), "status=502") {
			t.Errorf("the log does not tell of the failure:\n%s", h.log)
		}
		if !strings.Contains(a.body, c.want) || c.want == "" && a.body != "" {
			t.Errorf("%s %s: %d %s, want %q", c.existing, c.path, a.status, a.body, c.want)
		}
		if c.existing == "Replace" && a.status >= 400 && strings.Contains(a.body, "own words") || c.existing == "Replace" && a.status == 418 && a.header.Get("ETag") != "" {
			t.Errorf("%s: something of the replaced response is left: %v", c.path, a.header)
		}
	}
}
