// Package staticcompression is the role service Static Content Compression: it sends compressed copies of files, which it
// makes once and keeps on disk.
//
// It serves no file itself; it stands around Static Content. Answers of applications are those of dynamic-compression.
package staticcompression

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

// Unit declares the role service.
func Unit() features.Unit {
	return features.Unit{
		ID: "static-compression", Parent: "performance", Kind: features.RoleService,
		WindowsName: "Web-Stat-Compression", DISMName: "IIS-HttpCompressionStatic", Title: "Static Content Compression",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name,
			// Around the module that serves files and behind the one that names the start page of a folder: the file is known.
			Stage:    module.StageHandle,
			After:    []string{"ProtocolSupportModule", "ServerInfoModule", "WebSocketModule", "DefaultDocumentModule"},
			Sections: compress.Sections(),
			New:      newModule,
		}},
	}
}
