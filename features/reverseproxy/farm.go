package reverseproxy

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// downTime is how long a server that takes no connections is asked only when no other is left.
const downTime = 10 * time.Second

// farm is a <webFarm> in one generation.
type farm struct {
	*farmConfig
	servers  []*server
	lines    *lines
	log      *slog.Logger
	watchers sync.WaitGroup

	mu   sync.Mutex
	turn int // of servers that are equally good
}

// server is a server of a farm.
type server struct {
	*serverConfig
	id     string // in the cookie: it tells no address
	state  *state
	credit int // of the weighted round; guarded by farm.mu
}

// state is what is known of a server. It outlives generations.
type state struct {
	busy      atomic.Int64 // requests and WebSockets
	sick      atomic.Bool  // the last health check failed
	downUntil atomic.Int64 // it took no connection; nanoseconds since 1970
}

func newFarm(c *farmConfig, l *lines, log *slog.Logger) *farm {
	f := &farm{farmConfig: c, lines: l, log: log.With("farm", c.Name)}
	for i := range c.Servers {
		s := &server{serverConfig: &c.Servers[i]}
		if !s.Enabled || !c.Enabled {
			continue
		}
		sum := sha256.Sum256([]byte(c.Name + "\x00" + s.Address))
		s.id = hex.EncodeToString(sum[:])
		s.state = l.state(c.Name + "\x00" + s.line("http") + "\x00" + s.line("https"))
		f.servers = append(f.servers, s)
	}
	return f
}

// port is where the server listens for a scheme.
func (s *server) port(scheme string) string {
	if scheme == "https" {
		return strconv.Itoa(int(s.Routing.HTTPSPort))
	}
	return strconv.Itoa(int(s.Routing.HTTPPort))
}

// line is its address and port, host what a client would write into the Host field.
func (s *server) line(scheme string) string { return net.JoinHostPort(s.hostname(), s.port(scheme)) }

func (s *server) hostname() string { return strings.Trim(s.Address, "[]") }

func (s *server) host(scheme string) string {
	port := s.port(scheme)
	if scheme == "https" && port == "443" || scheme != "https" && port == "80" {
		if strings.Contains(s.hostname(), ":") {
			return "[" + s.hostname() + "]"
		}
		return s.hostname()
	}
	return s.line(scheme)
}

// answered notes that the server is there.
func (s *server) answered() { s.state.downUntil.Store(0) }

// unreachable notes that a server takes no connections.
func (f *farm) unreachable(s *server, err error) {
	if s.state.downUntil.Swap(time.Now().Add(downTime).UnixNano()) == 0 {
		f.log.Warn("a server of the farm takes no connections and is passed over for now", "server", s.Address, "error", err, "seconds", int(downTime.Seconds()))
	}
}

// serve passes a request on to a server of the farm that was not tried yet. It reports false when there is none.
func (f *farm) serve(w http.ResponseWriter, r *http.Request, a *attempt) bool {
	first := a.server == nil
	previous := a.server
	next := f.pick(a)
	if next == nil {
		return false
	}
	next.state.busy.Add(1)
	a.server = next
	a.tried = append(a.tried, next)
	if first {
		module.FromRequest(r).OnEnd(func() { a.server.state.busy.Add(-1) })
	} else {
		previous.state.busy.Add(-1)
	}
	f.offerCookie(w, r, a, previous)
	f.lines.forwarder(lineOf(a.url, next.hostname(), next.port(a.url.Scheme), a.conf.Timeout)).ServeHTTP(w, r)
	return true
}

func (f *farm) noServer() *module.HTTPError {
	return &module.HTTPError{
		Status: http.StatusBadGateway, SubStatus: 4, Module: name,
		Summary: "no server of the farm " + strconv.Quote(f.Name) + " can take the request",
		Hint:    "see <webFarms> of applicationHost.config: the farm and one of its servers must be enabled, and its healthCheck must find one well",
	}
}

// pick chooses a server: the one of the client's cookie, else what the algorithm says. Servers that took no connection a
// moment ago come last, and those that a health check has found down are left out, unless fewer than minServers are well.
func (f *farm) pick(a *attempt) *server {
	now := time.Now().UnixNano()
	var good, down, sick []*server
	well := 0
	for _, s := range f.servers {
		if !s.state.sick.Load() {
			well++
		}
		switch {
		case slices.Contains(a.tried, s):
		case s.state.sick.Load():
			sick = append(sick, s)
		case s.state.downUntil.Load() > now:
			down = append(down, s)
		default:
			good = append(good, s)
		}
	}
	if well < int(f.Routing.Health.MinServers) {
		good, sick = append(good, sick...), nil
	}
	if len(good) == 0 {
		good = down
	}
	if len(good) == 0 {
		return nil
	}
	if s := f.kept(a, good); s != nil {
		return s
	}
	return f.balance(a, good)
}

// kept returns the server that the client's cookie names, nil for none.
func (f *farm) kept(a *attempt, among []*server) *server {
	if !f.Routing.Affinity.UseCookie {
		return nil
	}
	for _, c := range a.client.CookiesNamed(f.Routing.Affinity.Cookie) {
		for _, s := range among {
			if s.id == c.Value {
				return s
			}
		}
	}
	return nil
}

// cookie returns what keeps the client with its server, "" when it has that already.
func (f *farm) cookie(a *attempt) string {
	if !f.Routing.Affinity.UseCookie || f.kept(a, []*server{a.server}) != nil {
		return ""
	}
	return f.Routing.Affinity.Cookie + "=" + a.server.id + ";Path=/;HttpOnly"
}

// offerCookie gives the cookie to a handshake that is relayed: only the fields of its answer are looked at there that are
// set before.
func (f *farm) offerCookie(w http.ResponseWriter, r *http.Request, a *attempt, previous *server) {
	q := module.FromRequest(r)
	if q.Sockets == nil || q.Sockets.Relay == nil {
		return
	}
	h := w.Header()
	if previous != nil {
		h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(c string) bool { return strings.Contains(c, "="+previous.id) })
	}
	if c := f.cookie(a); c != "" {
		h.Add("Set-Cookie", c)
	}
}
