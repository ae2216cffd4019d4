package fastcgi

import (
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
)

// section is the configuration section of this module.
const section = "system.webServer/fastCgi"

// fastCGIConfig is system.webServer/fastCgi, with the attributes of IIS 8 and two of our own: program and user.
type fastCGIConfig struct {
	Applications []application `config:",collection"`
}

// application is an entry of the section.
type application struct {
	FullPath   string `config:"fullPath"`
	Arguments  string `config:"arguments"`
	Program    string `config:"program"`
	User       string `config:"user"`
	Monitor    string `config:"monitorChangesTo"`
	Stderr     string `config:"stderrMode"`
	Max        uint32 `config:"maxInstances"`
	Idle       uint32 `config:"idleTimeout"`
	Activity   uint32 `config:"activityTimeout"`
	Request    uint32 `config:"requestTimeout"`
	Requests   uint32 `config:"instanceMaxRequests"`
	Signal     uint32 `config:"signalBeforeTerminateSeconds"`
	Queue      uint32 `config:"queueLength"`
	RapidFails uint32 `config:"rapidFailsPerMinute"`
	Env        struct {
		Entries []variable `config:",collection"`
	} `config:"environmentVariables"`
}

type variable struct {
	Name  string `config:"name"`
	Value string `config:"value"`
}

// The values of stderrMode.
const (
	stderrIn500     = "ReturnStdErrIn500"
	stderrGeneric   = "ReturnGeneric500"
	stderrIgnore    = "IgnoreAndReturn200"
	stderrTerminate = "TerminateProcess"
)

// sections declares the section, and the list of programs that may be run, which belongs to the ISAPI extensions of
// Windows too.
func sections() []config.Section {
	return []config.Section{fastCGISection(), gateway.RestrictionSection()}
}

func fastCGISection() config.Section {
	const seconds = 2592000
	number := func(name, def string, low, high int64) config.Attribute {
		return config.Attribute{Name: name, Type: config.Uint, Default: def, Check: config.IntegerRange(low, high)}
	}
	return config.Section{
		Path:                section,
		OverrideModeDefault: config.Deny,
		AllowDefinition:     config.AppHostOnly,
		Element: config.Element{Name: "fastCgi", Collection: &config.Collection{Add: config.Element{
			Name: "application", Judge: judgeApplication,
			Attributes: []config.Attribute{
				{Name: "fullPath", Type: config.String, Required: true, Key: true, Expanded: true, Check: config.NonEmpty()},
				{Name: "arguments", Type: config.String, Key: true, Expanded: true},
				{Name: "program", Type: config.String, Expanded: true},
				{Name: "user", Type: config.String},
				{Name: "monitorChangesTo", Type: config.String},
				{Name: "stderrMode", Type: config.Enum, Default: stderrIn500, Values: []config.Value{
					{Name: stderrIn500, Value: 0}, {Name: stderrGeneric, Value: 1}, {Name: stderrIgnore, Value: 2}, {Name: stderrTerminate, Value: 3},
				}},
				number("maxInstances", "0", 0, 10000),
				number("idleTimeout", "300", 10, seconds),
				number("activityTimeout", "70", 10, seconds),
				number("requestTimeout", "90", 10, seconds),
				number("instanceMaxRequests", "200", 1, 10000000),
				number("signalBeforeTerminateSeconds", "0", 0, 60),
				{
					Name: "protocol", Type: config.Enum, Default: "NamedPipe", NoEffect: "a process is reached through a Unix socket of its own",
					Values: []config.Value{{Name: "NamedPipe", Value: 0}, {Name: "Tcp", Value: 1}},
				},
				number("queueLength", "1000", 1, 100000000),
				{Name: "flushNamedPipe", Type: config.Bool, Default: "false", NoEffect: "there are no named pipes; what comes is passed on at once"},
				number("rapidFailsPerMinute", "10", 0, 1000),
			},
			Elements: []config.Element{{Name: "environmentVariables", Collection: &config.Collection{Add: config.Element{
				Name: "environmentVariable",
				Attributes: []config.Attribute{
					{Name: "name", Type: config.String, Key: true, Check: config.NonEmpty()},
					{Name: "value", Type: config.String},
				},
			}}}},
		}}},
	}
}

// judgeApplication says what becomes of a path of Windows.
func judgeApplication(attribute func(string) string) config.Judgement {
	if attribute("program") != "" {
		return config.Judgement{}
	}
	return gateway.Judge(attribute("fullPath"))
}
