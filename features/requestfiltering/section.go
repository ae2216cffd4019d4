package requestfiltering

import "github.com/rolemgr/rolemgr/runtime/wshost/config"

// section is the configuration section of this module.
const section = "system.webServer/security/requestFiltering"

// filterConfig is system.webServer/security/requestFiltering, with the attributes of IIS 10.
type filterConfig struct {
	AllowDoubleEscaping bool `config:"allowDoubleEscaping"`
	AllowHighBit        bool `config:"allowHighBitCharacters"`
	UnescapeQuery       bool `config:"unescapeQueryString"`
	RemoveServer        bool `config:"removeServerHeader"`
	Extensions          struct {
		AllowUnlisted bool        `config:"allowUnlisted"`
		Entries       []extension `config:",collection"`
	} `config:"fileExtensions"`
	Limits struct {
		MaxContentLength uint32 `config:"maxAllowedContentLength"`
		MaxURL           uint32 `config:"maxUrl"`
		MaxQuery         uint32 `config:"maxQueryString"`
		Headers          struct {
			Entries []headerLimit `config:",collection"`
		} `config:"headerLimits"`
	} `config:"requestLimits"`
	Verbs struct {
		AllowUnlisted bool   `config:"allowUnlisted"`
		Entries       []verb `config:",collection"`
	} `config:"verbs"`
	Hidden struct {
		Entries []struct {
			Segment string `config:"segment"`
		} `config:",collection"`
	} `config:"hiddenSegments"`
	AllowedURLs struct {
		Entries []struct {
			URL string `config:"url"`
		} `config:",collection"`
	} `config:"alwaysAllowedUrls"`
	AllowedQueries struct {
		Entries []struct {
			Query string `config:"queryString"`
		} `config:",collection"`
	} `config:"alwaysAllowedQueryStrings"`
	DeniedURLs    sequences `config:"denyUrlSequences"`
	DeniedQueries sequences `config:"denyQueryStringSequences"`
	Rules         struct {
		Entries []rule `config:",collection"`
	} `config:"filteringRules"`
}

type extension struct {
	Extension string `config:"fileExtension"`
	Allowed   bool   `config:"allowed"`
}

type headerLimit struct {
	Header string `config:"header"`
	Size   uint32 `config:"sizeLimit"`
}

type verb struct {
	Verb    string `config:"verb"`
	Allowed bool   `config:"allowed"`
}

type sequences struct {
	Entries []struct {
		Sequence string `config:"sequence"`
	} `config:",collection"`
}

// rule is one of filteringRules.
type rule struct {
	Name                 string `config:"name"`
	ScanURL              bool   `config:"scanUrl"`
	ScanQuery            bool   `config:"scanQueryString"`
	ScanAllRaw           bool   `config:"scanAllRaw"`
	DenyUnescapedPercent bool   `config:"denyUnescapedPercent"`
	ScanHeaders          struct {
		Entries []struct {
			Header string `config:"requestHeader"`
		} `config:",collection"`
	} `config:"scanHeaders"`
	AppliesTo struct {
		Entries []struct {
			Extension string `config:"fileExtension"`
		} `config:",collection"`
	} `config:"appliesTo"`
	Deny struct {
		Entries []struct {
			String string `config:"string"`
		} `config:",collection"`
	} `config:"denyStrings"`
}

// boolean and listed build the declarations that this section repeats.
func boolean(name, value string) config.Attribute {
	return config.Attribute{Name: name, Type: config.Bool, Default: value}
}

// listed declares a collection with <add>, <remove> and <clear>; the first attribute is the key.
func listed(name string, attributes []config.Attribute, own ...config.Attribute) config.Element {
	attributes[0].Key, attributes[0].Required, attributes[0].Check = true, true, config.NonEmpty()
	return config.Element{Name: name, Attributes: own, Collection: &config.Collection{
		Remove: "remove", Clear: "clear", Add: config.Element{Name: "add", Attributes: attributes},
	}}
}

func text(name string) config.Attribute { return config.Attribute{Name: name, Type: config.String} }

func size(name, value string) config.Attribute {
	return config.Attribute{Name: name, Type: config.Uint, Default: value}
}

// sections declares the section.
func sections() []config.Section {
	webdav := boolean("applyToWebDAV", "true")
	webdav.NoEffect = "there is no WebDAV here"
	verbName := text("verb")
	verbName.CaseSensitive = true
	allowed := config.Attribute{Name: "allowed", Type: config.Bool, Required: true}
	sizeLimit := config.Attribute{Name: "sizeLimit", Type: config.Uint, Required: true}
	limits := config.Element{
		Name: "requestLimits",
		Attributes: []config.Attribute{
			size("maxAllowedContentLength", "30000000"), size("maxUrl", "4096"), size("maxQueryString", "2048"),
		},
		Elements: []config.Element{listed("headerLimits", []config.Attribute{text("header"), sizeLimit})},
	}
	return []config.Section{{
		Path:                section,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name: "requestFiltering",
			Attributes: []config.Attribute{
				boolean("allowDoubleEscaping", "false"), boolean("allowHighBitCharacters", "true"),
				boolean("unescapeQueryString", "true"), boolean("removeServerHeader", "false"),
			},
			Elements: []config.Element{
				listed("fileExtensions", []config.Attribute{text("fileExtension"), allowed}, boolean("allowUnlisted", "true"), webdav),
				limits,
				listed("verbs", []config.Attribute{verbName, allowed}, boolean("allowUnlisted", "true"), webdav),
				listed("hiddenSegments", []config.Attribute{text("segment")}, webdav),
				listed("alwaysAllowedUrls", []config.Attribute{text("url")}),
				listed("alwaysAllowedQueryStrings", []config.Attribute{text("queryString")}),
				listed("denyUrlSequences", []config.Attribute{text("sequence")}),
				listed("denyQueryStringSequences", []config.Attribute{text("sequence")}),
				rulesElement(),
			},
		},
	}}
}

func rulesElement() config.Element {
	return config.Element{Name: "filteringRules", Collection: &config.Collection{
		Remove: "remove", Clear: "clear",
		Add: config.Element{
			Name: "filteringRule",
			Attributes: []config.Attribute{
				{Name: "name", Type: config.String, Required: true, Key: true},
				boolean("scanUrl", "false"), boolean("scanQueryString", "false"), boolean("scanAllRaw", "false"),
				boolean("denyUnescapedPercent", "true"),
			},
			Elements: []config.Element{
				listed("scanHeaders", []config.Attribute{text("requestHeader")}),
				listed("appliesTo", []config.Attribute{text("fileExtension")}),
				listed("denyStrings", []config.Attribute{text("string")}),
			},
		},
	}}
}
