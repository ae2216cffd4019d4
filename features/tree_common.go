package features

// commonHTTP returns Common HTTP Features without the units that have a folder of their own.
func commonHTTP() []Unit {
	return []Unit{
		{
			ID: "common-http", Parent: "web-server-core", Kind: RoleService, Title: "Common HTTP Features",
			WindowsName: "Web-Common-Http", DISMName: "IIS-CommonHttpFeatures",
			Since: "7.0", Default: true, Group: true,
			Doc: `What nearly every site needs: files, default documents, error pages, redirects.`,
		},
		{
			ID: "webdav-publishing", Parent: "common-http", Kind: RoleService, Title: "WebDAV Publishing",
			WindowsName: "Web-DAV-Publishing", DISMName: "IIS-WebDAV",
			Since: "7.5",
			Doc:   `Lets people publish and edit files of a site over HTTP (RFC 4918).`,
			Requires: []Require{
				{ID: "static-content", Why: "what is published is read back as static files"},
			},
			Unavailable: later("publish over SFTP or rsync into the folder of the site"),
		},
	}
}

// health returns Health and Diagnostics without HTTP Logging.
func health() []Unit {
	return []Unit{
		{
			ID: "health-and-diagnostics", Parent: "web-server-core", Kind: RoleService, Title: "Health and Diagnostics",
			WindowsName: "Web-Health", DISMName: "IIS-HealthAndDiagnostics",
			Since: "7.0", Default: true, Group: true,
			Doc: `How to see what the server does and why a request failed: logs, tracing, requests in progress.`,
		},
		{
			ID: "custom-logging", Parent: "health-and-diagnostics", Kind: RoleService, Title: "Custom Logging",
			WindowsName: "Web-Custom-Logging", DISMName: "IIS-CustomLogging",
			Since: "7.0",
			Doc:   `Writes the access log through a logging module of one's own.`,
			Unavailable: windowsOnly("a custom log module is a COM component, and COM exists only on Windows",
				"HTTP Logging writes W3C files that any log shipper reads: rolemgr install http-logging"),
		},
		{
			ID: "logging-tools", Parent: "health-and-diagnostics", Kind: RoleService, Title: "Logging Tools",
			WindowsName: "Web-Log-Libraries", DISMName: "IIS-LoggingLibraries",
			Since: "7.0",
			Doc:   `Libraries for scripts that manage the log files of the server.`,
			Unavailable: windowsOnly("its libraries are COM components, and COM exists only on Windows",
				"the W3C files of HTTP Logging are plain text for every log tool: rolemgr install http-logging"),
		},
		{
			ID: "odbc-logging", Parent: "health-and-diagnostics", Kind: RoleService, Title: "ODBC Logging",
			WindowsName: "Web-ODBC-Logging", DISMName: "IIS-ODBCLogging",
			Since: "7.0",
			Doc:   `Writes the access log into a database through ODBC.`,
			Unavailable: windowsOnly("its module logs through the data sources of Windows",
				"write W3C files (rolemgr install http-logging) and let a log shipper load them into the database"),
		},
		{
			ID: "request-monitor", Parent: "health-and-diagnostics", Kind: RoleService, Title: "Request Monitor",
			WindowsName: "Web-Request-Monitor", DISMName: "IIS-RequestMonitor",
			Since:       "7.0",
			Doc:         `Lists the requests that are being served at this moment.`,
			Unavailable: later(""),
		},
		{
			ID: "tracing", Parent: "health-and-diagnostics", Kind: RoleService, Title: "Tracing",
			WindowsName: "Web-Http-Tracing", DISMName: "IIS-HttpTracing",
			Since:       "7.0",
			Doc:         `Records how a failed request went through the modules of the server (failed request tracing).`,
			Unavailable: later("the log of the host names the module and the configuration line behind an error"),
		},
	}
}

// performance returns Performance without its two services.
func performance() []Unit {
	return []Unit{
		{
			ID: "performance", Parent: "web-server-core", Kind: RoleService, Title: "Performance",
			WindowsName: "Web-Performance", DISMName: "IIS-Performance",
			Since: "7.0", Default: true, Group: true,
			Doc: `Compression of what the server sends.`,
		},
	}
}
