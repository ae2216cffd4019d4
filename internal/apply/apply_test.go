package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/plan"
	"github.com/rolemgr/rolemgr/internal/state"
)

// fakeHost is a host that serves the drop-ins that were there at its last reload, and can be told to fail.
type fakeHost struct {
	home       string
	disk       atomicfile.FS
	failReload int // number of the reload that fails, from 1
	failProbe  features.ID
	failClose  bool
	reloads    int
	closed     int
	served     []string // drop-ins at the last reload that did not fail
	onProbe    func()
}

var errHost = errors.New("the host says no")

func (h *fakeHost) Reload(context.Context) error {
	h.reloads++
	if h.reloads == h.failReload {
		return errHost
	}
	h.served = nil
	entries, err := h.disk.ReadDir(filepath.Join(h.home, "config/features.d"))
	for _, e := range entries {
		h.served = append(h.served, e.Name())
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (h *fakeHost) Probe(ctx context.Context, s plan.Step) (string, error) {
	if h.onProbe != nil {
		h.onProbe()
	}
	if s.Unit == h.failProbe {
		return "", errHost
	}
	if !slices.Contains(h.served, string(s.Unit)+".config") {
		return "", fmt.Errorf("%s is not served", s.Unit)
	}
	return "answered", ctx.Err()
}

func (h *fakeHost) CloseSockets(_ context.Context, s plan.Step) (int, error) {
	if h.failClose {
		return 0, errHost
	}
	h.closed++
	return 2 * len(s.Units), nil
}

// library is the content of every put-file step of the tests.
func library() map[string][]byte {
	lib := make(map[string][]byte)
	for _, text := range []string{
		"core v1\n", "core v2\n", "static v1\n", "websocket v1\n", "websocket v2\n", "host config\n", "start page\n", "web.config\n",
	} {
		lib[hashOf([]byte(text))] = []byte(text)
	}
	return lib
}

func content(hash string) ([]byte, error) {
	data, ok := library()[hash]
	if !ok {
		return nil, fmt.Errorf("no content %s", hash)
	}
	return data, nil
}

func dropIn(id string) string { return "config/features.d/" + id + ".config" }

func put(id, text string) plan.Step {
	return plan.Step{Op: plan.PutFile, Unit: features.ID(id), Path: dropIn(id), SHA256: hashOf([]byte(text)), Mode: 0o644}
}

func seed(path, text string) plan.Step {
	return plan.Step{Op: plan.PutFile, Unit: "core", Path: path, SHA256: hashOf([]byte(text)), Mode: 0o640, Seed: true}
}

func probe(id string) plan.Step {
	return plan.Step{Op: plan.Probe, Unit: features.ID(id), Probe: &features.Probe{Kind: features.ProbeModule}}
}

func feature(id, text string) state.Feature {
	return state.Feature{ID: id, Reason: "requested", Files: []state.File{{Path: dropIn(id), SHA256: hashOf([]byte(text))}}}
}

// firstInstall installs core and static on a home that need not exist.
func firstInstall() plan.Plan {
	return plan.Plan{
		Version: 1, BaseSerial: 0, Level: "8.0",
		Changes: []plan.Change{{Unit: "core", Action: plan.Add}, {Unit: "static", Action: plan.Add}},
		Steps: []plan.Step{
			{Op: plan.MakeDir, Unit: "core", Path: "config", Mode: 0o755},
			{Op: plan.MakeDir, Unit: "core", Path: "config/features.d", Mode: 0o755},
			{Op: plan.MakeDir, Unit: "core", Path: "sites/default", Mode: 0o750},
			seed("config/applicationHost.config", "host config\n"),
			seed("sites/default/iisstart.htm", "start page\n"),
			seed("sites/default/web.config", "web.config\n"),
			put("core", "core v1\n"), put("static", "static v1\n"),
			{Op: plan.Reload}, probe("core"), probe("static"),
		},
		After: state.State{Features: []state.Feature{feature("core", "core v1\n"), feature("static", "static v1\n")}},
	}
}

// secondInstall adds websocket and replaces core.
func secondInstall() plan.Plan {
	return plan.Plan{
		Version: 1, BaseSerial: 1, Changes: []plan.Change{{Unit: "websocket", Action: plan.Add}},
		Steps: []plan.Step{
			put("core", "core v2\n"), put("websocket", "websocket v1\n"),
			{Op: plan.MakeDir, Unit: "websocket", Path: "logs/websocket", Mode: 0o755},
			{Op: plan.Reload}, probe("core"), probe("websocket"),
		},
		After: state.State{Features: []state.Feature{
			feature("core", "core v2\n"), feature("static", "static v1\n"), feature("websocket", "websocket v1\n"),
		}},
	}
}

// removal removes websocket and static and cuts the sockets of websocket.
func removal() plan.Plan {
	return plan.Plan{
		Version: 1, BaseSerial: 2,
		Changes: []plan.Change{{Unit: "websocket", Action: plan.Remove}, {Unit: "static", Action: plan.Remove}},
		Steps: []plan.Step{
			{Op: plan.RemoveFile, Unit: "websocket", Path: dropIn("websocket")},
			{Op: plan.RemoveFile, Unit: "static", Path: dropIn("static")},
			{Op: plan.Reload}, probe("core"),
			{Op: plan.CloseSockets, Units: []features.ID{"websocket"}},
		},
		After: state.State{Features: []state.Feature{feature("core", "core v2\n")}},
	}
}

// rollback goes back to the state after firstInstall: a changed, a new and a removed file at once.
func rollback() plan.Plan {
	return plan.Plan{
		Version: 1, BaseSerial: 2, Changes: []plan.Change{{Unit: "websocket", Action: plan.Remove}},
		Steps: []plan.Step{
			{Op: plan.RemoveFile, Unit: "websocket", Path: dropIn("websocket")},
			put("core", "core v1\n"), put("static", "static v1\n"),
			{Op: plan.Reload}, probe("core"), probe("static"),
			{Op: plan.CloseSockets, Units: []features.ID{"websocket"}},
		},
		After: state.State{Features: []state.Feature{feature("core", "core v1\n"), feature("static", "static v1\n")}},
	}
}

const factory = "schema = 1\nserial = 0\nlevel = \"8.0\"\nlast_transaction = \"\"\nwritten_by = \"\"\n"

func clock() time.Time { return time.Date(2026, 3, 1, 10, 15, 0, 0, time.UTC) }

// options are those of a test; the host is a *fakeHost.
func options(home string, disk atomicfile.FS) Options {
	return Options{
		Home: home, FS: disk, Store: state.NewStore(home, disk, []byte(factory)), Host: &fakeHost{home: home, disk: disk},
		Content: content, Now: clock, Version: "1.2.3", Command: "rolemgr test",
	}
}

// mustRun carries plans out, one after the other, on a disk without faults.
func mustRun(t *testing.T, home string, plans ...plan.Plan) {
	t.Helper()
	for _, p := range plans {
		if _, err := Run(t.Context(), p, options(home, atomicfile.OS{})); err != nil {
			t.Fatal(err)
		}
	}
}

// snapshot is treeOf on the real disk.
func snapshot(t *testing.T, home string) string {
	t.Helper()
	return treeOf(t, atomicfile.OS{}, home)
}

// treeOf is the tree below a home without the bookkeeping in journal/: names, modes and contents. state.toml is shown
// without its transaction id, which is different in each run.
func treeOf(t *testing.T, disk atomicfile.FS, home string) string {
	t.Helper()
	var b strings.Builder
	var walk func(rel string)
	walk = func(rel string) {
		entries, err := disk.ReadDir(filepath.Join(home, rel))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		for _, e := range entries {
			name := filepath.Join(rel, e.Name())
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case name == journalDir:
			case info.IsDir():
				fmt.Fprintf(&b, "%s: %s\n", name, info.Mode())
				walk(name)
			case info.Mode().IsRegular():
				data, err := disk.ReadFile(filepath.Join(home, name))
				if err != nil {
					t.Fatal(err)
				}
				if name == "state.toml" {
					data = withoutID(t, data)
				}
				fmt.Fprintf(&b, "%s: %s %s\n", name, info.Mode(), data)
			default:
				fmt.Fprintf(&b, "%s: %s\n", name, info.Mode())
			}
		}
	}
	walk("")
	return b.String()
}

// withoutID blanks the transaction id in a state file.
func withoutID(t *testing.T, data []byte) []byte {
	t.Helper()
	s, err := state.Decode("state.toml", data)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(data, []byte(s.LastTransaction), []byte("<transaction>"))
}
