package webservercore

import (
	"fmt"
	"slices"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
)

const handlerSection = "system.webServer/handlers"

// handlerConfig is system.webServer/handlers, with the attributes of IIS 8.
type handlerConfig struct {
	Access  []string  `config:"accessPolicy"`
	Entries []mapping `config:",collection"`

	once    sync.Once
	modules [][]string // of the entries
}

// modulesOf returns the names in the modules of an entry.
func (c *handlerConfig) modulesOf(i int) []string {
	c.once.Do(func() {
		c.modules = make([][]string, len(c.Entries))
		for i := range c.Entries {
			c.modules[i] = split(c.Entries[i].Modules)
		}
	})
	return c.modules[i]
}

// mapping is one handler: which requests are whose.
type mapping struct {
	Name         string     `config:"name"`
	Path         string     `config:"path"`
	Verb         string     `config:"verb"`
	Type         string     `config:"type"`
	Modules      string     `config:"modules"`
	Resource     string     `config:"resourceType"`
	Access       string     `config:"requireAccess"`
	PreCondition string     `config:"preCondition"`
	Processor    string     `config:"scriptProcessor"`
	PathInfo     bool       `config:"allowPathInfo"`
	BufferLimit  uint32     `config:"responseBufferLimit"`
	Pos          config.Pos `config:",pos"`
}

// The values of resourceType.
const (
	resourceFile        = "File"
	resourceDirectory   = "Directory"
	resourceEither      = "Either"
	resourceUnspecified = "Unspecified"
)

// The values of requireAccess, which are those of accessPolicy too.
const (
	accessNone    = "None"
	accessRead    = "Read"
	accessWrite   = "Write"
	accessScript  = "Script"
	accessExecute = "Execute"
)

// handlerSections declares the section. IIS ships it locked and unlocks it with the first application that is installed;
// here it is open, for 42 of 100 real sites write it. scriptProcessor, allowPathInfo and responseBufferLimit are for
// the handlers of applications, which find them in Request.Handler.
func handlerSections() []config.Section {
	return []config.Section{{
		Path:                handlerSection,
		OverrideModeDefault: config.Allow,
		Element: config.Element{
			Name: "handlers",
			Attributes: []config.Attribute{{Name: "accessPolicy", Type: config.Flags, Default: accessRead, Partly: "Source opens nothing", Values: []config.Value{
				{Name: accessNone, Value: 0}, {Name: accessRead, Value: 1}, {Name: accessWrite, Value: 2}, {Name: accessExecute, Value: 4},
				{Name: "Source", Value: 16}, {Name: accessScript, Value: 512}, {Name: "NoRemoteWrite", Value: 1024},
				{Name: "NoRemoteRead", Value: 4096}, {Name: "NoRemoteExecute", Value: 8192}, {Name: "NoRemoteScript", Value: 16384},
			}}},
			Collection: &config.Collection{
				Remove: "remove", Clear: "clear", Prepend: true,
				Add: config.Element{Name: "add", Judge: judgeHandler, Attributes: []config.Attribute{
					{Name: "name", Type: config.String, Required: true, Key: true, CaseSensitive: true, Check: config.NonEmpty()},
					{Name: "path", Type: config.String, Required: true, Check: config.NonEmpty()},
					{Name: "verb", Type: config.String, Required: true, CaseSensitive: true},
					{Name: "type", Type: config.String, CaseSensitive: true, Partly: "the error 500.21 names the class, which does not run here"},
					{Name: "modules", Type: config.String, Default: managedHandler, CaseSensitive: true},
					{Name: "scriptProcessor", Type: config.String, Expanded: true, NoEffect: "no handler of this version starts a program"},
					{Name: "resourceType", Type: config.Enum, Default: resourceUnspecified, Values: []config.Value{
						{Name: resourceFile, Value: 0}, {Name: resourceDirectory, Value: 1}, {Name: resourceEither, Value: 2}, {Name: resourceUnspecified, Value: 3},
					}},
					{Name: "requireAccess", Type: config.Enum, Default: accessScript, Values: []config.Value{
						{Name: accessNone, Value: 0}, {Name: accessRead, Value: 1}, {Name: accessWrite, Value: 2}, {Name: accessScript, Value: 3}, {Name: accessExecute, Value: 4},
					}},
					{Name: "allowPathInfo", Type: config.Bool, Default: "false", NoEffect: "it is for the programs behind a handler, and no handler of this version starts one"},
					{Name: "preCondition", Type: config.String, CaseSensitive: true, Partly: "classicMode and bitness32 keep a handler out; others are passed over"},
					{Name: "responseBufferLimit", Type: config.Uint, Default: "4194304", NoEffect: "answers are sent as they are written"},
				}},
			},
		},
	}}
}

// managedHandler is the module of a mapping that names none: the class of its type attribute.
const managedHandler = "ManagedPipelineHandler"

// judgeHandler says what becomes of a handler that a file adds.
func judgeHandler(attribute func(string) string) config.Judgement {
	if otherSystem(attribute("preCondition")) {
		return config.Judgement{NoEffect: "it is for application pools of the classic pipeline or of 32 bits, which do not exist here: no request is given to it"}
	}
	modules := split(attribute("modules"))
	for _, name := range modules {
		if id := owner(name); id != "" {
			j := config.Judgement{Feature: id}
			if id == "fastcgi" || id == "cgi" {
				fullPath, _ := gateway.SplitProcessor(attribute("scriptProcessor"))
				j.Note = gateway.Judge(fullPath).Note
			}
			return j
		}
	}
	if len(modules) == 0 || slices.Contains(modules, protocolModuleName) {
		return config.Judgement{}
	}
	return config.Judgement{Unsupported: fmt.Sprintf("this server has no module %q; requests for the handler's path are answered with 500.21", attribute("modules"))}
}

// owner returns the feature that a module of IIS belongs to, "" for none that is known. A unit does not import another:
// the names are those of configuration files.
func owner(moduleName string) string {
	switch moduleName {
	case "StaticFileModule":
		return "static-content"
	case "DefaultDocumentModule":
		return "default-document"
	case "DirectoryListingModule":
		return "directory-browsing"
	case "AspNetCoreModule", "AspNetCoreModuleV2", "httpPlatformHandler", "iisnode":
		return "http-platform"
	case "FastCgiModule":
		return "fastcgi"
	case "CgiModule":
		return "cgi"
	case "IsapiModule":
		return "isapi-extensions"
	case "ServerSideIncludeModule":
		return "server-side-includes"
	case "WebDAVModule":
		return "webdav-publishing"
	case proxyModule:
		return "reverse-proxy"
	case managedHandler:
		return "asp-net-45"
	}
	return ""
}
