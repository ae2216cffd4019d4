package config

import (
	"path/filepath"
	"slices"
	"testing"
)

func TestMergeOrder(t *testing.T) {
	w := newWorld(t, map[string]string{
		"features/a.config":   ws(add("dropin")),
		"apphost":             ws(add("host")) + at("Site", "", add("loc-site")) + at("Site/a/b", "", add("loc-ab")),
		"root/web.config":     ws(add("root")) + at("a/b", "", add("rootloc-ab")) + at("a", "", add("rootloc-a")),
		"root/a/web.config":   ws(add("a")),
		"root/a/b/web.config": ws(add("b")),
	})
	tree := w.open()
	for url, want := range map[string]string{
		"/":                 "root loc-site host dropin",
		"/x/y/z":            "root loc-site host dropin",
		"/a":                "a rootloc-a root loc-site host dropin",
		"/A":                "rootloc-a root loc-site host dropin",
		"/a/":               "a rootloc-a root loc-site host dropin",
		"/a/file.htm":       "a rootloc-a root loc-site host dropin",
		"/a/b/c":            "b rootloc-ab loc-ab a rootloc-a root loc-site host dropin",
		"/x/../a/./b":       "b rootloc-ab loc-ab a rootloc-a root loc-site host dropin",
		`/a\b`:              "b rootloc-ab loc-ab a rootloc-a root loc-site host dropin",
		"/../../a/b/../../": "root loc-site host dropin",
	} {
		e, err := tree.Effective("Site", url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if got := docs(t, e); got != want {
			t.Errorf("%s: %q, want %q", url, got, want)
		}
	}
	if len(tree.Sites()) != 1 {
		t.Errorf("sites: %v", tree.Sites())
	}
}

func TestKnownGroupWithUsableSection(t *testing.T) {
	used := Section{Path: "system.webServer/rewrite/rules", Element: Element{Name: "rules"}}
	s, err := NewSchema([]Section{used}, []Known{
		{Path: "system.webServer/rewrite", Feature: "url-rewrite"},
		{Path: "system.webServer/other/deep", Ignored: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		"<rewrite><rules/></rewrite>":      "",
		"<rewrite><maps x='1'/></rewrite>": "url-rewrite",
		"<other><deep x='1'/></other>":     "",
	} {
		doc, fault := parse("web.config", []byte("<configuration>"+ws(body)+"</configuration>"), s)
		if fault != nil {
			t.Fatal(fault)
		}
		got := ""
		for _, u := range bind(doc, false, false, nil).uses {
			if u.fault != nil {
				got += u.fault.Feature
			}
		}
		if got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestCollectionOfDuplicates(t *testing.T) {
	list := Element{Name: "list", Collection: &Collection{AllowDuplicates: true, Remove: "remove",
		Add: Element{Name: "add", Attributes: []Attribute{{Name: "k", Type: String, Key: true}}}}}
	s, err := NewSchema([]Section{{Path: "list", Element: list}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]int{
		"<list><add k='a'/><add k='a'/><add k='b'/></list>":                3,
		"<list><add k='a'/><add k='a'/><add k='b'/><remove k='A'/></list>": 1,
		"<list><add k='a'/><remove k='a'/><add k='a'/><add k='a'/></list>": 2,
	} {
		doc, fault := parse("f", []byte("<configuration>"+body+"</configuration>"), s)
		if fault != nil {
			t.Fatal(fault)
		}
		m := &merger{sec: s.sections[0]}
		e := m.element(nil, &s.sections[0].root, doc.root.kids[0])
		if len(m.errs) > 0 || len(e.items) != want {
			t.Errorf("%s: %d entries, %v", body, len(e.items), m.errs)
		}
	}
}

// TestRepeatedEntries: what a person writes again must agree with the drop-in in everything.
func TestRepeatedEntries(t *testing.T) {
	inner := Element{Name: "part", Attributes: []Attribute{{Name: "v", Type: Int, Default: "3"}}}
	list := Element{Name: "list", Collection: &Collection{Remove: "remove", Add: Element{
		Name: "add", AllowUnrecognizedAttributes: true, Attributes: []Attribute{{Name: "k", Type: String, Key: true}}, Elements: []Element{inner},
		Collection: &Collection{Add: Element{Name: "sub", Attributes: []Attribute{{Name: "k", Type: String, Key: true}}}}}}}
	s, err := NewSchema([]Section{{Path: "list", Element: list}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for again, want := range map[string]bool{
		`<add k="A" x="1"><part v="03"/><sub k="s"/></add>`:      true,
		`<add k="a" x="1"><sub k="s"/><part/></add>`:             true,
		`<add k="a" x="2"><part/><sub k="s"/></add>`:             false,
		`<add k="a"><part/><sub k="s"/></add>`:                   false,
		`<add k="a" x="1"><sub k="s"/></add>`:                    false,
		`<add k="a" x="1"><part v="4"/><sub k="s"/></add>`:       false,
		`<add k="a" x="1"><part/><sub k="t"/></add>`:             false,
		`<add k="a" x="1"><part/><sub k="s"/><sub k="t"/></add>`: false,
		`<remove k="a"/><add k="a" x="2"/>`:                      true,
	} {
		var state *element
		var errs []*Error
		for i, body := range []string{`<add k="a" x="1"><part/><sub k="s"/></add>`, again} {
			doc, fault := parse("f", []byte("<configuration><list>"+body+"</list></configuration>"), s)
			if fault != nil {
				t.Fatal(fault)
			}
			m := &merger{sec: s.sections[0], dropIn: i == 0}
			state = m.element(state, &s.sections[0].root, doc.root.kids[0])
			errs = append(errs, m.errs...)
		}
		if (len(errs) == 0) != want {
			t.Errorf("%s: %v", again, errs)
		}
	}
}

func TestErrorStrings(t *testing.T) {
	for want, e := range map[string]*Error{
		"m":        {Message: "m"},
		"f: m":     {Pos: Pos{File: "f"}, Message: "m"},
		"f:2: m":   {Pos: Pos{File: "f", Line: 2}, Message: "m"},
		"f:2:3: m": {Pos: Pos{File: "f", Line: 2, Column: 3}, Message: "m"},
	} {
		if e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
	}
}

// What a feature adds to a list whose new entries come first stands before what the core has, whatever its name.
func TestCoreDropInComesFirst(t *testing.T) {
	w := newWorld(t, map[string]string{"apphost": "", "features/a.config": "", "features/web-server-core.config": "", "features/z.config": ""})
	names, err := w.open().dropIns()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range names {
		got = append(got, filepath.Base(n))
	}
	if want := []string{"web-server-core.config", "a.config", "z.config"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
