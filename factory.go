// Package rolemgr holds the factory state: what a new server starts from. It is nothing else; the program is in
// cmd/rolemgr.
package rolemgr

import _ "embed"

//go:embed state.toml
var factoryState []byte

// FactoryState returns the content of state.toml for a new server: nothing installed, server level 8.0.
func FactoryState() []byte { return append([]byte(nil), factoryState...) }
