package httplogging

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections that this module reads. The format of a site's log is declared with the site.
const (
	section      = "system.webServer/httpLogging"
	sitesSection = "system.applicationHost/sites"
)

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

// sitesConfig is what this module reads of system.applicationHost/sites.
type sitesConfig struct {
	Defaults struct {
		LogFile logFile `config:"logFile"`
	} `config:"siteDefaults"`
	Sites []struct {
		ID      uint32  `config:"id"`
		LogFile logFile `config:"logFile"`
	} `config:",collection"`
}

// logFile is sites/site/logFile.
type logFile struct {
	Enabled           bool     `config:"enabled"`
	Format            string   `config:"logFormat"`
	Directory         string   `config:"directory"`
	Period            string   `config:"period"`
	Flags             []string `config:"logExtFileFlags"`
	LocalTimeRollover bool     `config:"localTimeRollover"`
}

// over returns l with what siteDefaults say where l has the value of the schema. A site cannot go back to a value of the
// schema that siteDefaults change: what was written and what is a default are one in a decoded section.
func (l logFile) over(defaults logFile) logFile {
	l.Enabled = l.Enabled && defaults.Enabled
	if l.Format == formatW3C {
		l.Format = defaults.Format
	}
	if l.Directory == "" {
		l.Directory = defaults.Directory
	}
	if l.Period == periodDaily {
		l.Period = defaults.Period
	}
	if sameFlags(l.Flags, defaultFlags()) {
		l.Flags = defaults.Flags
	}
	l.LocalTimeRollover = l.LocalTimeRollover || defaults.LocalTimeRollover
	return l
}

func sameFlags(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// folder returns the absolute folder of the site's log files. A relative one counts from the server's home, which is
// the parent of the default log folder.
func (l *logFile) folder(logDir string) string {
	dir := filepath.FromSlash(strings.ReplaceAll(l.Directory, `\`, "/"))
	switch {
	case dir == "":
		return logDir
	case filepath.IsAbs(dir):
		return dir
	}
	return filepath.Join(filepath.Dir(logDir), dir)
}
