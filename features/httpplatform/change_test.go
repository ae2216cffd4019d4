package httpplatform

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestChanges(t *testing.T) {
	folder := site(t, "web.config", "a.js", "sub/b.js", "x[1].txt", "other.txt")
	s := &settings{folder: folder, watch: "*.js\x00sub/*.js\x00x[1].txt\x00" + filepath.Join(folder, "abs.txt") + "\x00"}
	var c changes
	now := time.Unix(1000, 0)
	stamp := time.Unix(2000, 0)
	look := func() string {
		now = now.Add(changeLook)
		return c.look(s, now)
	}
	touch := func(name string) {
		t.Helper()
		stamp = stamp.Add(time.Second)
		if err := os.Chtimes(filepath.Join(folder, name), stamp, stamp); err != nil {
			t.Fatal(err)
		}
	}
	put := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		touch(name)
	}
	const watched, touched = "a watched file has changed", "web.config was touched"
	for _, step := range []struct {
		what string
		do   func()
		want string
	}{
		{"the first look", func() {}, ""},
		{"nothing", func() {}, ""},
		{"a watched file", func() { touch("a.js") }, watched},
		{"in a folder", func() { put("sub/b.js", "new") }, watched},
		{"a new file", func() { put("c.js", "") }, watched},
		{"a file that goes", func() { _ = os.Remove(filepath.Join(folder, "c.js")) }, watched},
		{"a name with brackets", func() { touch("x[1].txt") }, watched},
		{"an absolute path", func() { put("abs.txt", "") }, watched},
		{"another file", func() { touch("other.txt") }, ""},
		{"a touched web.config", func() { touch("web.config") }, touched},
		{"once", func() {}, ""},
		{"a changed web.config", func() { put("web.config", "<configuration/>") }, ""}, // comes as other settings, or concerns nothing here
		{"no web.config", func() { _ = os.Remove(filepath.Join(folder, "web.config")) }, ""},
		{"it is back", func() { put("web.config", "<configuration/>") }, ""},
	} {
		step.do()
		if got := look(); got != step.want {
			t.Errorf("%s: %q, want %q", step.what, got, step.want)
		}
	}
	touch("a.js")
	if got := c.look(s, now.Add(changeLook-1)); got != "" {
		t.Errorf("looked again too early: %q", got)
	}
	if got := c.look(s, now.Add(changeLook)); got != watched {
		t.Errorf("not looked again: %q", got)
	}
}
