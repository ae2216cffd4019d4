package state

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// KeptStates is how many past states are kept; the oldest go first.
const KeptStates = 50

// keepPast writes a state to journal/history/<serial>.toml. When the transaction then fails the file stays: it holds
// what is still the current state, and the next transaction writes the same again.
func (s *Store) keepPast(past State) error {
	data, err := Encode(past)
	if err != nil {
		return err
	}
	if err := atomicfile.MkdirAll(s.disk, s.path(historyDir), 0o755); err != nil {
		return fmt.Errorf("keep the past state: %w", err)
	}
	if err := atomicfile.Write(s.disk, s.historyFile(past.Serial), data, 0o644); err != nil {
		return fmt.Errorf("keep the past state: %w", err)
	}
	return nil
}

func (s *Store) historyFile(serial uint64) string {
	return s.path(historyDir, strconv.FormatUint(serial, 10)+".toml")
}

// Past returns the serials of the past states that are kept, newest first: at most KeptStates, all below the current
// serial.
func (s *Store) Past() ([]uint64, error) {
	current, err := s.Read()
	if err != nil {
		return nil, err
	}
	serials, err := s.history()
	if err != nil {
		return nil, err
	}
	serials = slices.DeleteFunc(serials, func(n uint64) bool { return n >= current.Serial })
	return serials[:min(len(serials), KeptStates)], nil
}

// history returns the serials in the history folder, newest first.
func (s *Store) history() ([]uint64, error) {
	entries, err := s.disk.ReadDir(s.path(historyDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list the past states: %w", err)
	}
	var serials []uint64
	for _, e := range entries {
		base, ok := strings.CutSuffix(e.Name(), ".toml")
		n, err := strconv.ParseUint(base, 10, 64)
		if ok && err == nil && strconv.FormatUint(n, 10) == base {
			serials = append(serials, n)
		}
	}
	slices.SortFunc(serials, func(a, b uint64) int { return cmp.Compare(b, a) })
	return serials, nil
}

// ReadPast returns a past state. The error wraps fs.ErrNotExist when it is not kept, and is a *FormatError when its
// file cannot be used.
func (s *Store) ReadPast(serial uint64) (State, error) {
	name := s.historyFile(serial)
	data, err := s.disk.ReadFile(name)
	if err != nil {
		return State{}, fmt.Errorf("read the past state %d: %w", serial, err)
	}
	past, err := Decode(name, data)
	if err != nil {
		return State{}, err
	}
	if past.Serial != serial {
		return State{}, locate(data, &FormatError{File: name, Hint: "a past state is named by its serial",
			Message: fmt.Sprintf("the serial %d is not that of the file's name", past.Serial)}, "serial")
	}
	return past, nil
}

// KeepBlobs keeps the content of files durably, so that a past state that names them can be returned to. What is kept
// already is not written again.
func (s *Store) KeepBlobs(contents [][]byte) error {
	if len(contents) == 0 {
		return nil
	}
	dir := s.path(blobsDir)
	if err := atomicfile.MkdirAll(s.disk, dir, 0o755); err != nil {
		return fmt.Errorf("keep file content: %w", err)
	}
	for _, data := range contents {
		sum := sha256.Sum256(data)
		hash := hex.EncodeToString(sum[:])
		if _, err := s.Blob(hash); err == nil {
			continue
		}
		if err := atomicfile.Replace(s.disk, filepath.Join(dir, hash), data, 0o644); err != nil {
			return fmt.Errorf("keep file content: %w", err)
		}
	}
	// Also when all were there: the one who put them may have died before its own sync.
	if err := s.disk.SyncDir(dir); err != nil {
		return fmt.Errorf("keep file content: %w", err)
	}
	return nil
}

// HasBlob reports whether content with that SHA-256 is kept.
func (s *Store) HasBlob(hash string) bool {
	if !ValidHash(hash) {
		return false
	}
	info, err := s.disk.Lstat(s.path(blobsDir, hash))
	return err == nil && info.Mode().IsRegular()
}

// Blob returns kept content by its SHA-256. The content is checked against it. The error wraps fs.ErrNotExist when it
// is not kept.
func (s *Store) Blob(hash string) ([]byte, error) {
	if !ValidHash(hash) {
		return nil, fmt.Errorf("%q is not a SHA-256 in lower-case hexadecimal", hash)
	}
	data, err := s.disk.ReadFile(s.path(blobsDir, hash))
	if err != nil {
		return nil, fmt.Errorf("read kept content: %w", err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != hash {
		return nil, fmt.Errorf("read kept content: %s is damaged", s.path(blobsDir, hash))
	}
	return data, nil
}

// Prune removes the oldest past states above KeptStates, and then every blob that neither the current state nor a
// kept one names. It removes no blob when one of those states cannot be read.
func (s *Store) Prune() error {
	kept, err := s.Past()
	if err != nil {
		return err
	}
	all, err := s.history()
	if err != nil {
		return err
	}
	if len(kept) == KeptStates {
		oldest := kept[KeptStates-1]
		for _, n := range all {
			if n >= oldest {
				continue
			}
			if err := s.disk.Remove(s.historyFile(n)); err != nil {
				return fmt.Errorf("remove an old past state: %w", err)
			}
		}
	}
	return s.pruneBlobs(kept)
}

func (s *Store) pruneBlobs(kept []uint64) error {
	entries, err := s.disk.ReadDir(s.path(blobsDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list kept content: %w", err)
	}
	candidates := make(map[string]bool, len(entries))
	for _, e := range entries {
		candidates[e.Name()] = true
	}
	current, err := s.Read()
	if err != nil {
		return err
	}
	current.unmark(candidates)
	for _, n := range kept { // newest first: usually nothing is left after a few
		if len(candidates) == 0 {
			return nil
		}
		past, err := s.ReadPast(n)
		if err != nil {
			return err
		}
		past.unmark(candidates)
	}
	for _, name := range slices.Sorted(maps.Keys(candidates)) {
		if err := s.disk.Remove(s.path(blobsDir, name)); err != nil {
			return fmt.Errorf("remove content that no kept state names: %w", err)
		}
	}
	return nil
}

// unmark takes the content that a state names out of a set.
func (s State) unmark(hashes map[string]bool) {
	for _, f := range s.Features {
		for _, file := range f.Files {
			delete(hashes, file.SHA256)
		}
	}
}
