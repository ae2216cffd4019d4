package urlrewrite

import (
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The names of enumerations, as they are written.
const (
	syntaxECMAScript = "ECMAScript"
	syntaxWildcard   = "Wildcard"
	syntaxExact      = "ExactMatch"

	matchAll = "MatchAll"
	matchAny = "MatchAny"

	typePattern   = "Pattern"
	typeFile      = "IsFile"
	typeDirectory = "IsDirectory"

	actionNone     = "None"
	actionRewrite  = "Rewrite"
	actionRedirect = "Redirect"
	actionCustom   = "CustomResponse"
	actionAbort    = "AbortRequest"

	redirectPermanent = "Permanent"
	redirectFound     = "Found"
	redirectSeeOther  = "SeeOther"
	redirectTemporary = "Temporary"

	tagsCustom = "CustomTags"
)

// rulesConfig is rewrite/rules or rewrite/globalRules. It is decoded once per configuration and shared, and carries
// what was compiled of it with it.
type rulesConfig struct {
	Entries []ruleConfig `config:",collection"`

	once     sync.Once
	compiled ruleSet
}

type ruleConfig struct {
	At     config.Pos `config:",pos"`
	Server bool       `config:",server"`
	Below  string     `config:",location"`
	Name   string     `config:"name"`
	On     bool       `config:"enabled"`
	Syntax string     `config:"patternSyntax"`
	Stop   bool       `config:"stopProcessing"`
	Match  struct {
		At         config.Pos `config:",pos"`
		URL        string     `config:"url"`
		IgnoreCase bool       `config:"ignoreCase"`
		Negate     bool       `config:"negate"`
	} `config:"match"`
	Conditions conditionsConfig `config:"conditions"`
	Variables  struct {
		Entries []variableConfig `config:",collection"`
	} `config:"serverVariables"`
	Action struct {
		At          config.Pos `config:",pos"`
		Type        string     `config:"type"`
		URL         string     `config:"url"`
		AppendQuery bool       `config:"appendQueryString"`
		Redirect    string     `config:"redirectType"`
		Status      uint32     `config:"statusCode"`
		SubStatus   uint32     `config:"subStatusCode"`
		Reason      string     `config:"statusReason"`
		Description string     `config:"statusDescription"`
	} `config:"action"`
}

type conditionsConfig struct {
	Grouping string            `config:"logicalGrouping"`
	TrackAll bool              `config:"trackAllCaptures"`
	Entries  []conditionConfig `config:",collection"`
}

type conditionConfig struct {
	At         config.Pos `config:",pos"`
	Input      string     `config:"input"`
	Type       string     `config:"matchType"`
	Pattern    string     `config:"pattern"`
	IgnoreCase bool       `config:"ignoreCase"`
	Negate     bool       `config:"negate"`
}

type variableConfig struct {
	At      config.Pos `config:",pos"`
	Name    string     `config:"name"`
	Value   string     `config:"value"`
	Replace bool       `config:"replace"`
}

// mapsConfig is rewrite/rewriteMaps.
type mapsConfig struct {
	Entries []struct {
		Name       string `config:"name"`
		Default    string `config:"defaultValue"`
		IgnoreCase bool   `config:"ignoreCase"`
		Entries    []struct {
			Key   string `config:"key"`
			Value string `config:"value"`
		} `config:",collection"`
	} `config:",collection"`

	once  sync.Once
	index map[string]*rewriteMap // by name in lower case
}

// allowedConfig is rewrite/allowedServerVariables.
type allowedConfig struct {
	Entries []struct {
		Name string `config:"name"`
	} `config:",collection"`
}

// outboundConfig is rewrite/outboundRules.
type outboundConfig struct {
	Tags struct {
		Entries []struct {
			Name    string `config:"name"`
			Entries []struct {
				Name      string `config:"name"`
				Attribute string `config:"attribute"`
			} `config:",collection"`
		} `config:",collection"`
	} `config:"customTags"`
	PreConditions struct {
		Entries []struct {
			Name     string            `config:"name"`
			Grouping string            `config:"logicalGrouping"`
			Syntax   string            `config:"patternSyntax"`
			Entries  []conditionConfig `config:",collection"`
		} `config:",collection"`
	} `config:"preConditions"`
	Entries []outRuleConfig `config:",collection"`

	once     sync.Once
	compiled outSet
}

type outRuleConfig struct {
	At           config.Pos `config:",pos"`
	Name         string     `config:"name"`
	PreCondition string     `config:"preCondition"`
	On           bool       `config:"enabled"`
	Syntax       string     `config:"patternSyntax"`
	Stop         bool       `config:"stopProcessing"`
	Match        struct {
		At          config.Pos `config:",pos"`
		Filter      []string   `config:"filterByTags"`
		CustomTags  string     `config:"customTags"`
		Variable    string     `config:"serverVariable"`
		Pattern     string     `config:"pattern"`
		Occurrences int64      `config:"occurrences"`
		IgnoreCase  bool       `config:"ignoreCase"`
		Negate      bool       `config:"negate"`
	} `config:"match"`
	Conditions conditionsConfig `config:"conditions"`
	Action     struct {
		At      config.Pos `config:",pos"`
		Type    string     `config:"type"`
		Value   string     `config:"value"`
		Replace bool       `config:"replace"`
	} `config:"action"`
}
