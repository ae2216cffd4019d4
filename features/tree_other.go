package features

// ftp returns FTP Server. FTP Service stands first in Server Manager although FTP Extensibility sorts before it.
func ftp() []Unit {
	const (
		reason  = "the FTP server of IIS is a Windows service of its own beside the web server, and rolemgr manages the web server"
		instead = "the SFTP server of OpenSSH publishes into the folder of a site"
	)
	return []Unit{
		{
			ID: "ftp-server", Parent: "web-server", Kind: RoleService, Title: "FTP Server",
			WindowsName: "Web-Ftp-Server", DISMName: "IIS-FTPServer",
			Since: "7.5", Group: true,
			Doc:         `Transfers files over FTP.`,
			Unavailable: windowsOnly(reason, instead),
		},
		{
			ID: "ftp-service", Parent: "ftp-server", Kind: RoleService, Title: "FTP Service", Rank: -1,
			WindowsName: "Web-Ftp-Service", DISMName: "IIS-FTPSvc",
			Since:       "7.5",
			Doc:         `Publishes folders over FTP.`,
			Unavailable: windowsOnly(reason, instead),
		},
		{
			ID: "ftp-extensibility", Parent: "ftp-server", Kind: RoleService, Title: "FTP Extensibility",
			WindowsName: "Web-Ftp-Ext", DISMName: "IIS-FTPExtensibility",
			Since:       "7.5",
			Doc:         `Lets the FTP service use providers of one's own for users and folders.`,
			Requires:    []Require{{ID: "ftp-service", Why: "its providers extend the FTP service"}},
			Unavailable: windowsOnly("its providers are COM components or .NET Framework assemblies", instead),
		},
	}
}

// hostableWebCore returns IIS Hostable Web Core, which Server Manager lists as a role service in 8.0 alone.
func hostableWebCore() []Unit {
	return []Unit{{
		ID: "hostable-web-core", Parent: "web-server", Kind: RoleService, Title: "IIS Hostable Web Core",
		WindowsName: "Web-WHC", DISMName: "IIS-HostableWebCore",
		Since: "8.0", Until: "8.0",
		Doc: `Lets a program run the core of IIS inside its own process.`,
		Unavailable: windowsOnly("the core is a Windows DLL that a program loads",
			"a Go program embeds the host of rolemgr as a library: package wshost"),
	}}
}

// managementTools returns Management Tools. IIS Management Console stands first in Server Manager, and so does IIS 6
// Metabase Compatibility, which its siblings need.
func managementTools() []Unit {
	return append([]Unit{
		{
			ID: "management-tools", Parent: "web-server", Kind: RoleService, Title: "Management Tools",
			WindowsName: "Web-Mgmt-Tools", DISMName: "IIS-WebServerManagementTools",
			Since: "7.0", Tool: true, Group: true,
			Doc: `Tools to manage web servers; they need not be on the server that they manage.`,
		},
		{
			ID: "management-console", Parent: "management-tools", Kind: RoleService, Title: "IIS Management Console", Rank: -1,
			WindowsName: "Web-Mgmt-Console", DISMName: "IIS-ManagementConsole",
			Since: "7.0", Tool: true,
			Doc: `Manages web servers in a window (IIS Manager).`,
			Unavailable: windowsOnly("IIS Manager is a snap-in of the Windows management console",
				"the wizard and the commands of rolemgr: rolemgr help"),
		},
		{
			ID: "management-scripts", Parent: "management-tools", Kind: RoleService, Title: "IIS Management Scripts and Tools",
			WindowsName: "Web-Scripting-Tools", DISMName: "IIS-ManagementScriptingTools",
			Since:       "7.0",
			Doc:         `Manages sites, bindings and sections from the command line, as appcmd does.`,
			Unavailable: later("edit config/applicationHost.config and the web.config files"),
		},
		{
			ID: "management-service", Parent: "management-tools", Kind: RoleService, Title: "Management Service",
			WindowsName: "Web-Mgmt-Service", DISMName: "IIS-ManagementService",
			Since: "7.0",
			Doc:   `Lets IIS Manager on another machine manage this server.`,
			Unavailable: windowsOnly("it serves IIS Manager, which exists only on Windows",
				"log in with SSH and run rolemgr there"),
		},
	}, iis6()...)
}

// iis6 returns IIS 6 Management Compatibility.
func iis6() []Unit {
	const instead = "manage this server with the commands of rolemgr: rolemgr help"
	none := func() *Unavailable {
		return windowsOnly("it gives old Windows scripts the interfaces of IIS 6, which are COM components", instead)
	}
	return []Unit{
		{
			ID: "iis6-management-compatibility", Parent: "management-tools", Kind: RoleService,
			Title:       "IIS 6 Management Compatibility",
			WindowsName: "Web-Mgmt-Compat", DISMName: "IIS-IIS6ManagementCompatibility",
			Since: "7.0", Group: true,
			Doc:         `Lets scripts and programs written for IIS 6 manage this server.`,
			Unavailable: none(),
		},
		{
			ID: "iis6-metabase", Parent: "iis6-management-compatibility", Kind: RoleService,
			Title: "IIS 6 Metabase Compatibility", Rank: -1,
			WindowsName: "Web-Metabase", DISMName: "IIS-Metabase",
			Since:       "7.0",
			Doc:         `Translates calls to the metabase of IIS 6 into the configuration files.`,
			Unavailable: none(),
		},
		{
			ID: "iis6-management-console", Parent: "iis6-management-compatibility", Kind: RoleService,
			Title:       "IIS 6 Management Console",
			WindowsName: "Web-Lgcy-Mgmt-Console", DISMName: "IIS-LegacySnapIn",
			Since:       "7.0",
			Doc:         `Manages servers that still run IIS 6.`,
			Requires:    []Require{{ID: "iis6-metabase", Why: "the console reads the metabase"}},
			Unavailable: windowsOnly("it is a snap-in of the Windows management console", instead),
		},
		{
			ID: "iis6-scripting-tools", Parent: "iis6-management-compatibility", Kind: RoleService,
			Title:       "IIS 6 Scripting Tools",
			WindowsName: "Web-Lgcy-Scripting", DISMName: "IIS-LegacyScripts",
			Since: "7.0",
			Doc:   `Runs the administration scripts of IIS 6.`,
			Requires: []Require{
				{ID: "iis6-metabase", Why: "the scripts read the metabase"},
				{ID: "iis6-wmi", Why: "the scripts call the WMI provider"},
			},
			Unavailable: none(),
		},
		{
			ID: "iis6-wmi", Parent: "iis6-management-compatibility", Kind: RoleService, Title: "IIS 6 WMI Compatibility",
			WindowsName: "Web-WMI", DISMName: "IIS-WMICompatibility",
			Since:       "7.0",
			Doc:         `Offers the WMI provider of IIS 6.`,
			Requires:    []Require{{ID: "iis6-metabase", Why: "the provider reads the metabase"}},
			Unavailable: none(),
		},
	}
}
