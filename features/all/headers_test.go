package all_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// fields writes <customHeaders> in the shape of real files.
func fields(inner string) string {
	return `<httpProtocol><customHeaders>` + inner + `</customHeaders></httpProtocol>`
}

func TestCustomHeaders(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	h.site("sub/x.txt", "x")
	h.webConfig(fields(`
		<remove name="X-Powered-By" />
		<add name="Access-Control-Allow-Origin" value="*" />
		<add name="Access-Control-Allow-Methods" value="GET, POST, OPTIONS" />
		<add name="X-Frame-Options" value="SAMEORIGIN" />
		<add name="x-content-type-options" value="nosniff" />
		<add name="Content-Security-Policy" value="default-src 'self';
			img-src *" />`))
	etag := h.get("/a.txt").header.Get("ETag")
	for _, c := range []struct {
		name, request string
		status        int
	}{
		{"a file", "GET /a.txt HTTP/1.1", 200},
		{"HEAD", "HEAD /a.txt HTTP/1.1", 200},
		{"not modified", "GET /a.txt HTTP/1.1\nIf-None-Match: " + etag, 304},
		{"a range", "GET /a.txt HTTP/1.1\nRange: bytes=0-0", 206},
		{"nothing there", "GET /none.txt HTTP/1.1", 404},
		{"filtered", "GET /web.config HTTP/1.1", 404},
		{"a preflight", "OPTIONS /a.txt HTTP/1.1\nOrigin: http://x\nAccess-Control-Request-Method: GET", 200},
		{"a redirect", "GET /sub HTTP/1.1", 301},
		{"server information", "GET /server-info.json HTTP/1.1", 404},
		{"a refused upgrade", "GET /a.txt HTTP/1.1\nConnection: Upgrade\nUpgrade: websocket", 200},
	} {
		a := h.ask(c.request, "")
		if a.status != c.status {
			t.Errorf("%s: status %d, want %d", c.name, a.status, c.status)
		}
		for name, want := range map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, POST, OPTIONS", "X-Frame-Options": "SAMEORIGIN",
			"X-Content-Type-Options": "nosniff",
		} {
			if got := a.header.Values(name); !slices.Equal(got, []string{want}) {
				t.Errorf("%s: %s is %q, want %q once", c.name, name, got, want)
			}
		}
		// A line break in an attribute is a blank (XML 1.0, section 3.3.3). Error pages bring a policy of their own.
		policies := a.header.Values("Content-Security-Policy")
		if got := strings.Join(strings.Fields(policies[len(policies)-1]), " "); got != "default-src 'self'; img-src *" {
			t.Errorf("%s: policy %q", c.name, policies)
		}
		if a.header.Get("X-Powered-By") != "" {
			t.Errorf("%s: X-Powered-By is there", c.name)
		}
	}
}

func TestCustomHeadersMeetOthers(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	for _, c := range []struct {
		name, section, field string
		want                 []string
	}{
		{"both are sent", fields(`<add name="Cache-Control" value="no-transform" />`) + `<staticContent><clientCache cacheControlMode="DisableCache" /></staticContent>`,
			"Cache-Control", []string{"no-cache", "no-transform"}},
		{"an equal value once", fields(`<add name="Cache-Control" value="no-cache" />`) + `<staticContent><clientCache cacheControlMode="DisableCache" /></staticContent>`,
			"Cache-Control", []string{"no-cache"}},
		{"the handler knows its content", fields(`<add name="Content-Type" value="text/html" />`), "Content-Type", []string{"text/plain"}},
		{"where it says nothing", fields(`<add name="Content-Disposition" value="attachment" />`), "Content-Disposition", []string{"attachment"}},
		{"an empty value", fields(`<add name="X-Empty" value="" />`), "X-Empty", []string{""}},
		{"the connection is the host's", fields(`<add name="Connection" value="upgrade" /><add name="Keep-Alive" value="timeout=1" />`), "Keep-Alive", nil},
		{"only on redirects", `<httpProtocol><redirectHeaders><add name="X-Moved" value="1" /></redirectHeaders></httpProtocol>`, "X-Moved", nil},
	} {
		h.webConfig(c.section)
		a := h.get("/a.txt")
		if got := a.header.Values(c.field); a.status != 200 || !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, %s is %q, want %q", c.name, a.status, c.field, got, c.want)
		}
	}
}

