package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// schema is the version of the file format that is written; older ones will be read and migrated.
const schema = 1

// Decode reads the content of a state file strictly; file is the name to show. Every error is a *FormatError: a file
// that is not completely understood must not be acted on, since the next write would drop what was not understood.
func Decode(file string, data []byte) (State, error) {
	version, err := sniff(file, data)
	if err != nil {
		return State{}, err
	}
	if version != schema {
		return State{}, locate(data, &FormatError{File: file, Message: fmt.Sprintf("schema %d is not known", version),
			Hint: "the first schema is 1"}, "schema")
	}
	var v v1File
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return State{}, formatError(file, err)
	}
	if key, at := v.missing(); key != "" {
		return State{}, locate(data, &FormatError{File: file, Message: fmt.Sprintf("the key %q is missing", key),
			Hint: mendHint}, at)
	}
	s := v.state()
	if f := s.check(); f != nil {
		return State{}, locate(data, &FormatError{File: file, Message: f.message, Hint: mendHint}, f.where)
	}
	return s.sorted(), nil
}

// mendHint is the next step for a file that was broken by hand or by a disk.
const mendHint = "mend that line, or put back a past state from journal/history"

// sniff reads the schema before anything else, with a reader that ignores what it does not know, so that a newer file
// is refused for being newer and not for its first unknown key.
func sniff(file string, data []byte) (int64, error) {
	var head struct {
		Schema    any `toml:"schema"`
		WrittenBy any `toml:"written_by"`
	}
	if err := toml.Unmarshal(data, &head); err != nil {
		return 0, formatError(file, err)
	}
	version, ok := head.Schema.(int64)
	if !ok {
		return 0, locate(data, &FormatError{File: file, Message: "the file does not begin with its schema, a number",
			Hint: mendHint}, "schema")
	}
	if version <= schema {
		return version, nil
	}
	writer, ok := head.WrittenBy.(string)
	if !ok || writer == "" {
		writer = "a newer version"
	}
	return 0, locate(data, &FormatError{
		File:    file,
		Message: fmt.Sprintf("the file has schema %d and was written by rolemgr %s; this rolemgr knows schemas up to %d", version, writer, schema),
		Hint:    fmt.Sprintf("use rolemgr %s or newer for this server", writer),
	}, "schema")
}

// formatError turns an error of the TOML reader into ours, with its position.
func formatError(file string, err error) *FormatError {
	e := &FormatError{File: file, Message: strings.TrimPrefix(err.Error(), "toml: "), Hint: mendHint}
	if missing := (*toml.StrictMissingError)(nil); errors.As(err, &missing) && len(missing.Errors) > 0 {
		first := &missing.Errors[0]
		e.Line, e.Column = first.Position()
		e.Message = fmt.Sprintf("the key %q is not known", strings.Join(first.Key(), "."))
		return e
	}
	if d := (*toml.DecodeError)(nil); errors.As(err, &d) {
		e.Line, e.Column = d.Position()
		if key := strings.Join(d.Key(), "."); key != "" {
			e.Message = fmt.Sprintf("the value of %q cannot be read: %s", key, strings.TrimPrefix(d.Error(), "toml: "))
		}
	}
	return e
}
