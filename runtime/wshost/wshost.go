// Package wshost is the bundled host: sites and their bindings, the request pipeline in generations that are swapped
// without dropping anybody, and an administrative interface on a Unix socket.
//
// It is embeddable and knows nothing of installers: what it can do is given to it as a list of modules, and which of
// them are in use is told by the configuration (<globalModules>).
package wshost

import (
	"context"
	"log/slog"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// Options are what a Server is made of.
type Options struct {
	// Home is the server's home folder: config/, sites/, logs/, run/ are below it.
	Home string
	// Name is the server's name as shown to people; default: the host name.
	Name string
	// Version is told in the Server header-less status and logs: the version of the binary.
	Version string
	// Modules are all modules that this host could load. <globalModules> says which it does load.
	Modules []module.Info
	// Known are sections that no module owns but that should be explained or ignored.
	Known []config.Known
	// Logger is the host's log; nil means logs/wshost.log.
	Logger *slog.Logger
	// ProbeOnly makes a throw-away host: no binding is opened, no admin socket, nothing is written below Home.
	ProbeOnly bool
}

// Server is a running host. Methods may be called concurrently.
type Server struct{}

// Start reads the configuration, provisions the first generation, opens the bindings and the admin socket
// (run/admin.sock, 0600) and returns. It fails with ErrRunning when a host already runs on the same home.
// A binding that cannot be opened fails Start, naming address, site and the place in the configuration.
func Start(ctx context.Context, o Options) (*Server, error) { panic("contract") }

// Reload reads the configuration again, provisions a generation beside the old one and swaps them. On any error the
// old generation goes on serving. Bindings that did not change are not touched; upgraded connections keep the
// generation they began with.
func (s *Server) Reload(ctx context.Context) (ReloadReport, error) { panic("contract") }

// Stop stops accepting, waits for requests in progress and closes upgraded connections with 1001 until ctx ends,
// then cuts what is left.
func (s *Server) Stop(ctx context.Context) error { panic("contract") }

// Done is closed when the server has stopped, also when told to through the admin socket.
func (s *Server) Done() <-chan struct{} { panic("contract") }

// Status returns what the host is doing now.
func (s *Server) Status() Status { panic("contract") }

// OpenProbe opens a listener on a loopback port that serves the probe site with the live generation under the
// configuration of the server level. The caller closes it.
func (s *Server) OpenProbe() (addr string, closeProbe func(), err error) { panic("contract") }

// CloseConnections starts the closing handshake with code on every upgraded connection of the features and returns
// how many there were.
func (s *Server) CloseConnections(features []string, code uint16, reason string) int {
	panic("contract")
}
