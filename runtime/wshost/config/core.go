package config

// The paths of sections that the tree reads itself.
const (
	sitesPath         = "system.applicationHost/sites"
	globalModulesPath = "system.webServer/globalModules"
	modulesPath       = "system.webServer/modules"
)

// CoreSections returns the sections that belong to the host itself rather than to a feature: system.applicationHost
// (sites, log, webLimits), system.webServer/globalModules and system.webServer/modules.
func CoreSections() []Section {
	return []Section{sitesSection(), logSection(), webLimitsSection(), globalModulesSection(), modulesSection()}
}

func globalModulesSection() Section {
	return Section{
		Path: globalModulesPath, OverrideModeDefault: Deny, AllowDefinition: AppHostOnly,
		Element: Element{Name: "globalModules", Collection: &Collection{
			Remove: "remove", Clear: "clear",
			Add: Element{Name: "add", Attributes: []Attribute{
				{Name: "name", Type: String, Required: true, Key: true, CaseSensitive: true},
				{Name: "image", Type: String, Expanded: true, NoEffect: "modules are part of the program"},
				{Name: "preCondition", Type: String, CaseSensitive: true, NoEffect: noPreCondition},
			}},
		}},
	}
}

func modulesSection() Section {
	return Section{
		Path: modulesPath, OverrideModeDefault: Deny, AllowDefinition: MachineToApplication, Examine: examineModules,
		Element: Element{
			Name: "modules",
			Attributes: []Attribute{
				{Name: "runAllManagedModulesForAllRequests", Type: Bool, NoEffect: noManagedModules},
				{Name: "runManagedModulesForWebDavRequests", Type: Bool, NoEffect: noManagedModules},
			},
			Collection: &Collection{
				Remove: "remove", Clear: "clear",
				Add: Element{Name: "add", Judge: judgeModule, Attributes: []Attribute{
					{Name: "name", Type: String, Required: true, Key: true, CaseSensitive: true, Check: NonEmpty()},
					{Name: "type", Type: String, CaseSensitive: true, NoEffect: noManagedModules},
					{Name: "preCondition", Type: String, CaseSensitive: true, NoEffect: noPreCondition},
				}},
			},
		},
	}
}

// Why parts of the module lists change nothing here.
const (
	noManagedModules = "modules of the .NET Framework do not run here"
	noPreCondition   = "every module is for every process"
)

// Why settings of sites and limits change nothing here.
const (
	noThrottling = "bandwidth is not limited here"
	noWorkers    = "there are no worker processes and application pools here"
	noAccounts   = "files are read as the account of the server"
)

func webLimitsSection() Section {
	return Section{
		Path: "system.applicationHost/webLimits", OverrideModeDefault: Deny, AllowDefinition: AppHostOnly,
		Element: Element{Name: "webLimits", Attributes: []Attribute{
			{Name: "maxGlobalBandwidth", Type: Uint, Default: "4294967295", Check: IntegerOutside(0, 1023), NoEffect: noThrottling},
			{Name: "connectionTimeout", Type: TimeSpan, Default: "00:02:00", NoEffect: "the limits of the site decide"},
			{Name: "demandStartThreshold", Type: Uint, Default: "2147483647", Check: IntegerRange(10, 2147483647), NoEffect: noWorkers},
			{Name: "dynamicIdleThreshold", Type: Uint, Default: "0", Check: IntegerRange(0, 10000), NoEffect: noWorkers},
			{Name: "headerWaitTimeout", Type: TimeSpan, Default: "00:00:00", Check: TimeSpanRange(0, 65535, 1)},
			{Name: "minBytesPerSecond", Type: Uint, Default: "240", NoEffect: "the connectionTimeout of the site decides"},
		}},
	}
}

func logSection() Section {
	return Section{
		Path: "system.applicationHost/log", OverrideModeDefault: Deny, AllowDefinition: AppHostOnly,
		Element: Element{
			Name: "log", NoEffect: "every site has log files of its own, in UTF-8",
			Attributes: []Attribute{
				{Name: "logInUTF8", Type: Bool, Default: "true"},
				{Name: "centralLogFileMode", Type: Enum, Default: "Site", Values: []Value{{"Site", 0}, {"CentralBinary", 1}, {"CentralW3C", 2}}},
			},
			Elements: []Element{
				{Name: "centralBinaryLogFile", Attributes: centralLogAttributes("false", nil)},
				{Name: "centralW3CLogFile", Attributes: append(centralLogAttributes("true", NonEmpty()), logFields(
					"Date, Time, ClientIP, UserName, SiteName, ServerIP, Method, UriStem, UriQuery, TimeTaken, HttpStatus, Win32Status, ServerPort, UserAgent, HttpSubStatus, Referer"))},
			},
		},
	}
}

// centralLogAttributes has no default directory: that of IIS is a folder of Windows; here it is the host's own.
func centralLogAttributes(enabled string, directory Check) []Attribute {
	return []Attribute{
		{Name: "enabled", Type: Bool, Default: enabled},
		{Name: "directory", Type: String, Expanded: true, Check: directory},
		logPeriod(),
		{Name: "truncateSize", Type: Int64, Default: "20971520", Check: IntegerRange(1048576, 4294967295)},
		{Name: "localTimeRollover", Type: Bool},
	}
}

func logPeriod() Attribute {
	return Attribute{Name: "period", Type: Enum, Default: "Daily", Values: []Value{
		{"MaxSize", 0}, {"Daily", 1}, {"Weekly", 2}, {"Monthly", 3}, {"Hourly", 4},
	}}
}

func logFields(defaults string) Attribute {
	return Attribute{Name: "logExtFileFlags", Type: Flags, Default: defaults, Values: []Value{
		{"Date", 1}, {"Time", 2}, {"ClientIP", 4}, {"UserName", 8}, {"SiteName", 16}, {"ComputerName", 32},
		{"ServerIP", 64}, {"Method", 128}, {"UriStem", 256}, {"UriQuery", 512}, {"HttpStatus", 1024},
		{"Win32Status", 2048}, {"BytesSent", 4096}, {"BytesRecv", 8192}, {"TimeTaken", 16384}, {"ServerPort", 32768},
		{"UserAgent", 65536}, {"Cookie", 131072}, {"Referer", 262144}, {"ProtocolVersion", 524288}, {"Host", 1048576},
		{"HttpSubStatus", 2097152},
	}}
}
