// Package module holds the contracts between the host and the modules that make up its request pipeline: what a
// module is, when it runs, what it is given and how it reports failure.
//
// It is not the host: it opens no file and no socket, and holds no registry of its own. Package wshost implements
// these contracts; packages below features implement modules against them.
package module

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// Stage is the place of a module in the request pipeline, a short form of the integrated pipeline of IIS. Requests
// pass the stages in the order of [Stages]; within a stage, Info.After and then the name decide, never map order.
type Stage string

// The stages, in the order in which a request meets them. A module of StageLog is outermost: it sees the request
// first and, through [Request.OnEnd], its end last.
const (
	StageLog          Stage = "log"
	StageBegin        Stage = "begin"
	StageAuthenticate Stage = "authenticate"
	StageAuthorize    Stage = "authorize"
	StageRewrite      Stage = "rewrite"
	StageCache        Stage = "cache"
	StageMap          Stage = "map"
	StageHandle       Stage = "handle"
)

// Stages lists every stage in the order in which a request meets them.
func Stages() []Stage {
	return []Stage{StageLog, StageBegin, StageAuthenticate, StageAuthorize, StageRewrite, StageCache, StageMap, StageHandle}
}

// Info declares a module. It is a value: nothing is registered by being imported.
type Info struct {
	// Name is the name used in <globalModules> and <modules>, in the spelling of IIS: "WebSocketModule".
	Name string
	// Feature and Title name the feature unit the module belongs to: "websocket", "WebSocket Protocol".
	// They are filled in by features.Catalog and are empty only in tests of a bare host.
	Feature, Title string
	// Stage is where the module runs.
	Stage Stage
	// After names modules of the same stage that a request meets before this one. Names that are not loaded are
	// passed over.
	After []string
	// Sections are the configuration sections that this module owns. They are known to the configuration tree
	// even while the module is not loaded, so that a use of them can name the feature that is missing.
	Sections []config.Section
	// Reads are sections that a module of another feature owns and this one reads too. They can be used while either is
	// loaded; a use of them while neither is names the owner. Both are given the same declaration.
	Reads []config.Section
	// New returns a fresh module for one generation. It must not do I/O.
	New func() Module
}

// Module is one stage of the pipeline in one generation. The host calls Provision (if implemented), Validate (if
// implemented), then Middleware once; after the generation's last request and connection have ended it calls Close
// (if the module is an io.Closer).
//
// The handler that Middleware returns is called concurrently. It finds the request's site, configuration and files
// with [FromRequest].
type Module interface {
	Middleware(next http.Handler) http.Handler
}

// Provisioner is implemented by modules that prepare something once per generation: decode server-level
// configuration, open files. An error refuses the whole generation; the previous one goes on serving. A module whose
// Provision failed is not closed: it gives back what it took before it returns the error.
type Provisioner interface {
	Provision(*Context) error
}

// Validator is implemented by modules that check themselves after Provision without touching anything.
type Validator interface {
	Validate() error
}

// Context is what the host gives a module at Provision. It is valid for the life of the generation.
type Context struct {
	// Context ends when the generation is closed.
	context.Context
	// Logger writes to the host's own log (not the access log).
	Logger *slog.Logger
	// Config is the configuration at server level: applicationHost.config and the drop-ins, no site.
	Config *config.Effective
	// Sites are the sites of this server, with what siteDefaults say where they say nothing.
	Sites []config.Site
	// Shared holds what outlives generations: hubs, counters, log files.
	Shared *Shared
	// ServerName is the name of this server, as shown to people.
	ServerName string
	// LogDir is the absolute folder under which log files are written by default.
	LogDir string
	// CacheDir is the absolute folder for files that can be made anew at any time, directly below the server's home.
	// A module makes a folder of its own in it when it needs one; nobody else does.
	CacheDir string
	// Modules lists the modules that this generation loads, in pipeline order.
	Modules []Info
}
