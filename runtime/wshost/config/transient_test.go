package config

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// withoutDescriptors runs f while this process can open no file.
func withoutDescriptors(t *testing.T, f func()) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := unix.Rlimit{Cur: 0, Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	f()
}

// settle waits until the state of a file tells every change of it.
func settle(t *testing.T, path string) {
	t.Helper()
	state, _ := statFile(path)
	for state.racy(time.Now()) {
		time.Sleep(time.Millisecond)
	}
}

// TestRunningOutOfDescriptorsPasses sees that a host that was short of descriptors for a moment does not answer 500.19
// until somebody touches the file.
func TestRunningOutOfDescriptorsPasses(t *testing.T) {
	w := newWorld(t, map[string]string{"root/web.config": ws(add("a"))})
	tree := w.open()
	settle(t, filepath.Join(w.home, "root/web.config"))
	withoutDescriptors(t, func() {
		if _, err := tree.Effective("Site", "/x"); err == nil || asError(t, err).HResult != HResultAccess {
			t.Errorf("without descriptors: %v", err)
		}
	})
	if got := docs(t, effective(t, tree, "/x")); got != "a" {
		t.Errorf("afterwards: %q", got)
	}
}

// TestAnIncludedFileIsTriedAgain sees the same for a file of configSource.
func TestAnIncludedFileIsTriedAgain(t *testing.T) {
	w := newWorld(t, map[string]string{"root/d.config": "raw:<defaultDocument />"})
	path := filepath.Join(w.home, "root/web.config")
	doc, fault := parse(path, []byte("<configuration>"+ws(`<defaultDocument configSource="d.config"/>`)+"</configuration>"), testSchema(t))
	if fault != nil {
		t.Fatal(fault)
	}
	f := bind(doc, false, false, nil)
	withoutDescriptors(t, func() {
		l := &level{sources: append([]source{{path: path}}, f.include()...)}
		l.settled.Store(true)
		if f.uses[0].fault == nil || l.fresh(path, FileState{}) {
			t.Errorf("a file that could not be read for want of descriptors counts as read: %v", f.uses[0].fault)
		}
	})
}
