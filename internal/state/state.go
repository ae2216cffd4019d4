// Package state is the installed state of a server: what is in state.toml, how it is read strictly and replaced
// atomically, the lock that serialises writers, and the past states that can be returned to.
//
// It decides nothing: see internal/plan for what would change and internal/apply for changing it.
package state

import (
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// State is the installed state of a server.
type State struct {
	Serial          uint64 // 0: nothing was ever installed; each transaction adds 1
	Level           string // server level: "8.0"
	LastTransaction string // id of the transaction that wrote this state; "" for serial 0
	Written         time.Time
	WrittenBy       string    // version of rolemgr
	Features        []Feature // by id
}

// Feature is an installed unit.
type Feature struct {
	ID         string
	Reason     string   // "requested", "required", "default"
	RequiredBy []string // ids; sorted
	Version    string   // of rolemgr that installed it
	Installed  time.Time
	Files      []File // by path
}

// File is a file that a unit put below the home.
type File struct {
	Path   string // slash-separated, relative to the home
	SHA256 string // lower-case hex
}

// Store reads and writes the state of one home. Methods may be called concurrently; writers hold the Lock.
type Store struct{}

// NewStore returns the store of a home. factory is the content of the state file of a new server, used while there
// is no state.toml.
func NewStore(home string, fs atomicfile.FS, factory []byte) *Store { panic("contract") }

// Read returns the state. It takes no lock: a rename always leaves a whole file. A file that cannot be used is a
// *FormatError; it is never overwritten.
func (s *Store) Read() (State, error) { panic("contract") }

// Write replaces state.toml atomically and durably: the one commit point of a transaction. The past state is kept
// (KeepPast) before that.
func (s *Store) Write(State) error { panic("contract") }

// Past returns the serials of the past states that are kept, newest first.
func (s *Store) Past() ([]uint64, error) { panic("contract") }

// ReadPast returns a past state.
func (s *Store) ReadPast(serial uint64) (State, error) { panic("contract") }

// Lock takes the writer's lock, an OS lock that dies with the process. It waits for at most wait (0: not at all) and
// then fails with a *LockedError. The returned function releases it.
func (s *Store) Lock(command string, wait time.Duration) (unlock func(), err error) {
	panic("contract")
}

// LockedError says who holds the lock.
type LockedError struct {
	PID     int
	Since   time.Time
	Command string
}

// Error names the holder.
func (e *LockedError) Error() string { panic("contract") }

// FormatError is a state file that cannot be used: unknown keys, a newer schema, torn or broken by hand.
type FormatError struct {
	File         string
	Line, Column int // from 1; 0 unknown
	Message      string
	Hint         string
}

// Error returns "file:line:column: message".
func (e *FormatError) Error() string { panic("contract") }
