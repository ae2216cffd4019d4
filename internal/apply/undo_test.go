package apply

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/state"
)

// readOnly is a disk that fails the test's subject at the first change.
type readOnly struct{ atomicfile.OS }

func (readOnly) Create(name string, _ fs.FileMode) (atomicfile.File, error) { return nil, ro(name) }
func (readOnly) Append(name string, _ fs.FileMode) (atomicfile.File, error) { return nil, ro(name) }
func (readOnly) Rename(name, _ string) error                                { return ro(name) }
func (readOnly) Remove(name string) error                                   { return ro(name) }
func (readOnly) Mkdir(name string, _ fs.FileMode) error                     { return ro(name) }
func (readOnly) Truncate(name string, _ int64) error                        { return ro(name) }
func (readOnly) Chmod(name string, _ fs.FileMode) error                     { return ro(name) }

func ro(name string) error { return &fs.PathError{Op: "change", Path: name, Err: fs.ErrPermission} }

// interrupted returns a home on which an install died after the steps and before the commit.
func interrupted(t *testing.T) (home, before string) {
	t.Helper()
	home = t.TempDir()
	mustRun(t, home, firstInstall())
	before = snapshot(t, home)
	o := options(home, atomicfile.OS{})
	o.Host.(*fakeHost).onProbe = func() { panic("power") }
	func() {
		defer func() { _ = recover() }()
		_, err := Run(t.Context(), secondInstall(), o)
		t.Fatalf("the transaction was not interrupted: %v", err)
	}()
	return home, before
}

func write(t *testing.T, text string, elem ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(elem...), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestUndoKeepsForeignWork: what someone else wrote between the crash and the recovery is not overwritten. The
// recovery says what to do, and works once it is done.
func TestUndoKeepsForeignWork(t *testing.T) {
	home, before := interrupted(t)
	write(t, "by hand\n", home, dropIn("core"))
	for range 2 { // it may be tried again and changes nothing
		_, err := Recover(t.Context(), options(home, atomicfile.OS{}))
		left := (*IncompleteError)(nil)
		if !errors.As(err, &left) || len(left.Files) != 1 {
			t.Fatalf("error %v, want an IncompleteError about one file", err)
		}
		f := left.Files[0]
		if f.Path != filepath.Join(home, dropIn("core")) || !strings.Contains(err.Error(), f.Path) || !strings.Contains(err.Error(), f.PreImage) {
			t.Errorf("leftover %+v, error %v", f, err)
		}
		if data, err := os.ReadFile(f.PreImage); string(data) != "core v1\n" {
			t.Errorf("pre-image %q %v", data, err)
		}
		if data, err := os.ReadFile(f.Path); string(data) != "by hand\n" {
			t.Errorf("the work is %q %v", data, err)
		}
	}
	if _, err := Run(t.Context(), secondInstall(), options(home, atomicfile.OS{})); err == nil {
		t.Error("a transaction began before the other one was undone")
	}
	write(t, "core v1\n", home, dropIn("core"))
	r, err := Recover(t.Context(), options(home, atomicfile.OS{}))
	if err != nil || !r.Undone {
		t.Fatal(r, err)
	}
	if after := snapshot(t, home); after != before {
		t.Errorf("after:\n%s\nbefore:\n%s", after, before)
	}
}

// TestUndoLooksAtPreImage: a pre-image that is damaged is not written.
func TestUndoLooksAtPreImage(t *testing.T) {
	home, _ := interrupted(t)
	write(t, "rot", home, journalDir, txnDir, "pre-0001")
	_, err := Recover(t.Context(), options(home, atomicfile.OS{}))
	if left := (*IncompleteError)(nil); !errors.As(err, &left) || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("error %v", err)
	}
	if data, err := os.ReadFile(filepath.Join(home, dropIn("core"))); string(data) != "core v2\n" {
		t.Errorf("the file was changed to %q %v", data, err)
	}
}

