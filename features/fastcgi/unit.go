// Package fastcgi is the feature FastCGI: it hands requests to FastCGI applications such as PHP, and runs their processes.
//
// It speaks no FastCGI itself (package fcgi does) and starts no process itself (package process does): it decides which
// application a request is for, how many processes that one has, and what is answered when one fails.
package fastcgi

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// Unit declares the feature.
func Unit() features.Unit {
	return features.Unit{
		ID: "fastcgi", Parent: "real-time-and-apps", Kind: features.RoleService, Title: "FastCGI",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeModule},
		Modules: []module.Info{{
			Name: name, Stage: module.StageHandle,
			After:    []string{"ProtocolSupportModule", "ServerInfoModule", "WebSocketModule", "DefaultDocumentModule"},
			Sections: sections(), New: newModule,
		}},
	}
}
