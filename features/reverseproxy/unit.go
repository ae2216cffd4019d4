// Package reverseproxy is Reverse Proxy: it answers from other servers, single ones or farms, what a rewrite rule sends
// there, as Application Request Routing does on Windows.
package reverseproxy

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// name is the module's name in <globalModules> and in error pages, as on IIS.
const name = "ApplicationRequestRouting"

// Unit declares the role service, which on Windows is a separate download.
func Unit() features.Unit {
	return features.Unit{
		ID: "reverse-proxy", Parent: "real-time-and-apps", Kind: features.RoleService, Title: "Reverse Proxy",
		Doc:      doc,
		Requires: []features.Require{{ID: "url-rewrite", Why: "its rules say what goes to which server"}},
		Assets:   features.Below(files, "assets"),
		Probe:    features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name, Stage: module.StageHandle, After: []string{"WebSocketModule"},
			Sections: []config.Section{proxySection(), farmSection()}, New: newModule,
		}},
	}
}
