package all_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// links returns the targets of a listing, in order.
func links(body string) (hrefs []string) {
	for _, m := range regexp.MustCompile(`<td><a href="\./([^"]*)">`).FindAllStringSubmatch(body, -1) {
		hrefs = append(hrefs, m[1])
	}
	return hrefs
}

func browseHost(t *testing.T) *testHost {
	h := startHost(t, newHome(t, everything()...))
	for _, name := range []string{"list/b.txt", "list/A.txt", "list/sub/x.txt", "list/Zoo/x.txt", "start/index.html", "list/web.config.bak", "list/.env", "list/.git/config"} {
		h.site(name, "0123456789")
	}
	return h
}

func TestDirectoryBrowsing(t *testing.T) {
	h := browseHost(t)
	h.webConfig(``)
	if got := h.get("/list/").named(); got != "403.14" {
		t.Errorf("switched off: %s", got)
	}
	h.webConfig(`<directoryBrowse enabled="true" />`)
	a := h.get("/list/")
	if want := []string{"sub/", "Zoo/", "A.txt", "b.txt", "web.config.bak"}; a.status != 200 || !slices.Equal(links(a.body), want) {
		t.Errorf("%d %v, want %v", a.status, links(a.body), want)
	}
	if a.header.Get("Content-Type") != "text/html; charset=utf-8" || !strings.Contains(a.body, `<a href="../">`) || !strings.Contains(a.body, `<html lang="en">`) {
		t.Errorf("%v %s", a.header, a.body)
	}
	head := h.ask("HEAD /list/ HTTP/1.1", "")
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != a.header.Get("Content-Length") {
		t.Errorf("HEAD: %d %v", head.status, head.header)
	}
	if a := h.get("/"); a.status != 200 || strings.Contains(a.body, `href="../"`) {
		t.Errorf("the root has a parent: %d", a.status)
	}
	if a := h.get("/list?x=1"); a.status != http.StatusMovedPermanently || a.header.Get("Location") != "/list/?x=1" {
		t.Errorf("without a slash: %d %v", a.status, a.header)
	}
	for request, want := range map[string]string{"POST /list/": "405.0", "GET /none/": "404.0", "GET /list/b.txt/": "404.0", "GET /list/b.txt": "200"} {
		if got := h.ask(request+" HTTP/1.1\nContent-Length: 0", "").named(); got != want {
			t.Errorf("%s: %s, want %s", request, got, want)
		}
	}
	if a := h.get("/start/"); links(a.body) != nil || a.body != "0123456789" {
		t.Errorf("a folder with a start page is listed: %s", a.body)
	}
	h.webConfig(`<directoryBrowse enabled="true" /><defaultDocument enabled="false" />`)
	if a := h.get("/start/"); !slices.Equal(links(a.body), []string{"index.html"}) {
		t.Errorf("without default documents: %v", links(a.body))
	}
}

// TestListingHidesWhatIsRefused compares the listing with what a request for each name is answered.
func TestListingHidesWhatIsRefused(t *testing.T) {
	h := browseHost(t)
	for _, name := range []string{"node_modules/x.txt", "secret.cs", "100%.txt", "a%41.txt", "é.txt", "x..y.txt", "BIN/x.txt", "plain"} {
		h.site("list/"+name, "x")
	}
	outside := filepath.Join(h.home, "outside.txt")
	write(t, outside, "x")
	if err := os.Symlink(outside, filepath.Join(h.home, "sites/default/list/link.txt")); err != nil {
		t.Fatal(err)
	}
	all := []string{"BIN/", "node_modules/", "sub/", "Zoo/", "100%25.txt", "A.txt", "b.txt", "plain", "secret.cs", "web.config.bak", "x..y.txt", "%C3%A9.txt"}
	for _, c := range []struct {
		filter string
		gone   []string
	}{
		{``, nil},
		{`<hiddenSegments><add segment="bin" /><add segment="node_modules" /></hiddenSegments>`, []string{"BIN/", "node_modules/"}},
		{`<fileExtensions><add fileExtension=".CS" allowed="false" /><add fileExtension=".bak" allowed="false" /></fileExtensions>`, []string{"secret.cs", "web.config.bak"}},
		{`<denyUrlSequences><add sequence=".." /></denyUrlSequences>`, []string{"x..y.txt"}},
		{`<denyUrlSequences><add sequence=".." /></denyUrlSequences><alwaysAllowedUrls><add url="/list/x..y.txt" /></alwaysAllowedUrls>`, nil},
		{`<fileExtensions allowUnlisted="false"><add fileExtension="." allowed="true" /><add fileExtension=".cs" allowed="true" /></fileExtensions>`,
			[]string{"100%25.txt", "A.txt", "b.txt", "web.config.bak", "x..y.txt", "%C3%A9.txt"}},
	} {
		h.webConfig(`<directoryBrowse enabled="true" /><security><requestFiltering>` + c.filter + `</requestFiltering></security>`)
		got := links(h.get("/list/").body)
		want := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(c.gone, s) })
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%v, want\n%v", c.filter, got, want)
		}
	}
	h.webConfig(`<directoryBrowse enabled="true" /><security><requestFiltering allowHighBitCharacters="false" allowDoubleEscaping="true" /></security>`)
	got := links(h.get("/list/").body)
	if slices.Contains(got, "%C3%A9.txt") || !slices.Contains(got, "a%2541.txt") {
		t.Errorf("characters: %v", got)
	}
}

