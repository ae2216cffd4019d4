package config

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// judged are sections with everything that the declaration alone says about what becomes of a file.
func judgedSchema(t testing.TB) *Schema {
	t.Helper()
	sections := append(CoreSections(), testSections()...)
	sections = append(sections,
		Section{Path: "system.webServer/handlers", Element: Element{Name: "handlers", Collection: &Collection{
			Remove: "remove", Clear: "clear", Add: Element{
				Name: "add",
				Attributes: []Attribute{
					{Name: "name", Type: String, Required: true, Key: true}, {Name: "modules", Type: String, Default: "StaticFileModule"},
					{Name: "allowPathInfo", Type: Bool, NoEffect: "there is no path info"},
				},
				Judge: func(attribute func(string) string) Judgement {
					switch attribute("modules") {
					case "StaticFileModule":
						return Judgement{}
					case "FastCgiModule":
						return Judgement{Feature: "fastcgi"}
					case "ManagedModule":
						return Judgement{NoEffect: "it is of the .NET Framework"}
					}
					return Judgement{Unsupported: "no such program here"}
				},
			},
		}}},
		Section{Path: "system.webServer/idle", Element: Element{
			Name: "idle", NoEffect: "nothing reads it", Attributes: []Attribute{{Name: "on", Type: Bool}},
			Elements: []Element{{Name: "inner", Attributes: []Attribute{{Name: "n", Type: Uint}}}},
		}})
	s, err := NewSchema(sections, []Known{
		{Path: "system.web", Ignored: true, Reason: "it is of .NET"},
		{Path: "system.webServer/rewrite", Feature: "url-rewrite", Title: "URL Rewrite"},
		{Path: "system.webServer/asp", Feature: "asp", Title: "ASP", Reason: "ASP needs Windows"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// findings lists findings as "line kind name verdict: reason".
func findings(found []Finding) string {
	var lines []string
	for _, f := range found {
		line := fmt.Sprintf("%d %s %s %s", f.Pos.Line, f.Kind, strings.ReplaceAll(f.Name, "system.webServer/", ""), f.Verdict)
		if f.Feature != "" {
			line += " [" + f.Feature + "]"
		}
		if f.Reason != "" {
			line += ": " + f.Reason
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestInspect(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": "\n" + `<configSections><section name="mine"/></configSections>
<system.web secret="1"><x/></system.web><mine/>
<system.webServer>
<webSocket enabled="x"/>
<staticContent><mimeMap fileExtension=".a" mimeType="a/b"/><mimeMap fileExtension=".a" mimeType="a/c"/><remove fileExtension=".b"/><clear/></staticContent>
<rewrite><rules/></rewrite><asp/>
<handlers><add name="a"/><add name="b" modules="FastCgiModule"/>
<add name="c" modules="ManagedModule"/><add name="d" modules="iisnode"/>
<add name="e" allowPathInfo="true"/></handlers>
<idle on="true"><inner n="1"/></idle>
<open any="1" lockItem="true"/>
<defaultDocument><files mergeAppend="false"/><nope/></defaultDocument>
<handlers/>
</system.webServer>
<location path="/bad"><system.webServer><webSocket/></system.webServer></location>
<location path="sub" overrideMode="Deny"><system.webServer><open known="5"/></system.webServer></location>`})
	got := findings(Inspect(filepath.Join(w.home, "root/web.config"), judgedSchema(t)))
	want := strings.TrimSpace(`
2 element configSections honoured
3 section system.web ignored: it is of .NET
3 section mine ignored: it is declared in configSections, for the application
5 section webSocket honoured
5 attribute webSocket/@enabled fault: enabled="x": must be true or false
6 section staticContent honoured
6 element staticContent/mimeMap honoured
6 attribute staticContent/mimeMap/@fileExtension honoured
6 attribute staticContent/mimeMap/@mimeType honoured
6 element staticContent/mimeMap fault: <mimeMap> with fileExtension=".a" is already in the collection, from FILE:6:16
6 element staticContent/remove honoured
6 attribute staticContent/remove/@fileExtension honoured
6 element staticContent/clear honoured
7 section rewrite needs-feature [url-rewrite]: URL Rewrite
7 section asp unsupported [asp]: ASP needs Windows
8 section handlers honoured
8 element handlers/add honoured
8 attribute handlers/add/@name honoured
8 element handlers/add honoured [fastcgi]
8 attribute handlers/add/@name honoured
8 attribute handlers/add/@modules honoured
9 element handlers/add no-effect: it is of the .NET Framework
9 attribute handlers/add/@name no-effect: it is of the .NET Framework
9 attribute handlers/add/@modules no-effect: it is of the .NET Framework
9 element handlers/add unsupported: no such program here
9 attribute handlers/add/@name unsupported: no such program here
9 attribute handlers/add/@modules unsupported: no such program here
10 element handlers/add honoured
10 attribute handlers/add/@name honoured
10 attribute handlers/add/@allowPathInfo no-effect: there is no path info
11 section idle no-effect: nothing reads it
11 attribute idle/@on no-effect: nothing reads it
11 element idle/inner no-effect: nothing reads it
11 attribute idle/inner/@n no-effect: nothing reads it
12 section open honoured
12 attribute open/@any honoured
12 attribute open/@lockItem honoured
13 section defaultDocument honoured
13 element defaultDocument/files honoured
13 attribute defaultDocument/files/@mergeAppend honoured
13 element defaultDocument/nope fault: <defaultDocument> has no element <nope>
14 section handlers fault: section "system.webServer/handlers" appears twice at the level of this file, first in line 8
16 location location honoured
16 attribute location/@path fault: the path "/bad" of the location tag begins with "/"
17 location location honoured
17 attribute location/@path honoured
17 attribute location/@overrideMode honoured
17 section open honoured
17 attribute open/@known honoured`)
	got = strings.ReplaceAll(got, filepath.Join(w.home, "root/web.config"), "FILE")
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Every fault that CheckFile tells is a finding, but for sections that are only known, and nothing else is a fault.
func TestInspectTellsEveryFault(t *testing.T) {
	many := strings.Repeat("<nope/>", maxFaults+10)
	for name, body := range map[string]string{
		"torn":     "raw:<configuration><system.webServer>",
		"root":     "raw:<other/>",
		"text":     "text " + ws(`<webSocket enabled="q"/>text<open known="x"/>`),
		"repeated": ws(`<open/>`) + ws(`<open/>`) + at("a", "", "<open/><open/>"),
		"include":  ws(`<open configSource="nowhere.config"/>`),
		"required": ws(`<httpErrors><error/><error statusCode="1" path=""/></httpErrors>`),
		"locked":   ws(`<staticContent isDocFooterFileName="true"/><globalModules/>`),
		"many":     ws(many),
		"attrs":    ws(`<security a="1"><access sslFlags="Nope" apiKey="bad-secret"/></security>`),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"root/web.config": body})
			file := filepath.Join(w.home, "root/web.config")
			want := map[string]int{}
			for _, e := range CheckFile(file, judgedSchema(t)) {
				want[e.Error()]++
			}
			found := Inspect(file, judgedSchema(t))
			if text := findings(found); strings.Contains(text, "bad-secret") {
				t.Errorf("a secret is told: %s", text)
			}
			for _, f := range found {
				if f.Fault != nil {
					want[f.Fault.Error()]--
				}
				if f.Verdict == Faulty && f.Fault == nil && name != "many" {
					t.Errorf("a fault without error: %s %s", f.Name, f.Reason)
				}
			}
			for message, n := range want {
				if n != 0 {
					t.Errorf("%+d: %s", -n, message)
				}
			}
			if len(want) == 0 {
				t.Error("there is no fault")
			}
		})
	}
}

func TestInspectInATree(t *testing.T) {
	w := newWorld(t, map[string]string{
		"apphost":            ws(`<staticContent><mimeMap fileExtension=".a" mimeType="a/b"/></staticContent>`),
		"features/x.config":  ws(`<staticContent><mimeMap fileExtension=".x" mimeType="a/b"/></staticContent>`),
		"root/web.config":    ws(`<staticContent><mimeMap fileExtension=".r" mimeType="a/b"/></staticContent>`),
		"root/k/web.config":  ws(`<staticContent><mimeMap fileExtension=".r" mimeType="a/b"/></staticContent><webSocket/>`),
		"other/web.config":   ws(`<staticContent><mimeMap fileExtension=".y" mimeType="a/b"/></staticContent>`) + at("p/q", "", `<staticContent><mimeMap fileExtension=".a" mimeType="a/b"/></staticContent>`),
		"other/k/web.config": ws(`<staticContent><mimeMap fileExtension=".y" mimeType="a/b"/></staticContent>`),
	})
	o := w.open().o
	o.Instead = map[string][]byte{filepath.Join(o.DropInDir, "y.config"): []byte(`<configuration><system.webServer><defaultDocument><files><add value="y"/></files></defaultDocument></system.webServer></configuration>`)}
	tree, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	faults := func(root, name string) string {
		var lines []string
		for _, f := range tree.Inspect(filepath.Join(w.home, root), filepath.Join(w.home, name)) {
			if f.Verdict == Faulty {
				lines = append(lines, fmt.Sprintf("%s %#x", f.Name, f.Fault.HResult))
			}
		}
		return strings.Join(lines, ", ")
	}
	if got := faults("root", "root/web.config"); got != "" {
		t.Errorf("root: %s", got)
	}
	want := "system.webServer/staticContent/mimeMap 0x800700b7, system.webServer/webSocket 0x80070021"
	if got := faults("root/k", "root/k/web.config"); got != want {
		t.Errorf("below the root of a declared site: %q, want %q", got, want)
	}
	want = "system.webServer/staticContent/mimeMap 0x800700b7"
	if got := faults("other", "other/web.config"); got != want {
		t.Errorf("a location tag of a folder that is no site: %q, want %q", got, want)
	}
	if got := faults("other", "other/k/web.config"); got != want {
		t.Errorf("below it: %q, want %q", got, want)
	}
	e, err := tree.Server()
	if err != nil || !e.Has("system.webServer/staticContent", ".x") || e.state("system.webServer/defaultDocument").root.kids[0].items[0].at.pos().File != filepath.Join(o.DropInDir, "y.config") {
		t.Errorf("the overlay and the disk do not both count: %v", err)
	}
}

func TestWebConfigs(t *testing.T) {
	w := newWorld(t, map[string]string{
		"root/web.config": "", "root/b/Web.config": "", "root/b/c/web.config": "", "root/.well-known/web.config": "", "root/a/web.config": "", "root/a/Web.config": "",
		"root/node_modules/x/web.config": "", "root/a/.git/web.config": "", "root/web.config.bak": "",
	})
	dir := filepath.Join(w.home, "root")
	l := WebConfigs(dir)
	rel := func(names []string) string {
		var out []string
		for _, n := range names {
			r, _ := filepath.Rel(dir, n)
			out = append(out, r)
		}
		return strings.Join(out, " ")
	}
	if got, want := rel(l.Files), "web.config .well-known/web.config a/web.config b/Web.config b/c/web.config"; got != want {
		t.Errorf("files %s, want %s", got, want)
	}
	slices.Sort(l.Skipped)
	if got, want := rel(l.Skipped), "a/.git node_modules"; got != want {
		t.Errorf("skipped %s, want %s", got, want)
	}
	if l := WebConfigs(filepath.Join(dir, "node_modules")); len(l.Files) != 1 {
		t.Errorf("a folder of a tool that is named: %v", l)
	}
	if l := WebConfigs(filepath.Join(dir, "none")); len(l.Errors) != 1 || l.Errors[0].HResult != HResultNotFound {
		t.Errorf("no folder: %v", l)
	}
}

func FuzzInspect(f *testing.F) {
	for _, s := range []string{`<configuration/>`, `<configuration><system.webServer><handlers><add name="x" modules="y"/></handlers></system.webServer></configuration>`,
		`<configuration><location path="a"><system.webServer><asp/><open configSource="x"/></system.webServer></location></configuration>`} {
		f.Add(s)
	}
	schema := judgedSchema(f)
	f.Fuzz(func(t *testing.T, src string) {
		file := filepath.Join(t.TempDir(), "web.config")
		if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		faults := 0
		for i, fd := range Inspect(file, schema) {
			if fd.Parent >= i || fd.Verdict == "" || fd.Verdict != Honoured && fd.Reason == "" {
				t.Errorf("%+v", fd)
			}
			if fd.Fault != nil {
				faults++
			}
		}
		if errs := CheckFile(file, schema); faults > len(errs) {
			t.Errorf("%d faults, %d errors", faults, len(errs))
		}
	})
}
