// Package wshost is the bundled host: sites and their bindings, the request pipeline in generations that are swapped
// without dropping anybody, and an administrative interface on a Unix socket.
//
// It is embeddable and knows nothing of installers: what it can do is given to it as a list of modules, and which of
// them are in use is told by the configuration (<globalModules>). It needs Linux.
package wshost

import (
	"log/slog"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	_ "github.com/rolemgr/rolemgr/runtime/wshost/ws/xconnect" // WebSockets over HTTP/2
)

// Options are what a Server is made of.
type Options struct {
	// Home is the server's home folder: config/, sites/, logs/, run/ are below it.
	Home string
	// Name is the server's name as shown to people; default: the host name.
	Name string
	// Version is told in the status and the logs, never to web clients: the version of the binary.
	Version string
	// Modules are all modules that this host could load. <globalModules> says which it does load.
	Modules []module.Info
	// Known are sections that no module owns but that should be explained or ignored.
	Known []config.Known
	// Logger is the host's log; nil means logs/wshost.log, or none at all for a throw-away host.
	Logger *slog.Logger
	// ProbeOnly makes a throw-away host: no binding is opened, no admin socket, nothing is written below Home.
	// It does not lock its home. Modules are given a temporary folder for their logs, which Stop removes.
	ProbeOnly bool
}
