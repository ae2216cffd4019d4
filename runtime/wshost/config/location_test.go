package config

import (
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

func TestLocationPaths(t *testing.T) {
	w := newWorld(t, map[string]string{
		"apphost": at("", "", add("empty")) + at("SITE/", "", `<httpErrors defaultPath="site"/>`) + at("Site/app/deep/Dir", "", add("host-deep")) +
			at("Undeclared", "", add("undeclared")) + at("Undeclared/echo", "", add("echo")),
		"root/web.config":                at(".", "", add("dot")) + at("page.htm", "", add("page")) + at("Not/There", "", add("nowhere")),
		"root/dir/web.config":            at("sub", "", add("rel")),
		"app/web.config":                 ws(add("app")),
		"virt/web.config":                ws(add("virt")),
		"virt/in/web.config":             ws(add("in")),
		"nosub/web.config":               ws(add("nosub")),
		"nosub/in/web.config":            ws(add("never")),
		"root/app/web.config":            ws(add("shadowed by the application")),
		"root/file/web.config":           ws(add("file")),
		"root/Case/web.config":           ws(add("case")),
		"root/Upper/Web.config":          ws(add("upper")),
		"root/include/web.config":        ws(`<defaultDocument configSource="parts\docs.config"/>`),
		"root/include/parts/docs.config": "raw:<?xml version=\"1.0\"?>\n<defaultDocument><files><add value=\"included\"/></files></defaultDocument>",
	})
	tree := w.open()
	for _, c := range []struct{ site, url, want string }{
		{"Site", "/", "dot empty"},
		{"site", "/", "dot empty"},
		{"Site", "/page.htm", "page dot empty"},
		{"Site", "/PAGE.HTM", "page dot empty"},
		{"Site", "/page.htm.bak", "dot empty"},
		{"Site", "/not/there", "nowhere dot empty"},
		{"Site", "/not/there/below", "nowhere dot empty"},
		{"Site", "/dir", "dot empty"},
		{"Site", "/dir/sub/x", "rel dot empty"},
		{"Site", "/app", "app dot empty"},
		{"Site", "/APP/x", "app dot empty"},
		{"Site", "/application", "dot empty"},
		{"Site", "/app/deep/dir", "host-deep app dot empty"},
		{"Site", "/virt/x", "virt dot empty"},
		{"Site", "/virt/in/x", "in virt dot empty"},
		{"Site", "/nosub/in/x", "nosub dot empty"},
		{"Site", "/case", "dot empty"},
		{"Site", "/Case", "case dot empty"},
		{"Site", "/Upper", "upper dot empty"},
		{"Site", "/include/x", "included dot empty"},
		{"Undeclared", "/", "undeclared empty"},
		{"Undeclared", "/echo", "echo undeclared empty"},
		{"Undeclared", "/echo/x", "echo undeclared empty"},
		{"nobody", "/dir/sub", "empty"},
		{"", "/", "empty"},
	} {
		e, err := tree.Effective(c.site, c.url)
		if err != nil {
			t.Errorf("%s %s: %v", c.site, c.url, err)
		} else if got := docs(t, e); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.site, c.url, got, c.want)
		}
	}
	for _, url := range []string{"", "relative", "/nul\x00"} {
		if _, err := tree.Effective("Site", url); err == nil {
			t.Errorf("%q: accepted", url)
		}
	}
}

