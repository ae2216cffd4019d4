// Package cgi is the role service CGI: it runs a program for each request (RFC 3875).
//
// FastCGI, which this role service of Windows holds too, is a feature of its own.
package cgi

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// Unit declares the role service.
func Unit() features.Unit {
	return features.Unit{
		ID: "cgi", Parent: "application-development", Kind: features.RoleService,
		WindowsName: "Web-CGI", DISMName: "IIS-CGI", Title: "CGI",
		Since:    "7.0",
		Doc:      doc,
		Requires: []features.Require{{ID: "fastcgi", Why: "on Windows this role service brings FastCGI too"}},
		Assets:   features.Below(files, "assets"),
		Probe:    features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name, Stage: module.StageHandle,
			After:    []string{"ProtocolSupportModule", "ServerInfoModule", "WebSocketModule", "DefaultDocumentModule"},
			Sections: sections(), Reads: []config.Section{gateway.RestrictionSection()}, New: newModule,
		}},
	}
}
