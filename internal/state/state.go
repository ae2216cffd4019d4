// Package state is the installed state of a server: what is in state.toml, how it is read strictly and replaced
// atomically, the lock that serialises writers, the past states that can be returned to, and the content of the files
// that those name.
//
// It decides nothing: see internal/plan for what would change and internal/apply for changing it.
package state

import (
	"fmt"
	"time"
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

// LockedError says who holds the lock.
type LockedError struct {
	PID     int // 0 when the holder has not said yet
	Since   time.Time
	Command string
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.PID == 0 {
		return "another rolemgr is changing this server; wait for it to finish"
	}
	return fmt.Sprintf("another rolemgr is changing this server: %q, process %d, since %s; wait for it to finish",
		e.Command, e.PID, e.Since.Format(time.RFC3339))
}

// FormatError is a state file that cannot be used: unknown keys, a newer schema, torn or broken by hand.
type FormatError struct {
	File         string
	Line, Column int // from 1; 0 unknown
	Message      string
	Hint         string
}

// Error returns "file:line:column: message".
func (e *FormatError) Error() string {
	switch {
	case e.Line == 0:
		return e.File + ": " + e.Message
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}
