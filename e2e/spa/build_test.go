//go:build e2e

package spa

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// app is one of the applications, with what its web.config is meant to bring about.
type app struct {
	name   string
	script string // of package.json; "" for build:NAME
	source string // folder of the sources; "" for NAME
	dist   string // what is served
	title  string
}

func (a app) scriptName() string {
	if a.script != "" {
		return a.script
	}
	return "build:" + a.name
}

func (a app) sources() string {
	if a.source != "" {
		return a.source
	}
	return a.name
}

var (
	react   = app{name: "react", dist: "out/react", title: "React on rolemgr"}
	vue     = app{name: "vue", dist: "out/vue", title: "Vue on rolemgr"}
	angular = app{name: "angular", dist: "out/angular/browser", title: "Angular on rolemgr"}
	// portal is the application of Vue built for a path below another site.
	portal = app{name: "portal", source: "vue", dist: "out/portal", title: "Vue on rolemgr"}
)

// build makes the application unless what was made last time is of the same sources and packages.
func (a app) build(t *testing.T) (dist string) {
	t.Helper()
	if _, err := os.Stat("node_modules/.package-lock.json"); err != nil {
		t.Fatal("the npm packages of e2e/spa are missing; run \"make deps\"")
	}
	stamp, sum := filepath.Join("out", a.name+".sum"), a.sum(t)
	if was, err := os.ReadFile(stamp); err != nil || string(was) != sum {
		out, err := exec.Command("npm", "run", a.scriptName()).CombinedOutput()
		if err != nil {
			t.Fatalf("npm run %s: %v\n%s", a.scriptName(), err, out)
		}
		if err := os.WriteFile(stamp, []byte(sum), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dist, err := filepath.Abs(a.dist)
	if err != nil {
		t.Fatal(err)
	}
	return dist
}

// sum is the hash of all that the build is made from.
func (a app) sum(t *testing.T) string {
	t.Helper()
	h := sha256.New()
	add := func(path string) error {
		b, err := os.ReadFile(path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	}
	for _, path := range []string{"package.json", "package-lock.json"} {
		if err := add(path); err != nil {
			t.Fatal(err)
		}
	}
	err := filepath.WalkDir(a.sources(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return add(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x\n", h.Sum(nil))
}