func TestLocationFaults(t *testing.T) {
	bad := func(message string) fault { return fault{HResultMalformed, "root/web.config:1:", message, "", ""} }
	dup := func(message string) fault {
		return fault{HResultDuplicate, "root/web.config:1:", message, "", "join the two"}
	}
	const docs = `<defaultDocument/>`
	for name, c := range map[string]struct {
		body string
		url  string
		want fault
	}{
		"absolute":                 {at("/a", "", docs), "/", bad(`begins with "/"`)},
		"parent":                   {at("a/../b", "", docs), "/", bad(`contains ".."`)},
		"back-slash":               {at(`a\b`, "", docs), "/", bad(`contains "\"`)},
		"empty part":               {at("a//b", "", docs), "/", bad("empty part")},
		"wildcard":                 {at("a/*", "", docs), "/", bad(`"*"`)},
		"hidden folder is fine":    {at(".well-known", "", docs), "/", fault{}},
		"both spellings":           {at("a", `overrideMode="Deny" allowOverride="false"`, docs), "/", bad("both overrideMode and allowOverride")},
		"override mode":            {at("a", `overrideMode="deny"`, docs), "/", bad(`overrideMode="deny"`)},
		"allow override":           {at("a", `allowOverride="no"`, docs), "/", bad(`allowOverride="no"`)},
		"inherit":                  {at("a", `inheritInChildApplications="0"`, docs), "/", bad(`inheritInChildApplications="0"`)},
		"unknown attribute":        {at("a", `overideMode="Deny"`, docs), "/", bad(`did you mean "overrideMode"?`)},
		"same path, other section": {at("a", "", docs) + at("a", "", "<httpErrors/>"), "/a", fault{}},
		"same path, same section":  {at("a", "", docs) + at("A/", "", docs), "/a", dup("appears twice for the path")},
		"fault only at its path":   {at("a", "", docs) + at("a", "", docs), "/b", fault{}},
		"bare and dot":             {ws(docs) + at(".", "", docs), "/", dup("appears twice at the level of this file")},
		"dot and empty":            {at("", "", docs) + at(".", "", docs), "/", dup("appears twice at the level of this file")},
		"bare twice":               {ws(docs) + ws(docs), "/", dup("appears twice at the level of this file")},
		"bare and path":            {ws(docs) + at("a", "", docs), "/a", fault{}},
		"nested location":          {`<location path="a"><location path="b"/></location>`, "/a", bad(`<location> inside a location tag`)},
		"unknown section":          {ws("<webSockets/>"), "/", bad(`unknown section "system.webServer/webSockets"; did you mean "webSocket"?`)},
		"unknown at the top":       {"<webSocket/>", "/", bad(`unknown section "webSocket"`)},
		"unknown only at its path": {at("a", "", "<nope/>"), "/", fault{}},
		"unknown at its path":      {at("a", "", "<nope/>"), "/a/b", bad("unknown section")},
		"declared by the file":     {`<configSections><section name="mine"/><sectionGroup name="g"><section name="s"/></sectionGroup></configSections><mine x="1"/><g><s/></g>`, "/", fault{}},
		"group declared, not this": {`<configSections><sectionGroup name="g"><section name="s"/></sectionGroup></configSections><g><t/></g>`, "/", bad(`unknown section "g/t"`)},
		"ignored":                  {`<system.web><anything x="1">text</anything></system.web><appSettings file="x"/>`, "/", fault{}},
		"ignored in a location":    {`<location path="a"><system.web><x/></system.web></location>`, "/a", fault{}},
		"cannot exist here":        {ws("<asp/>"), "/", bad("ASP needs Windows")},
		"group with attribute":     {`<system.webServer x="1"/>`, "/", bad(`has no attribute "x"`)},
		"text in a group":          {`<system.webServer>oops</system.webServer>`, "/", bad("text inside <system.webServer>")},
		"text in a section":        {ws("<defaultDocument>oops</defaultDocument>"), "/", bad("text inside <defaultDocument>")},
		"other root":               {`raw:<config/>`, "/", bad("root element is <config>")},
		"attribute of the root":    {`raw:<configuration x="1"/>`, "/", bad(`<configuration> has no attribute "x"`)},
		"section declared badly":   {`<configSections><section/></configSections>`, "/", bad("needs a name")},
		"declaration unknown":      {`<configSections><setion name="x"/></configSections>`, "/", bad("unknown element <setion>")},
		"declaration of .NET":      {`<configSections><remove name="y"/><clear/><section name="mine" type="T" requirePermission="false" allowExeDefinition="x" restartOnExternalChanges="false" allowLocation="True" allowDefinition="MachineToApplication" overrideModeDefault="Deny"/><section name="system.web"/></configSections><mine/>`, "/", fault{}},
		"declaration: mode":        {`<configSections><section name="mine" overrideModeDefault="Inherit"/></configSections>`, "/", bad(`overrideModeDefault="Inherit"`)},
		"declaration: level":       {`<configSections><section name="mine" allowDefinition="Nowhere"/></configSections>`, "/", bad(`allowDefinition="Nowhere"`)},
		"declaration: location":    {`<configSections><section name="mine" allowLocation="1"/></configSections>`, "/", bad(`allowLocation="1"`)},
		"declaration: attribute":   {`<configSections><section name="mine" x="1"/></configSections>`, "/", bad(`<section> has no attribute "x"`)},
		"include outside":          {ws(`<defaultDocument configSource="../x.config"/>`), "/", bad("not a path below the folder")},
		"include with more":        {ws(`<defaultDocument enabled="true" configSource="x.config"/>`), "/", bad("leaves no room")},
		"include missing":          {ws(`<defaultDocument configSource="x.config"/>`), "/", fault{HResultNotFound, "root/web.config:1:", "does not exist", "", ""}},
		"include on an element":    {ws(`<defaultDocument><files configSource="x.config"/></defaultDocument>`), "/", bad(`no attribute "configSource"`)},
	} {
		w := newWorld(t, map[string]string{"root/web.config": c.body})
		w.check(name, c.url, c.want)
	}
}

