package httpplatform

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
)

// manager keeps the applications of a host. It outlives generations: a change of the configuration that does not concern
// an application leaves its processes alone.
type manager struct {
	keeper  process.Keeper
	tunnels tunnel.Engine
	ports   ports
	now     func() time.Time

	mu          sync.Mutex
	apps        map[identity][]*application
	generations map[uint64][]config.Site
	last        uint64 // generation
	closed      bool
}

func newManager() *manager {
	return &manager{now: time.Now, apps: map[identity][]*application{}, generations: map[uint64][]config.Site{}}
}

// begin tells of a generation and its sites. It returns the number of the generation.
func (m *manager) begin(sites []config.Site) uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.last++
	m.generations[m.last] = sites
	return m.last
}

// end tells that a generation is over. Applications that none of the others has are taken down.
func (m *manager) end(generation uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.generations, generation)
	for id, list := range m.apps {
		if m.hasLocked(id) {
			continue
		}
		for _, a := range list {
			a.offline(a.drainLimit())
		}
	}
}

func (m *manager) hasLocked(id identity) bool {
	for _, sites := range m.generations {
		for _, site := range sites {
			if site.ID == id.site && slices.ContainsFunc(site.Applications, func(a config.Application) bool { return strings.EqualFold(a.Path, id.appPath) }) {
				return true
			}
		}
	}
	return false
}

// application returns the application of that identity with these settings. In a new generation, the first settings that
// are others than before are those of the application from now on. More of them in one generation, from location
// tags of one file, are applications of their own, and requests of an older generation change nothing. A new application
// writes to log.
func (m *manager) application(id identity, s settings, generation uint64, log *slog.Logger) *application {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.apps[id]
	for _, a := range list {
		if a.wanted == s {
			a.generation = max(a.generation, generation)
			return a
		}
	}
	for _, a := range list {
		if a.generation < generation {
			a.generation, a.wanted = generation, s
			a.configure(s)
			return a
		}
	}
	for _, a := range list {
		if a.generation > generation {
			return a
		}
	}
	a := newApplication(m, id, s, log)
	a.wanted, a.generation, a.closed = s, generation, m.closed
	if !m.closed {
		m.apps[id] = append(list, a)
	}
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
	for _, list := range apps {
		for _, a := range list {
			wg.Go(a.close)
		}
	}
	wg.Wait()
	return m.keeper.Close()
}

// ports are the TCP ports that processes were given. A process that has not begun to listen does not hold its port yet, so
// the system may offer it again.
type ports struct {
	mu    sync.Mutex
	taken map[int]bool
}

// portTries is how many ports in turn may be taken already.
const portTries = 100

func (p *ports) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for range portTries {
		port, err := process.FreePort()
		if err != nil {
			return 0, err
		}
		if !p.taken[port] {
			if p.taken == nil {
				p.taken = map[int]bool{}
			}
			p.taken[port] = true
			return port, nil
		}
	}
	return 0, errors.New("every port that the system offers was given to a process already")
}

func (p *ports) give(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.taken, port)
}

// newToken returns what shows an application that a request comes from this host.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
