package apply

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// undo puts everything back as the manifest says, in reverse, and returns what could not be put back. It looks at
// what is there and does only what is needed, so it may be repeated after a crash of its own, and it never overwrites
// what neither the transaction nor the time before it has put there.
func undo(o Options, b *begin) []Leftover {
	var left []Leftover
	dirty := make(map[string]bool)
	for _, e := range slices.Backward(b.Manifest) {
		changed, err := undoEntry(o, e)
		full := filepath.Join(o.Home, filepath.FromSlash(e.Path))
		if changed {
			dirty[filepath.Dir(full)] = true
			ev := Event{Kind: EventUndo, N: e.Step, Total: len(b.Plan.Steps)}
			if e.Step >= 1 && e.Step <= len(b.Plan.Steps) {
				ev.Step = &b.Plan.Steps[e.Step-1]
			}
			emit(o, ev)
		}
		if err != nil {
			l := Leftover{Path: full, Why: err.Error()}
			if e.PreImage != "" {
				l.PreImage = filepath.Join(o.Home, journalDir, txnDir, e.PreImage)
			}
			left = append(left, l)
		}
	}
	state := atomicfile.TempName(filepath.Join(o.Home, "state.toml"))
	if err := o.FS.Remove(state); err == nil {
		dirty[o.Home] = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		left = append(left, Leftover{Path: state, Why: err.Error()})
	}
	if err := syncDirs(o, dirty); err != nil && len(left) == 0 {
		left = append(left, Leftover{Path: o.Home, Why: "it may not survive a power cut: " + err.Error()})
	}
	return left
}

// undoEntry puts one name back. changed tells whether the disk was changed.
func undoEntry(o Options, e entry) (changed bool, err error) {
	full := filepath.Join(o.Home, filepath.FromSlash(e.Path))
	at, err := inspect(o.Home, o.FS, e.Path)
	if link := (*linkError)(nil); errors.As(err, &link) && e.Seed {
		return false, nil // linked by a person meanwhile
	}
	if err != nil {
		return false, err
	}
	if e.Dir {
		return undoDir(o, full, at)
	}
	if at.kind == folder {
		return false, errors.New("it has become a folder")
	}
	// A step that was killed may have left a half-written file under the other name.
	if err := o.FS.Remove(atomicfile.TempName(full)); err == nil {
		changed = true
	} else if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	ours := at.kind == absent || slices.Contains(e.Puts, at.hash)
	if e.SHA256 == "" {
		switch {
		case at.kind == absent:
			return changed, nil
		case !ours && e.Seed:
			return changed, nil // a person has begun to use it
		case !ours:
			return changed, errors.New("it was changed by someone else meanwhile")
		}
		if err := o.FS.Remove(full); err != nil {
			return changed, err
		}
		return true, nil
	}
	mode := fs.FileMode(e.Mode).Perm()
	if at.hash == e.SHA256 {
		if at.perm == mode {
			return changed, nil
		}
		return true, o.FS.Chmod(full, mode)
	}
	if !ours {
		return changed, errors.New("it was changed by someone else meanwhile")
	}
	return true, restore(o, e, full, mode)
}

// undoDir removes a folder that the transaction made, when nothing has been put into it since.
func undoDir(o Options, full string, at found) (changed bool, err error) {
	if at.kind != folder {
		return false, nil
	}
	inside, err := o.FS.ReadDir(full)
	if err != nil || len(inside) > 0 {
		return false, err
	}
	return true, o.FS.Remove(full)
}

// restore writes the pre-image of a file back.
func restore(o Options, e entry, full string, mode fs.FileMode) error {
	data, err := o.FS.ReadFile(filepath.Join(o.Home, journalDir, txnDir, e.PreImage))
	if err != nil {
		return fmt.Errorf("read the pre-image: %w", err)
	}
	if hashOf(data) != e.SHA256 {
		return errors.New("the pre-image is damaged")
	}
	if err := atomicfile.Replace(o.FS, full, data, mode); err != nil {
		return err
	}
	info, err := o.FS.Lstat(full)
	if err != nil || info.Mode().Perm() == mode {
		return err
	}
	return o.FS.Chmod(full, mode) // the umask took bits away that the file had
}
