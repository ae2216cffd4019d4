// Package webservercore is the role service Web Server: what every server has, whatever else is installed. It holds the
// first configuration of a new server and answers the questions about the server itself.
//
// It serves no content of a site; that is Static Content.
package webservercore

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets seeds
var files embed.FS

// Unit declares the role service.
func Unit() features.Unit {
	return features.Unit{
		ID: "web-server-core", Parent: "web-server", Kind: features.RoleService,
		WindowsName: "Web-WebServer", DISMName: "IIS-WebServer", Title: "Web Server",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Seeds:  features.Below(files, "seeds"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{
			{Name: headerModuleName, Stage: module.StageLog, Sections: protocolSections(), New: newHeaderModule},
			{
				Name: accessModuleName, Stage: module.StageBegin, After: []string{"CustomErrorModule"},
				Sections: accessSections(), New: newAccessModule,
			},
			{
				// Behind the redirects, which need no handler.
				Name: mappingModuleName, Stage: module.StageMap, After: []string{"HttpRedirectionModule"},
				Sections: handlerSections(), New: newMappingModule,
			},
			{Name: protocolModuleName, Stage: module.StageHandle, Sections: acceptedSections(), New: newProtocolModule},
			{
				Name: infoModuleName, Stage: module.StageHandle, After: []string{protocolModuleName},
				Sections: infoSections(), New: newInfoModule,
			},
		},
	}
}
