package forward

import (
	"errors"
	"net/url"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// WebSocketPath is the section that says who handles the WebSockets of an application.
const WebSocketPath = "system.webServer/webSocket"

// WebSocketSection declares system.webServer/webSocket, with the attributes of IIS 8. WebSocket Protocol owns it. What
// hosts applications lists it under Reads: a web.config that switches WebSocket off for its application is in order
// without that feature too, when nobody gets one.
//
// IIS ships the section locked (overrideModeDefault Deny), so that the documented <webSocket enabled="false"/> in a
// web.config answers 500.19 there; here it is open until a person locks it.
func WebSocketSection() config.Section {
	return config.Section{
		Path:                WebSocketPath,
		OverrideModeDefault: config.Allow,
		Element: config.Element{Name: "webSocket", Attributes: []config.Attribute{
			{Name: "enabled", Type: config.Bool, Default: "true"},
			{Name: "receiveBufferLimit", Type: config.Uint, Default: "4194304", Check: config.IntegerRange(4096, 2147483647)},
			{Name: "pingInterval", Type: config.TimeSpan, Default: "00:00:00", Check: config.TimeSpanRange(0, 86400, 1)},
			{Name: "allowedOrigins", Type: config.String, Check: checkOrigins}, // ours; IIS admits every origin
		}},
	}
}

// Origins splits the attribute allowedOrigins.
func Origins(written string) []string {
	return strings.FieldsFunc(written, func(r rune) bool { return r == ',' || r == ' ' })
}

// checkOrigins allows "*" and origins such as "https://example.com", between commas.
func checkOrigins(written string) error {
	for _, origin := range Origins(written) {
		if origin == "*" || origin == "null" {
			continue
		}
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return errors.New(`must hold "*", or origins between commas, such as "https://example.com, https://example.org:8443"; "` + origin + `" is none`)
		}
	}
	return nil
}
