// Package defaultdocument is the role service Default Document: which file answers for a folder.
//
// It sends nothing itself: it names the file, and Static Content or another handler serves it.
package defaultdocument

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
		ID: "default-document", Parent: "common-http", Kind: features.RoleService,
		WindowsName: "Web-Default-Doc", DISMName: "IIS-DefaultDocument", Title: "Default Document",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: "DefaultDocumentModule",
			// Among the handlers, as on IIS: whoever claims a folder's own URL, such as a WebSocket endpoint, comes first.
			Stage:    module.StageHandle,
			After:    []string{"WebSocketModule"},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
