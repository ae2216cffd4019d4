// Package all lists every unit of this binary. The list is generated from the folders below features; a test fails
// when the two differ. It decides nothing: see features.NewCatalog.
package all

import "github.com/rolemgr/rolemgr/features"

//go:generate go run ./gen
//go:generate go test -count=1 -run TestIISMap . -update

// Units returns the whole tree: the groups and unavailable nodes of features.Tree and every unit with a folder.
func Units() []features.Unit { return append(features.Tree(), folders()...) }
