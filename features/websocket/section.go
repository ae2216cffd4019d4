package websocket

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections of this module.
const (
	socketSection   = "system.webServer/webSocket"
	endpointSection = "system.webServer/webSocketEndpoints"
)

// typeEcho is the endpoint type that sends every message back.
const typeEcho = "echo"

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

// endpointConfig is system.webServer/webSocketEndpoints: which paths of a site the host itself serves.
type endpointConfig struct {
	Entries []endpoint `config:",collection"`
}

type endpoint struct {
	Path string `config:"path"`
	Type string `config:"type"`
}

// find returns the endpoint with that path. Paths are compared exactly, as files are.
func (c *endpointConfig) find(path string) (endpoint, bool) {
	for _, e := range c.Entries {
		if e.Path == path {
			return e, true
		}
	}
	return endpoint{}, false
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
		{
			Path:                endpointSection,
			OverrideModeDefault: config.Allow,
			Element: config.Element{Name: "webSocketEndpoints", Collection: &config.Collection{
				Remove: "remove", Clear: "clear",
				Add: config.Element{Name: "add", Attributes: []config.Attribute{
					{Name: "path", Type: config.String, Required: true, Key: true, CaseSensitive: true, Check: checkPath},
					{Name: "type", Type: config.Enum, Required: true, Values: []config.Value{{Name: typeEcho, Value: 1}}},
				}},
			}},
		},
	}
}

// checkPath allows decoded URL paths from the root of the site.
func checkPath(written string) error {
	if !strings.HasPrefix(written, "/") || strings.ContainsAny(written, "?#") {
		return errors.New(`must be a URL path from the root of the site, such as "/echo", without query or fragment`)
	}
	// Requests come with clean paths: an endpoint at another one would never be found.
	if clean := path.Clean(written); written != clean && written != strings.TrimSuffix(clean, "/")+"/" {
		return errors.New(`must have no empty segments and no "." or ".."; did you mean "` + clean + `"?`)
	}
	return nil
}
