package state

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// CheckPath says why a path must not be used for a file below the home: it is absolute, leaves the home, is written
// in more than one way, or belongs to rolemgr's own bookkeeping.
func CheckPath(path string) error {
	switch {
	case path == "" || path == ".":
		return errors.New("the path is empty")
	case strings.HasPrefix(path, "/"):
		return fmt.Errorf("the path %q is absolute; it must be relative to the home", path)
	case slices.Contains(strings.Split(path, "/"), ".."):
		return fmt.Errorf("the path %q contains .. and could leave the home", path)
	case !fs.ValidPath(path) || strings.Contains(path, `\`) || !printable(path):
		return fmt.Errorf("the path %q is not a plain slash-separated path", path)
	case path == fileName || path == journalDir || strings.HasPrefix(path, journalDir+"/"):
		return fmt.Errorf("the path %q belongs to the records of rolemgr itself", path)
	}
	return nil
}

// fault is what is wrong with a state, and with which value of the file.
type fault struct {
	where   string // "feature[2].file[0].path"
	message string
}

// check returns what is wrong with a state, nil when nothing is. The features may be in any order.
func (s State) check() *fault {
	switch {
	case s.Serial > math.MaxInt64:
		return &fault{"serial", "the serial is too large"}
	case !validLevel(s.Level):
		return &fault{"level", fmt.Sprintf("the level %q is not a version such as 8.0", s.Level)}
	case !printable(s.LastTransaction):
		return &fault{"last_transaction", "the transaction id is not printable text"}
	case !printable(s.WrittenBy):
		return &fault{"written_by", "the version is not printable text"}
	case !validTime(s.Written):
		return &fault{"written", "the time is not between the years 1 and 9999"}
	}
	ids, paths := make(map[string]bool), make(map[string]bool)
	for i, f := range s.Features {
		at := fmt.Sprintf("feature[%d]", i)
		if w := f.check(at); w != nil {
			return w
		}
		if ids[f.ID] {
			return &fault{at + ".id", fmt.Sprintf("the feature %q is recorded twice", f.ID)}
		}
		ids[f.ID] = true
		for j, file := range f.Files {
			if paths[file.Path] {
				return &fault{fmt.Sprintf("%s.file[%d].path", at, j), fmt.Sprintf("the file %q is recorded twice", file.Path)}
			}
			paths[file.Path] = true
		}
	}
	return nil
}

func (f Feature) check(at string) *fault {
	switch {
	case !validID(f.ID):
		return &fault{at + ".id", fmt.Sprintf("%q is not the id of a feature", f.ID)}
	case f.Reason != "requested" && f.Reason != "required" && f.Reason != "default":
		return &fault{at + ".reason", fmt.Sprintf("the reason %q is none of requested, required, default", f.Reason)}
	case !printable(f.Version):
		return &fault{at + ".version", "the version is not printable text"}
	case !validTime(f.Installed):
		return &fault{at + ".installed", "the time is not between the years 1 and 9999"}
	}
	for i, id := range f.RequiredBy {
		if !validID(id) {
			return &fault{at + ".required_by", fmt.Sprintf("%q is not the id of a feature", id)}
		}
		if slices.Contains(f.RequiredBy[:i], id) {
			return &fault{at + ".required_by", fmt.Sprintf("%q is named twice", id)}
		}
	}
	for i, file := range f.Files {
		if err := CheckPath(file.Path); err != nil {
			return &fault{fmt.Sprintf("%s.file[%d].path", at, i), err.Error()}
		}
		if !ValidHash(file.SHA256) {
			return &fault{fmt.Sprintf("%s.file[%d].sha256", at, i), fmt.Sprintf("%q is not a SHA-256 in lower-case hexadecimal", file.SHA256)}
		}
	}
	return nil
}

// sorted returns a copy in the one order that is written.
func (s State) sorted() State {
	s.Features = slices.Clone(s.Features)
	slices.SortFunc(s.Features, func(a, b Feature) int { return cmp.Compare(a.ID, b.ID) })
	for i := range s.Features {
		f := &s.Features[i]
		f.RequiredBy = slices.Sorted(slices.Values(f.RequiredBy))
		f.Files = slices.SortedFunc(slices.Values(f.Files), func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	}
	return s
}

// ValidHash reports whether s is a SHA-256 in lower-case hexadecimal.
func ValidHash(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func validID(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" && s[0] != '-'
}

func validLevel(s string) bool {
	major, minor, ok := strings.Cut(s, ".")
	digits := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	return ok && digits(major) && digits(minor)
}

// validTime keeps to what TOML can write (RFC 3339: four digits of year).
func validTime(t time.Time) bool { return t.UTC().Year() >= 1 && t.UTC().Year() <= 9999 }

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\ufeff' })
}
