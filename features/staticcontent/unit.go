// Package staticcontent is the role service Static Content: it serves files, with the MIME map that says which.
//
// It maps no path to disk (the host does), lists no folder and knows no start page.
package staticcontent

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// Unit declares the role service.
func Unit() features.Unit {
	return features.Unit{
		ID: "static-content", Parent: "common-http", Kind: features.RoleService,
		WindowsName: "Web-Static-Content", DISMName: "IIS-StaticContent", Title: "Static Content",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeHTTP, Path: "/probe.txt", Status: 200, Header: "Content-Type: text/plain", Contains: "rolemgr probe"},
		Modules: []module.Info{{
			Name:  "StaticFileModule",
			Stage: module.StageHandle,
			// The last handler: what nobody else claims is a file or nothing.
			After: []string{
				"ProtocolSupportModule", "ServerInfoModule", "WebSocketModule", "DefaultDocumentModule", "StaticCompressionModule",
				"DirectoryListingModule",
			},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
