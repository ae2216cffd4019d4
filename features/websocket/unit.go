// Package websocket is the role service WebSocket Protocol: the module that takes over opening handshakes for the
// endpoints a site declares, the relay that does so for an application's own, and the sections that switch both.
//
// It is not the engine (runtime/wshost/ws), and its endpoints send back what they get: those that do
// more belong to the feature websocket-endpoints, which is asked through module.SocketEndpoints.
package websocket

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
		ID: "websocket", Parent: "application-development", Kind: features.RoleService,
		WindowsName: "Web-WebSockets", DISMName: "IIS-WebSockets", Title: "WebSocket Protocol",
		Since:  "8.0",
		Doc:    doc,
		Assets: features.Below(files, "assets"),
		Probe:  features.Probe{Kind: features.ProbeWebSocket, Path: "/echo"},
		Modules: []module.Info{{
			Name:     "WebSocketModule",
			Stage:    module.StageHandle,
			After:    []string{"WebSocketEndpointsModule"},
			Sections: sections(),
			New:      newModule,
		}},
	}
}
