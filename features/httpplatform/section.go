package httpplatform

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// The sections.
const (
	platformPath = "system.webServer/httpPlatform"
	corePath     = "system.webServer/aspNetCore"
	nodePath     = "system.webServer/iisnode"
)

// variable is an entry of <environmentVariables>.
type variable struct {
	Name  string `config:"name"`
	Value string `config:"value"`
}

// Child elements that <httpPlatform> and <aspNetCore> have in common.
type (
	variables struct {
		Entries []variable `config:",collection"`
	}
	watchedFiles struct {
		Entries []struct {
			Path string `config:"path"`
		} `config:",collection"`
	}
)

// platformConfig is system.webServer/httpPlatform, and all of system.webServer/aspNetCore that concerns a process.
type platformConfig struct {
	Path        string        `config:"processPath"`
	Arguments   string        `config:"arguments"`
	Startup     uint32        `config:"startupTimeLimit"` // seconds
	RapidFails  uint32        `config:"rapidFailsPerMinute"`
	Request     time.Duration `config:"requestTimeout"`
	LogEnabled  bool          `config:"stdoutLogEnabled"`
	LogFile     string        `config:"stdoutLogFile"`
	Processes   uint32        `config:"processesPerApplication"`
	Drain       time.Duration `config:"drainTimeLimit"`
	User        string        `config:"user"`
	Environment variables     `config:"environmentVariables"`
	Recycle     watchedFiles  `config:"recycleOnFileChange"`
	Pos         config.Pos    `config:",pos"`
}

// platformOnly and coreOnly are what each has beside that.
type (
	platformOnly struct {
		Retries uint32 `config:"startupRetryCount"`
	}
	coreOnly struct {
		Shutdown uint32 `config:"shutdownTimeLimit"` // seconds
		NoPage   bool   `config:"disableStartUpErrorPage"`
	}
)

// nodeConfig is system.webServer/iisnode.
type nodeConfig struct {
	CommandLine string        `config:"nodeProcessCommandLine"`
	Processes   uint32        `config:"nodeProcessCountPerApplication"`
	Concurrent  uint32        `config:"maxConcurrentRequestsPerProcess"`
	Shutdown    uint32        `config:"gracefulShutdownTimeout"` // milliseconds
	Watched     string        `config:"watchedFiles"`
	LogEnabled  bool          `config:"loggingEnabled"`
	LogDir      string        `config:"logDirectory"`
	DevErrors   bool          `config:"devErrorsEnabled"`
	Env         string        `config:"node_env"`
	Promote     string        `config:"promoteServerVars"`
	Drain       time.Duration `config:"drainTimeLimit"`
	User        string        `config:"user"`
	Pos         config.Pos    `config:",pos"`
}

// drainAttribute is ours: IIS closes the connections of a process that is recycled.
func drainAttribute() config.Attribute {
	return config.Attribute{Name: "drainTimeLimit", Type: config.TimeSpan, Default: "01:00:00", Check: config.TimeSpanRange(0, 30*86400, 1)}
}

// userAttribute is ours: on IIS the application pool says whom its processes run as. It is locked: only
// applicationHost.config may set it.
func userAttribute() config.Attribute {
	return config.Attribute{Name: userName, Type: config.String, CaseSensitive: true}
}

const userName = "user"

const noToken = "there are no Windows accounts here, and so no token of one"

// common are the attributes that <httpPlatform> and <aspNetCore> have in common.
func common(log string) []config.Attribute {
	return []config.Attribute{
		{Name: "processPath", Type: config.String, Required: true, Expanded: true, Check: config.NonEmpty(), CaseSensitive: true},
		{Name: "arguments", Type: config.String, Expanded: true, CaseSensitive: true},
		{Name: "startupTimeLimit", Type: config.Uint, Default: "120", Check: config.IntegerRange(0, 3600)},
		{Name: "rapidFailsPerMinute", Type: config.Uint, Default: "10", Check: config.IntegerRange(0, 100)},
		{Name: "stdoutLogEnabled", Type: config.Bool, Default: "false"},
		{Name: "stdoutLogFile", Type: config.String, Default: log, Expanded: true, CaseSensitive: true},
		{Name: "processesPerApplication", Type: config.Uint, Default: "1", Check: config.IntegerRange(1, 100)},
		drainAttribute(), userAttribute(),
	}
}