func TestFeatureNotInstalled(t *testing.T) {
	w := newWorld(t, map[string]string{"apphost": ws("<rewrite/>"), "root/web.config": ws("<rewrite><rules/></rewrite>")})
	e := w.check("not installed", "/", fault{HResultMalformed, "root/web.config:1:", `belongs to the feature "URL Rewrite", which is not installed`, "", "rolemgr install url-rewrite"})
	if e != nil && (e.Feature != "url-rewrite" || e.Section != "system.webServer/rewrite") {
		t.Errorf("%+v", e)
	}
	if _, err := w.open().Server(); err != nil {
		t.Errorf("an empty section of applicationHost.config asks for nothing: %v", err)
	}
	w.write("apphost", ws(`<rewrite><rules/></rewrite>`))
	if _, err := w.open().Server(); err == nil || asError(t, err).Feature != "url-rewrite" {
		t.Errorf("server: %v", err)
	}
}

func TestInheritInChildApplications(t *testing.T) {
	w := newWorld(t, map[string]string{
		"root/web.config":   at(".", `inheritInChildApplications="false"`, add("private")) + ws(`<httpErrors defaultPath="public"/>`),
		"root/a/web.config": ws(add("a")),
		"app/web.config":    ws(add("app")),
	})
	tree := w.open()
	for url, want := range map[string]string{"/": "private", "/virt": "private", "/a": "a private", "/app": "app", "/app/x": "app"} {
		e, err := tree.Effective("Site", url)
		if err != nil {
			t.Fatal(err)
		}
		if got := docs(t, e); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
		if pos, ok := e.Origin("system.webServer/httpErrors"); !ok || filepath.Base(pos.File) != "web.config" {
			t.Errorf("%s: httpErrors from %v", url, pos)
		}
	}
	w.write("root/web.config", at(".", `inheritInChildApplications="false"`, "<nope/>"))
	if _, err := tree.Effective("Site", "/virt"); err == nil {
		t.Error("the fault does not concern its own application")
	}
	if _, err := tree.Effective("Site", "/app/x"); err != nil {
		t.Errorf("the fault concerns a nested application: %v", err)
	}
	w.write("root/web.config", ws("<nope/>"))
	if _, err := tree.Effective("Site", "/app/x"); err == nil {
		t.Error("an inherited fault does not concern the nested application")
	}
}

// TestFoldedPaths sees that a location tag holds under every spelling that leads to the folder of a virtual directory.
func TestFoldedPaths(t *testing.T) {
	sites := strings.ReplaceAll(sitesXML, "/virt\"", "/σk\"") // a sigma has two small forms, a k has one that is no ASCII
	tree := newWorld(t, map[string]string{"apphost": sites + at("Site/σK", "", add("tagged"))}).open()
	for _, url := range []string{"/σk/x", "/ςk/x", "/ΣK/x", "/Σk"} {
		_, vdir, _, ok := tree.Map("Site", url)
		if got := docs(t, effective(t, tree, url)); !ok || vdir != "/σk" || got != "tagged" {
			t.Errorf("%s: %q with %q", url, vdir, got)
		}
	}
	for r := range rune(0x1F000) {
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if fold("é"+string(r)) != fold("é"+string(f)) || r < 0x80 && fold(string(r)) != fold(string(f)) {
				t.Errorf("%q and %q differ", r, f)
			}
		}
	}
	if got := fold("AbÉ"); got != "ab"+fold("É") || fold("é") == fold("e") {
		t.Errorf("folded %q", got)
	}
}

// TestPrivateEntriesCollideAlone sees that an entry that collides with one that nested applications do not inherit is
// no fault of theirs.
func TestPrivateEntriesCollideAlone(t *testing.T) {
	tree := newWorld(t, map[string]string{
		"apphost": at("Site", `inheritInChildApplications="false"`, add("x")), "root/web.config": ws(add("x")),
	}).open()
	if _, err := tree.Effective("Site", "/"); err == nil || asError(t, err).HResult != HResultDuplicate {
		t.Errorf("the site: %v", err)
	}
	if got := docs(t, effective(t, tree, "/app/y")); got != "x" {
		t.Errorf("the application has %q", got)
	}
}
