package all_test

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// pageHost is a host whose default site has pages for failures, and an application below /app/ that can be such a page.
func pageHost(t *testing.T) *testHost {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "default-document", "http-errors", "request-filtering", "websocket"),
		app(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			switch r.URL.Path {
			case "/app/page":
				fmt.Fprintf(w, "%s %s %s %d bytes, %q %q", r.Method, r.URL.Path, r.URL.RawQuery, len(b), r.Header.Get("Range"), r.Header.Get("Upgrade"))
			case "/app/flush":
				_ = http.NewResponseController(w).Flush()
				_, _ = io.WriteString(w, "flushed")
			case "/app/panic":
				panic("the page is broken")
			case "/app/hijack":
				if _, _, err := http.NewResponseController(w).Hijack(); err != nil {
					_, _ = io.WriteString(w, "no connection")
				}
			case "/app/away":
				http.Redirect(w, r, "/elsewhere", http.StatusFound)
			}
		}))
	h.site("errors/404.html", "the page")
	h.site("errors/page.new", "a new type")
	h.site("errors/web.config", `<configuration><system.webServer><staticContent><mimeMap fileExtension=".new" mimeType="text/x-new" /></staticContent></system.webServer></configuration>`)
	h.site("broken/404.html", "not seen")
	h.site("broken/web.config", `<configuration><nonsense /></configuration>`)
	return h
}

// errorEntry replaces the entry for a status.
func errorEntry(status int, attributes string) string {
	return fmt.Sprintf(`<httpErrors errorMode="Custom"><remove statusCode="%d" /><error statusCode="%d" %s /></httpErrors>`, status, status, attributes)
}

const builtIn = "There is nothing at this address"

func TestExecuteURL(t *testing.T) {
	h := pageHost(t)
	const get = "GET /missing.txt HTTP/1.1"
	const filter = "<security><requestFiltering>%s</requestFiltering></security>"
	limits := func(s string) string { return fmt.Sprintf(filter, "<requestLimits>"+s+"</requestLimits>") }
	for _, c := range []struct {
		name, path, more, request string
		status                    int
		body                      string
	}{
		{"a file", "/errors/404.html", "", get, 404, "the page"},
		{"with back-slashes", `\errors\404.html`, "", get, 404, "the page"},
		{"with dot segments", "/x/../errors/./404.html", "", get, 404, "the page"},
		{"with escapes", "/%65rrors/404.html", "", get, 404, "the page"},
		{"a type of its own folder", "/errors/page.new", "", get, 404, "a new type"},
		{"a folder with a default document", "/", "", get, 404, "<!"},
		{"its query tells of the failure", "/app/page", "", get, 404, `GET /app/page 404;http://localhost/missing.txt 0 bytes, "" ""`},
		{"its own query stays", "/app/page?x=1", "", get, 404, "GET /app/page x=1 0 bytes"},
		{"without the client's conditions", "/app/page", "", get + "\nRange: bytes=0-1", 404, `0 bytes, "" ""`},
		{"for another method", "/app/page", "", "PUT /missing.txt HTTP/1.1\nContent-Length: 3", 404, ""},
		{"after a long URL", "/app/page", "", "GET /" + strings.Repeat("a", 5000) + " HTTP/1.1", 404, "GET /app/page 404;http://localhost/aaa"},
		{"after a long field", "/errors/404.html", limits(`<headerLimits><add header="X-Long" sizeLimit="3" /></headerLimits>`), get + "\nX-Long: abcdef", 404, "the page"},
		{"after a verb", "/errors/404.html", fmt.Sprintf(filter, `<verbs allowUnlisted="false" />`), get, 404, "the page"},
		{"after too many segments", "/errors/404.html", "", "GET " + strings.Repeat("/a", 40) + " HTTP/1.1", 404, "the page"},
		{"one that flushes", "/app/flush", "", get, 404, "flushed"},
		{"one that wants the connection", "/app/hijack", "", get, 404, "no connection"},
		{"one that leads away", "/app/away", "", get, 302, ""},
		{"one that is missing", "/errors/none.html", "", get, 404, builtIn},
		{"one that is missing, asked for itself", "/errors/none.html", "", "GET /errors/none.html HTTP/1.1", 404, builtIn},
		{"one whose configuration is broken", "/broken/404.html", "", get, 404, builtIn},
		{"the configuration", "/web.config", "", get, 404, builtIn},
		{"a path without a slash", "errors/404.html", "", get, 404, builtIn},
		{"another host", "//example.com/404.html", "", get, 404, builtIn},
		{"an absolute URL", "http://example.com/404.html", "", get, 404, builtIn},
		{"no URL", "/%zz", "", get, 404, builtIn},
		{"a control character", "/%00", "", get, 404, builtIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig(c.more + errorEntry(404, `responseMode="ExecuteURL" path="`+c.path+`"`))
			if strings.HasPrefix(c.request, "PUT") {
				h.webConfig(c.more + errorEntry(405, `responseMode="ExecuteURL" path="`+c.path+`"`))
				if a := h.ask(c.request, "abc"); !strings.Contains(a.body, "GET /app/page 405;") && a.status != 404 || strings.Contains(a.body, "3 bytes") {
					t.Errorf("%d %s", a.status, a.body)
				}
				return
			}
			a := h.ask(c.request, "")
			if a.status != c.status || !strings.Contains(a.body, c.body) {
				t.Errorf("%d %s, want %d %q", a.status, a.body, c.status, c.body)
			}
		})
	}
	h.webConfig(errorEntry(404, `responseMode="ExecuteURL" path="/app/panic"`))
	if a := h.get("/missing.txt"); a.status != 500 || strings.Count(h.log.String(), `msg="a module panicked"`) != 1 {
		t.Errorf("a page that panics: %d\n%s", a.status, h.log)
	}
	h.webConfig(errorEntry(404, `responseMode="ExecuteURL" path="/errors/404.html"`))
	if a := h.ask("HEAD /missing.txt HTTP/1.1", ""); a.status != 404 || a.body != "" {
		t.Errorf("HEAD: %d %q", a.status, a.body)
	}
}

