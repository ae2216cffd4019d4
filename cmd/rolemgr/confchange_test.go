package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/config/edit"
)

func TestReplaceConfigKeepsModeOwnerAndLink(t *testing.T) {
	dir := t.TempDir()
	name, link := filepath.Join(dir, "web.config"), filepath.Join(dir, "link")
	if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(name, link); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o464); err != nil {
		t.Fatal(err)
	}
	uid := os.Getuid()
	if uid == 0 {
		uid = 65534
		if err := os.Chown(name, uid, uid); err != nil {
			t.Fatal(err)
		}
	}
	real, err := realName(link)
	if err != nil || real != name {
		t.Fatalf("the file behind the link: %q, %v", real, err)
	}
	if err := replaceConfig(real, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(name)
	if err != nil || info.Mode() != 0o464 || int(info.Sys().(*syscall.Stat_t).Uid) != uid {
		t.Errorf("%v, %v", info, err)
	}
	if text, err := os.ReadFile(link); err != nil || string(text) != "new" {
		t.Errorf("%q, %v", text, err)
	}
	if to, err := os.Readlink(link); err != nil || to != name {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestFileThatSomebodyChangedIsNotReplaced(t *testing.T) {
	e, home, _, _ := newTestEnv(t)
	c := &cli{env: e, home: home}
	name := filepath.Join(t.TempDir(), "web.config")
	for _, tt := range []struct {
		name   string
		before []byte
		disk   string // "" for no file
		want   string
	}{
		{"changed", []byte("<a/>"), "<a b='1'/>", "was changed by somebody else"},
		{"gone", []byte("<a/>"), "", "was changed by somebody else"},
		{"made meanwhile", nil, "<a/>", "was changed by somebody else"},
		{"as it was", []byte("<a/>"), "<a/>", ""},
		{"still none", nil, "", ""},
	} {
		_ = os.Remove(name)
		if tt.disk != "" {
			if err := os.WriteFile(name, []byte(tt.disk), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		err := c.commitConfig(context.Background(), &confTree{}, &confEdit{place: confPlace{file: name}, before: tt.before}, []byte("<new/>"), confResult{})
		text, _ := os.ReadFile(name)
		switch {
		case tt.want == "" && (err != nil || string(text) != "<new/>"):
			t.Errorf("%s: %q, %v", tt.name, text, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || string(text) != tt.disk):
			t.Errorf("%s: %q, %v", tt.name, text, err)
		}
	}
}

func TestDiffLines(t *testing.T) {
	schema, err := config.NewSchema(config.CoreSections(), []config.Known{{Path: "connectionStrings", Ignored: true}})
	if err != nil {
		t.Fatal(err)
	}
	before := "\xef\xbb\xbf<configuration>\r\n <!-- a -->\r\n <connectionStrings><add s=\"hunter2\"/></connectionStrings>\r\n <!-- b -->\r\n</configuration>\r\n"
	after := strings.Replace(strings.Replace(before, "<!-- a -->", "<!-- A -->", 1), "hunter2", "hunter3", 1)
	var text strings.Builder
	writeDiff(&text, "web.config", false, diffLines([]byte(before), []byte(after), schema))
	want := `web.config
  -    2 |  <!-- a -->
  -    3 |  <connectionStrings…
  +    2 |  <!-- A -->
  +    3 |  <connectionStrings…
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
	if lines := diffLines(nil, edit.Empty().Bytes(), schema); len(lines) != 3 || lines[2].Line != 3 {
		t.Errorf("a new file: %+v", lines)
	}
	if lines := diffLines([]byte("<configuration>\n<!--x--><!--y-->\n</configuration>"), []byte("<configuration>\n<!--y-->\n<!--z-->\n</configuration>"), schema); len(lines) != 3 {
		t.Errorf("%+v", lines)
	}
}

func TestSegments(t *testing.T) {
	tests := map[string]string{
		"a":                    "a",
		"a/b/@c":               "a|b|@c",
		"a/b[x=/y/z]/c":        "a|b[x=/y/z]|c",
		"a/b[x='it]s/',y=1]":   "a|b[x='it]s/',y=1]",
		"":                     "!",
		"/a":                   "!",
		"a//b":                 "!",
		"a/":                   "!",
		"a[b":                  "!",
		"a[b='c]":              "!",
		`s/m[n="a,b=c",o=d]/e`: `s|m[n="a,b=c",o=d]|e`,
	}
	for in, want := range tests {
		got, err := segments(in)
		if err != nil {
			got = []string{"!"}
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	keys, err := splitKeys(`n="a,b=c",o=d,p=`)
	if err != nil || len(keys) != 3 || keys[0].value != "a,b=c" || keys[1] != (assignment{"o", "d"}) || keys[2] != (assignment{"p", ""}) {
		t.Errorf("%+v, %v", keys, err)
	}
	for _, bad := range []string{"a", "a='b", "=b,c"} {
		if keys, err := splitKeys(bad); err == nil {
			t.Errorf("%q: %+v", bad, keys)
		}
	}
}

func TestLockNamesNoValues(t *testing.T) {
	for line, want := range map[string]string{
		"rolemgr config set a/b password=hunter2 x": "rolemgr config set a/b password=...",
		"rolemgr config set --site=1 a p=hunter 2":  "rolemgr config set --site=1 a p=...",
		"rolemgr site add ./dist --port 8081":       "rolemgr site add ./dist --port 8081",
	} {
		if got := withoutValues(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func FuzzConfPath(f *testing.F) {
	schema, err := config.NewSchema(config.CoreSections(), nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range []string{"sites", "sites/site[name=a]/@id", "system.applicationHost/sites/siteDefaults/limits", "modules/add[name='a/b,c']", "x[", "sites/site[name", "log/@x"} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		s := confTree{options: config.Options{Schema: schema}}
		p, err := s.path(path)
		if err != nil {
			return
		}
		if _, ok := schema.Declaration(p.section); !ok || p.element.Name == "" {
			t.Fatalf("%q: %+v", path, p)
		}
		if err := edit.Empty().Ensure(p.in(edit.Empty(), "")); err != nil && !strings.Contains(err.Error(), "the value") {
			t.Fatalf("%q cannot be written: %v", path, err)
		}
	})
}