func TestListingEscapes(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	for _, name := range []string{`<script>alert(1)</script>.txt`, `" onclick="x.txt`, `javascript:alert(1)`, `a&b.txt`, `a?b#c.txt`, `a b.txt`} {
		if err := os.MkdirAll(filepath.Join(h.home, "sites/default/<b>"), 0o755); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(name, "/") { // "</script>" is two names
			name = strings.ReplaceAll(name, "/", "")
		}
		write(t, filepath.Join(h.home, "sites/default/<b>", name), "x")
	}
	h.webConfig(`<directoryBrowse enabled="true" /><staticContent><mimeMap fileExtension=".*" mimeType="text/plain" /><mimeMap fileExtension="." mimeType="text/plain" /></staticContent>`)
	a := h.get("/%3Cb%3E/")
	for _, bad := range []string{"<script>", "<b>", `" onclick`, `href="javascript`} {
		if strings.Contains(a.body, bad) {
			t.Errorf("%q is in the page: %s", bad, a.body)
		}
	}
	found := links(a.body)
	if len(found) != 6 {
		t.Errorf("%d links: %v", len(found), found)
	}
	for _, href := range found {
		if got := h.get("/%3Cb%3E/" + strings.ReplaceAll(href, "&amp;", "&")); got.status != 200 {
			t.Errorf("%s leads to %d", href, got.status)
		}
	}
}

func TestShowFlags(t *testing.T) {
	h := browseHost(t)
	for _, c := range []struct {
		flags     string
		with, not []string
	}{
		{"None", []string{">b<"}, []string{"<time", ">10<", ">b.txt<"}},
		{"Extension", []string{">b.txt<"}, []string{"<time", ">10<"}},
		{"Size", []string{">10<", ">b<"}, []string{"<time"}},
		{"Date", []string{"<time datetime=", "-"}, []string{">10<"}},
		{"Date,Time,Extension,Size", []string{"<time", ">10<", ">b.txt<"}, nil},
		{"LongDate, Time, Extension, Size", []string{"day, ", ":", ">10<", ">b.txt<"}, nil},
	} {
		h.webConfig(`<directoryBrowse enabled="true" showFlags="` + c.flags + `" virtualDirectoryTimeout="5" />`)
		body := h.get("/list/").body
		for _, s := range c.with {
			if !strings.Contains(body, s) {
				t.Errorf("%s: %q is missing in %s", c.flags, s, body)
			}
		}
		for _, s := range c.not {
			if strings.Contains(body, s) {
				t.Errorf("%s: %q is in %s", c.flags, s, body)
			}
		}
	}
	h.webConfig(`<directoryBrowse enabled="true" showFlags="Everything" />`)
	if got := h.get("/list/").named(); got != "500.19" {
		t.Errorf("an unknown flag: %s", got)
	}
}

// TestListingOfAHugeFolder stands on both sides of the limit of 5000 names.
func TestListingOfAHugeFolder(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.webConfig(`<directoryBrowse enabled="true" />`)
	dir := filepath.Join(h.home, "sites/default/huge")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 5000 {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("f%05d.txt", i)), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a := h.get("/huge/")
	if n := len(links(a.body)); n != 5000 || strings.Contains(a.body, "more than") {
		t.Errorf("%d names at the limit", n)
	}
	write(t, filepath.Join(dir, "one-more.txt"), "")
	if a = h.get("/huge/"); len(links(a.body)) != 5000 || !strings.Contains(a.body, "more than 5000 names") {
		t.Errorf("%d names above the limit", len(links(a.body)))
	}
}

func TestBrowsingWithoutOthers(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "directory-browsing"))
	h.site("list/.hidden", "x")
	h.site("list/bin/x.txt", "x")
	h.webConfig(`<directoryBrowse enabled="true" />`)
	if a := h.get("/list"); a.status != http.StatusMovedPermanently || a.header.Get("Location") != "/list/" {
		t.Errorf("without a slash: %d %v", a.status, a.header)
	}
	if a := h.get("/list/"); !slices.Equal(links(a.body), []string{"bin/"}) {
		t.Errorf("%d %v", a.status, links(a.body))
	}
}
