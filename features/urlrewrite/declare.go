package urlrewrite

import (
	"errors"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections of this module.
const (
	sectionRules    = "system.webServer/rewrite/rules"
	sectionGlobal   = "system.webServer/rewrite/globalRules"
	sectionMaps     = "system.webServer/rewrite/rewriteMaps"
	sectionOutbound = "system.webServer/rewrite/outboundRules"
	sectionAllowed  = "system.webServer/rewrite/allowedServerVariables"
)

// sections declares them as the schema of URL Rewrite 2 does. useOriginalURLEncoding came with 2.1.
func sections() []config.Section {
	return []config.Section{
		{Path: sectionRules, OverrideModeDefault: config.Allow, Element: rulesElement("rules"), Examine: examineRules(sectionRules)},
		{Path: sectionGlobal, OverrideModeDefault: config.Deny, AllowDefinition: config.AppHostOnly, Element: rulesElement("globalRules"), Examine: examineRules(sectionGlobal)},
		{Path: sectionMaps, OverrideModeDefault: config.Allow, Element: mapsElement()},
		{Path: sectionOutbound, OverrideModeDefault: config.Allow, Element: outboundElement(), Examine: examineOutbound},
		{Path: sectionAllowed, OverrideModeDefault: config.Deny, Element: config.Element{
			Name:       "allowedServerVariables",
			Collection: changeable(config.Element{Name: "add", Attributes: []config.Attribute{key("name")}}),
		}},
	}
}

func text(name string) config.Attribute { return config.Attribute{Name: name, Type: config.String} }

func key(name string) config.Attribute {
	return config.Attribute{Name: name, Type: config.String, Required: true, Key: true}
}

func boolean(name, value string) config.Attribute {
	return config.Attribute{Name: name, Type: config.Bool, Default: value}
}

// enum declares an enumeration; the first name is its default.
func enum(name string, names ...string) config.Attribute {
	a := config.Attribute{Name: name, Type: config.Enum, Default: names[0]}
	for i, n := range names {
		a.Values = append(a.Values, config.Value{Name: n, Value: int64(i)})
	}
	return a
}

// trimmed is requireTrimmedString of the schema.
func trimmed(a config.Attribute) config.Attribute {
	a.Check = func(written string) error {
		if strings.TrimSpace(written) != written {
			return errors.New("must not begin or end with white space")
		}
		return nil
	}
	return a
}

// inert is an attribute that is accepted and changes nothing.
func inert(a config.Attribute, why string) config.Attribute {
	a.NoEffect = why
	return a
}

// partly is an attribute that does less than on IIS.
func partly(a config.Attribute, what string) config.Attribute {
	a.Partly = what
	return a
}

// changeable is a collection whose entries can be taken out again.
func changeable(entry config.Element) *config.Collection {
	return &config.Collection{Add: entry, Remove: "remove", Clear: "clear"}
}

func rulesElement(name string) config.Element {
	redirectType := config.Attribute{Name: "redirectType", Type: config.Enum, Default: redirectPermanent, Values: []config.Value{
		{Name: redirectPermanent, Value: 301}, {Name: redirectFound, Value: 302}, {Name: redirectSeeOther, Value: 303}, {Name: redirectTemporary, Value: 307},
	}}
	matchURL := text("url")
	matchURL.Check = config.NonEmpty()
	return config.Element{
		Name:       name,
		Attributes: []config.Attribute{inert(boolean("useOriginalURLEncoding", "true"), "it is about URLs that are forwarded to another server")},
		Collection: changeable(config.Element{
			Name: "rule",
			Attributes: []config.Attribute{
				key("name"), boolean("enabled", "true"), syntaxAttribute(), boolean("stopProcessing", "false"),
			},
			Elements: []config.Element{
				{Name: "match", Attributes: []config.Attribute{matchURL, boolean("ignoreCase", "true"), boolean("negate", "false")}},
				conditionsElement("conditions", "false"),
				{Name: "serverVariables", Collection: &config.Collection{Add: config.Element{
					Name: "set", Attributes: []config.Attribute{trimmed(key("name")), text("value"), boolean("replace", "true")},
				}}},
				{Name: "action", Attributes: []config.Attribute{
					enum("type", actionNone, actionRewrite, actionRedirect, actionCustom, actionAbort), trimmed(text("url")),
					boolean("appendQueryString", "true"), inert(boolean("logRewrittenUrl", "false"), "the access log holds the URL of the client"), redirectType,
					{Name: "statusCode", Type: config.Uint, Check: config.IntegerOutside(300, 307), Partly: "from 200 to 599"},
					{Name: "subStatusCode", Type: config.Uint, Default: "0", Check: config.IntegerRange(0, 999)},
					partly(text("statusReason"), "the error page tells it; the status line has the standard phrase"), text("statusDescription"),
				}},
			},
		}),
	}
}

func syntaxAttribute() config.Attribute {
	return enum("patternSyntax", syntaxECMAScript, syntaxWildcard, syntaxExact)
}

// conditionsElement declares a list of conditions. Two equal ones do no harm, so none is a key.
func conditionsElement(name, trackAll string) config.Element {
	return config.Element{
		Name:       name,
		Attributes: []config.Attribute{enum("logicalGrouping", matchAll, matchAny), boolean("trackAllCaptures", trackAll)},
		Collection: conditionList(),
	}
}

func conditionList() *config.Collection {
	return &config.Collection{AllowDuplicates: true, Add: config.Element{Name: "add", Attributes: []config.Attribute{
		text("input"), enum("matchType", typePattern, typeFile, typeDirectory), text("pattern"),
		boolean("ignoreCase", "true"), boolean("negate", "false"),
	}}}
}

func mapsElement() config.Element {
	entry := key("key")
	entry.CaseSensitive = true
	return config.Element{Name: "rewriteMaps", Collection: changeable(config.Element{
		Name:       "rewriteMap",
		Attributes: []config.Attribute{trimmed(key("name")), text("defaultValue"), boolean("ignoreCase", "true")},
		Collection: changeable(config.Element{Name: "add", Attributes: []config.Attribute{entry, text("value")}}),
	})}
}

func outboundElement() config.Element {
	tag := func(name string) config.Attribute {
		a := key(name)
		a.Check = config.NonEmpty()
		return a
	}
	filter := config.Attribute{Name: "filterByTags", Type: config.Flags, Default: "None", Values: []config.Value{
		{Name: "None", Value: 0}, {Name: "A", Value: 1}, {Name: "Area", Value: 2}, {Name: "Base", Value: 4}, {Name: "Form", Value: 8},
		{Name: "Frame", Value: 16}, {Name: "Head", Value: 32}, {Name: "IFrame", Value: 64}, {Name: "Img", Value: 128},
		{Name: "Input", Value: 256}, {Name: "Link", Value: 512}, {Name: "Script", Value: 1024}, {Name: tagsCustom, Value: 32768},
	}}
	return config.Element{
		Name:       "outboundRules",
		Attributes: []config.Attribute{inert(boolean("rewriteBeforeCache", "false"), "this host keeps no answers")},
		Elements: []config.Element{
			{Name: "customTags", Collection: changeable(config.Element{
				Name: "tags", Attributes: []config.Attribute{key("name")},
				Collection: changeable(config.Element{Name: "tag", Attributes: []config.Attribute{tag("name"), tag("attribute")}}),
			})},
			{Name: "preConditions", Collection: changeable(config.Element{
				Name:       "preCondition",
				Attributes: []config.Attribute{key("name"), enum("logicalGrouping", matchAll, matchAny), syntaxAttribute()},
				Collection: conditionList(),
			})},
		},
		Collection: changeable(config.Element{
			Name: "rule",
			Attributes: []config.Attribute{
				key("name"), text("preCondition"), boolean("enabled", "true"), syntaxAttribute(), boolean("stopProcessing", "false"),
			},
			Elements: []config.Element{
				{Name: "match", Attributes: []config.Attribute{
					filter, text("customTags"), text("serverVariable"), text("pattern"),
					{Name: "occurrences", Type: config.Int64, Default: "0"}, boolean("ignoreCase", "true"), boolean("negate", "false"),
				}},
				conditionsElement("conditions", "true"),
				{Name: "action", Attributes: []config.Attribute{enum("type", actionNone, actionRewrite), text("value"), boolean("replace", "true")}},
			},
		}),
	}
}
