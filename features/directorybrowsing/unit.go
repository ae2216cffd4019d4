// Package directorybrowsing is the role service Directory Browsing: it lists a folder that has no default document.
//
// It sends no file and decides nothing about who may read one; it only names what can be asked for.
package directorybrowsing

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
		ID: "directory-browsing", Parent: "common-http", Kind: features.RoleService,
		WindowsName: "Web-Dir-Browsing", DISMName: "IIS-DirectoryBrowsing", Title: "Directory Browsing",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name,
			// Behind Default Document, which is asked first, and before Static Content, which takes everything.
			Stage:    module.StageHandle,
			After:    []string{"ProtocolSupportModule", "ServerInfoModule", "WebSocketModule", "DefaultDocumentModule"},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
