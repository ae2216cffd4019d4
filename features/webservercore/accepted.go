package webservercore

import "github.com/rolemgr/rolemgr/runtime/wshost/config"

// acceptedSections declares what files from IIS hold and what has no effect here; unit.md says why for each. The values
// are checked all the same: a file that IIS would refuse is refused.
func acceptedSections() []config.Section {
	return []config.Section{cachingSection(), runtimeSection()}
}

func cachingSection() config.Section {
	policies := []config.Value{{Name: "DontCache", Value: 0}, {Name: "CacheUntilChange", Value: 1}, {Name: "CacheForTimePeriod", Value: 2}, {Name: "DisableCache", Value: 3}}
	return config.Section{
		Path: "system.webServer/caching", OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name: "caching", NoEffect: "this host keeps no answers; what browsers keep is said by clientCache and Cache-Control",
			Attributes: []config.Attribute{
				{Name: "enabled", Type: config.Bool, Default: "true"},
				{Name: "enableKernelCache", Type: config.Bool, Default: "true"},
				{Name: "maxCacheSize", Type: config.Uint, Default: "0"},
				{Name: "maxResponseSize", Type: config.Uint, Default: "262144"},
			},
			Elements: []config.Element{{Name: "profiles", Collection: &config.Collection{
				Remove: "remove", Clear: "clear", Prepend: true,
				Add: config.Element{Name: "add", Attributes: []config.Attribute{
					{Name: "extension", Type: config.String, Required: true, Key: true, Check: config.NonEmpty()},
					{Name: "policy", Type: config.Enum, Default: "DontCache", Values: policies},
					{Name: "kernelCachePolicy", Type: config.Enum, Default: "DontCache", Values: policies},
					{Name: "duration", Type: config.TimeSpan, Default: "00:00:30", Check: config.TimeSpanRange(1, 4294967, 1)},
					{Name: "location", Type: config.Enum, Default: "Server", Values: []config.Value{
						{Name: "Any", Value: 0}, {Name: "Client", Value: 1}, {Name: "Downstream", Value: 2}, {Name: "Server", Value: 3},
						{Name: "None", Value: 4}, {Name: "ServerAndClient", Value: 5},
					}},
					{Name: "varyByHeaders", Type: config.String},
					{Name: "varyByQueryString", Type: config.String},
				}},
			}}},
		},
	}
}

// runtimeSection is locked on IIS; here it is open, because it changes nothing.
func runtimeSection() config.Section {
	return config.Section{
		Path: "system.webServer/serverRuntime", OverrideModeDefault: config.Allow,
		Element: config.Element{Name: "serverRuntime", NoEffect: "there are no worker processes here", Attributes: []config.Attribute{
			{Name: "enabled", Type: config.Bool, Default: "true"},
			{Name: "appConcurrentRequestLimit", Type: config.Uint, Default: "5000"},
			{Name: "maxRequestEntityAllowed", Type: config.Uint, Default: "4294967295"},
			{Name: "uploadReadAheadSize", Type: config.Uint, Default: "49152", Check: config.IntegerRange(0, 2147483647)},
			{Name: "alternateHostName", Type: config.String},
			{Name: "enableNagling", Type: config.Bool, Default: "false"},
			{Name: "frequentHitThreshold", Type: config.Uint, Default: "2", Check: config.IntegerRange(1, 2147483647)},
			{Name: "frequentHitTimePeriod", Type: config.TimeSpan, Default: "00:00:10"},
			{Name: "authenticatedUserOverride", Type: config.Enum, Default: "UseAuthenticatedUser", Values: []config.Value{
				{Name: "UseAuthenticatedUser", Value: 1}, {Name: "UseWorkerProcessUser", Value: 2},
			}},
		}},
	}
}