// children are the child elements that both have in common.
func children() []config.Element {
	return []config.Element{
		{Name: "environmentVariables", Collection: &config.Collection{Clear: "clear", Add: config.Element{Name: "environmentVariable", Attributes: []config.Attribute{
			{Name: "name", Type: config.String, Required: true, Key: true, Check: config.NonEmpty(), CaseSensitive: true},
			{Name: "value", Type: config.String, Required: true, Expanded: true, CaseSensitive: true, Secret: true},
		}}}},
		{Name: "recycleOnFileChange", Collection: &config.Collection{Clear: "clear", Add: config.Element{Name: "file", Attributes: []config.Attribute{
			{Name: "path", Type: config.String, Required: true, Key: true, Expanded: true, Check: config.NonEmpty(), CaseSensitive: true},
		}}}},
	}
}

func platformSection() config.Section {
	return config.Section{Path: platformPath, OverrideModeDefault: config.Allow, LockAttributes: []string{userName}, Element: config.Element{
		Name: "httpPlatform", Judge: judgePlatform,
		Attributes: append(common(`.\httpplatform-stdout`),
			config.Attribute{Name: "startupRetryCount", Type: config.Uint, Default: "10", Check: config.IntegerRange(0, 100)},
			config.Attribute{Name: "requestTimeout", Type: config.TimeSpan, Default: "00:02:00", Check: config.TimeSpanRange(0, 2592000, 1)},
			config.Attribute{Name: "forwardWindowsAuthToken", Type: config.Bool, Default: "false", NoEffect: noToken},
		),
		Elements: children(),
	}}
}

func coreSection() config.Section {
	return config.Section{Path: corePath, OverrideModeDefault: config.Allow, LockAttributes: []string{userName}, Element: config.Element{
		Name: "aspNetCore", Judge: judgePlatform,
		Attributes: append(common(`.\aspnetcore-stdout`),
			config.Attribute{Name: "shutdownTimeLimit", Type: config.Uint, Default: "10", Check: config.IntegerRange(0, 600)},
			config.Attribute{Name: "requestTimeout", Type: config.TimeSpan, Default: "00:02:00", Check: config.TimeSpanRange(0, 360*3600, 1)},
			config.Attribute{Name: "forwardWindowsAuthToken", Type: config.Bool, Default: "true", NoEffect: noToken},
			config.Attribute{Name: "disableStartUpErrorPage", Type: config.Bool, Default: "false"},
			config.Attribute{Name: "hostingModel", Type: config.String, NoEffect: "an application always has a process of its own here, whatever the hosting model"},
		),
		Elements: append(children(), config.Element{
			Name: "handlerSettings", NoEffect: "they are about what the module of Windows writes to its debug log",
			Collection: &config.Collection{Clear: "clear", Add: config.Element{Name: "handlerSetting", Attributes: []config.Attribute{
				{Name: "name", Type: config.String, Required: true, Key: true},
				{Name: "value", Type: config.String, Required: true},
			}}},
		}),
	}}
}

// nodeDefault is the program of <iisnode> where it names none.
const nodeDefault = "node.exe"

