package config

// sitesSection declares system.applicationHost/sites. An entry <site> is named by its name; that ids are unique too is
// checked where the sites are read.
func sitesSection() Section {
	return Section{
		Path: sitesPath, OverrideModeDefault: Deny, AllowDefinition: AppHostOnly, NoLocation: true,
		Element: Element{
			Name: "sites",
			Elements: []Element{
				{Name: "siteDefaults", Attributes: siteAttributes(false), Elements: siteElements()},
				{Name: "applicationDefaults", Attributes: applicationAttributes(false)},
				{Name: "virtualDirectoryDefaults", Attributes: vdirAttributes(false)},
			},
			Collection: &Collection{Add: Element{
				Name: "site", Attributes: siteAttributes(true),
				Elements: append(siteElements(),
					Element{Name: "applicationDefaults", Attributes: applicationAttributes(false)},
					Element{Name: "virtualDirectoryDefaults", Attributes: vdirAttributes(false)}),
				Collection: &Collection{Add: Element{
					Name: "application", Attributes: applicationAttributes(true),
					Elements:   []Element{{Name: "virtualDirectoryDefaults", Attributes: vdirAttributes(false)}},
					Collection: &Collection{Add: Element{Name: "virtualDirectory", Attributes: vdirAttributes(true)}},
				}},
			}},
		},
	}
}

func siteAttributes(entry bool) []Attribute {
	attrs := []Attribute{{Name: "serverAutoStart", Type: Bool, Default: "true"}}
	if !entry {
		const own = "every site has a name and an id of its own"
		return append(attrs, Attribute{Name: "name", Type: String, NoEffect: own}, Attribute{Name: "id", Type: Uint, NoEffect: own})
	}
	return append(attrs,
		Attribute{Name: "name", Type: String, Required: true, Key: true, Check: siteName},
		Attribute{Name: "id", Type: Uint, Required: true, Check: IntegerRange(1, 4294967295)})
}

func siteElements() []Element {
	return []Element{
		{Name: "bindings", Collection: &Collection{
			Clear: "clear",
			Add: Element{Name: "binding", Attributes: []Attribute{
				{Name: "protocol", Type: String, Required: true, Key: true, Check: NonEmpty(), Partly: "only http is served; a binding of another protocol is passed over with a warning"},
				{Name: "bindingInformation", Type: String, Required: true, Key: true, Check: NonEmpty()},
				{Name: "sslFlags", Type: Uint, Default: "0"},
				{Name: "certificateFile", Type: String, CaseSensitive: true, Expanded: true},
				{Name: "privateKeyFile", Type: String, CaseSensitive: true, Expanded: true},
				{Name: "clientAuthorityFile", Type: String, CaseSensitive: true, Expanded: true},
			}},
		}},
		{Name: "hsts", Attributes: []Attribute{
			{Name: "enabled", Type: Bool},
			{Name: "max-age", Type: Uint},
			{Name: "includeSubDomains", Type: Bool},
			{Name: "preload", Type: Bool},
			{Name: "redirectHttpToHttps", Type: Bool},
		}},
		{Name: "limits", Attributes: []Attribute{
			{Name: "maxBandwidth", Type: Uint, Default: "4294967295", Check: IntegerOutside(0, 1023), NoEffect: noThrottling},
			{Name: "maxConnections", Type: Uint, Default: "4294967295", Partly: "sites that share an address and a port share the sum of their limits"},
			{Name: "connectionTimeout", Type: TimeSpan, Default: "00:02:00", Check: TimeSpanRange(0, 65535, 1), Partly: "sites that share an address and a port share the longest of theirs"},
			{Name: "maxUrlSegments", Type: Uint, Default: "32", Check: IntegerRange(0, 16383)},
		}},
		{Name: "logFile", Attributes: []Attribute{
			logFields("Date, Time, ClientIP, UserName, ServerIP, Method, UriStem, UriQuery, TimeTaken, HttpStatus, Win32Status, ServerPort, UserAgent, HttpSubStatus, Referer"),
			{Name: "customLogPluginClsid", Type: String, NoEffect: "custom log modules are COM components of Windows"},
			{Name: "logFormat", Type: Enum, Default: "W3C", NoEffect: "every log is in the W3C format", Values: []Value{{"IIS", 0}, {"NCSA", 1}, {"W3C", 2}, {"Custom", 3}}},
			{Name: "directory", Type: String, Expanded: true, Check: NonEmpty()},
			logPeriod(),
			{Name: "truncateSize", Type: Int64, Default: "20971520", Check: IntegerRange(1048576, 4294967295), NoEffect: "log files are not cut off by size"},
			{Name: "localTimeRollover", Type: Bool},
			{Name: "enabled", Type: Bool, Default: "true"},
			{Name: "logTargetW3C", Type: Flags, Default: "File", NoEffect: "logs are files; there is no Event Tracing for Windows", Values: []Value{{"File", 1}, {"ETW", 2}}},
			{Name: "logSiteId", Type: Bool, Default: "true", NoEffect: "the folder of the log is named by the id"},
		}},
		{Name: "traceFailedRequestsLogging", NoEffect: "failed requests are not traced here", Attributes: []Attribute{
			{Name: "enabled", Type: Bool},
			{Name: "directory", Type: String, Expanded: true},
			{Name: "maxLogFiles", Type: Uint, Default: "50", Check: IntegerRange(1, 10000)},
			{Name: "maxLogFileSizeKB", Type: Uint, Default: "1024", Check: IntegerRange(0, 1048576)},
			{Name: "customActionsEnabled", Type: Bool},
		}},
	}
}

func applicationAttributes(entry bool) []Attribute {
	path := Attribute{Name: "path", Type: String, NoEffect: "every application has a path of its own"}
	if entry {
		path = Attribute{Name: "path", Type: String, Required: true, Key: true, Check: urlPath}
	}
	return []Attribute{
		path,
		{Name: "applicationPool", Type: String, NoEffect: noWorkers},
		{Name: "enabledProtocols", Type: String, Default: "http", NoEffect: "an application is reached through every binding of its site"},
		{Name: "serviceAutoStartEnabled", Type: Bool, NoEffect: noWorkers},
		{Name: "serviceAutoStartProvider", Type: String, NoEffect: noWorkers},
		{Name: "preloadEnabled", Type: Bool, NoEffect: noWorkers},
	}
}

func vdirAttributes(entry bool) []Attribute {
	return []Attribute{
		{Name: "path", Type: String, Key: entry, Check: when(entry, urlPath)},
		{Name: "physicalPath", Type: String, Expanded: true},
		{Name: "userName", Type: String, NoEffect: noAccounts},
		{Name: "password", Type: String, CaseSensitive: true, Secret: true, NoEffect: noAccounts},
		{Name: "logonMethod", Type: Enum, Default: "ClearText", NoEffect: noAccounts, Values: []Value{{"Interactive", 0}, {"Batch", 1}, {"Network", 2}, {"ClearText", 3}}},
		{Name: "allowSubDirConfig", Type: Bool, Default: "true"},
	}
}

func when(on bool, c Check) Check {
	if on {
		return c
	}
	return nil
}
