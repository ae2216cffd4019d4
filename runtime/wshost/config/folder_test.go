package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// settled looks at a URL until what is found there may be remembered.
func settled(t *testing.T, tree *Tree, url string) {
	t.Helper()
	for start := time.Now(); time.Since(start) < 2*settleTime; {
		effective(t, tree, url)
	}
}

// TestRememberedFoldersHideNothing changes folders that are known to have no file, in every way a file can come.
func TestRememberedFoldersHideNothing(t *testing.T) {
	for name, c := range map[string]func(t *testing.T, home string){
		"written":       func(t *testing.T, home string) { put(t, home+"/root/a/web.config") },
		"in other case": func(t *testing.T, home string) { put(t, home+"/root/a/Web.config") },
		"renamed to":    func(t *testing.T, home string) { put(t, home+"/x"); move(t, home+"/x", home+"/root/a/web.config") },
		"link's target": func(t *testing.T, home string) { put(t, home+"/target") },
		"folder's place": func(t *testing.T, home string) {
			put(t, home+"/b/web.config")
			move(t, home+"/root/a", home+"/old")
			move(t, home+"/b", home+"/root/a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, map[string]string{"root/web.config": ws(add("root")), "root/a/x.txt": ""})
			if name == "link's target" {
				if err := os.Symlink(w.home+"/target", w.home+"/root/a/web.config"); err != nil {
					t.Fatal(err)
				}
			}
			tree := w.open()
			settled(t, tree, "/a/x.txt")
			if got := docs(t, effective(t, tree, "/a/x.txt")); got != "root" {
				t.Fatalf("%q before", got)
			}
			c(t, w.home)
			if got := docs(t, effective(t, tree, "/a/x.txt")); got != "new root" {
				t.Errorf("%q after", got)
			}
		})
	}
}

func put(t *testing.T, file string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("<configuration>"+ws(add("new"))+"</configuration>"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func move(t *testing.T, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// TestFileGoesAndComes takes a file away from a folder that is known to have one.
func TestFileGoesAndComes(t *testing.T) {
	w := newWorld(t, map[string]string{"root/a/web.config": ws(add("a"))})
	tree := w.open()
	settled(t, tree, "/a")
	for range 2 {
		if err := os.Remove(filepath.Join(w.home, "root/a/web.config")); err != nil {
			t.Fatal(err)
		}
		if got := docs(t, effective(t, tree, "/a")); got != "" {
			t.Errorf("taken away: %q", got)
		}
		w.write("root/a/web.config", ws(add("a")))
		if got := docs(t, effective(t, tree, "/a")); got != "a" {
			t.Errorf("put back: %q", got)
		}
	}
}

func TestRememberedFoldersAreBounded(t *testing.T) {
	var f folders
	for i := range 2*maxFolders + 10 {
		f.put(fmt.Sprint(i), &folderNote{file: "x"})
	}
	n := 0
	f.m.Range(func(any, any) bool { n++; return true })
	if n > maxFolders {
		t.Errorf("%d folders are remembered", n)
	}
}

// TestPlace sees what the walk tells of the path itself.
func TestPlace(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("root")), "root/a/x.txt": "raw:12345"})
	tree := w.open()
	for url, want := range map[string]struct {
		name    string
		regular bool
		size    int64
	}{
		"/a/x.txt": {"root/a/x.txt", true, 5},
		"/a":       {"root/a", false, -1},
		"/missing": {"root/missing", false, 0},
	} {
		_, p, err := tree.EffectiveAt("Site", url, nil)
		if err != nil || p.Physical != filepath.Join(w.home, want.name) || p.State.Regular() != want.regular || want.size >= 0 && p.State.Size() != want.size {
			t.Errorf("%s: %+v, %v", url, p, err)
		}
	}
}

// TestNoPlaceBelowAFile sees that a path which leads through a file is no place.
func TestNoPlaceBelowAFile(t *testing.T) {
	tree := newWorld(t, map[string]string{"root/a/x.txt": "raw:12345"}).open()
	if _, p, err := tree.EffectiveAt("Site", "/a/x.txt/y", nil); err != nil || p != (Place{}) {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestTrail sees that a request looks at the root of its site once, and the next request again.
func TestTrail(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("old")), "root/a/web.config": ws(add("a"))})
	tree := w.open()
	trail := new(Trail)
	at := func(url string, trail *Trail) string {
		e, _, err := tree.EffectiveAt("Site", url, trail)
		if err != nil {
			t.Fatal(err)
		}
		return docs(t, e)
	}
	if got := at("/x", trail); got != "old" {
		t.Errorf("%q", got)
	}
	if got := at("/a", trail); got != "a old" {
		t.Errorf("%q", got)
	}
	w.write("root/web.config", ws(add("newer")))
	if got := at("/a", new(Trail)); got != "a newer" {
		t.Errorf("the next request: %q", got)
	}
}
