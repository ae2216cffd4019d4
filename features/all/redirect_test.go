package all_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestHttpRedirect(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	for _, name := range []string{"a.txt", "old/a.htm", "old/sub/b.htm", "sub/web.txt"} {
		h.site(name, "x")
	}
	for _, c := range []struct {
		name, section, request string
		status                 int
		location               string
	}{
		{"switched off", `<httpRedirect enabled="false" destination="http://new.example" />`, "/a.txt", 200, ""},
		{"no destination", `<httpRedirect enabled="true" />`, "/a.txt", 200, ""},
		{"a site", `<httpRedirect enabled="true" destination="http://new.example" />`, "/a/b.htm?x=1&y=2", 302, "http://new.example/a/b.htm?x=1&y=2"},
		{"a site with a slash", `<httpRedirect enabled="true" destination="http://new.example/" />`, "/a/b.htm", 302, "http://new.example/a/b.htm"},
		{"its root", `<httpRedirect enabled="true" destination="http://new.example" />`, "/", 302, "http://new.example/"},
		{"exact", `<httpRedirect enabled="true" destination="http://new.example/x" exactDestination="true" />`, "/a/b?x=1", 302, "http://new.example/x"},
		{"permanent", `<httpRedirect enabled="true" destination="http://new.example/x" exactDestination="true" httpResponseStatus="Permanent" />`, "/a", 301, "http://new.example/x"},
		{"temporary", `<httpRedirect enabled="true" destination="http://new.example/x" exactDestination="true" httpResponseStatus="Temporary" />`, "/a", 307, "http://new.example/x"},
		{"308", `<httpRedirect enabled="true" destination="http://new.example/x" exactDestination="true" httpResponseStatus="PermRedirect" />`, "/a", 308, "http://new.example/x"},
		{"children", `<httpRedirect enabled="true" destination="http://new.example/n" childOnly="true" />`, "/a.txt", 302, "http://new.example/n/a.txt"},
		{"no grandchildren", `<httpRedirect enabled="true" destination="http://new.example/n" childOnly="true" />`, "/old/a.htm", 200, ""},
		{"variables", `<httpRedirect enabled="true" destination="http://new.example$S$Q" exactDestination="true" />`, "/a%20b.htm?x=1", 302, "http://new.example/a%20b.htm?x=1"},
		{"variables with a query", `<httpRedirect enabled="true" destination="http://new.example/?from=$V&amp;$P" />`, "/a.htm?x=1", 302, "http://new.example/?from=/a.htm&x=1"},
		{"a wildcard", `<httpRedirect enabled="true" destination=""><add wildcard="*.asp" destination="/n/$0.aspx" /></httpRedirect>`, "/x/y.ASP?q=1", 302, "/n/x/y.aspx"},
		{"a wildcard that does not fit", `<httpRedirect enabled="true"><add wildcard="*.asp" destination="/n/$0.aspx" /></httpRedirect>`, "/a.txt", 200, ""},
		{"itself", `<httpRedirect enabled="true" destination="/a.txt" exactDestination="true" />`, "/a.txt", 200, ""},
		{"an unknown status", `<httpRedirect enabled="true" destination="/x" httpResponseStatus="Moved" />`, "/a.txt", 500, ""},
		{"a forged header", `<httpRedirect enabled="true" destination="/x&#13;&#10;X-Bad: 1" />`, "/a.txt", 500, ""},
		{"an empty wildcard", `<httpRedirect enabled="true"><add wildcard="" destination="/x" /></httpRedirect>`, "/a.txt", 500, ""},
	} {
		h.webConfig(c.section)
		a := h.get(c.request)
		if a.status != c.status || a.header.Get("Location") != c.location || a.header.Get("X-Bad") != "" {
			t.Errorf("%s: %d %q, want %d %q", c.name, a.status, a.header.Get("Location"), c.status, c.location)
		}
		if c.location != "" && !strings.Contains(a.body, "has moved") {
			t.Errorf("%s: no page for people: %s", c.name, a.body)
		}
	}
}

// TestRedirectOfAPlace holds that what is appended counts from the URL that the section is written for.
func TestRedirectOfAPlace(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.site("old/a.htm", "x")
	h.site("a.txt", "x")
	h.site("folder/web.config", `<configuration><system.webServer><httpRedirect enabled="true" destination="/new" /></system.webServer></configuration>`)
	h.site("folder/sub/a.htm", "x")
	h.site("folder/stays/a.htm", "x")
	h.site("folder/stays/web.config", `<configuration><system.webServer><httpRedirect enabled="false" /></system.webServer></configuration>`)
	h.site("web.config", `<configuration>
		<location path="old"><system.webServer><httpRedirect enabled="true" destination="http://new.example/n" /></system.webServer></location>
		<location path="one.htm"><system.webServer><httpRedirect enabled="true" destination="/two.htm" /></system.webServer></location>
		</configuration>`)
	for request, want := range map[string]string{
		"/old":                     "http://new.example/n",
		"/old/":                    "http://new.example/n/",
		"/old/a.htm?x=1":           "http://new.example/n/a.htm?x=1",
		"/OLD/x/y":                 "http://new.example/n/x/y",
		"/one.htm?q":               "/two.htm?q",
		"/folder/sub/a.htm":        "/new/sub/a.htm",
		"/folder/":                 "/new/",
		"/folder/stays/a.htm":      "",
		"/folder//evil.example/":   "/new/evil.example/",
		"/folder/%0d%0aX-Bad:1":    "",
		"/folder/%22%3Cb%3E":       "/new/%22%3Cb%3E",
		"/folder/?a=%0d%0aX-Bad:1": "/new/?a=%0d%0aX-Bad:1",
		"/a.txt":                   "",
	} {
		a := h.get(request)
		if got := a.header.Get("Location"); got != want || a.header.Get("X-Bad") != "" {
			t.Errorf("%s: %d %q, want %q", request, a.status, got, want)
		}
	}
	head := h.ask("HEAD /old/a.htm HTTP/1.1", "")
	if head.status != http.StatusFound || head.body != "" || head.header.Get("Content-Length") == "0" {
		t.Errorf("HEAD: %+v", head)
	}
	if a := h.ask("POST /old/a.htm HTTP/1.1\nContent-Length: 0", ""); a.status != http.StatusFound {
		t.Errorf("POST: %d", a.status)
	}
}
