package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// Names below a home.
const (
	fileName   = "state.toml"
	journalDir = "journal"
	historyDir = "history" // below journalDir
	blobsDir   = "blobs"   // below journalDir
	lockFile   = "lock"    // below journalDir
)

// Store reads and writes the state of one home. Methods may be called concurrently; writers hold the Lock.
type Store struct {
	home    string
	disk    atomicfile.FS
	factory []byte
}

// NewStore returns the store of a home. factory is the content of the state file of a new server, used while there
// is no state.toml.
func NewStore(home string, fs atomicfile.FS, factory []byte) *Store {
	return &Store{home: home, disk: fs, factory: factory}
}

// Read returns the state. It takes no lock: a rename always leaves a whole file. A file that cannot be used is a
// *FormatError; it is never overwritten.
func (s *Store) Read() (State, error) {
	name := filepath.Join(s.home, fileName)
	data, err := s.disk.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Decode("factory "+fileName, s.factory)
	case err != nil:
		return State{}, fmt.Errorf("read the state: %w", err)
	}
	return Decode(name, data)
}

// Write replaces state.toml atomically and durably: the one commit point of a transaction. The past state is kept
// (see Past) before that. It refuses a serial that is not above the current one, and fails without touching anything
// when the current file is a *FormatError.
//
// When it fails after the rename, because the folder could not be synced, the new state is already what Read returns:
// whoever must know which of the two holds reads it back.
func (s *Store) Write(next State) error {
	data, err := Encode(next)
	if err != nil {
		return err
	}
	current, err := s.Read()
	if err != nil {
		return err
	}
	if next.Serial <= current.Serial {
		return fmt.Errorf("write the state: serial %d does not follow serial %d", next.Serial, current.Serial)
	}
	if err := s.keepPast(current); err != nil {
		return err
	}
	if err := atomicfile.Write(s.disk, filepath.Join(s.home, fileName), data, 0o644); err != nil {
		return fmt.Errorf("write the state: %w", err)
	}
	return nil
}

// path returns the absolute name of something in the journal folder.
func (s *Store) path(elem ...string) string {
	return filepath.Join(append([]string{s.home, journalDir}, elem...)...)
}
