package config

import "testing"

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
