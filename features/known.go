package features

import (
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Known returns the sections of IIS that belong to nodes which cannot be installed here, with the reason: a web.config
// that uses one is told which feature it needs, instead of that the section is unknown.
func (c *Catalog) Known() []config.Known {
	var known []config.Known
	for _, s := range ownedElsewhere() {
		u, ok := c.units[s.owner]
		if !ok || u.Unavailable == nil {
			continue
		}
		reason := u.Unavailable.Reason
		if u.Unavailable.Instead != "" {
			reason += "; " + u.Unavailable.Instead
		}
		k := config.Known{Path: s.path, Feature: string(u.ID), Title: u.Title, Reason: reason}
		if strings.HasPrefix(s.path, authentication) {
			k.Judge = offAnyway
		}
		known = append(known, k)
	}
	return append(known, core()...)
}

// core lists the sections of IIS that belong to its core rather than to a node of the tree, and that this version does
// not read.
func core() []config.Known {
	const notYet = "this version of rolemgr does not read it yet"
	return []config.Known{
		{Path: "configurationRedirection", Reason: "it is all of redirection.config, by which servers of Windows share their files; let the home of this server be the shared folder"},
		{Path: "system.webServer/rewrite/providers", Reason: "providers of URL Rewrite are .NET assemblies, which exist only on Windows; use a rewriteMap"},
		{Path: authentication + "anonymousAuthentication", Reason: notYet + "; every request is anonymous", Judge: anonymousAnyway},
		{Path: "system.webServer/validation", Ignored: true, Reason: "it is about settings of the classic pipeline of IIS, which does not exist here"},
	}
}

// authentication is the group of the sections that say how users are recognized.
const authentication = "system.webServer/security/authentication/"

// anonymousAnyway accepts what switches on what every request is: many files say so. The account has no meaning here.
func anonymousAnyway(attribute func(string) string) config.Judgement {
	if v := attribute("enabled"); v == "" || strings.EqualFold(v, "true") {
		return config.Judgement{NoEffect: "it is switched on, as it is here anyway"}
	}
	return config.Judgement{}
}

// offAnyway accepts what leaves switched off what does not exist here. All kinds of authentication but the anonymous one
// are off unless they are switched on (IIS schema).
func offAnyway(attribute func(string) string) config.Judgement {
	if v := attribute("enabled"); v == "" || strings.EqualFold(v, "false") {
		return config.Judgement{NoEffect: "it is switched off, as it is here anyway"}
	}
	return config.Judgement{}
}

// owned is a section and the node that it belongs to.
type owned struct {
	path  string
	owner ID
}

// ownedElsewhere lists the sections of nodes that are not available. A unit that becomes available declares its sections
// with its modules, and its rows here go.
func ownedElsewhere() []owned {
	return []owned{
		{"system.webServer/asp", "asp"},
		{"system.webServer/applicationInitialization", "application-initialization"},
		{"system.webServer/httpTracing", "tracing"},
		{"system.webServer/isapiFilters", "isapi-filters"},
		{"system.webServer/odbcLogging", "odbc-logging"},
		{authentication + "basicAuthentication", "basic-authentication"},
		{authentication + "clientCertificateMappingAuthentication", "client-certificate-mapping"},
		{authentication + "digestAuthentication", "digest-authentication"},
		{authentication + "iisClientCertificateMappingAuthentication", "iis-client-certificate-mapping"},
		{authentication + "windowsAuthentication", "windows-authentication"},
		{"system.webServer/security/authorization", "url-authorization"},
		{"system.webServer/security/dynamicIpSecurity", "ip-and-domain-restrictions"},
		{"system.webServer/security/ipSecurity", "ip-and-domain-restrictions"},
		{"system.webServer/serverSideInclude", "server-side-includes"},
		{"system.webServer/tracing", "tracing"},
		{"system.webServer/webdav", "webdav-publishing"},
	}
}

// Owners returns the sections that units declare, with the unit that owns each.
func (c *Catalog) Owners() map[string]ID {
	owners := map[string]ID{}
	for _, id := range c.order {
		for _, m := range c.units[id].Modules {
			for _, s := range m.Sections {
				owners[s.Path] = id
			}
		}
	}
	return owners
}
