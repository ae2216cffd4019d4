package httpredirection

import (
	"errors"
	"net/http"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// section is the configuration section of this module.
const section = "system.webServer/httpRedirect"

// redirectConfig is system.webServer/httpRedirect, with the attributes of IIS 8 and the status 308 of IIS 10.
type redirectConfig struct {
	Enabled     bool       `config:"enabled"`
	Destination string     `config:"destination"`
	Exact       bool       `config:"exactDestination"`
	ChildOnly   bool       `config:"childOnly"`
	Status      string     `config:"httpResponseStatus"`
	Wildcards   []wildcard `config:",collection"`
}

type wildcard struct {
	Pattern     string `config:"wildcard"`
	Destination string `config:"destination"`
}

// sections declares the section.
func sections() []config.Section {
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name: "httpRedirect",
			Attributes: []config.Attribute{
				{Name: "enabled", Type: config.Bool, Default: "false"},
				{Name: "destination", Type: config.String, Check: checkDestination},
				{Name: "exactDestination", Type: config.Bool, Default: "false"},
				{Name: "childOnly", Type: config.Bool, Default: "false"},
				{Name: "httpResponseStatus", Type: config.Enum, Default: "Found", Values: []config.Value{
					{Name: "Permanent", Value: http.StatusMovedPermanently}, {Name: "Found", Value: http.StatusFound},
					{Name: "Temporary", Value: http.StatusTemporaryRedirect}, {Name: "PermRedirect", Value: http.StatusPermanentRedirect},
				}},
			},
			Collection: &config.Collection{
				Remove: "remove", Clear: "clear",
				Add: config.Element{Name: "add", Attributes: []config.Attribute{
					{Name: "wildcard", Type: config.String, Required: true, Key: true, Check: config.NonEmpty()},
					{Name: "destination", Type: config.String, Required: true, Check: checkTarget},
				}},
			},
		},
	}}
}

// code returns the status that httpResponseStatus names.
func (c *redirectConfig) code() int {
	switch c.Status {
	case "Permanent":
		return http.StatusMovedPermanently
	case "Temporary":
		return http.StatusTemporaryRedirect
	case "PermRedirect":
		return http.StatusPermanentRedirect
	}
	return http.StatusFound
}

// checkDestination refuses what cannot be sent as a Location.
func checkDestination(written string) error {
	if strings.ContainsFunc(written, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return errors.New("must not hold line breaks or other control characters: it is sent in a header field")
	}
	return nil
}

func checkTarget(written string) error {
	if written == "" {
		return errors.New("must not be empty")
	}
	return checkDestination(written)
}
