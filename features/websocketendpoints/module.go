package websocketendpoints

import (
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// section belongs to the feature WebSocket Protocol, which judges it; a unit does not import another.
const section = "system.webServer/webSocketEndpoints"

// The types of endpoints that are served here, as configuration files hold them.
const (
	typeProcess = "process"
	typeTCP     = "tcp"
	typeHub     = "hub"
)

// endpointConfig is the section as far as it is read here.
type endpointConfig struct {
	Entries []endpoint `config:",collection"`
}

// endpoint is an entry of the section.
type endpoint struct {
	Path        string        `config:"path"`
	Subprotocol string        `config:"subprotocol"`
	Command     string        `config:"command"`
	Dir         string        `config:"workingDirectory"`
	Framing     string        `config:"framing"`
	User        string        `config:"user"`
	Target      string        `config:"target"`
	Allowed     string        `config:"allowedTargets"`
	Parameter   string        `config:"targetParameter"`
	Timeout     time.Duration `config:"connectTimeout"`
	Max         uint32        `config:"maxConnections"`
	MaxClient   uint32        `config:"maxConnectionsPerClient"`
	History     uint32        `config:"history"`
	HistorySize uint32        `config:"historyBytes"`
	Sender      bool          `config:"includeSender"`
	MaxRooms    uint32        `config:"maxRooms"`
	MaxMembers  uint32        `config:"maxMembers"`
	Slow        string        `config:"slowConsumer"`
}

// subprotocols returns what is offered: what the entry names, or else what clients of the type are known to ask for.
func (e *endpoint) subprotocols(other ...string) []string {
	if e.Subprotocol != "" {
		return []string{e.Subprotocol}
	}
	return other
}

// state is what outlives generations, as connections do.
type state struct {
	keeper process.Keeper
	stall  time.Duration // inletStall

	mu   sync.Mutex
	at   map[place]*doorkeeper
	hubs map[place]*house
}

// place is an endpoint of a site. How many there are is the configuration's to say, so none is forgotten.
type place struct {
	site uint32
	path string
}

// Close ends the programs that are left.
func (s *state) Close() error { return s.keeper.Close() }

// doorkeeper returns the one of an endpoint.
func (s *state) doorkeeper(p place) *doorkeeper {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.at[p]
	if d == nil {
		if s.at == nil {
			s.at = map[place]*doorkeeper{}
		}
		d = &doorkeeper{}
		s.at[p] = d
	}
	return d
}

// house returns the rooms of an endpoint.
func (s *state) house(p place) *house {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.hubs[p]
	if h == nil {
		if s.hubs == nil {
			s.hubs = map[place]*house{}
		}
		h = &house{}
		s.hubs[p] = h
	}
	return h
}

// endpointModule is WebSocketEndpointsModule in one generation.
type endpointModule struct {
	state   *state
	release func()
}

func newModule() module.Module { return &endpointModule{} }

var (
	_ module.Provisioner     = (*endpointModule)(nil)
	_ module.SocketEndpoints = (*endpointModule)(nil)
	_ io.Closer              = (*endpointModule)(nil)
)

// Provision takes what outlives generations.
func (m *endpointModule) Provision(c *module.Context) error {
	v, release, err := c.Shared.Acquire("websocket.endpoints", func() (any, error) { return &state{stall: inletStall}, nil })
	if err != nil {
		return err
	}
	m.state, m.release = v.(*state), release
	return nil
}

// Close gives it back. The last generation's ends every program that is left.
func (m *endpointModule) Close() error {
	m.release()
	return nil
}

// Middleware offers the types of this module to WebSocketModule.
func (m *endpointModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		module.FromRequest(r).Endpoints = m
		next.ServeHTTP(w, r)
	})
}

// Endpoint returns who serves a connection to an endpoint.
func (m *endpointModule) Endpoint(r *http.Request, at module.SocketEndpoint) (*module.SocketSession, *module.HTTPError) {
	q := module.FromRequest(r)
	c, err := config.Decode[endpointConfig](q.Config, section)
	if err != nil {
		return nil, module.Misfit(name, section, err)
	}
	for i := range c.Entries {
		if e := &c.Entries[i]; e.Path == at.Path {
			s, refusal := m.serve(r, q, e, at)
			if refusal != nil {
				refusal.Module = name
			}
			return s, refusal
		}
	}
	return nil, refuse(http.StatusNotFound, "there is no such endpoint any more", "")
}

func (m *endpointModule) serve(r *http.Request, q *module.Request, e *endpoint, at module.SocketEndpoint) (*module.SocketSession, *module.HTTPError) {
	p := place{q.SiteID, e.Path}
	if at.Type == typeHub {
		return m.state.house(p).enter(e, at.Info)
	}
	leave, refusal := m.state.doorkeeper(p).enter(r.RemoteAddr, e)
	if refusal != nil {
		return nil, refusal
	}
	var s *module.SocketSession
	switch at.Type {
	case typeProcess:
		s, refusal = startProgram(m.state, r, q, e, at.Info, leave)
	case typeTCP:
		s, refusal = connect(m.state, r, q, e, leave)
	default:
		refusal = refuse(http.StatusInternalServerError, "endpoints of type "+at.Type+" are not served by this version", "")
	}
	if refusal != nil {
		leave()
	}
	return s, refusal
}

func refuse(status int, summary, hint string) *module.HTTPError {
	return &module.HTTPError{Status: status, Summary: summary, Hint: hint}
}

// busy is the refusal of a limit.
func busy(summary, hint string) *module.HTTPError {
	e := refuse(http.StatusServiceUnavailable, summary, hint)
	e.Header = http.Header{"Retry-After": {"5"}}
	return e
}
