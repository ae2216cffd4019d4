package gateway

import (
	"slices"
	"strings"
	"testing"
)

func TestWindowsPaths(t *testing.T) {
	for p, want := range map[string][2]bool{ // is one of Windows, with a folder that cannot be here
		`C:\a`: {true, true}, "c:/a": {true, true}, `\\server\a`: {true, true}, "//server/a": {true, true}, `.\a`: {true, false}, "a.EXE": {true, false},
		"/a": {}, "a": {}, "": {}, ".exe": {true, false},
	} {
		if got := [2]bool{IsWindowsPath(p), AbsWindows(p)}; got != want {
			t.Errorf("%q: %v", p, got)
		}
	}
	for p, want := range map[string]string{`C:\php\PHP.exe`: "PHP", "a/b": "b", "C:x.exe": "x", ".exe": ".exe", "": ""} {
		if got := BaseName(p); got != want {
			t.Errorf("%q: %q", p, got)
		}
	}
	for base, want := range map[string]string{"Python": "python3 python", "py": "python3 python", "javaw": "java", "Node": "Node node", "php": "php"} {
		if got := strings.Join(Counterparts(base), " "); got != want {
			t.Errorf("%q: %s", base, got)
		}
	}
}

// TestBaseEnv: what the host has for itself is no program's, and another user has a home of its own.
func TestBaseEnv(t *testing.T) {
	for _, name := range []string{"GODEBUG", "ROLEMGR_HOME", "SECRET"} {
		t.Setenv(name, "x")
	}
	t.Setenv("HOME", "/root")
	t.Setenv("PATH", "/bin")
	own, other := BaseEnv(""), BaseEnv("www-data")
	if !slices.Contains(own, "HOME=/root") || !slices.Contains(own, "PATH=/bin") || !slices.Contains(other, "PATH=/bin") {
		t.Errorf("%q, %q", own, other)
	}
	for _, e := range append(own, other...) {
		if name, value, _ := strings.Cut(e, "="); value == "x" || OfUser(name) && slices.Contains(other, e) {
			t.Errorf("%s is handed over", e)
		}
	}
}
