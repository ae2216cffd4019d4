package websocket

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
)

// The sections of this module.
const (
	socketSection   = forward.WebSocketPath
	endpointSection = "system.webServer/webSocketEndpoints"
)

// socketConfig is system.webServer/webSocket, with the attributes of IIS 8.
type socketConfig struct {
	Enabled            bool          `config:"enabled"`
	ReceiveBufferLimit uint32        `config:"receiveBufferLimit"`
	PingInterval       time.Duration `config:"pingInterval"`
	AllowedOrigins     string        `config:"allowedOrigins"`
}

// origins returns whose pages may open a connection beside those of the host itself. Where nothing is said, endpoints of
// this server admit the host's own pages alone, and an application judges by itself.
func (c *socketConfig) origins(relayed bool) []string {
	if c.AllowedOrigins == "" && relayed {
		return []string{"*"}
	}
	return forward.Origins(c.AllowedOrigins)
}

// sections declares both sections.
func sections() []config.Section {
	return []config.Section{
		forward.WebSocketSection(),
		endpointDeclaration(),
	}
}
