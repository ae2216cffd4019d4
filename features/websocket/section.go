package websocket

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections of this module.
const (
	socketSection   = "system.webServer/webSocket"
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
	return strings.FieldsFunc(c.AllowedOrigins, func(r rune) bool { return r == ',' || r == ' ' })
}

// checkOrigins allows "*" and origins such as "https://example.com", between commas.
func checkOrigins(written string) error {
	for _, origin := range (&socketConfig{AllowedOrigins: written}).origins(false) {
		if origin == "*" || origin == "null" {
			continue
		}
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return errors.New(`must hold "*", or origins between commas, such as "https://example.com, https://example.org:8443"; "` + origin + `" is none`)
		}
	}
	return nil
}

// sections declares both sections. IIS ships webSocket locked (overrideModeDefault Deny), so that the documented
// <webSocket enabled="false"/> in a web.config answers 500.19 there; here it is open until a person locks it.
func sections() []config.Section {
	return []config.Section{
		{
			Path:                socketSection,
			OverrideModeDefault: config.Allow,
			Element: config.Element{Name: "webSocket", Attributes: []config.Attribute{
				{Name: "enabled", Type: config.Bool, Default: "true"},
				{Name: "receiveBufferLimit", Type: config.Uint, Default: "4194304", Check: config.IntegerRange(4096, 2147483647)},
				{Name: "pingInterval", Type: config.TimeSpan, Default: "00:00:00", Check: config.TimeSpanRange(0, 86400, 1)},
				{Name: "allowedOrigins", Type: config.String, Check: checkOrigins}, // ours; IIS admits every origin
			}},
		},
		endpointDeclaration(),
	}
}
