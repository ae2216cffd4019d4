package directorybrowsing

import "github.com/rolemgr/rolemgr/runtime/wshost/config"

// section is the configuration section of this module.
const section = "system.webServer/directoryBrowse"

// browseConfig is system.webServer/directoryBrowse, with the attributes of IIS 8.
type browseConfig struct {
	Enabled bool     `config:"enabled"`
	Show    []string `config:"showFlags"`
}

// The values of showFlags.
const (
	showDate      = "Date"
	showTime      = "Time"
	showSize      = "Size"
	showExtension = "Extension"
	showLongDate  = "LongDate"
)

// sections declares the section. virtualDirectoryTimeout bounds how long IIS waits for a share behind a virtual
// directory; it is accepted and has no effect, because only folders of this machine are listed.
func sections() []config.Section {
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name: "directoryBrowse",
			Attributes: []config.Attribute{
				{Name: "enabled", Type: config.Bool, Default: "false"},
				{Name: "showFlags", Type: config.Flags, Default: "Date, Time, Size, Extension", Values: []config.Value{
					{Name: "None", Value: 0}, {Name: showDate, Value: 2}, {Name: showTime, Value: 4}, {Name: showSize, Value: 8},
					{Name: showExtension, Value: 16}, {Name: showLongDate, Value: 32},
				}},
				{Name: "virtualDirectoryTimeout", Type: config.Uint, Default: "5", NoEffect: "only folders of this machine are listed"},
			},
		},
	}}
}
