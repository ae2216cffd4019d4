package features

import "slices"

// Tree returns the nodes that are not units with a folder of their own: the role, its groups, and the role services
// that are not available here, in the order of Windows Server 2012. Together with the units of package all it is the
// whole role tree of IIS 8 and the group of our own.
//
// Windows lists no versions for the nodes. Since is our reading of the release notes of IIS: what Windows Server 2008
// had is 7.0; FTP and WebDAV, downloads until then, came into the box with 7.5; WebSocket Protocol, Application
// Initialization, Centralized SSL Certificate Support and the services for .NET 4.5 came with 8.0.
func Tree() []Unit {
	return slices.Concat(role(), commonHTTP(), health(), performance(), security(), appDevelopment(), realTime(),
		ftp(), hostableWebCore(), managementTools())
}

// role returns the role itself. Its first child, Web Server, is a unit with a folder.
func role() []Unit {
	return []Unit{{
		ID: "web-server", Kind: Role, Title: "Web Server (IIS)",
		WindowsName: "Web-Server", DISMName: "IIS-WebServerRole",
		Since: "7.0", Group: true,
		Doc: `The web server role: everything this server can do is a role service below it.

Installing the role installs its default services: enough to serve the files of a site, with default documents,
error pages, an access log and request filtering. Everything else is off until it is installed.`,
	}}
}

// later is the availability of a node that a later version builds. instead may be "".
func later(instead string) *Unavailable {
	return &Unavailable{NotBuilt: true, Reason: "this version of rolemgr does not have it yet", Instead: instead}
}

// windowsOnly is the availability of a node that cannot exist outside Windows.
func windowsOnly(reason, instead string) *Unavailable {
	return &Unavailable{Reason: reason, Instead: instead}
}
