package target

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/apply"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
	"github.com/rolemgr/rolemgr/runtime/wshost"
)

func closing(n int, ids ...features.ID) plan.Plan {
	return plan.Plan{Cuts: n, Steps: []plan.Step{{Op: plan.Reload}, {Op: plan.CloseSockets, Units: ids}}}
}

func TestCutsAreCountedAgainUnderTheLock(t *testing.T) {
	unknown := errors.New("no answer")
	for _, tc := range []struct {
		name    string
		open    map[string]int
		err     error
		bound   int
		refused bool
	}{
		{name: "none open, none allowed", open: nil, bound: 0},
		{name: "as many as allowed", open: map[string]int{"one": 2, "two": 1}, bound: 3},
		{name: "one more than allowed", open: map[string]int{"one": 2, "two": 2}, bound: 3, refused: true},
		{name: "others do not count", open: map[string]int{"one": 1, "other": 9}, bound: 1},
		{name: "no bound", open: map[string]int{"one": 99}, bound: -1},
		{name: "unknown under a bound", err: unknown, bound: 5, refused: true},
		{name: "unknown without a bound", err: unknown, bound: -1},
		{name: "no host", err: wshost.ErrNotRunning, bound: 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, _ := newTestLocal(t, &fakeAdmin{status: wshost.Status{Sockets: tc.open}, err: tc.err}, nil)
			err := l.checkCuts(t.Context(), closing(0, "one", "two"), tc.bound)
			if (err != nil) != tc.refused {
				t.Fatalf("checkCuts = %v; want refused %v", err, tc.refused)
			}
			var cuts *TooManyCutsError
			if tc.refused && tc.err == nil && (!errors.As(err, &cuts) || cuts.Cuts != 4 || cuts.Max != tc.bound) {
				t.Errorf("checkCuts = %v; want a TooManyCutsError with 4 and %d", err, tc.bound)
			}
		})
	}
}

func TestApplyRefusesTooManyCutsUntouched(t *testing.T) {
	l, _ := newTestLocal(t, &fakeAdmin{err: wshost.ErrNotRunning}, nil)
	_, err := l.Apply(t.Context(), closing(2, "one"), ApplyOptions{MaxCut: 1})
	var cuts *TooManyCutsError
	if !errors.As(err, &cuts) {
		t.Fatalf("Apply = %v; want a TooManyCutsError", err)
	}
	if got, want := cuts.Error(), "2 live sockets would be closed, but at most 1 may be"; got != want {
		t.Errorf("message %q; want %q", got, want)
	}
	for _, name := range []string{"journal", "state.toml"} {
		if _, err := os.Lstat(filepath.Join(l.o.Home, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v; want nothing written", name, err)
		}
	}
}

func TestVerify(t *testing.T) {
	l, _ := newTestLocal(t, &fakeAdmin{err: wshost.ErrNotRunning}, nil)
	sum := sha256.Sum256([]byte("as recorded"))
	want := hex.EncodeToString(sum[:])
	text := factoryText[:len("schema = 1\n")] + "serial = 1\nlevel = \"8.0\"\nlast_transaction = \"t1\"\nwritten_by = \"test\"\nwritten = 2026-01-02T03:04:05Z\n" +
		"[[feature]]\nid = \"unknown-here\"\nreason = \"requested\"\nversion = \"test\"\ninstalled = 2026-01-02T03:04:05Z\n"
	for _, path := range []string{"a", "b", "c", "d"} {
		text += "[[feature.file]]\npath = \"" + path + "\"\nsha256 = \"" + want + "\"\n"
	}
	writeFile(t, l.o.Home, "state.toml", text)
	writeFile(t, l.o.Home, "a", "as recorded")
	writeFile(t, l.o.Home, "b", "as recorded, and more")
	if err := os.Symlink("a", filepath.Join(l.o.Home, "d")); err != nil {
		t.Fatal(err)
	}
	checks, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]FileState{}
	for _, c := range checks {
		got[c.Path] = c.State
	}
	// A link to a file with the same bytes is not the file that was put there.
	for path, state := range map[string]FileState{"a": FileOK, "b": FileChanged, "c": FileMissing, "d": FileChanged} {
		if got[path] != state {
			t.Errorf("%s is %q; want %q", path, got[path], state)
		}
	}
}

// An earlier version has installed the unit: what this one has otherwise is told, also a file that is new.
func TestVerifyTellsWhatIsOutdated(t *testing.T) {
	l, _ := newTestLocal(t, &fakeAdmin{err: wshost.ErrNotRunning}, nil)
	files := map[string]string{"same": "1", "other": "1", "gone": "1", "changed": "1"}
	text := factoryText[:len("schema = 1\n")] + "serial = 1\nlevel = \"8.0\"\nlast_transaction = \"t1\"\nwritten_by = \"test\"\nwritten = 2026-01-02T03:04:05Z\n" +
		"[[feature]]\nid = \"one\"\nreason = \"requested\"\nversion = \"0.9\"\ninstalled = 2026-01-02T03:04:05Z\n"
	path := func(name string) string { return dropIns + "/" + name + ".config" }
	for name, content := range files {
		sum := sha256.Sum256([]byte(content))
		text += "[[feature.file]]\npath = \"" + path(name) + "\"\nsha256 = \"" + hex.EncodeToString(sum[:]) + "\"\n"
		writeFile(t, l.o.Home, path(name), content)
	}
	writeFile(t, l.o.Home, path("changed"), "by hand")
	writeFile(t, l.o.Home, "state.toml", text)
	var err error
	l.o.Catalog, err = features.NewCatalog([]features.Unit{{ID: "one", Kind: features.Role, Title: "One", Doc: "One.", Assets: fstest.MapFS{
		path("same"): {Data: []byte("1")}, path("other"): {Data: []byte("2")}, path("changed"): {Data: []byte("2")}, path("new"): {Data: []byte("2")},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	checks, err := l.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]FileState{"same": FileOK, "other": FileOutdated, "gone": FileOutdated, "changed": FileChanged, "new": FileOutdated}
	if len(checks) != len(want) {
		t.Errorf("%v", checks)
	}
	for _, c := range checks {
		if name := strings.TrimSuffix(strings.TrimPrefix(c.Path, dropIns+"/"), ".config"); c.State != want[name] || c.Unit != "one" {
			t.Errorf("%s of %q is %q; want %q", c.Path, c.Unit, c.State, want[name])
		}
	}
}

func TestPlanSaysWhenTheSocketsAreUnknown(t *testing.T) {
	l, _ := newTestLocal(t, &fakeAdmin{err: errors.New("no answer")}, nil)
	_, diags, err := l.Plan(t.Context(), plan.Request{Wish: features.Wish{Install: []features.ID{"one"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range diags {
		if d.Code == SocketsUnknown {
			return
		}
	}
	t.Errorf("diagnostics %v; want a warning that the sockets are unknown", diags)
}

func TestWaitingForTheLockEndsWithTheContext(t *testing.T) {
	locked := &state.LockedError{PID: 1}
	calls := 0
	_, err := patiently(t.Context(), 5*lockSlice/2, func(time.Duration) (apply.Result, error) {
		calls++
		return apply.Result{}, locked
	})
	if calls != 3 || !errors.Is(err, error(locked)) {
		t.Errorf("%d attempts, error %v; want 3 and the locked error", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	_, err = patiently(ctx, time.Hour, func(time.Duration) (apply.Result, error) {
		calls++
		cancel()
		return apply.Result{}, locked
	})
	if calls != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d attempts, error %v; want 1 and the context's error", calls, err)
	}
}