// nodeSection declares every attribute of iisnode 0.2.
func nodeSection() config.Section {
	const (
		pipes  = "node listens on a TCP port of loopback here, not on a named pipe"
		buffer = "requests and answers are streamed"
		debug  = "node's own inspector has taken the place of the debugger that came with iisnode: add --inspect to nodeProcessCommandLine"
		logs   = "each process writes one file, which is not cut off by size"
	)
	attributes := []config.Attribute{
		{Name: "nodeProcessCommandLine", Type: config.String, Default: nodeDefault, Expanded: true, CaseSensitive: true, Check: config.NonEmpty()},
		{Name: "nodeProcessCountPerApplication", Type: config.Uint, Default: "1", Check: config.IntegerRange(0, 100)},
		{Name: "maxConcurrentRequestsPerProcess", Type: config.Uint, Default: "1024", Check: config.IntegerRange(1, 1<<31-1)},
		{Name: "gracefulShutdownTimeout", Type: config.Uint, Default: "60000"},
		{Name: "watchedFiles", Type: config.String, Default: "*.js;iisnode.yml;node_modules\\*", CaseSensitive: true},
		{Name: "loggingEnabled", Type: config.Bool, Default: "true"},
		{Name: "logDirectory", Type: config.String, Default: "iisnode", Expanded: true, CaseSensitive: true},
		{Name: "devErrorsEnabled", Type: config.Bool, Default: "true"},
		{Name: "node_env", Type: config.String, Default: "%node_env%", Expanded: true, CaseSensitive: true},
		{Name: "promoteServerVars", Type: config.String},
		drainAttribute(), userAttribute(),
	}
	for _, group := range []struct {
		why   string
		attrs []config.Attribute
	}{
		{pipes, []config.Attribute{
			{Name: "maxNamedPipeConnectionRetry", Type: config.Uint, Default: "100"}, {Name: "namedPipeConnectionRetryDelay", Type: config.Uint, Default: "250"},
			{Name: "maxNamedPipeConnectionPoolSize", Type: config.Uint, Default: "512"}, {Name: "maxNamedPipePooledConnectionAge", Type: config.Uint, Default: "30000"},
		}},
		{buffer, []config.Attribute{
			{Name: "asyncCompletionThreadCount", Type: config.Uint, Default: "0"}, {Name: "initialRequestBufferSize", Type: config.Uint, Default: "4096"},
			{Name: "maxRequestBufferSize", Type: config.Uint, Default: "65536"}, {Name: "flushResponse", Type: config.Bool, Default: "false"},
		}},
		{debug, []config.Attribute{
			{Name: "debuggingEnabled", Type: config.Bool, Default: "true"}, {Name: "debugHeaderEnabled", Type: config.Bool, Default: "false"},
			{Name: "debuggerPortRange", Type: config.String, Default: "5058-6058"}, {Name: "debuggerPathSegment", Type: config.String, Default: "debug"},
			{Name: "debuggerExtensionDll", Type: config.String, Default: "iisnode-inspector-0.7.3.dll"}, {Name: "debuggerVirtualDir", Type: config.String},
		}},
		{logs, []config.Attribute{
			{Name: "maxLogFileSizeInKB", Type: config.Uint, Default: "128"}, {Name: "maxTotalLogFileSizeInKB", Type: config.Uint, Default: "1024"},
			{Name: "maxLogFiles", Type: config.Uint, Default: "20"}, {Name: "appendToExistingLog", Type: config.Bool, Default: "false"},
			{Name: "logFileFlushInterval", Type: config.Uint, Default: "5000"},
		}},
		{"files are watched by the system wherever they are", []config.Attribute{{Name: "uncFileChangesPollingInterval", Type: config.Uint, Default: "5000"}}},
		{"X-Forwarded-For is always sent", []config.Attribute{{Name: "enableXFF", Type: config.Bool, Default: "false"}}},
		{"node starts the script itself, which reads its port from process.env.PORT", []config.Attribute{{Name: "interceptor", Type: config.String, CaseSensitive: true}}},
		{"the file is not read; its settings are written as attributes of this element", []config.Attribute{{Name: "configOverrides", Type: config.String, Default: "iisnode.yml"}}},
		{"a process is asked to end by SIGTERM", []config.Attribute{{Name: "recycleSignalEnabled", Type: config.Bool, Default: "false"}}},
		{"idle processes are kept", []config.Attribute{{Name: "idlePageOutTimePeriod", Type: config.Uint, Default: "0"}}},
	} {
		for _, a := range group.attrs {
			a.NoEffect = group.why
			attributes = append(attributes, a)
		}
	}
	return config.Section{Path: nodePath, OverrideModeDefault: config.Allow, LockAttributes: []string{userName}, Element: config.Element{
		Name: "iisnode", Judge: judgeNode, Attributes: attributes,
	}}
}
