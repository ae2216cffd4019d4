// Package httplogging is the role service HTTP Logging: the access log of each site in the W3C extended format.
//
// The host's own log (logs/wshost.log) is not written here, and nothing is ever deleted: a log that a person may need
// is theirs to throw away.
package httplogging

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
		ID: "http-logging", Parent: "health-and-diagnostics", Kind: features.RoleService,
		WindowsName: "Web-Http-Logging", DISMName: "IIS-HttpLogging", Title: "HTTP Logging",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name:     name,
			Stage:    module.StageLog,
			Sections: sections(),
			New:      newModule,
		}},
	}
}
