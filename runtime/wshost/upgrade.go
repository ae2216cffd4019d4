package wshost

import (
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// webSocketModule is the name of the module that answers WebSocket handshakes, in the spelling of IIS.
const webSocketModule = "WebSocketModule"

// noteMissing tells the log that a client asks for WebSocket while the generation has no module for it: otherwise
// clients fall back to polling and nobody learns why.
func (s *Server) noteMissing(g *generation, q *module.Request) {
	for _, m := range g.modules {
		if m.info.Name == webSocketModule {
			return
		}
	}
	feature, title := "websocket", "WebSocket Protocol"
	for _, m := range s.options.Modules {
		if m.Name == webSocketModule && m.Feature != "" {
			feature, title = m.Feature, m.Title
		}
	}
	s.missing.warn(q.Logger, "a client asked for WebSocket, but the feature is not installed: the request is served as an ordinary GET",
		"feature", feature, "title", title, "command", "rolemgr install "+feature)
}
