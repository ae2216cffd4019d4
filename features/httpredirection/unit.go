// Package httpredirection is the role service HTTP Redirection: it sends clients from a URL and everything below it to
// another place.
//
// It is no rewriting: the client sees the new address, and what lies at the old one is never looked at.
package httpredirection

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
		ID: "http-redirection", Parent: "common-http", Kind: features.RoleService,
		WindowsName: "Web-Http-Redirect", DISMName: "IIS-HttpRedirect", Title: "HTTP Redirection",
		Since:  "7.0",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			// Behind URL Rewrite, as on IIS, and before every handler: the old address needs none.
			Name: name, Stage: module.StageMap, Sections: sections(), New: newModule,
		}},
	}
}
