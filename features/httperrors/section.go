package httperrors

import (
	"fmt"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// section is the configuration section of this module.
const section = "system.webServer/httpErrors"

// The values of errorMode, existingResponse and responseMode.
const (
	modeDetailedLocalOnly = "DetailedLocalOnly"
	modeCustom            = "Custom"
	modeDetailed          = "Detailed"

	existingAuto        = "Auto"
	existingReplace     = "Replace"
	existingPassThrough = "PassThrough"

	respondFile       = "File"
	respondExecuteURL = "ExecuteURL"
	respondRedirect   = "Redirect"
)

// stockMoreInfo is the default link of IIS. It leads to pages about Windows and is not shown.
const stockMoreInfo = "http://go.microsoft.com/fwlink/?LinkID=62293"

// errorsConfig is system.webServer/httpErrors, with the attributes of IIS 8.
type errorsConfig struct {
	Mode          string  `config:"errorMode"`
	Existing      string  `config:"existingResponse"`
	DefaultPath   string  `config:"defaultPath"`
	DefaultMode   string  `config:"defaultResponseMode"`
	MoreInfo      string  `config:"detailedMoreInformationLink"`
	AllowAbsolute bool    `config:"allowAbsolutePathsWhenDelegated"`
	Entries       []entry `config:",collection"`
}

// entry says how one status is answered to those who get no details.
type entry struct {
	Status    uint32 `config:"statusCode"`
	SubStatus int    `config:"subStatusCode"` // -1 for any
	Prefix    string `config:"prefixLanguageFilePath"`
	Path      string `config:"path"`
	Mode      string `config:"responseMode"`
	// Server says that a person at the server has written the entry: its path may be any.
	Server bool `config:",server"`
}

// match returns the entry for a status: one that names the sub-status wins over one for any, and over both the
// default path stands in when there is neither.
func (c *errorsConfig) match(status, sub int) (entry, bool) {
	found, ok := entry{}, false
	for _, e := range c.Entries {
		switch {
		case int(e.Status) != status:
		case e.SubStatus == sub:
			return e, true
		case e.SubStatus == -1:
			found, ok = e, true
		}
	}
	if !ok && c.DefaultPath != "" {
		// The attribute is locked to the server level, where absolute paths are allowed.
		return entry{Status: uint32(status), SubStatus: sub, Path: c.DefaultPath, Mode: c.DefaultMode, Server: true}, true
	}
	return found, ok
}

// judgeEntry says of an entry that it names no page that can be sent.
func judgeEntry(attribute func(string) string) config.Judgement {
	p := attribute("path")
	drive := len(p) > 1 && p[1] == ':' || strings.HasPrefix(p, `\\`)
	switch mode := attribute("responseMode"); {
	case mode == respondFile && drive:
		return config.Judgement{NoEffect: "there are no drives here: the built-in page is sent in place of " + p + "; name a file of the site"}
	case mode == respondExecuteURL && !strings.HasPrefix(p, "/"):
		return config.Judgement{NoEffect: fmt.Sprintf(`a URL of the site begins with "/", and %q does not: the built-in page is sent`, p)}
	}
	return config.Judgement{}
}

// sections declares the section with the locks of the stock configuration of IIS.
func sections() []config.Section {
	respond := []config.Value{{Name: respondFile, Value: 0}, {Name: respondExecuteURL, Value: 1}, {Name: respondRedirect, Value: 2}}
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		LockAttributes:      []string{"allowAbsolutePathsWhenDelegated", "defaultPath"},
		Element: config.Element{
			Name: "httpErrors",
			Attributes: []config.Attribute{
				{Name: "errorMode", Type: config.Enum, Default: modeDetailedLocalOnly, Values: []config.Value{
					{Name: modeDetailedLocalOnly, Value: 0}, {Name: modeCustom, Value: 1}, {Name: modeDetailed, Value: 2},
				}},
				{Name: "existingResponse", Type: config.Enum, Default: existingAuto, Values: []config.Value{
					{Name: existingAuto, Value: 0}, {Name: existingReplace, Value: 1}, {Name: existingPassThrough, Value: 2},
				}},
				{Name: "defaultPath", Type: config.String, Expanded: true},
				{Name: "defaultResponseMode", Type: config.Enum, Default: respondFile, Values: respond},
				{Name: "detailedMoreInformationLink", Type: config.String, Default: stockMoreInfo},
				{Name: "allowAbsolutePathsWhenDelegated", Type: config.Bool, Default: "false"},
			},
			Collection: &config.Collection{
				Remove: "remove", Clear: "clear",
				Add: config.Element{Name: "error", Judge: judgeEntry, Attributes: []config.Attribute{
					{Name: "statusCode", Type: config.Uint, Required: true, Key: true, Check: config.IntegerRange(400, 999)},
					{Name: "subStatusCode", Type: config.Int, Default: "-1", Key: true, Check: config.IntegerRange(-1, 999)},
					{Name: "prefixLanguageFilePath", Type: config.String, Expanded: true},
					{Name: "path", Type: config.String, Required: true, Expanded: true, Check: config.NonEmpty()},
					{Name: "responseMode", Type: config.Enum, Default: respondFile, Values: respond},
				}},
			},
		},
	}}
}
