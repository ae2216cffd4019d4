package features

// What to use instead of the frameworks that stay on Windows.
const (
	insteadOfFramework = "move the application to ASP.NET Core; HTTP Platform Handler runs it here"
	insteadOfISAPI     = "run the program as an HTTP server of its own; HTTP Platform Handler starts it here"
)

// appDevelopment returns Application Development without WebSocket Protocol.
func appDevelopment() []Unit {
	return append(frameworks(), []Unit{
		{
			ID: "application-initialization", Parent: "application-development", Kind: RoleService,
			Title:       "Application Initialization",
			WindowsName: "Web-AppInit", DISMName: "IIS-ApplicationInit",
			Since:       "8.0",
			Doc:         `Sends warm-up requests to an application before people do.`,
			Unavailable: later("send the first request after a start yourself, from a timer or the deployment"),
		},
		{
			ID: "isapi-extensions", Parent: "application-development", Kind: RoleService, Title: "ISAPI Extensions",
			WindowsName: "Web-ISAPI-Ext", DISMName: "IIS-ISAPIExtensions",
			Since:       "7.0",
			Doc:         `Loads native request handlers built against the ISAPI interface.`,
			Unavailable: windowsOnly("an ISAPI extension is a Windows DLL", insteadOfISAPI),
		},
		{
			ID: "isapi-filters", Parent: "application-development", Kind: RoleService, Title: "ISAPI Filters",
			WindowsName: "Web-ISAPI-Filter", DISMName: "IIS-ISAPIFilter",
			Since: "7.0",
			Doc:   `Loads native filters built against the ISAPI interface.`,
			Unavailable: windowsOnly("an ISAPI filter is a Windows DLL",
				"Request Filtering covers what URLScan did: rolemgr install request-filtering"),
		},
		{
			ID: "server-side-includes", Parent: "application-development", Kind: RoleService, Title: "Server Side Includes",
			WindowsName: "Web-Includes", DISMName: "IIS-ServerSideIncludes",
			Since:       "7.0",
			Doc:         `Puts files and values into .stm, .shtm and .shtml pages while they are sent.`,
			Unavailable: later("build the pages before they are published"),
		},
	}...)
}

// frameworks returns the group and the services that belong to ASP and the .NET Framework.
func frameworks() []Unit {
	const filtering = "its requests pass request filtering first"
	return []Unit{
		{
			ID: "application-development", Parent: "web-server-core", Kind: RoleService, Title: "Application Development",
			WindowsName: "Web-App-Dev", DISMName: "IIS-ApplicationDevelopment",
			Since: "7.0", Group: true,
			Doc: `What applications are written against: WebSocket Protocol, CGI, the frameworks of Windows.`,
		},
		{
			ID: "net-extensibility-35", Parent: "application-development", Kind: RoleService, Title: ".NET Extensibility 3.5",
			WindowsName: "Web-Net-Ext", DISMName: "IIS-NetFxExtensibility",
			Since:       "7.0",
			Doc:         `Lets modules written for .NET Framework 3.5 extend the server.`,
			Requires:    []Require{{ID: "request-filtering", Why: filtering}},
			Unavailable: windowsOnly(".NET Framework 3.5 exists only on Windows", insteadOfFramework),
		},
		{
			ID: "net-extensibility-45", Parent: "application-development", Kind: RoleService, Title: ".NET Extensibility 4.5",
			WindowsName: "Web-Net-Ext45", DISMName: "IIS-NetFxExtensibility45",
			Since:       "8.0",
			Doc:         `Lets modules written for .NET Framework 4.5 extend the server.`,
			Requires:    []Require{{ID: "request-filtering", Why: filtering}},
			Unavailable: windowsOnly(".NET Framework 4.5 exists only on Windows", insteadOfFramework),
		},
		{
			ID: "asp", Parent: "application-development", Kind: RoleService, Title: "ASP",
			WindowsName: "Web-ASP", DISMName: "IIS-ASP",
			Since: "7.0",
			Doc:   `Runs classic ASP pages.`,
			Requires: []Require{
				{ID: "isapi-extensions", Why: "ASP is an ISAPI extension"},
				{ID: "request-filtering", Why: filtering},
			},
			Unavailable: windowsOnly("the script engines of ASP are COM components, and COM exists only on Windows", insteadOfFramework),
		},
		{
			ID: "asp-net-35", Parent: "application-development", Kind: RoleService, Title: "ASP.NET 3.5",
			WindowsName: "Web-Asp-Net", DISMName: "IIS-ASPNET",
			Since: "7.0",
			Doc:   `Runs ASP.NET applications on .NET Framework 3.5.`,
			Requires: []Require{
				{ID: "isapi-extensions", Why: "classic application pools reach ASP.NET through an ISAPI extension"},
				{ID: "isapi-filters", Why: "classic application pools reach ASP.NET through an ISAPI filter"},
				{ID: "net-extensibility-35", Why: "ASP.NET 3.5 is a set of managed modules"},
				{ID: "request-filtering", Why: filtering},
			},
			Unavailable: windowsOnly("ASP.NET 3.5 runs only on the .NET Framework, which exists only on Windows", insteadOfFramework),
		},
		{
			ID: "asp-net-45", Parent: "application-development", Kind: RoleService, Title: "ASP.NET 4.5",
			WindowsName: "Web-Asp-Net45", DISMName: "IIS-ASPNET45",
			Since: "8.0",
			Doc:   `Runs ASP.NET applications on .NET Framework 4.5.`,
			Requires: []Require{
				{ID: "isapi-extensions", Why: "classic application pools reach ASP.NET through an ISAPI extension"},
				{ID: "isapi-filters", Why: "classic application pools reach ASP.NET through an ISAPI filter"},
				// The published table names .NET Extensibility 3.5 here; DISM asks for 4.5, and so do we.
				{ID: "net-extensibility-45", Why: "ASP.NET 4.5 is a set of managed modules"},
				{ID: "request-filtering", Why: filtering},
			},
			Unavailable: windowsOnly("ASP.NET 4.5 runs only on the .NET Framework, which exists only on Windows", insteadOfFramework),
		},
	}
}

// realTime returns the group of our own: what Windows has as downloads beside the role, and endpoints without code.
func realTime() []Unit {
	return []Unit{
		{
			ID: "real-time-and-apps", Parent: "web-server-core", Kind: RoleService, Title: "Real-time and app hosting",
			Group: true,
			Doc: `WebSocket endpoints without code, and applications behind the server.

This group is not part of Windows Server; most of what it holds is a separate download for IIS.`,
		},
	}
}
