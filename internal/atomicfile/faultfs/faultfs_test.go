package faultfs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
)

const childVariable = "ROLEMGR_FAULTFS_TEST_CHILD"

// TestMain makes the test binary its own child, which performs the work with a fault: "action number folder".
func TestMain(m *testing.M) {
	args := strings.Fields(os.Getenv(childVariable))
	if len(args) != 3 {
		os.Exit(m.Run())
	}
	at, err := strconv.Atoi(args[1])
	if err != nil {
		os.Exit(2)
	}
	if work(faultfs.New(atomicfile.OS{}, faultfs.Fault{At: at, Do: faultfs.Action(args[0])}), args[2]) != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// work is each operation once, with what its success leaves behind.
func work(disk atomicfile.FS, dir string) error {
	f, err := disk.Create(dir+"/a", 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte("12345678"))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(
		disk.Rename(dir+"/a", dir+"/b"), disk.Truncate(dir+"/b", 6), disk.Chmod(dir+"/b", 0o600),
		disk.Mkdir(dir+"/d", 0o755), disk.Remove(dir+"/d"), disk.SyncDir(dir))
}

// operations is how many operations work performs.
const operations = 9

// left describes what is in the folder.
func left(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		data, _ := os.ReadFile(filepath.Join(dir, e.Name())) // nothing for a folder
		all = append(all, e.Name()+"="+string(data))
	}
	return strings.Join(all, " ")
}

func TestCounts(t *testing.T) {
	disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{})
	if err := work(disk, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if got := disk.Ops(); len(got) != operations {
		t.Errorf("operations %q", got)
	}
}

func TestFails(t *testing.T) {
	for _, test := range []struct {
		fault faultfs.Fault
		err   error
		left  string
	}{
		{faultfs.Fault{At: 1, Do: faultfs.ENOSPC}, syscall.ENOSPC, ""},
		{faultfs.Fault{At: 2, Do: faultfs.EIO}, syscall.EIO, "a="},
		{faultfs.Fault{At: 2, Do: faultfs.ShortWrite}, syscall.EIO, "a=1234"},
		{faultfs.Fault{At: 3, Do: faultfs.ShortWrite}, syscall.EIO, "a=12345678"},
		{faultfs.Fault{At: 5, Do: faultfs.EIO}, syscall.EIO, "b=12345678"},
		{faultfs.Fault{At: 7, Do: faultfs.ENOSPC, Lasting: true}, syscall.ENOSPC, "b=123456"},
		{faultfs.Fault{At: 8, Do: faultfs.EIO}, syscall.EIO, "b=123456 d="},
		{faultfs.Fault{At: operations + 1, Do: faultfs.EIO}, nil, "b=123456"},
	} {
		dir := t.TempDir()
		if err := work(faultfs.New(atomicfile.OS{}, test.fault), dir); !errors.Is(err, test.err) {
			t.Errorf("%+v: error %v, want %v", test.fault, err, test.err)
		}
		if got := left(t, dir); got != test.left {
			t.Errorf("%+v: left %q, want %q", test.fault, got, test.left)
		}
	}
}

// TestLasting: a full disk stays full, but gives back what is removed; a dead one does nothing any more.
func TestLasting(t *testing.T) {
	for do, removes := range map[faultfs.Action]bool{faultfs.ENOSPC: true, faultfs.EIO: false} {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/x", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{At: 1, Do: do, Lasting: true})
		for range 3 {
			if err := disk.Mkdir(dir+"/d", 0o755); err == nil {
				t.Errorf("%s: a folder was made", do)
			}
		}
		if err := disk.Remove(dir + "/x"); (err == nil) != removes {
			t.Errorf("%s: remove: %v", do, err)
		}
	}
}

func TestKills(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		do     faultfs.Action
		at     int
		killed bool
		left   string
	}{
		{faultfs.KillBefore, 1, true, ""},
		{faultfs.KillAfter, 1, true, "a="},
		{faultfs.KillBefore, 2, true, "a="},
		{faultfs.KillHalf, 2, true, "a=1234"},
		{faultfs.KillAfter, 2, true, "a=12345678"},
		{faultfs.KillHalf, 4, false, "b=123456"},
		{faultfs.KillAfter, 4, true, "b=12345678"},
		{faultfs.KillAfter, operations, true, "b=123456"},
		{faultfs.KillAfter, operations + 1, false, "b=123456"},
	} {
		dir := t.TempDir()
		cmd := exec.CommandContext(t.Context(), exe)
		cmd.Env = append(os.Environ(), childVariable+"="+string(test.do)+" "+strconv.Itoa(test.at)+" "+dir)
		err := cmd.Run()
		killed := err != nil && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if killed != test.killed || (err != nil) != killed {
			t.Errorf("%s %d: %v, killed %v", test.do, test.at, err, killed)
		}
		if got := left(t, dir); got != test.left {
			t.Errorf("%s %d: left %q, want %q", test.do, test.at, got, test.left)
		}
	}
}
