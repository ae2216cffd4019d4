package config

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestNode(t *testing.T) {
	w := newWorld(t, map[string]string{
		"apphost":         ws(`<staticContent><mimeMap fileExtension=".a" mimeType="x/a"/></staticContent><open known="4" other="five"/>`),
		"root/web.config": ws(`<staticContent><clientCache cacheControlMode="usemaxage"/></staticContent>`),
	})
	eff, err := w.open().Effective("Site", "/")
	if err != nil {
		t.Fatal(err)
	}
	n, ok := eff.Node("system.webServer/staticContent")
	if !ok || len(n.Elements()) != 1 || len(n.Entries()) != 1 {
		t.Fatalf("%+v", n)
	}
	mode := n.Elements()[0].Values()[0]
	if mode.Text != "UseMaxAge" || !mode.Set || !strings.HasSuffix(mode.Pos.File, "root/web.config") || mode.Pos.Line != 1 {
		t.Errorf("an attribute that is set: %+v", mode)
	}
	if age := n.Elements()[0].Values()[1]; age.Text != "1.00:00:00" || age.Set || age.Pos.File != "" {
		t.Errorf("an attribute that is not: %+v", age)
	}
	if pos, ok := n.Entries()[0].Written(); !ok || !strings.HasSuffix(pos.File, "apphost") {
		t.Errorf("an entry: %v %v", pos, ok)
	}
	if n, _ := eff.Node("system.webServer/open"); len(n.Values()) != 2 || n.Values()[1].Text != "five" {
		t.Errorf("unrecognised attributes: %+v", n.Values())
	}
	if n, _ := eff.Node("system.webServer/httpErrors"); len(n.Entries()) != 0 {
		t.Errorf("%+v", n.Entries())
	}
	if by, locked := eff.Locked("system.webServer/webSocket"); !locked || by.File != "" {
		t.Errorf("locked by default: %v %v", by, locked)
	}
	if _, ok := eff.Node("system.webServer/none"); ok {
		t.Error("a section that nobody declares")
	}
}

func TestInstead(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ""})
	tree := w.open()
	o := tree.o
	deep := filepath.Join(w.home, "root", "new", "web.config")
	o.Instead = map[string][]byte{
		o.AppHost: []byte("<configuration>" + sitesXML + ws(`<open known="4"/>`) + "</configuration>"),
		deep:      []byte(`<configuration><system.webServer><open known="5"/></system.webServer></configuration>`),
		filepath.Join(w.home, "root", "web.config"): []byte(`<configuration><system.webServer><open known="bad"/></system.webServer></configuration>`),
	}
	with, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if errs := with.CheckSite("Site"); len(errs) == 0 || !strings.Contains(errs[0].Message, "bad") {
		t.Errorf("faults %v; want that of the text in place of the file", errs)
	}
	delete(o.Instead, filepath.Join(w.home, "root", "web.config"))
	if with, err = Open(o); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time from the cache
		for url, want := range map[string]string{"/": "4", "/new/file.htm": "5"} {
			eff, err := with.Effective("Site", url)
			if err != nil {
				t.Fatal(err)
			}
			if n, _ := eff.Node("system.webServer/open"); n.Values()[0].Text != want {
				t.Errorf("%s: %q, want %q", url, n.Values()[0].Text, want)
			}
		}
	}
	if errs := with.CheckSite("Site"); len(errs) > 0 {
		t.Errorf("faults %v", errs)
	}
	if eff, _ := tree.Effective("Site", "/new/"); eff != nil {
		if n, _ := eff.Node("system.webServer/open"); n.Values()[0].Set {
			t.Error("the tree of the files on disk sees the texts")
		}
	}
}

func TestShownLines(t *testing.T) {
	src := "\xef\xbb\xbf<configuration>\r\n <!-- why -->\r\n <connectionStrings><add value=\"hunter2\"/></connectionStrings>\r\n" +
		" <system.webServer><security><access apiKey=\"hunter2\" sslFlags=\"Ssl\"/></security></system.webServer>\r\n</configuration>"
	lines := ShownLines([]byte(src), testSchema(t))
	text := strings.Join(lines, "\n")
	if len(lines) != 5 || strings.Contains(text, "hunter2") || !strings.Contains(text, `sslFlags="Ssl"`) || !strings.Contains(text, "why") {
		t.Errorf("%q", text)
	}
	if lines := ShownLines([]byte("<configuration><connectionStrings a='hunter2'"), testSchema(t)); lines != nil {
		t.Errorf("of a broken file: %q", lines)
	}
}

func TestAccepts(t *testing.T) {
	a := Attribute{Name: "n", Type: Uint, Check: IntegerRange(1, 5)}
	for value, ok := range map[string]bool{"0": false, "1": true, "5": true, "6": false, "x": false} {
		if err := a.Accepts(value); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}
