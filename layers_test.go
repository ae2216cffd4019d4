package rolemgr_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// layers is the table of docs/architecture.md, section 2: a package may import only packages that stand above it.
func layers() []string {
	return []string{
		"internal/atomicfile",
		"internal/atomicfile/faultfs",
		"internal/diag",
		"internal/quietterm",
		"internal/devcert",
		"runtime/wshost/ws/frame",
		"runtime/wshost/ws/handshake",
		"runtime/wshost/ws/deflate",
		"runtime/wshost/ws/poller",
		"runtime/wshost/ws/xconnect",
		"runtime/wshost/ws",
		"runtime/wshost/ws/hub",
		"runtime/wshost/ws/conformance",
		"runtime/wshost/tunnel",
		"runtime/wshost/config",
		"runtime/wshost/config/edit",
		"runtime/wshost/module",
		"runtime/wshost/module/moduletest",
		"runtime/wshost/compress",
		"runtime/wshost/forward",
		"runtime/wshost/process",
		"runtime/wshost/fcgi",
		"runtime/wshost/gateway",
		"runtime/wshost",
		"features",
		"features/*",
		"features/all",
		"internal/state",
		"internal/plan",
		"internal/apply",
		"internal/target",
		"internal/remote",
		"wizard",
		".",
		"cmd/rolemgr",
		"e2e",
		"e2e/interop",
		"e2e/spa",
		"e2e/handover",
		"e2e/wizard",
		"features/all/gen",
	}
}

// layerOf returns the place of a folder in the table, -1 when it has none.
func layerOf(dir string) int {
	unit := -1
	for i, l := range layers() {
		if l == dir {
			return i
		}
		if l == "features/*" && strings.HasPrefix(dir, "features/") && strings.Count(dir, "/") == 1 {
			unit = i
		}
	}
	return unit
}

func TestLayers(t *testing.T) {
	h := loadHouse(t)
	edges := 0
	for _, s := range h.files {
		if strings.HasPrefix(s.dir, "bench") {
			continue
		}
		from := layerOf(s.dir)
		if from < 0 {
			t.Errorf("%s: folder %s is not in the table of docs/architecture.md", s.path, s.dir)
			continue
		}
		for _, imp := range s.imports() {
			if imp == s.dir {
				continue // an external test package
			}
			edges++
			if why := forbidden(s, from, imp); why != "" {
				t.Errorf("%s imports %s: %s", s.path, imp, why)
			}
		}
	}
	if edges < 20 {
		t.Fatalf("only %d imports between packages of ours were seen: the test looks in the wrong place", edges)
	}
}

// forbidden says why s may not import imp, "" when it may. Test files of a unit may use the host and the whole list:
// they are run, not imported.
func forbidden(s source, from int, imp string) string {
	to := layerOf(imp)
	inHost := strings.HasPrefix(s.dir, "runtime/")
	switch {
	case to < 0:
		return "it is not in the table"
	case inHost && (strings.HasPrefix(imp, "internal/") || strings.HasPrefix(imp, "features")):
		return "the host imports nothing of internal/ or features/"
	case to >= len(layers())-7 && imp != ".":
		return "nothing imports a program"
	case s.test:
		return ""
	case to == from:
		return "units do not import one another"
	case to > from:
		return "it stands below in the table"
	}
	return ""
}

func TestEngineDependsOnlyOnTheStandardLibrary(t *testing.T) {
	h := loadHouse(t)
	for _, s := range h.files {
		if s.test || !strings.HasPrefix(s.dir, "runtime/wshost/ws") {
			continue
		}
		for _, i := range s.file.Imports {
			p := strings.Trim(i.Path.Value, `"`)
			external := strings.Contains(strings.SplitN(p, "/", 2)[0], ".")
			if external && !strings.HasPrefix(p, modulePath+"/runtime/wshost/ws") && !strings.HasPrefix(p, "golang.org/x/sys/") {
				t.Errorf("%s imports %s: the engine is an ordinary library", s.path, p)
			}
		}
	}
}

func TestDependenciesHaveReasons(t *testing.T) {
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := os.ReadFile("docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	require := regexp.MustCompile(`(?m)^(?:require )?\t?([a-z0-9.-]+\.[a-z]+/\S+) v\S+$`)
	tool := regexp.MustCompile(`(?m)^(?:tool )?\t?([a-z0-9.-]+\.[a-z]+/\S+)$`)
	direct := require.FindAllStringSubmatch(string(mod), -1)
	if len(direct) < 4 || len(direct) > 12 {
		t.Errorf("go.mod has %d direct requirements; between 4 and 12 are expected", len(direct))
	}
	for _, m := range append(direct, tool.FindAllStringSubmatch(string(mod), -1)...) {
		line := regexp.MustCompile(`(?m)^.*` + regexp.QuoteMeta(m[1]) + `.*$`).FindString(string(reasons))
		if len(line) < len(m[1])+30 {
			t.Errorf("docs/dependencies.md gives no reason for %s", m[1])
		}
	}
}
