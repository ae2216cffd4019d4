package httplogging

import "github.com/rolemgr/rolemgr/runtime/wshost/config"

// section is the configuration section of this module. What a site logs and where is declared with the site.
const section = "system.webServer/httpLogging"

// formatW3C is the logFormat that is written, whatever a site asks for.
const formatW3C = "W3C"

// The values of selectiveLogging.
const (
	logAll        = "LogAll"
	logSuccessful = "LogSuccessful"
	logError      = "LogError"
)

// loggingConfig is system.webServer/httpLogging, with the attributes of IIS 8.
type loggingConfig struct {
	Selective string `config:"selectiveLogging"`
	DontLog   bool   `config:"dontLog"`
}

// wants reports whether a request that ended with the status is to be logged.
func (c *loggingConfig) wants(status int) bool {
	switch {
	case c.DontLog:
		return false
	case c.Selective == logSuccessful:
		return status < 400
	case c.Selective == logError:
		return status >= 400
	}
	return true
}

// sections declares the section. It is locked as on IIS: a site must not be able to hide its requests.
func sections() []config.Section {
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Deny,
		Element: config.Element{Name: "httpLogging", Attributes: []config.Attribute{
			{Name: "selectiveLogging", Type: config.Enum, Default: logAll, Values: []config.Value{
				{Name: logAll, Value: 0}, {Name: logSuccessful, Value: 1}, {Name: logError, Value: 2},
			}},
			{Name: "dontLog", Type: config.Bool, Default: "false"},
		}},
	}}
}
