package compress

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections that both features read. static-compression owns them, as the node that the role brings by default;
// dynamic-compression, which Windows lets people install alone, reads them (module.Info.Reads). What both need, the
// declaration included, stands here, because units do not import one another.
const (
	HTTPSection = "system.webServer/httpCompression"
	URLSection  = "system.webServer/urlCompression"
)

// httpConfig is system.webServer/httpCompression, with the attributes that have an effect here.
type httpConfig struct {
	SendCacheHeaders bool   `config:"sendCacheHeaders"`
	Expires          string `config:"expiresHeader"`
	CacheControl     string `config:"cacheControlHeader"`
	Directory        string `config:"directory"`
	LimitDisk        bool   `config:"doDiskSpaceLimiting"`
	MaxDiskMB        uint32 `config:"maxDiskSpaceUsage"`
	MinFileSize      uint32 `config:"minFileSizeForComp"`
	NoHTTP10         bool   `config:"noCompressionForHttp10"`
	NoProxies        bool   `config:"noCompressionForProxies"`
	NoRange          bool   `config:"noCompressionForRange"`

	Schemes []scheme `config:",collection"`
	Static  struct {
		Types []mimeType `config:",collection"`
	} `config:"staticTypes"`
	Dynamic struct {
		Types []mimeType `config:",collection"`
	} `config:"dynamicTypes"`
}

type scheme struct {
	Name         string `config:"name"`
	Static       bool   `config:"doStaticCompression"`
	Dynamic      bool   `config:"doDynamicCompression"`
	StaticLevel  uint32 `config:"staticCompressionLevel"`
	DynamicLevel uint32 `config:"dynamicCompressionLevel"`
}

type mimeType struct {
	Type    string `config:"mimeType"`
	Enabled bool   `config:"enabled"`
}

// URLConfig is system.webServer/urlCompression: the switches of a URL.
type URLConfig struct {
	Static  bool `config:"doStaticCompression"`
	Dynamic bool `config:"doDynamicCompression"`
}

// Sections declares both sections with the attributes of IIS 8, and staticCompressionIgnoreHitFrequency, which files of
// later servers carry.
//
// IIS refuses an entry that is added twice. Here a scheme or a type may be repeated and the later one counts: files that
// repeat the whole list of the server in a web.config, scheme included, are the common case, and are to be served.
func Sections() []config.Section {
	return []config.Section{
		{Path: HTTPSection, OverrideModeDefault: config.Allow, Examine: examinePlace, Element: config.Element{
			Name: "httpCompression", Attributes: httpAttributes(),
			Collection: &config.Collection{
				Remove: "remove", Clear: "clear", AllowDuplicates: true,
				Add: config.Element{Name: "scheme", Judge: judgeScheme, Attributes: []config.Attribute{
					{Name: "name", Type: config.String, Required: true, Key: true, Check: config.NonEmpty()},
					{Name: "doStaticCompression", Type: config.Bool, Default: "true"},
					{Name: "doDynamicCompression", Type: config.Bool, Default: "true"},
					{Name: "dll", Type: config.String, Required: true, Expanded: true, Check: config.NonEmpty(), NoEffect: "the encoders are part of the program"},
					{Name: "staticCompressionLevel", Type: config.Uint, Default: "7"},
					{Name: "dynamicCompressionLevel", Type: config.Uint, Default: "0"},
				}},
			},
			Elements: []config.Element{typesElement("staticTypes"), typesElement("dynamicTypes")},
		}},
		{Path: URLSection, OverrideModeDefault: config.Allow, Element: config.Element{
			Name: "urlCompression", Attributes: []config.Attribute{
				{Name: "doStaticCompression", Type: config.Bool, Default: "true"},
				{Name: "doDynamicCompression", Type: config.Bool, Default: "true"},
				{Name: "dynamicCompressionBeforeCache", Type: config.Bool, Default: "false", NoEffect: "what is sent is compressed on its way out and never kept"},
			},
		}},
	}
}