func TestRedirectHeaders(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("sub/x.txt", "x")
	h.webConfig(`<httpProtocol><customHeaders><add name="X-All" value="1" /></customHeaders><redirectHeaders><add name="X-Moved" value="1" /></redirectHeaders></httpProtocol>`)
	a := h.get("/sub")
	if a.status != http.StatusMovedPermanently || a.header.Get("X-Moved") != "1" || a.header.Get("X-All") != "1" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a = h.get("/sub/x.txt"); a.header.Get("X-Moved") != "" || a.header.Get("X-All") != "1" {
		t.Errorf("no redirect: %v", a.header)
	}
}

func TestHeadersOfFolders(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("sub/index.html", "x")
	h.webConfig(fields(`<add name="X-Site" value="1" /><add name="X-Both" value="site" />`))
	inner := func(s string) string {
		return "<configuration><system.webServer>" + s + "</system.webServer></configuration>"
	}
	h.site("sub/web.config", inner(fields(`<remove name="x-both" /><add name="X-Both" value="sub" />`)))
	a := h.get("/sub/")
	if a.header.Get("X-Site") != "1" || !slices.Equal(a.header.Values("X-Both"), []string{"sub"}) {
		t.Errorf("inherited: %v", a.header)
	}
	h.site("sub/web.config", inner(fields(`<add name="X-BOTH" value="sub" />`)))
	if got := h.get("/sub/").named(); got != "500.19" {
		t.Errorf("a field that is inherited added again: %s, want 500.19", got)
	}
	h.site("sub/web.config", inner(fields(`<clear />`)))
	if a = h.get("/sub/"); a.header.Get("X-Site") != "" || a.header.Get("X-Both") != "" {
		t.Errorf("cleared: %v", a.header)
	}
}

func TestHeadersCannotBeForged(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	for _, entry := range []string{
		`name="Content-Length" value="5"`, `name="transfer-encoding" value="chunked"`, `name="Upgrade" value="h2c"`, `name="Trailer" value="X"`,
		`name="Sec-WebSocket-Protocol" value="x"`, `name="" value="x"`, `value="x"`, `name="X Y" value="x"`, `name="X:Y" value="x"`, `name="X&#10;Y" value="x"`,
		`name="é" value="x"`, `name="X" value="a&#13;&#10;Set-Cookie: b=c"`, `name="X" value="a&#10;b"`, `name="X" value="a&#127;"`,
	} {
		h.webConfig(fields("<add " + entry + " />"))
		a := h.get("/a.txt")
		if a.named() != "500.19" || a.header.Get("Set-Cookie") != "" {
			t.Errorf("%s: %s", entry, a.named())
		}
	}
}

func TestKeepAlive(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("a.txt", "a")
	request := "GET /a.txt HTTP/1.1\nHost: localhost\nConnection: keep-alive"
	h.webConfig(`<httpProtocol allowKeepAlive="false" />`)
	if a := h.ask(request, ""); a.status != 200 || !a.closes { // ask reads to the end of the line
		t.Errorf("%d, closes %v", a.status, a.closes)
	}
}

func TestHeadersOfTheHostsOwnRefusals(t *testing.T) {
	home := newHome(t, everything()...)
	replace(t, home+"/config/applicationHost.config", "</configuration>", `<system.webServer>`+fields(`<add name="X-Server" value="1" />`)+`</system.webServer></configuration>`)
	h := startHost(t, home)
	h.webConfig(`<nonsense />`)
	if a := h.get("/"); a.named() != "500.19" || a.header.Get("X-Server") != "1" {
		t.Errorf("%s %v", a.named(), a.header)
	}
	if a := h.get("/%00"); a.status != http.StatusBadRequest || a.header.Get("X-Server") != "1" {
		t.Errorf("%d %v", a.status, a.header)
	}
}