// TestErrorPagesOfUpgrades: a refused opening handshake keeps its status, whatever page there is for it, and closes.
func TestErrorPagesOfUpgrades(t *testing.T) {
	h := pageHost(t)
	for _, c := range []struct{ mode, path, body string }{
		{"File", "errors/404.html", "the page"}, {"ExecuteURL", "/errors/404.html", "the page"}, {"ExecuteURL", "/app/page", `0 bytes, "" ""`},
		{"ExecuteURL", "/echo", builtIn}, {"Redirect", "http://localhost/lost", builtIn},
	} {
		h.webConfig(errorEntry(404, `responseMode="`+c.mode+`" path="`+c.path+`"`))
		a := h.ask(offer("/missing.txt"), "")
		if a.status != 404 || !a.closes || !strings.Contains(a.body, c.body) || a.header.Get("Location") != "" {
			t.Errorf("%s %s: %d (closes %v) %v %s", c.mode, c.path, a.status, a.closes, a.header, a.body)
		}
	}
}

func TestErrorRedirects(t *testing.T) {
	h := pageHost(t)
	for _, c := range []struct {
		to, from string
		status   int
	}{
		{"https://example.com/lost.html", "/missing.txt", 302}, {"/lost.html", "/missing.txt", 302}, {"http://localhost/lost.html", "/missing.txt", 302},
		{"/lost.html", "/lost.html", 404}, {"http://LOCALHOST/lost.html", "/lost.html", 404}, {"https://example.com/lost.html", "/lost.html", 302},
	} {
		h.webConfig(errorEntry(404, `responseMode="Redirect" path="`+c.to+`"`))
		a := h.get(c.from)
		if a.status != c.status || c.status == 302 && a.header.Get("Location") != c.to {
			t.Errorf("%s to %s: %d %v", c.from, c.to, a.status, a.header)
		}
	}
}

