package staticcontent

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// section is the configuration section of this module.
const section = "system.webServer/staticContent"

// staticConfig is system.webServer/staticContent, with the attributes of IIS 8.
type staticConfig struct {
	ClientCache clientCache `config:"clientCache"`
	MimeMaps    []mimeMap   `config:",collection"`
}

type clientCache struct {
	Mode    string        `config:"cacheControlMode"`
	MaxAge  time.Duration `config:"cacheControlMaxAge"`
	Expires string        `config:"httpExpires"`
	Custom  string        `config:"cacheControlCustom"`
	SetETag bool          `config:"setEtag"`
}

type mimeMap struct {
	Extension string `config:"fileExtension"`
	Type      string `config:"mimeType"`
}

// The cache modes of clientCache.
const (
	modeNoControl    = "NoControl"
	modeDisableCache = "DisableCache"
	modeUseMaxAge    = "UseMaxAge"
	modeUseExpires   = "UseExpires"
)

// sections declares the section. The attributes of document footers are part of the schema, so that files from IIS
// are accepted.
func sections() []config.Section {
	const footer = "document footers are not supported"
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		LockAttributes:      []string{"isDocFooterFileName"},
		Element: config.Element{
			Name: "staticContent",
			Attributes: []config.Attribute{
				{Name: "defaultDocFooter", Type: config.String, CaseSensitive: true, NoEffect: footer},
				{Name: "isDocFooterFileName", Type: config.Bool, Default: "false", NoEffect: footer},
				{Name: "enableDocFooter", Type: config.Bool, Default: "false", NoEffect: footer},
			},
			Elements: []config.Element{{Name: "clientCache", Attributes: []config.Attribute{
				{Name: "cacheControlMode", Type: config.Enum, Default: modeNoControl, Values: []config.Value{
					{Name: modeNoControl, Value: 0}, {Name: modeDisableCache, Value: 1},
					{Name: modeUseMaxAge, Value: 2}, {Name: modeUseExpires, Value: 3},
				}},
				{Name: "cacheControlMaxAge", Type: config.TimeSpan, Default: "1.00:00:00", Check: checkAge},
				{Name: "httpExpires", Type: config.String, Check: checkDate},
				{Name: "cacheControlCustom", Type: config.String, Check: checkFieldValue},
				{Name: "setEtag", Type: config.Bool, Default: "true"},
			}}},
			Collection: &config.Collection{
				// The map differs from version to version of IIS: .json came with 8.0. More than half of the web.config files
				// that name types repeat one of ours without <remove>, and were right where they come from.
				StockYields: true,
				Remove:      "remove", Clear: "clear",
				Add: config.Element{Name: "mimeMap", Judge: judgeMap, Attributes: []config.Attribute{
					{Name: "fileExtension", Type: config.String, Required: true, Key: true},
					{Name: "mimeType", Type: config.String, Required: true, Check: checkMimeType},
				}},
			},
		},
	}}
}

// judgeMap says of an extension without a dot, or with white space around it, that no file has it.
func judgeMap(attribute func(string) string) config.Judgement {
	ext := attribute("fileExtension")
	if strings.HasPrefix(ext, ".") && strings.TrimSpace(ext) == ext {
		return config.Judgement{}
	}
	return config.Judgement{NoEffect: fmt.Sprintf("an extension begins with a dot: %q fits no file; write %q", ext, "."+strings.Trim(ext, ". "))}
}

// checkAge refuses ages that Cache-Control cannot hold (RFC 9111, section 1.2.2).
func checkAge(written string) error {
	if strings.HasPrefix(strings.TrimSpace(written), "-") {
		return errors.New("must not be negative")
	}
	return nil
}

func checkDate(written string) error {
	if written == "" {
		return nil
	}
	if _, err := parseDate(written); err != nil {
		return errors.New(`must be an HTTP date such as "Tue, 19 Jan 2038 03:14:07 GMT"`)
	}
	return nil
}

// parseDate reads a date as files of IIS hold it: that of HTTP, and those with a day of one digit or with UTC for GMT,
// which IIS sends as they are and browsers understand.
func parseDate(written string) (time.Time, error) {
	t, err := http.ParseTime(written)
	if err != nil {
		t, err = time.Parse("Mon, 2 Jan 2006 15:04:05 MST", written)
		if zone, offset := t.Zone(); err == nil && offset == 0 && zone != "UTC" && zone != "GMT" {
			return t, errors.New("unknown time zone") // the abbreviation is read, its offset is not known
		}
	}
	return t, err
}

func checkMimeType(written string) error {
	if strings.TrimSpace(written) == "" {
		return errors.New("must not be empty")
	}
	return checkFieldValue(written)
}

// checkFieldValue refuses what cannot be sent as the value of a header field (RFC 9110, section 5.5).
func checkFieldValue(written string) error {
	if strings.ContainsFunc(written, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("must not hold control characters: it is sent in a header field")
	}
	return nil
}
