// Package requestfiltering is the role service Request Filtering: it refuses requests by their URL, verb, size and
// header before any other module has looked at them.
//
// It is no firewall for applications: it knows the form of a request and nothing of what it means.
package requestfiltering

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
		ID: "request-filtering", Parent: "security", Kind: features.RoleService,
		WindowsName: "Web-Filtering", DISMName: "IIS-RequestFiltering", Title: "Request Filtering",
		Since: "7.0", Default: true,
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name:     name,
			Stage:    module.StageBegin,
			After:    []string{"CustomErrorModule"},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
