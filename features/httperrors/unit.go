// Package httperrors is the role service HTTP Errors: what people see when a request fails, in full at the server and
// in short elsewhere.
//
// It decides no failure itself; modules and the host do, and describe it with module.HTTPError.
package httperrors

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
		ID: "http-errors", Parent: "common-http", Kind: features.RoleService,
		WindowsName: "Web-Http-Errors", DISMName: "IIS-HttpErrors", Title: "HTTP Errors",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name,
			// Outermost but for the access log: configuration errors are answered before StageBegin, and nobody needs
			// a readable page more.
			Stage:    module.StageLog,
			After:    []string{"HttpLoggingModule"},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
