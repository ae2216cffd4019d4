// Command rolemgr is Server Manager for one bundled web server: it lists what the server can do, installs and removes
// features as planned, probed transactions, and serves.
//
// It is the composition root: everything is wired here, and nothing is decided here that a package below could decide.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/rolemgr/rolemgr/internal/quietterm"
)

func main() {
	os.Exit(int(run()))
}

// run is main with an exit code. The first SIGINT or SIGTERM asks for an orderly end; a second one ends the process at
// once, and the next command repairs what was interrupted.
//
// A pipe that nobody reads any longer must not kill the process in the middle of a transaction, or a host that serves:
// SIGPIPE is ignored and the write fails instead.
func run() ExitCode {
	quietterm.Restore()
	signal.Ignore(syscall.SIGPIPE)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, newEnv(), os.Args[1:])
}
