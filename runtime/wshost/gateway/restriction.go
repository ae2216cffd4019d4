package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// restrictionPath is the section that lists programs which may be run, or may not.
const restrictionPath = "system.webServer/security/isapiCgiRestriction"

// restriction is system.webServer/security/isapiCgiRestriction, with the attributes of IIS 8.
type restriction struct {
	NotListed bool `config:"notListedCgisAllowed"`
	Entries   []struct {
		Path    string `config:"path"`
		Allowed bool   `config:"allowed"`
	} `config:",collection"`
}

// RestrictionSection declares the section. IIS allows nothing that is not listed; here a program that is not listed may
// run, for the list of a Windows server stays behind when a site is brought without it. The list holds for FastCGI and
// CGI.
func RestrictionSection() config.Section {
	const noISAPI = "ISAPI extensions are DLLs of Windows"
	return config.Section{
		Path:                restrictionPath,
		OverrideModeDefault: config.Deny,
		AllowDefinition:     config.AppHostOnly,
		Element: config.Element{
			Name: "isapiCgiRestriction",
			Attributes: []config.Attribute{
				{Name: "notListedIsapisAllowed", Type: config.Bool, Default: "false", NoEffect: noISAPI},
				{Name: "notListedCgisAllowed", Type: config.Bool, Default: "true"},
			},
			Collection: &config.Collection{
				Remove: "remove", Clear: "clear",
				Add: config.Element{Name: "add", Attributes: []config.Attribute{
					{Name: "path", Type: config.String, Required: true, Key: true, Expanded: true, Check: config.NonEmpty()},
					{Name: "allowed", Type: config.Bool, Required: true},
					{Name: "groupId", Type: config.String, NoEffect: "groups are a matter of IIS Manager"},
					{Name: "description", Type: config.String, NoEffect: "it is for people"},
				}},
			},
		},
	}
}

// Restricted returns the 404.2 for a program that may not be run, nil for one that may. Names are the ways in which a
// list may name it: "path", "path|arguments".
func Restricted(q *module.Request, moduleName string, names ...string) *module.HTTPError {
	c, err := config.Decode[restriction](q.Config, restrictionPath)
	if err != nil {
		return module.Misfit(moduleName, restrictionPath, err)
	}
	allowed := c.NotListed
	for _, e := range c.Entries {
		for _, name := range names {
			if strings.EqualFold(strings.ReplaceAll(e.Path, `"`, ""), strings.ReplaceAll(name, `"`, "")) {
				allowed = e.Allowed
			}
		}
	}
	if allowed {
		return nil
	}
	return &module.HTTPError{
		Status: http.StatusNotFound, SubStatus: 2, Module: moduleName,
		Summary: fmt.Sprintf("the program %q may not be run on this server", names[0]),
		Hint:    "<isapiCgiRestriction> in applicationHost.config lists what may",
	}
}
