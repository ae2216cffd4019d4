package wshost

import (
	"context"
	"errors"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// ErrRunning is returned by Start when a host already runs on the same home.
var ErrRunning = errors.New("a host is already running on this home")

// ErrNotRunning is returned by Admin methods when no host runs on the home.
var ErrNotRunning = errors.New("no host is running on this home")

// Status is what a host is doing now. It is also the answer of GET /v1/status.
type Status struct {
	Version     int            `json:"version"` // of this format: 1
	Program     string         `json:"program"` // version of the binary
	PID         int            `json:"pid"`
	Name        string         `json:"name"`
	Started     time.Time      `json:"started"`
	Generation  uint64         `json:"generation"`
	Generations int            `json:"generations"` // alive, the current one included
	Modules     []string       `json:"modules"`     // of the current generation, in pipeline order
	Features    []string       `json:"features"`    // the features they belong to
	Sites       []SiteStatus   `json:"sites"`
	Requests    uint64         `json:"requests"`
	Sockets     map[string]int `json:"sockets"` // upgraded connections by feature
	Goroutines  int            `json:"goroutines"`
}

// SiteStatus is a site as it is served.
type SiteStatus struct {
	ID       uint32   `json:"id"`
	Name     string   `json:"name"`
	State    string   `json:"state"`    // "Started", "Stopped"
	Bindings []string `json:"bindings"` // "http://127.0.0.1:8080/"
}

// ReloadReport tells what a reload did.
type ReloadReport struct {
	Generation uint64   `json:"generation"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Admin is a client of a running host's admin socket. Methods may be called concurrently; each makes a connection of
// its own.
type Admin struct{}

// NewAdmin returns a client for the host of that home. It does not connect.
func NewAdmin(home string) *Admin { panic("contract") }

// Status asks the host what it is doing; ErrNotRunning when none runs.
func (a *Admin) Status(ctx context.Context) (Status, error) { panic("contract") }

// Reload asks for Server.Reload. An error of the configuration is a *config.Error.
func (a *Admin) Reload(ctx context.Context) (ReloadReport, error) { panic("contract") }

// Stop asks the host to stop within the given time and returns when it has let go of its home.
func (a *Admin) Stop(ctx context.Context, within time.Duration) error { panic("contract") }

// OpenProbe asks for Server.OpenProbe; the host closes it by itself after 30 s.
func (a *Admin) OpenProbe(ctx context.Context) (addr string, err error) { panic("contract") }

// Connections lists the upgraded connections, by id.
func (a *Admin) Connections(ctx context.Context) ([]Connection, error) { panic("contract") }

// CloseConnections asks for Server.CloseConnections.
func (a *Admin) CloseConnections(ctx context.Context, features []string, code uint16, reason string) (int, error) {
	panic("contract")
}

// Connection is an upgraded connection with its counters.
type Connection struct {
	module.ConnInfo
	module.ConnCounts
}
