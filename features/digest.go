package features

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// digest is SHA-256 over what a plan depends on: two catalogues with the same digest give the same plans for the
// same requests. Prose (Doc) is left out, because a better sentence must not make a plan stale.
func (c *Catalog) digest() string {
	type file struct{ Path, SHA256 string }
	type entry struct {
		ID, Parent                   ID
		Kind                         Kind
		WindowsName, DISMName, Title string
		Since, Until                 Level
		Default, Tool, Group         bool
		Unavailable                  bool
		Requires                     []Require
		Conflicts                    []Conflict
		Assets, Seeds                []file
		Probe                        Probe
		Modules                      []string
	}
	list := func(files []File) []file {
		out := make([]file, len(files))
		for i, f := range files {
			out[i] = file{f.Path, f.SHA256}
		}
		return out
	}
	h := sha256.New()
	enc := json.NewEncoder(h)
	for _, u := range c.Units() {
		e := entry{
			ID: u.ID, Parent: u.Parent, Kind: u.Kind,
			WindowsName: u.WindowsName, DISMName: u.DISMName, Title: u.Title,
			Since: u.Since, Until: u.Until, Default: u.Default, Tool: u.Tool, Group: u.Group,
			Unavailable: u.Unavailable != nil, Requires: u.Requires, Conflicts: u.Conflicts,
			Assets: list(c.assets[u.ID]), Seeds: list(c.seeds[u.ID]), Probe: u.Probe,
		}
		for _, m := range u.Modules {
			e.Modules = append(e.Modules, m.Name)
		}
		// Strings, booleans and numbers always encode, and a hash never refuses a write.
		_ = enc.Encode(e)
	}
	return hex.EncodeToString(h.Sum(nil))
}