// TestPathsOfTheServer: whoever writes applicationHost.config may name any file, also for one site and as the default;
// whoever writes a web.config only when that is delegated.
func TestPathsOfTheServer(t *testing.T) {
	home := newHome(t, "web-server-core", "static-content", "http-errors")
	page := filepath.Join(home, "server.html")
	write(t, page, "the server's page")
	write(t, filepath.Join(home, "web.config"), "<configuration />")
	apphost := filepath.Join(home, "config/applicationHost.config")
	replace(t, apphost, "</configSections>", "</configSections><!-- here -->")
	h := startHost(t, home)
	own := "<remove statusCode=\"404\" /><error statusCode=\"404\" path=\"" + page + "\" />"
	old := "<!-- here -->"
	for _, c := range []struct{ name, server, site, path, want string }{
		{"a location tag", `<location path="Default Web Site"><system.webServer><httpErrors errorMode="Custom">` + own + `</httpErrors></system.webServer></location>`, "", "/missing.txt", "the server's page"},
		{"a default", `<system.webServer><httpErrors errorMode="Custom" defaultPath="` + page + `"><clear /></httpErrors></system.webServer>`, "", "/missing.txt", "the server's page"},
		{"a default of the site", `<system.webServer><httpErrors errorMode="Custom" defaultPath="own.htm" defaultResponseMode="File"><clear /></httpErrors></system.webServer>`, "", "/missing.txt", "own"},
		{"a default to run", `<system.webServer><httpErrors errorMode="Custom" defaultPath="/own.htm" defaultResponseMode="ExecuteURL"><clear /></httpErrors></system.webServer>`, "", "/missing.txt", "own"},
		{"a default to go to", `<system.webServer><httpErrors errorMode="Custom" defaultPath="/own.htm" defaultResponseMode="Redirect"><clear /></httpErrors></system.webServer>`, "", "/missing.txt", "302 /own.htm"},
		{"not delegated", `<system.webServer><httpErrors errorMode="Custom" /></system.webServer>`, `<httpErrors>` + own + `</httpErrors>`, "/missing.txt", builtIn},
		{"not delegated, included", `<system.webServer><httpErrors errorMode="Custom" /></system.webServer>`, `<httpErrors configSource="errors.config" />`, "/missing.txt", builtIn},
		{"delegated", `<system.webServer><httpErrors errorMode="Custom" allowAbsolutePathsWhenDelegated="true" /></system.webServer>`, `<httpErrors>` + own + `</httpErrors>`, "/missing.txt", "the server's page"},
		{"delegated, the configuration", `<system.webServer><httpErrors errorMode="Custom" allowAbsolutePathsWhenDelegated="true" /></system.webServer>`, `<httpErrors>` + strings.Replace(own, "server.html", "Web.Config", 1) + `</httpErrors>`, "/missing.txt", builtIn},
		{"a path of Windows", "", `<httpErrors errorMode="Custom"><remove statusCode="404" subStatusCode="-1" /><error statusCode="404" prefixLanguageFilePath="%SystemDrive%\inetpub\custerr" path="404.htm" /></httpErrors>`, "/missing.txt", builtIn},
	} {
		t.Run(c.name, func(t *testing.T) {
			replace(t, apphost, old, c.server+"<!-- here -->")
			old = c.server + "<!-- here -->"
			h.site("own.htm", "own")
			h.site("errors.config", "<httpErrors errorMode=\"Custom\">"+own+"</httpErrors>")
			h.webConfig(c.site)
			if _, err := h.server.Reload(t.Context()); err != nil {
				t.Fatal(err)
			}
			a := h.get(c.path)
			if got := fmt.Sprintf("%s%d %s", a.body, a.status, a.header.Get("Location")); !strings.Contains(got, c.want) {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

func TestMoreInformation(t *testing.T) {
	h := pageHost(t)
	for link, want := range map[string]string{
		"": "", "http://go.microsoft.com/fwlink/?LinkID=62293": "", "javascript:alert(1)": "",
		"https://help.example.com/errors":     `href="https://help.example.com/errors?IIS70Error=404,0,0x00000000,0"`,
		"https://help.example.com/?a=1&amp;b": `href="https://help.example.com/?a=1&amp;b&amp;IIS70Error=404,0,0x00000000,0"`,
	} {
		h.webConfig(`<httpErrors detailedMoreInformationLink="` + link + `" />`)
		a := h.get("/missing.txt")
		if strings.Contains(a.body, "More information") != (want != "") || !strings.Contains(a.body, want) {
			t.Errorf("%q: %s", link, a.body)
		}
		if a := h.get("/missing.txt", elsewhere); strings.Contains(a.body, "More information") {
			t.Errorf("%q: a visitor sees it", link)
		}
	}
}

// TestDetailsStayAtTheServer: nothing that a visitor can send, and no way on which a request can come in, shows details.
func TestDetailsStayAtTheServer(t *testing.T) {
	h := pageHost(t)
	for _, field := range []string{
		"X-Forwarded-For: 127.0.0.1", "X-Forwarded-Host: localhost", "Forwarded: for=127.0.0.1", "CF-Connecting-IP: 192.0.2.1",
		"Host: www.example.com", "Host: www.example.com:8080", "Host: 192.0.2.7", "Host: [2001:db8::1]:80",
	} {
		for _, accept := range []string{"text/html", "application/json"} {
			a := h.get("/missing.txt", field, "Accept: "+accept)
			if strings.Contains(a.body, "StaticFileModule") || strings.Contains(a.body, h.home) {
				t.Errorf("%s, %s: details are shown:\n%s", field, accept, a.body)
			}
		}
	}
	for _, host := range []string{"localhost", "127.0.0.1:80", "[::1]:80", "shop", "shop.local", "www.shop.test."} {
		if a := h.get("/missing.txt", "Host: "+host); a.named() != "404.0" {
			t.Errorf("Host %s, at the server: %s", host, a.named())
		}
	}
}
