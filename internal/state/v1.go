package state

import (
	"fmt"
	"time"
)

// v1File is the file format of schema 1. Fields that must be present are pointers, so that a file that lost a part
// is not read as an emptier state.
type v1File struct {
	Schema          int64       `toml:"schema"`
	Serial          *uint64     `toml:"serial"`
	Level           *string     `toml:"level"`
	LastTransaction *string     `toml:"last_transaction"`
	Written         time.Time   `toml:"written"`
	WrittenBy       *string     `toml:"written_by"`
	Features        []v1Feature `toml:"feature"`
}

type v1Feature struct {
	ID         *string   `toml:"id"`
	Reason     *string   `toml:"reason"`
	RequiredBy []string  `toml:"required_by"`
	Version    *string   `toml:"version"`
	Installed  time.Time `toml:"installed"`
	Files      []v1Entry `toml:"file"`
}

type v1Entry struct {
	Path   *string `toml:"path"`
	SHA256 *string `toml:"sha256"`
}

// missing returns the first key that must be there and is not, and what to point at instead.
func (v v1File) missing() (key, at string) {
	switch {
	case v.Serial == nil:
		return "serial", ""
	case v.Level == nil:
		return "level", ""
	case v.LastTransaction == nil:
		return "last_transaction", ""
	case v.WrittenBy == nil:
		return "written_by", ""
	}
	for i, f := range v.Features {
		at := fmt.Sprintf("feature[%d]", i)
		switch {
		case f.ID == nil:
			return "id", at
		case f.Reason == nil:
			return "reason", at
		case f.Version == nil:
			return "version", at
		}
		for j, e := range f.Files {
			at := fmt.Sprintf("%s.file[%d]", at, j)
			switch {
			case e.Path == nil:
				return "path", at
			case e.SHA256 == nil:
				return "sha256", at
			}
		}
	}
	return "", ""
}

// state converts a file without missing keys.
func (v v1File) state() State {
	s := State{
		Serial: *v.Serial, Level: *v.Level, LastTransaction: *v.LastTransaction,
		Written: v.Written.UTC(), WrittenBy: *v.WrittenBy,
	}
	for _, f := range v.Features {
		feature := Feature{
			ID: *f.ID, Reason: *f.Reason, RequiredBy: f.RequiredBy,
			Version: *f.Version, Installed: f.Installed.UTC(),
		}
		for _, e := range f.Files {
			feature.Files = append(feature.Files, File{Path: *e.Path, SHA256: *e.SHA256})
		}
		s.Features = append(s.Features, feature)
	}
	return s
}
