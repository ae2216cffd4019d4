package config

import "fmt"

// HRESULT values that IIS answers with 500.19, as people search for them.
const (
	HResultLocked    uint32 = 0x80070021 // locked at a parent level
	HResultMalformed uint32 = 0x8007000d // unreadable XML, unknown section, invalid value
	HResultDuplicate uint32 = 0x800700b7 // duplicate collection entry
	HResultNotFound  uint32 = 0x80070003 // a configuration path does not exist
	HResultAccess    uint32 = 0x80070005 // no permission to read a file
)

// Pos is a place in a configuration file. Line and Column count from 1, Column in bytes; 0 means unknown.
type Pos struct {
	File         string
	Line, Column int
}

// String returns "file:line:column", leaving out what is unknown.
func (p Pos) String() string {
	switch {
	case p.Line == 0:
		return p.File
	case p.Column == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// Error is a fault of the configuration. It never holds the value of an attribute of a section that this host does
// not own: such values may be secrets.
type Error struct {
	Pos     Pos
	HResult uint32
	// Section is the section at fault, "" when the file as a whole is.
	Section string
	// Message says what is wrong, in lower case and without a full stop.
	Message string
	// Hint is the next step a person can take; may be "".
	Hint string
	// Source is the offending line with up to one line before and after it; Source.First is the number of the first.
	Source Excerpt
	// LockedBy is where the lock was set, for HResultLocked.
	LockedBy *Pos
	// Feature is the id of the feature that owns the section but is not installed; "" otherwise.
	Feature string
}

// Excerpt is a few lines of a configuration file.
type Excerpt struct {
	First int
	Lines []string
}

// Error returns "file:line:column: message", leaving out what is unknown.
func (e *Error) Error() string {
	if e.Pos.File == "" {
		return e.Message
	}
	return e.Pos.String() + ": " + e.Message
}
