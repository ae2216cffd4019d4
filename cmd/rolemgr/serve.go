package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/rolemgr/rolemgr/internal/target"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/spf13/cobra"
)

// defaultStopTimeout is how long requests and sockets may take to end when a host is told to stop.
const defaultStopTimeout = 10 * time.Second

type serveOptions struct {
	stopTimeout time.Duration
}

func newServeCommand(c *cli) *cobra.Command {
	o := serveOptions{}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve in the foreground",
		Long: `Serve the sites of this server in the foreground.

SIGTERM and SIGINT stop it in an orderly way: requests in progress are answered, sockets are closed with 1001 (going
away), and what has not ended after --stop-timeout is cut. SIGHUP makes it read its configuration again.`,
		Args: argCount(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error { return runServe(cmd.Context(), c, o) },
	}
	cmd.Flags().DurationVar(&o.stopTimeout, "stop-timeout", defaultStopTimeout, "how long requests and sockets may take to end")
	return cmd
}

// runServe serves until the context ends or the host is told to stop. An orderly stop is no failure.
func runServe(ctx context.Context, c *cli, o serveOptions) error {
	t, err := c.openToRead(ctx)
	if err != nil {
		return err
	}
	if err := c.servable(ctx, t); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return nil // told to stop before it began
	}
	defer runtime.KeepAlive(raiseHeap())
	// The host must outlive the signal that asks for its end: it stops in its own time.
	s, err := wshost.Start(context.WithoutCancel(ctx), wshost.Options{
		Home: c.home, Version: c.Version, Modules: c.cat.Modules(), Known: c.cat.Known(),
	})
	if err != nil {
		return err
	}
	c.writeServing(s.Status())
	hangups, stop := c.Hangups()
	defer stop()
	for {
		select {
		case <-s.Done():
			c.note("stopped")
			return nil
		case <-hangups:
			c.reloadServer(ctx, s)
		case <-ctx.Done():
			return c.stopServer(s, o.stopTimeout)
		}
	}
}

// servable refuses to serve a home on which nothing was ever installed.
func (c *cli) servable(ctx context.Context, t target.Target) error {
	name := filepath.Join(c.home, "config", "applicationHost.config")
	_, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if s, serr := t.State(ctx); serr == nil && len(s.Features) > 0 {
			return &hintedError{fmt.Errorf("%q is missing", name), "put yours back, or get a new one with \"rolemgr install web-server-core\""}
		}
		return &hintedError{
			fmt.Errorf("there is no server in %q yet", c.home),
			"install something first, as in \"rolemgr install websocket --serve\"",
		}
	}
	return nil
}

// writeServing prints the addresses that are served. They are the result of the command; with --json standard output
// holds one object of another command, or none, so that they go to standard error.
func (c *cli) writeServing(st wshost.Status) {
	w := c.Out
	if c.json {
		w = c.Err
	}
	for _, site := range st.Sites {
		for _, b := range site.Bindings {
			fmt.Fprintf(w, "serving %s  %s\n", b, site.Name)
		}
	}
	fmt.Fprintf(w, "pid %d, %d modules; Ctrl-C stops\n", st.PID, len(st.Modules))
}

func (c *cli) reloadServer(ctx context.Context, s *wshost.Server) {
	r, err := s.Reload(ctx)
	if err != nil {
		c.note("error: reload: %v; the old configuration goes on", err)
		return
	}
	for _, w := range r.Warnings {
		c.note("warning: %s", w)
	}
	c.note("reloaded: generation %d", r.Generation)
}

func (c *cli) stopServer(s *wshost.Server, within time.Duration) error {
	c.note("stopping")
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := s.Stop(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("stop: %w", err)
	}
	c.note("stopped")
	return nil
}
