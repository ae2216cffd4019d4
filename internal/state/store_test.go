package state

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
)

const factory = "schema = 1\nserial = 0\nlevel = \"8.0\"\nlast_transaction = \"\"\nwritten_by = \"\"\n"

func newStore(t *testing.T) (*Store, string) {
	t.Helper()
	home := t.TempDir()
	return NewStore(home, atomicfile.OS{}, []byte(factory)), home
}

// at returns a state with a file whose content is text.
func at(serial uint64, text string) State {
	sum := sha256.Sum256([]byte(text))
	return State{Serial: serial, Level: "8.0", LastTransaction: fmt.Sprint("t", serial), Features: []Feature{
		{ID: "x", Reason: "requested", Files: []File{{Path: "config/features.d/x.config", SHA256: hex.EncodeToString(sum[:])}}},
	}}
}

func TestStoreFactory(t *testing.T) {
	s, home := newStore(t)
	got, err := s.Read()
	if err != nil || got.Serial != 0 || got.Level != "8.0" || len(got.Features) != 0 {
		t.Errorf("%+v %v", got, err)
	}
	if entries, err := os.ReadDir(home); len(entries) != 0 || err != nil {
		t.Errorf("reading wrote %v %v", entries, err)
	}
}

func TestStoreKeepsPast(t *testing.T) {
	s, _ := newStore(t)
	for n := range uint64(KeptStates + 5) {
		if err := s.Write(at(n+1, fmt.Sprint(n+1))); err != nil {
			t.Fatal(err)
		}
		if err := s.KeepBlobs([][]byte{[]byte(fmt.Sprint(n + 1))}); err != nil {
			t.Fatal(err)
		}
		if err := s.Prune(); err != nil {
			t.Fatal(err)
		}
	}
	current := uint64(KeptStates + 5)
	past, err := s.Past()
	if err != nil || len(past) != KeptStates || past[0] != current-1 || past[KeptStates-1] != current-KeptStates {
		t.Fatalf("past %v %v", past, err)
	}
	files, err := os.ReadDir(s.path(historyDir))
	if err != nil || len(files) != KeptStates {
		t.Errorf("%d files %v", len(files), err)
	}
	for n := range current + 1 {
		sum := sha256.Sum256([]byte(fmt.Sprint(n)))
		kept := n >= current-KeptStates
		if got := s.HasBlob(hex.EncodeToString(sum[:])); got != kept {
			t.Errorf("blob of state %d kept: %v, want %v", n, got, kept)
		}
		_, err := s.ReadPast(n)
		if (err == nil) != (kept && n < current) || err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("past state %d: %v", n, err)
		}
	}
}

func TestStoreRefusesSerial(t *testing.T) {
	s, _ := newStore(t)
	if err := s.Write(at(3, "")); err != nil {
		t.Fatal(err)
	}
	for _, serial := range []uint64{0, 2, 3} {
		if err := s.Write(at(serial, "")); err == nil {
			t.Errorf("serial %d was written over serial 3", serial)
		}
	}
	if err := s.Write(at(4, "")); err != nil {
		t.Error(err)
	}
}

// TestStoreNeverOverwritesWhatItCannotRead: not the state, and not by pruning either.
func TestStoreNeverOverwritesWhatItCannotRead(t *testing.T) {
	s, home := newStore(t)
	if err := s.Write(at(1, "a")); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(home, fileName)
	for _, text := range []string{"schema = 2\n", "", "schema = 1\nserial = 1\nfoo = 2"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		bad := (*FormatError)(nil)
		if _, err := s.Read(); !errors.As(err, &bad) || bad.File != name {
			t.Errorf("%q: read: %v", text, err)
		}
		if err := s.Write(at(9, "b")); !errors.As(err, &bad) {
			t.Errorf("%q: write: %v", text, err)
		}
		if err := s.Prune(); !errors.As(err, &bad) {
			t.Errorf("%q: prune: %v", text, err)
		}
		if data, err := os.ReadFile(name); err != nil || string(data) != text {
			t.Errorf("%q became %q %v", text, data, err)
		}
	}
}

