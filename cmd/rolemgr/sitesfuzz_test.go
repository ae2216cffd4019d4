package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// FuzzReport holds what is said of a file to what the server does with it: every fault that a request below the file
// would meet is in the report, at the same place and in the same words, and no fault is made up. What is secret in the
// files of testdata/sites is in neither.
func FuzzReport(f *testing.F) {
	names, err := filepath.Glob("testdata/sites/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if strings.EqualFold(filepath.Base(file.Name), "web.config") {
				f.Add(file.Data)
			}
		}
	}
	e := newEnv()
	catalog, err := e.Catalog()
	if err != nil {
		f.Fatal(err)
	}
	home := f.TempDir()
	dir := filepath.Join(home, "site")
	for _, d := range []string{dir, filepath.Join(home, "config")} {
		if err := os.Mkdir(d, 0o755); err != nil {
			f.Fatal(err)
		}
	}
	site := (&siteFile{archive: &txtar.Archive{}}).hostConfig(home)
	if err := os.WriteFile(filepath.Join(home, "config", "applicationHost.config"), site, 0o644); err != nil {
		f.Fatal(err)
	}
	e.Getenv = func(name string) string { return map[string]string{"ROLEMGR_HOME": home}[name] }
	j, err := (&cli{env: e, home: home, cat: catalog}).newJudge(f.Context())
	if err != nil || j.tree == nil {
		f.Fatalf("%v, %v", j, err)
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		name := filepath.Join(dir, "web.config")
		if err := os.WriteFile(name, src, 0o644); err != nil {
			t.Fatal(err)
		}
		moved := bytes.Contains(src, []byte("<system.webServer")) // a secret may have come into a section of the server
		reported := map[string]bool{}
		for _, fd := range j.inspect(dir, name) {
			told := fmt.Sprint(fd)
			if fd.Fault != nil {
				told += fmt.Sprint(*fd.Fault)
			}
			if !moved && strings.Contains(told, "do-not-print-this") {
				t.Errorf("%s: a secret is in what is told: %s", fd.Pos, told)
			}
			switch {
			case fd.Fault != nil:
				reported[fd.Fault.Error()] = true
			case fd.Kind == config.OfSection && (fd.Verdict == config.Unsupported || fd.Verdict == config.NeedsFeature):
				reported[fd.Pos.String()] = true
			}
		}
		met := j.tree.CheckSite("Site")
		for _, e := range met {
			if !reported[e.Error()] && !reported[e.Pos.String()] {
				t.Errorf("the server refuses it and the report does not: %v", e)
			}
		}
		for told := range reported {
			if !slices.ContainsFunc(met, func(e *config.Error) bool { return told == e.Error() || told == e.Pos.String() }) && strings.Contains(told, ": ") {
				t.Errorf("the report has a fault that the server does not find: %s", told)
			}
		}
	})
}
