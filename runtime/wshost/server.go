package wshost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// errStopping is returned for what a stopping host no longer does.
var errStopping = errors.New("the host is stopping")

// Server is a running host. Methods may be called concurrently.
type Server struct {
	options Options
	home    string
	name    string
	started time.Time
	log     *slog.Logger
	logFile *logFile // nil when the log is somebody else's
	logDir  string
	tempDir string // of a throw-away host
	lock    *homeLock
	admin   *adminServer // nil for a throw-away host

	slot      chan struct{} // holds one value while a reload, or the stop, is in progress
	current   atomic.Pointer[generation]
	last      uint64 // number of the newest generation; used by who has the slot
	mu        sync.Mutex
	alive     map[*generation]struct{}
	requests  atomic.Uint64
	shared    module.Shared
	conns     connRegistry
	endpoints endpoints
	probes    probes
	certs     certStore
	missing   notices // of WebSocket
	faults    notices // of the configuration

	stopOnce  sync.Once
	turn      sync.Mutex // between the last look at stopping and what a reload does after it
	stopping  bool
	patience  context.Context // ends when Stop has waited long enough
	impatient context.CancelCauseFunc
	stopErr   error // set before done is closed
	done      chan struct{}
}

// Start reads the configuration, provisions the first generation, opens the bindings and the admin socket
// (run/admin.sock, 0600) and returns. It fails with ErrRunning when a host already runs on the same home.
// A binding that cannot be opened fails Start, naming address, site and the place in the configuration.
func Start(ctx context.Context, o Options) (*Server, error) {
	s, err := newServer(o)
	if err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.impatient(nil)
		s.letGo()
		return nil, err
	}
	return s, nil
}

// newServer fills a Server in without touching the disk.
func newServer(o Options) (*Server, error) {
	home, err := filepath.Abs(o.Home)
	if err != nil {
		return nil, fmt.Errorf("find the home folder: %w", err)
	}
	s := &Server{
		options: o, home: home, name: o.Name, started: time.Now(), slot: make(chan struct{}, 1),
		alive: map[*generation]struct{}{}, done: make(chan struct{}),
	}
	if s.name == "" {
		if s.name, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("find the server's name: %w", err)
		}
	}
	s.patience, s.impatient = context.WithCancelCause(context.Background())
	return s, nil
}

// start does what Start says. What it took is given back by letGo.
func (s *Server) start(ctx context.Context) error {
	if err := s.takeHome(); err != nil {
		return err
	}
	s.certs.log, s.certs.now = s.log, time.Now
	s.endpoints = endpoints{handler: s.endpointHandler, log: s.log, open: map[endpointKey]*endpoint{}, retiring: map[*endpoint]struct{}{}}
	s.slot <- struct{}{}
	defer func() { <-s.slot }()
	report, err := s.advance(ctx, func() error {
		if s.options.ProbeOnly {
			return nil
		}
		var err error
		s.admin, err = startAdmin(s)
		return err
	})
	if err != nil {
		return err
	}
	if s.admin != nil {
		s.admin.serve()
	}
	s.log.Info("the host has started", "name", s.name, "version", s.options.Version, "home", s.home, "pid", os.Getpid())
	for _, w := range report.Warnings {
		s.log.Warn(w)
	}
	return nil
}

// cacheDir is where modules keep what can be made anew.
func (s *Server) cacheDir() string {
	if s.tempDir != "" {
		return filepath.Join(s.tempDir, "cache")
	}
	return filepath.Join(s.home, "cache")
}

// takeHome takes the home's lock and opens the log; a throw-away host takes a temporary folder instead.
func (s *Server) takeHome() (err error) {
	s.log = s.options.Logger
	if s.options.ProbeOnly {
		if s.log == nil {
			s.log = slog.New(slog.NewTextHandler(io.Discard, nil))
		}
		s.tempDir, err = os.MkdirTemp("", "wshost-*")
		s.logDir = s.tempDir
		return err
	}
	if s.lock, err = lockHome(s.home); err != nil {
		return err
	}
	s.logDir = filepath.Join(s.home, "logs")
	if err := os.MkdirAll(s.logDir, 0o750); err != nil {
		return fmt.Errorf("make the log folder: %w", err)
	}
	if s.log == nil {
		if s.logFile, err = openLogFile(filepath.Join(s.logDir, "wshost.log")); err != nil {
			return err
		}
		s.log = slog.New(slog.NewTextHandler(s.logFile, nil))
	}
	return nil
}

// track counts g among the living until its modules are closed.
func (s *Server) track(g *generation) {
	g.ended = func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.alive, g)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.alive[g] = struct{}{}
}

// hold returns the current generation with the caller as a user; nil when the host has stopped.
func (s *Server) hold() *generation {
	for {
		g := s.current.Load()
		if g == nil || g.hold() {
			return g
		}
		// It was replaced between the two: the next one is there already.
	}
}
