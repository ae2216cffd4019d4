package config

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestStockYields: an entry of a person takes the place of one that a drop-in brought along, and of no other.
func TestStockYields(t *testing.T) {
	static := func(inner string) string { return ws("<staticContent>" + inner + "</staticContent>") }
	mime := func(ext, typ string) string { return `<mimeMap fileExtension="` + ext + `" mimeType="` + typ + `"/>` }
	sections := testSections()
	for i := range sections {
		if c := sections[i].Element.Collection; c != nil && sections[i].Path == "system.webServer/staticContent" {
			c.StockYields = true
		}
	}
	schema, err := NewSchema(append(CoreSections(), sections...), nil)
	if err != nil {
		t.Fatal(err)
	}
	stock := static(mime(".a", "1") + mime(".b", "2"))
	for name, c := range map[string]struct {
		dropIn, second, host, site, below string
		want                              string // "" for a duplicate
		hresult                           uint32
	}{
		"a site's own":          {stock, "", "", static(mime(".A", "9")), "", "[{.b 2} {.A 9}]", 0},
		"the same again":        {stock, "", "", static(mime(".a", "1")), "", "[{.b 2} {.a 1}]", 0},
		"the server's own":      {stock, "", static(mime(".a", "9")), "", "", "[{.b 2} {.a 9}]", 0},
		"removed before":        {stock, "", "", static(`<remove fileExtension=".a"/>` + mime(".a", "9")), "", "[{.b 2} {.a 9}]", 0},
		"removed behind":        {stock, "", "", static(mime(".a", "9") + `<remove fileExtension=".a"/>`), "", "[{.b 2}]", 0},
		"cleared behind":        {stock, "", "", static(mime(".a", "9") + `<clear/>`), "", "[]", 0},
		"twice in one file":     {stock, "", "", static(mime(".a", "9") + mime(".a", "9")), "", "", HResultDuplicate},
		"not one of the server": {stock, "", static(mime(".c", "9")), static(mime(".c", "9")), "", "", HResultDuplicate},
		"not one that replaced": {stock, "", "", static(mime(".a", "9")), static(mime(".a", "8")), "", HResultDuplicate},
		"not one of a parent":   {stock, "", "", static(mime(".c", "9")), static(mime(".c", "8")), "", HResultDuplicate},
		"two drop-ins":          {stock, static(mime(".a", "9")), "", "", "", "", HResultDuplicate},
		"locked":                {static(`<mimeMap fileExtension=".a" mimeType="1" lockItem="true"/>`), "", "", static(mime(".a", "9")), "", "", HResultLocked},
	} {
		w := newWorld(t, map[string]string{"features/a.config": c.dropIn, "apphost": c.host})
		for file, body := range map[string]string{"features/b.config": c.second, "root/web.config": c.site, "root/sub/web.config": c.below} {
			if body != "" {
				w.write(file, body)
			}
		}
		tree, err := Open(Options{AppHost: filepath.Join(w.home, "apphost"), DropInDir: filepath.Join(w.home, "features"), BaseDir: w.home, Schema: schema})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		e, err := tree.Effective("Site", "/sub")
		if c.want == "" {
			if err == nil || asError(t, err).HResult != c.hresult {
				t.Errorf("%s: %v, want 0x%x", name, err, c.hresult)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := Decode[mimeMaps](e, "system.webServer/staticContent")
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(m.Items); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestWrittenByTheServer: which entries a person at the server has written, wherever the path that they are for.
func TestWrittenByTheServer(t *testing.T) {
	entry := func(sub int) string {
		return fmt.Sprintf(`<httpErrors><error statusCode="404" subStatusCode="%d" path="p"/></httpErrors>`, sub)
	}
	w := newWorld(t, map[string]string{
		"features/a.config": ws(entry(1)), "apphost": ws(entry(2)) + at("Site/sub", "", entry(3)),
		"root/web.config": ws(entry(4)) + at("sub", "", entry(5)), "root/sub/web.config": ws(`<httpErrors configSource="errors.config"/>`),
		"root/sub/errors.config": "raw:" + entry(6),
	})
	got, err := Decode[struct {
		Section bool `config:",server"`
		Entries []struct {
			Sub    int  `config:"subStatusCode"`
			Server bool `config:",server"`
		} `config:",collection"`
	}](effective(t, w.open(), "/sub"), "system.webServer/httpErrors")
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprint(*got); s != "{false [{1 true} {2 true} {4 false} {3 true} {5 false} {6 false}]}" {
		t.Error(s)
	}
	server, err := w.open().Server()
	if err != nil {
		t.Fatal(err)
	}
	type own struct {
		Server bool `config:",server"`
	}
	if got, err := Decode[own](server, "system.webServer/httpErrors"); err != nil || !got.Server {
		t.Errorf("%+v %v", got, err)
	}
	if got, err := Decode[own](server, "system.webServer/open"); err != nil || got.Server {
		t.Errorf("a section that nobody wrote: %+v %v", got, err)
	}
}