func TestPruneKeepsBlobsWhenAPastStateIsBroken(t *testing.T) {
	s, _ := newStore(t)
	for n := range uint64(2) {
		if err := s.Write(at(n+1, fmt.Sprint(n+1))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.KeepBlobs([][]byte{[]byte("1"), []byte("2"), []byte("nobody's")}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(s.historyFile(1))
	if err != nil {
		t.Fatal(err)
	}
	checkPrune(t, s, "broken", 3, false)
	checkPrune(t, s, string(good), 2, true)
}

func checkPrune(t *testing.T, s *Store, past string, want int, ok bool) {
	t.Helper()
	if err := os.WriteFile(s.historyFile(1), []byte(past), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.Prune(); (err == nil) != ok {
		t.Errorf("prune: %v", err)
	}
	if blobs, err := os.ReadDir(s.path(blobsDir)); len(blobs) != want || err != nil {
		t.Errorf("%d blobs %v, want %d", len(blobs), err, want)
	}
}

func TestReadPastChecksItsName(t *testing.T) {
	s, _ := newStore(t)
	if err := s.Write(at(1, "")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(s.historyFile(0), s.historyFile(5)); err != nil {
		t.Fatal(err)
	}
	bad := (*FormatError)(nil)
	if _, err := s.ReadPast(5); !errors.As(err, &bad) || bad.Line == 0 {
		t.Errorf("error %v", err)
	}
	if past, err := s.Past(); err != nil || slices.Contains(past, 5) {
		t.Errorf("past %v %v: 5 is not past for state 1", past, err)
	}
}

func TestBlobs(t *testing.T) {
	s, _ := newStore(t)
	sum := sha256.Sum256([]byte("content"))
	name := hex.EncodeToString(sum[:])
	if _, err := s.Blob(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	for _, bad := range []string{"", "../state.toml", "../../../etc/passwd", name[1:]} {
		if _, err := s.Blob(bad); err == nil || s.HasBlob(bad) {
			t.Errorf("%q is kept content", bad)
		}
	}
	if err := s.KeepBlobs([][]byte{[]byte("content")}); err != nil {
		t.Fatal(err)
	}
	disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{})
	again := NewStore(s.home, disk, nil)
	if err := again.KeepBlobs([][]byte{[]byte("content")}); err != nil || len(disk.Ops()) != 1 {
		t.Errorf("kept again: %v %q", err, disk.Ops())
	}
	if err := os.WriteFile(s.path(blobsDir, name), []byte("rotten"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Blob(name); err == nil {
		t.Error("damaged content was returned")
	}
	if err := s.KeepBlobs([][]byte{[]byte("content")}); err != nil {
		t.Fatal(err)
	}
	if data, err := s.Blob(name); err != nil || string(data) != "content" {
		t.Errorf("damaged content was not mended: %q %v", data, err)
	}
}

// TestWriteFails: each failing operation leaves the old state or the new one, and never neither.
func TestWriteFails(t *testing.T) {
	for n := 1; ; n++ {
		home := t.TempDir()
		if err := NewStore(home, atomicfile.OS{}, []byte(factory)).Write(at(1, "a")); err != nil {
			t.Fatal(err)
		}
		disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{At: n, Do: faultfs.EIO})
		s := NewStore(home, disk, []byte(factory))
		err := s.Write(at(2, "b"))
		if len(disk.Ops()) < n {
			if n < 10 || err != nil {
				t.Errorf("only %d operations, error %v", n, err)
			}
			return
		}
		got, rerr := s.Read()
		if err == nil || rerr != nil || got.Serial != 1 && got.Serial != 2 {
			t.Errorf("operation %d: %v, then %+v %v", n, err, got, rerr)
		}
	}
}
