package features

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// File is a file that a unit brings, at its own path below the server's home.
type File struct {
	Path   string // slash-separated, relative to the home
	SHA256 string // lower-case hex
	Data   []byte // not to be changed
}

// Assets returns the files of a unit that belong to rolemgr, by path.
func (c *Catalog) Assets(id ID) []File { return c.assets[id] }

// Seeds returns the files of a unit that are put only where none is yet, by path.
func (c *Catalog) Seeds(id ID) []File { return c.seeds[id] }

// Below returns the files below a folder of an embedded file system, for Unit.Assets and Unit.Seeds. It panics when dir
// is not a valid path, which is a mistake of the unit.
func Below(fsys fs.FS, dir string) fs.FS {
	sub, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err)
	}
	return sub
}

// readFiles reads a unit's files once, so that nothing later can fail to read them.
func readFiles(fsys fs.FS) ([]File, error) {
	if fsys == nil {
		return nil, nil
	}
	var files []File
	err := fs.WalkDir(fsys, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !mayHold(path) {
			return fmt.Errorf("file %q is not below config/ or sites/", path)
		}
		data, err := fs.ReadFile(fsys, path)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		files = append(files, File{Path: path, SHA256: hex.EncodeToString(sum[:]), Data: data})
		return nil
	})
	return files, err
}

// mayHold reports whether a unit may put a file there. The rest of the home (state.toml, journal, run, logs) is
// written by the transaction and the host, and a unit that shipped such a file would break their promises.
func mayHold(path string) bool {
	return strings.HasPrefix(path, "config/") || strings.HasPrefix(path, "sites/")
}
