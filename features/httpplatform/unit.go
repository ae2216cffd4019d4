// Package httpplatform is HTTP Platform Handler: it starts the program of an application, which is an HTTP server of its
// own, watches over its processes and passes requests and WebSockets on to them. It reads <httpPlatform>, and <aspNetCore>
// and <iisnode> as well, so that applications made for those modules of IIS run unchanged.
package httpplatform

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// The modules, in the spelling of IIS. AspNetCoreModule is the first version of ASP.NET Core's.
const (
	platformModule = "httpPlatformHandler"
	coreModule     = "AspNetCoreModule"
	coreModuleV2   = "AspNetCoreModuleV2"
	nodeModule     = "iisnode"
)

// Unit declares the role service, which on Windows is three separate downloads.
func Unit() features.Unit {
	return features.Unit{
		ID: "http-platform", Parent: "real-time-and-apps", Kind: features.RoleService, Title: "HTTP Platform Handler",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{
			info(platformModule, platformSection()),
			info(coreModule),
			info(coreModuleV2, coreSection()),
			info(nodeModule, nodeSection()),
		},
	}
}

func info(name string, sections ...config.Section) module.Info {
	return module.Info{
		Name: name, Stage: module.StageHandle, After: []string{"WebSocketModule"}, Sections: sections,
		Reads: []config.Section{forward.WebSocketSection()},
		New:   func() module.Module { return &handler{name: name} },
	}
}
