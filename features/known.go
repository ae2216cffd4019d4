package features

import "github.com/rolemgr/rolemgr/runtime/wshost/config"

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
		known = append(known, config.Known{Path: s.path, Feature: string(u.ID), Title: u.Title, Reason: reason})
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
		{Path: "system.webServer/security/authentication/anonymousAuthentication", Reason: notYet + "; every request is anonymous"},
		{Path: "system.webServer/validation", Ignored: true, Reason: "it is about settings of the classic pipeline of IIS, which does not exist here"},
	}
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
		{"system.webServer/proxy", "reverse-proxy"},
		{"system.webServer/security/authentication/basicAuthentication", "basic-authentication"},
		{"system.webServer/security/authentication/clientCertificateMappingAuthentication", "client-certificate-mapping"},
		{"system.webServer/security/authentication/digestAuthentication", "digest-authentication"},
		{"system.webServer/security/authentication/iisClientCertificateMappingAuthentication", "iis-client-certificate-mapping"},
		{"system.webServer/security/authentication/windowsAuthentication", "windows-authentication"},
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
