package all_test

import (
	"strings"
	"testing"
)

func TestDefaultDocument(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "default-document", "http-errors"))
	if a := h.get("/"); a.status != 200 || a.header.Get("Content-Type") != "text/html" || !strings.Contains(strings.ToLower(a.body), "<!doctype html") {
		t.Fatalf("the start page: %d %v", a.status, a.header)
	}
	h.site("one/index.html", "html")
	h.site("one/Default.htm", "Default")
	h.site("two/index.html", "html")
	h.site("two/home.html", "home")
	h.site("three/readme.txt", "x")
	h.site("four/Default.htm/file.txt", "x") // a folder with the name of a document
	h.site("four/index.html", "html")
	h.site("sub/deep/start.html", "deep")
	for _, c := range []struct {
		name, section, path string
		status              int
		body                string
	}{
		{"the first of the list", ``, "/one/", 200, "Default"},
		{"a later one", ``, "/two/", 200, "html"},
		{"none", ``, "/three/", 403, "403.14"},
		{"a folder is no document", ``, "/four/", 200, "html"},
		{"an own one comes first", `<files><add value="home.html" /></files>`, "/two/", 200, "home"},
		{"an own one does not replace", `<files><add value="home.html" /></files>`, "/one/", 200, "Default"},
		{"only the own one", `<files><clear /><add value="home.html" /></files>`, "/one/", 403, "403.14"},
		{"one taken out", `<files><remove value="Default.htm" /></files>`, "/one/", 200, "html"},
		{"one of a folder below", `<files><add value="deep\start.html" /></files>`, "/sub/", 200, "deep"},
		{"not out of the site", `<files><clear /><add value="../../config/applicationHost.config" /></files>`, "/one/", 403, "403.14"},
		{"none left", `<files><clear /></files>`, "/one/", 403, "403.14"},
		{"one that was never there", `<files><remove value="none.htm" /></files>`, "/one/", 200, "Default"},
		{"behind the others", `<files mergeAppend="true"><add value="home.html" /></files>`, "/two/", 200, "html"},
		{"an empty name", `<files><add value="" /></files>`, "/one/", 200, "Default"},
		{"a folder", `<files><add value="deep/" /></files>`, "/sub/", 403, "403.14"},
		{"a name in other case", `<files><clear /><add value="HOME.html" /></files>`, "/two/", 403, "403.14"},
		{"the configuration", `<files><add value="web.config" /></files>`, "/", 404, "404.8"},
		{"switched off", `"false"`, "/one/", 403, "403.14"},
		{"listed twice", `<files><add value="index.html" /></files>`, "/one/", 500, "500.19"},
		{"a query stays", ``, "/one/?a=b", 200, "Default"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.section == `"false"` {
				h.webConfig(`<defaultDocument enabled="false" />`)
			} else {
				h.webConfig("<defaultDocument>" + c.section + "</defaultDocument>")
			}
			a := h.get(c.path)
			if a.status != c.status || !strings.Contains(a.body, c.body) {
				t.Errorf("%d %s, want %d %q", a.status, a.body, c.status, c.body)
			}
		})
	}
	h.webConfig("")
	if a := h.get("/one"); a.status != 301 || a.header.Get("Location") != "/one/" {
		t.Errorf("without slash: %d %v", a.status, a.header)
	}
}

// TestDefaultDocumentHasItsOwnConfiguration sees that what is configured for a file, or for the folder that holds it,
// cannot be gone round by asking for the folder whose default document it is.
func TestDefaultDocumentHasItsOwnConfiguration(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content", "default-document", "http-errors"))
	h.site("one/Default.htm", "one")
	h.site("two/deep/start.htm", "two")
	h.site("two/deep/web.config", `<configuration><system.webServer><staticContent><remove fileExtension=".htm" /></staticContent></system.webServer></configuration>`)
	h.site("two/web.config", `<configuration><system.webServer><defaultDocument><files><add value="deep/start.htm" /></files></defaultDocument></system.webServer></configuration>`)
	h.site("three/deep/start.htm", "three")
	h.site("three/deep/web.config", `<configuration>`)
	h.site("three/web.config", `<configuration><system.webServer><defaultDocument><files><add value="deep/start.htm" /></files></defaultDocument></system.webServer></configuration>`)
	h.site("web.config", `<configuration><location path="one/default.htm"><system.webServer><staticContent><remove fileExtension=".htm" />`+
		`<mimeMap fileExtension=".htm" mimeType="text/x-own" /></staticContent></system.webServer></location></configuration>`)
	for _, path := range []string{"/one/Default.htm", "/one/"} {
		if a := h.get(path); a.status != 200 || a.header.Get("Content-Type") != "text/x-own" {
			t.Errorf("%s: %d as %q, want the type that the location tag gives the file", path, a.status, a.header.Get("Content-Type"))
		}
	}
	for path, want := range map[string]string{"/two/deep/start.htm": "404.3", "/two/": "404.3", "/three/deep/start.htm": "500.19", "/three/": "500.19"} {
		if a := h.get(path); !strings.Contains(a.body, want) {
			t.Errorf("%s: %d %s, want %s of the folder that holds the file", path, a.status, a.body, want)
		}
	}
}
