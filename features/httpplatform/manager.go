package httpplatform

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/process"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
)

// manager keeps the applications of a host. It outlives generations: a change of the configuration that does not concern
// an application leaves its processes alone.
type manager struct {
	keeper  process.Keeper
	tunnels tunnel.Engine
	log     *slog.Logger

	mu     sync.Mutex
	apps   map[identity]*application
	closed bool
}

func newManager(log *slog.Logger) *manager {
	return &manager{log: log, apps: map[identity]*application{}}
}

// application returns the application of that identity, with these settings from now on.
func (m *manager) application(id identity, s settings) *application {
	m.mu.Lock()
	a := m.apps[id]
	if a == nil {
		a = newApplication(m, id, s)
		m.apps[id] = a
	}
	m.mu.Unlock()
	a.configure(s)
	return a
}

// Close ends every process, each in the time that its application gives it.
func (m *manager) Close() error {
	m.mu.Lock()
	m.closed = true
	apps := m.apps
	m.apps = nil
	m.mu.Unlock()
	var wg sync.WaitGroup
	for _, a := range apps {
		wg.Go(a.close)
	}
	wg.Wait()
	return m.keeper.Close()
}

// newToken returns what shows an application that a request comes from this host.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
