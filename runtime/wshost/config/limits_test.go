package config

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestLimitsOfFiles holds every ceiling to its two sides, where a request meets it: what is above is answered with a fault
// that names the ceiling and what to do, and the rest of the site goes on.
func TestLimitsOfFiles(t *testing.T) {
	entities := `raw:<!DOCTYPE lol [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<configuration><system.webServer><open any="&c;"/></system.webServer></configuration>`
	padded := func(size int) string {
		const head, tail = "<configuration>", "</configuration>"
		return "raw:" + head + strings.Repeat(" ", size-len(head)-len(tail)) + tail
	}
	elements := func(n int) string {
		return ws("<staticContent>" + strings.Repeat(`<remove fileExtension=".x"/>`, n-3) + "</staticContent>") // and three around them
	}
	attributes := func(n int) string { return ws("<open" + attributes(n) + "/>") }
	deep := func(n int) string {
		return "<system.web>" + strings.Repeat("<a>", n-2) + strings.Repeat("</a>", n-2) + "</system.web>"
	}
	bad := func(message, hint string) fault {
		return fault{HResultMalformed, "root/sub/web.config", message, "", hint}
	}
	for name, c := range map[string]struct {
		body string
		want fault
	}{
		"entities":             {entities, bad("entity declarations are not allowed", "a configuration file needs none")},
		"an unknown entity":    {ws(`<open any="&b;"/>`), bad("no known entity", "&amp;")},
		"size":                 {padded(maxFileSize), fault{}},
		"size, one more":       {padded(maxFileSize + 1), bad("larger than 8 MiB", "configSource")},
		"elements":             {elements(maxElements), fault{}},
		"elements, one more":   {elements(maxElements + 1), bad("more than 65536 elements", "configSource")},
		"depth":                {deep(maxDepth), fault{}},
		"depth, one more":      {deep(maxDepth + 1), bad("deeper than 64", "end tag is missing")},
		"attributes":           {attributes(maxAttributes), fault{}},
		"attributes, one more": {attributes(maxAttributes + 1), bad("more than 128 attributes", "quotation mark")},
	} {
		w := newWorld(t, map[string]string{"root/sub/web.config": c.body})
		w.check(name, "/sub/", c.want)
		w.check(name+", beside it", "/other/", fault{})
	}
}

// A file of 50 MB is refused without being read, and asking again costs nothing either.
func TestALargeFileIsNotRead(t *testing.T) {
	w := newWorld(t, nil)
	path := filepath.Join(w.home, "root/web.config")
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 50<<20); err != nil {
		t.Fatal(err)
	}
	tree := w.open()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 100 {
		if _, err := tree.Effective("Site", "/"); err == nil || !strings.Contains(err.Error(), "larger than 8 MiB") {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated", used)
	}
	w.write("root/web.config", "")
	if _, err := tree.Effective("Site", "/"); err != nil {
		t.Errorf("mended: %v", err)
	}
}

// The server of a hoster, with thousands of sites.
func TestThousandsOfSites(t *testing.T) {
	const n = 5000
	var b strings.Builder
	b.WriteString("<system.applicationHost><sites>")
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, `<site name="Site %d" id="%d"><application path="/"><virtualDirectory path="/" physicalPath="root" /></application>
<bindings><binding protocol="http" bindingInformation="*:80:www%d.example.com" /><binding protocol="http" bindingInformation="*:80:%d.example.com" /></bindings>
<limits connectionTimeout="00:02:00" /><logFile enabled="true" /></site>`, i, i, i, i)
	}
	b.WriteString("</sites></system.applicationHost>")
	fmt.Fprintf(&b, `<location path="Site %d"><system.webServer><open any="1"/></system.webServer></location>`, n)
	w := newWorld(t, map[string]string{"apphost": b.String()})
	if sites := w.open().Sites(); len(sites) != n {
		t.Errorf("%d sites", len(sites))
	}
}

// Location tags may name one file many times: it is the sum that counts.
func TestLimitOfIncludedFiles(t *testing.T) {
	include := func(n, size int) *world {
		var b strings.Builder
		for i := range n {
			b.WriteString(at(fmt.Sprintf("p%d", i), "", `<open configSource="open.config"/>`))
		}
		return newWorld(t, map[string]string{"root/web.config": b.String(), "root/open.config": "raw:<open>" + strings.Repeat(" ", size-len("<open></open>")) + "</open>"})
	}
	w := include(8, maxFileSize/8)
	w.check("together as large as may be", "/p7/", fault{})
	w = include(9, maxFileSize/8)
	w.check("the first eight", "/p7/", fault{})
	w.check("one more", "/p8/", fault{HResultMalformed, "root/web.config:1:", "together larger than 8 MiB", "", "share once"})
}