// TestUndoLeavesFoldersInUse: a folder that the transaction made and someone else uses stays.
func TestUndoLeavesFoldersInUse(t *testing.T) {
	home := t.TempDir()
	o := options(home, atomicfile.OS{})
	h := o.Host.(*fakeHost)
	h.failProbe = "static"
	h.onProbe = func() {
		write(t, "mine\n", home, "sites/default/mine.htm")
		write(t, "edited by hand\n", home, "sites/default/web.config")
	}
	_, err := Run(t.Context(), firstInstall(), o)
	if rolled := (*RolledBackError)(nil); !errors.As(err, &rolled) || rolled.Step == nil || rolled.Step.Unit != "static" || !errors.Is(err, errHost) {
		t.Fatalf("error %v", err)
	}
	want := "sites: drwxr-xr-x\nsites/default: drwxr-x---\n" +
		"sites/default/mine.htm: -rw-r--r-- mine\n\nsites/default/web.config: -rw-r----- edited by hand\n\n"
	if got := snapshot(t, home); got != want {
		t.Errorf("left:\n%s\nwant:\n%s", got, want)
	}
}

// TestRecoverForeignState: a state that is neither before nor after the transaction is not guessed about.
func TestRecoverForeignState(t *testing.T) {
	home, _ := interrupted(t)
	name := filepath.Join(home, "state.toml")
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]func(error) bool{
		strings.Replace(string(good), "serial = 1", "serial = 9", 1): func(err error) bool {
			var e *IncompleteError
			return errors.As(err, &e)
		},
		"schema = 1\nserial = ": func(err error) bool {
			var e *state.FormatError
			return errors.As(err, &e)
		},
	} {
		write(t, text, name)
		before := snapshotFiles(t, home)
		if _, err := Recover(t.Context(), options(home, atomicfile.OS{})); !want(err) {
			t.Errorf("state %q: error %v", text, err)
		}
		if after := snapshotFiles(t, home); after != before {
			t.Errorf("state %q: something was changed", text)
		}
	}
	write(t, string(good), name)
	if r, err := Recover(t.Context(), options(home, atomicfile.OS{})); err != nil || !r.Undone {
		t.Error(r, err)
	}
}

// snapshotFiles is the drop-ins as they are, for homes whose state cannot be read.
func snapshotFiles(t *testing.T, home string) string {
	t.Helper()
	all := ""
	names, err := filepath.Glob(filepath.Join(home, "config/features.d/*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += name + "=" + string(data)
	}
	return all
}

// TestChangedByHandIsKept: what a person had changed in a file of rolemgr's is kept when the file goes.
func TestChangedByHandIsKept(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall(), secondInstall())
	write(t, "my settings\n", home, dropIn("websocket"))
	o := options(home, atomicfile.OS{})
	r, err := Run(t.Context(), removal(), o)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := filepath.Glob(filepath.Join(home, journalDir, savedDir, "*websocket.config"))
	if err != nil || len(saved) != 1 {
		t.Fatal(saved, err)
	}
	if data, err := os.ReadFile(saved[0]); string(data) != "my settings\n" {
		t.Errorf("kept %q %v", data, err)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], saved[0]) {
		t.Errorf("warnings %q", r.Warnings)
	}
}

// TestCloseSocketsIsTriedAgain: sockets that do not close leave the committed transaction to the next command, which
// tries once more and then goes on.
func TestCloseSocketsIsTriedAgain(t *testing.T) {
	home := t.TempDir()
	mustRun(t, home, firstInstall(), secondInstall())
	o := options(home, atomicfile.OS{})
	o.Host.(*fakeHost).failClose = true
	r, err := Run(t.Context(), removal(), o)
	if err != nil || len(r.Warnings) != 1 || r.State.Serial != 3 {
		t.Fatal(r, err)
	}
	if p, pending, err := Pending(home, atomicfile.OS{}); !pending || !p.Finished || err != nil {
		t.Error(p, pending, err)
	}
	o = options(home, atomicfile.OS{})
	done, err := Recover(t.Context(), o)
	if err != nil || !done.Finished || o.Host.(*fakeHost).closed != 1 {
		t.Error(done, err)
	}
	if anythingLeft(o) {
		t.Error("the journal is still there")
	}
}
