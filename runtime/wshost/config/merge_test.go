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
