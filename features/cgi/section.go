package cgi

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// section is the configuration section of this module.
const section = "system.webServer/cgi"

// cgiConfig is system.webServer/cgi, with the attributes of IIS 8 and one of our own: user.
type cgiConfig struct {
	Timeout time.Duration `config:"timeout"`
	AsUser  bool          `config:"createProcessAsUser"`
	User    string        `config:"user"`
}

func sections() []config.Section {
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Deny,
		LockAttributes:      []string{"createProcessAsUser", "user"}, // whom programs run as is never for a site to say
		Element: config.Element{Name: "cgi", Attributes: []config.Attribute{
			{Name: "createCGIWithNewConsole", Type: config.Bool, Default: "false", NoEffect: "programs have no consoles here"},
			{Name: "createProcessAsUser", Type: config.Bool, Default: "true"},
			{Name: "timeout", Type: config.TimeSpan, Default: "00:15:00", Check: config.TimeSpanRange(1, 2147483647, 1)},
			{Name: "user", Type: config.String},
		}},
	}}
}
