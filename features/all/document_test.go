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
