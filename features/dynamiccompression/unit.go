// Package dynamiccompression is the role service Dynamic Content Compression: it compresses the answers of applications
// while they are sent.
//
// It keeps nothing, and leaves the files of a site to static-compression.
package dynamiccompression

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// Unit declares the role service. It requires nothing, as on Windows: the sections that static-compression owns are read
// here whether that is installed or not.
func Unit() features.Unit {
	return features.Unit{
		ID: "dynamic-compression", Parent: "performance", Kind: features.RoleService,
		WindowsName: "Web-Dyn-Compression", DISMName: "IIS-HttpCompressionDynamic", Title: "Dynamic Content Compression",
		Since:  "7.0",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name,
			// Around every handler. What is refused or redirected before has next to no body.
			Stage: module.StageCache,
			Reads: compress.Sections(),
			New:   newModule,
		}},
	}
}
