package config

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestKnownThatChangesNothing holds that a known section is accepted where its Judge says so of it, and refused elsewhere.
func TestKnownThatChangesNothing(t *testing.T) {
	schema, err := NewSchema(append(CoreSections(), testSections()...), []Known{{
		Path: "system.webServer/doors/front", Feature: "doors", Title: "Doors", Reason: "there is no wall",
		Judge: func(attribute func(string) string) Judgement {
			if attribute("open") == "true" {
				return Judgement{NoEffect: "it is open anyway"}
			}
			return Judgement{Unsupported: "never asked for"}
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ front, want string }{
		{`<front open="true"/>`, "no-effect: it is open anyway"},
		{`<front open="true" colour="red"><bell/></front>`, "no-effect: it is open anyway"},
		{`<front open="false"/>`, "unsupported [doors]: there is no wall"},
		{`<front/>`, "unsupported [doors]: there is no wall"},
	} {
		for _, text := range []string{ws(`<doors>` + c.front + `</doors>`), at("sub", "", `<doors>`+c.front+`</doors>`)} {
			w := newWorld(t, map[string]string{"root/web.config": text})
			tree, err := Open(Options{AppHost: filepath.Join(w.home, "apphost"), BaseDir: w.home, Schema: schema})
			if err != nil {
				t.Fatal(err)
			}
			_, err = tree.Effective("Site", "/sub/")
			if refused := strings.HasPrefix(c.want, "unsupported"); refused != (err != nil) || refused != (len(tree.CheckSite("Site")) > 0) {
				t.Errorf("%s: %v", text, err)
			}
			name := filepath.Join(w.home, "root/web.config")
			for _, found := range [][]Finding{Inspect(name, schema), tree.Inspect(filepath.Join(w.home, "root"), name)} {
				if got := findings(found); !strings.HasSuffix(got, " section doors/front "+c.want) {
					t.Errorf("%s: %s", text, got)
				}
			}
		}
	}
}

// TestStockLogFile reads what every applicationHost.config since IIS 8.5 says of the logs.
func TestStockLogFile(t *testing.T) {
	w := newWorld(t, nil)
	for value, faults := range map[string]int{"File": 0, "File,ETW": 0, "Printer": 1} {
		w.write("apphost", `<system.applicationHost><sites><siteDefaults><logFile logFormat="W3C" directory="logs" logTargetW3C="`+value+
			`"/></siteDefaults></sites></system.applicationHost>`)
		if errs := CheckFile(filepath.Join(w.home, "apphost"), testSchema(t)); len(errs) != faults {
			t.Errorf("%s: %v", value, errs)
		}
	}
}
