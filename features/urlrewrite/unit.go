// Package urlrewrite is URL Rewrite: the rules of web.config that rewrite, redirect or refuse a request by its URL, and
// those that change the header and the links of the answer.
//
// It forwards nothing: a rule that rewrites to another server leaves the request to Reverse Proxy, or is refused where that
// is not installed.
package urlrewrite

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// Unit declares the role service, which on Windows is a separate download.
func Unit() features.Unit {
	return features.Unit{
		ID: "url-rewrite", Parent: "real-time-and-apps", Kind: features.RoleService, Title: "URL Rewrite",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name, Stage: module.StageRewrite, Sections: sections(), New: newModule,
		}},
	}
}
