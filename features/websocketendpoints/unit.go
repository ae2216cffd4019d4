// Package websocketendpoints is the feature WebSocket Endpoints: endpoints that need no code of the site, served by a
// program for each connection, by a TCP server, or by the other clients of a room.
//
// It does not find endpoints, answer handshakes or own their section: WebSocketModule does, and asks this module.
package websocketendpoints

import (
	"embed"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

//go:embed unit.md
var doc string

//go:embed assets
var files embed.FS

// name is the module's name in <globalModules>.
const name = "WebSocketEndpointsModule"

// Unit declares the feature.
func Unit() features.Unit {
	return features.Unit{
		ID: "websocket-endpoints", Parent: "real-time-and-apps", Kind: features.RoleService, Title: "WebSocket Endpoints",
		Doc:      doc,
		Requires: []features.Require{{ID: "websocket", Why: "its endpoints are served by the WebSocket engine"}},
		Assets:   features.Below(files, "assets"),
		Probe:    features.Probe{Kind: features.ProbeModule},
		Modules:  []module.Info{{Name: name, Stage: module.StageHandle, New: newModule}},
	}
}