// judgeScheme says of a scheme that nothing here produces it.
func judgeScheme(attribute func(string) string) config.Judgement {
	if _, ok := Known(attribute("name")); ok {
		return config.Judgement{}
	}
	return config.Judgement{NoEffect: "there is no such coding here; those that browsers ask for are br, zstd and gzip"}
}

// examinePlace says of what counts for the server as a whole that a web.config changes nothing by it.
func examinePlace(e *config.Effective, _ bool) []config.Remark {
	n, ok := e.Node(HTTPSection)
	if !ok {
		return nil
	}
	at, _ := n.Written()
	var out []config.Remark
	for _, a := range n.Values() {
		switch a.Attribute.Name {
		case "directory", "doDiskSpaceLimiting", "maxDiskSpaceUsage":
			if a.Set && strings.EqualFold(filepath.Base(a.Pos.File), "web.config") {
				out = append(out, config.Remark{At: at, Attribute: a.Attribute.Name, Judgement: config.Judgement{
					NoEffect: "the compressed copies are kept for the server as a whole: it counts in applicationHost.config",
				}})
			}
		}
	}
	return out
}

// windowsDirectory is the default of the schema of IIS, which no other system has: it stands for the host's own folder.
const windowsDirectory = `%SystemDrive%\inetpub\temp\IIS Temporary Compressed Files`

func httpAttributes() []config.Attribute {
	percent := config.IntegerRange(0, 100)
	const serverOnly = "what a web.config says of it is passed over"
	const noGate = "the load of the processors is not looked at; few files are compressed at a time"
	return []config.Attribute{
		{Name: "sendCacheHeaders", Type: config.Bool, Default: "false"},
		{Name: "expiresHeader", Type: config.String, Default: "Wed, 01 Jan 1997 12:00:00 GMT", Check: checkFieldValue},
		{Name: "cacheControlHeader", Type: config.String, Default: "max-age=86400", Check: checkFieldValue},
		{Name: "directory", Type: config.String, Default: windowsDirectory, Expanded: true, Partly: serverOnly + "; a folder of Windows stands for the one of the host"},
		{Name: "doDiskSpaceLimiting", Type: config.Bool, Default: "true", Partly: serverOnly},
		{Name: "maxDiskSpaceUsage", Type: config.Uint, Default: "100", Partly: serverOnly},
		{Name: "minFileSizeForComp", Type: config.Uint, Default: "2700"},
		{Name: "noCompressionForHttp10", Type: config.Bool, Default: "true"},
		{Name: "noCompressionForProxies", Type: config.Bool, Default: "true"},
		{Name: "noCompressionForRange", Type: config.Bool, Default: "true"},
		{Name: "staticCompressionDisableCpuUsage", Type: config.Uint, Default: "100", Check: percent, NoEffect: noGate},
		{Name: "staticCompressionEnableCpuUsage", Type: config.Uint, Default: "50", Check: percent, NoEffect: noGate},
		{Name: "dynamicCompressionDisableCpuUsage", Type: config.Uint, Default: "90", Check: percent, NoEffect: noGate},
		{Name: "dynamicCompressionEnableCpuUsage", Type: config.Uint, Default: "50", Check: percent, NoEffect: noGate},
		{Name: "dynamicCompressionBufferLimit", Type: config.Uint, Default: "65536", NoEffect: "an answer is compressed as it is written"},
		{Name: "staticCompressionIgnoreHitFrequency", Type: config.Bool, Default: "false", NoEffect: "a file is compressed for its first visitor"},
	}
}

func typesElement(name string) config.Element {
	return config.Element{Name: name, Collection: &config.Collection{
		Remove: "remove", Clear: "clear", AllowDuplicates: true,
		Add: config.Element{Name: "add", Attributes: []config.Attribute{
			{Name: "mimeType", Type: config.String, Required: true, Key: true, Check: config.NonEmpty()},
			{Name: "enabled", Type: config.Bool, Required: true},
		}},
	}}
}

// checkFieldValue refuses what cannot be sent as the value of a header field (RFC 9110, section 5.5).
func checkFieldValue(written string) error {
	if strings.ContainsFunc(written, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return errors.New("must not hold control characters: it is sent in a header field")
	}
	return nil
}
