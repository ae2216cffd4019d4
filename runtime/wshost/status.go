package wshost

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// ErrRunning is returned by Start when a host already runs on the same home.
var ErrRunning = errors.New("a host is already running on this home")

// ErrNotRunning is returned by Admin methods when no host runs on the home.
var ErrNotRunning = errors.New("no host is running on this home")

// Status is what a host is doing now. It is also the answer of GET /v1/status.
type Status struct {
	Version      int                 `json:"version"` // of this format: 1
	Program      string              `json:"program"` // version of the binary
	PID          int                 `json:"pid"`
	Name         string              `json:"name"`
	Started      time.Time           `json:"started"`
	Generation   uint64              `json:"generation"`
	Generations  int                 `json:"generations"` // alive, the current one included
	Modules      []string            `json:"modules"`     // of the current generation, in pipeline order
	Features     []string            `json:"features"`    // the features they belong to, by id
	Sites        []SiteStatus        `json:"sites"`
	Certificates []CertificateStatus `json:"certificates"` // of the https bindings that are open
	Requests     uint64              `json:"requests"`
	Sockets      map[string]int      `json:"sockets"` // upgraded connections by feature, without those of probes
	Goroutines   int                 `json:"goroutines"`
}

// SiteStatus is a site as it is served.
type SiteStatus struct {
	ID       uint32   `json:"id"`
	Name     string   `json:"name"`
	State    string   `json:"state"`    // "Started", "Stopped"
	Bindings []string `json:"bindings"` // "http://127.0.0.1:8080/"
}

// CertificateStatus is a certificate that https bindings name.
type CertificateStatus struct {
	CertificateInfo          // of the one in use
	InUse           bool     `json:"in_use"`
	Bindings        []string `json:"bindings"`           // "https://a.example:443/"
	Expiry          string   `json:"expiry,omitempty"`   // that it is not valid, or soon will not be
	Problem         string   `json:"problem,omitempty"`  // why the files as they are now cannot be used
	Hint            string   `json:"hint,omitempty"`     // and what to do
	Warnings        []string `json:"warnings,omitempty"` // what works, but not for everybody
}

// States of a site.
const (
	siteStarted = "Started"
	siteStopped = "Stopped"
)

// ReloadReport tells what a reload did.
type ReloadReport struct {
	Generation uint64   `json:"generation"`
	Warnings   []string `json:"warnings,omitempty"`
}

// Connection is an upgraded connection with its counters.
type Connection struct {
	module.ConnInfo
	module.ConnCounts
}

// Status returns what the host is doing now.
func (s *Server) Status() Status {
	s.mu.Lock()
	alive := len(s.alive)
	s.mu.Unlock()
	st := Status{
		Version: 1, Program: s.options.Version, PID: os.Getpid(), Name: s.name, Started: s.started, Generations: alive,
		Modules: []string{}, Features: []string{}, Sites: []SiteStatus{}, Certificates: []CertificateStatus{},
		Requests: s.requests.Load(), Sockets: s.conns.byFeature(), Goroutines: runtime.NumGoroutine(),
	}
	g := s.hold()
	if g == nil {
		return st
	}
	defer g.release()
	st.Generation = g.number
	for _, m := range g.modules {
		st.Modules = append(st.Modules, m.info.Name)
		if f := m.info.Feature; f != "" && !slices.Contains(st.Features, f) {
			st.Features = append(st.Features, f)
		}
	}
	slices.Sort(st.Features)
	for _, site := range g.tree.Sites() {
		state := siteStarted
		if !site.AutoStart || s.options.ProbeOnly {
			state = siteStopped
		}
		st.Sites = append(st.Sites, SiteStatus{ID: site.ID, Name: site.Name, State: state, Bindings: s.bindings(g, site.Name)})
	}
	st.Certificates = s.certificates(g)
	return st
}

// certificates returns the certificates of a generation with the bindings that they are for, by file.
func (s *Server) certificates(g *generation) []CertificateStatus {
	urls := map[*certPair][]string{}
	for k, table := range g.routes.secure {
		for _, b := range table {
			key := routeKey{endpointKey{b.addr, k.port, k.site, true}, b.host}
			urls[b.pair] = append(urls[b.pair], key.url(s.portOf(k)))
		}
	}
	out := []CertificateStatus{}
	for p, at := range urls {
		c := s.certs.status(p)
		slices.Sort(at)
		c.Bindings = at
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b CertificateStatus) int { return strings.Compare(a.File, b.File) })
	return out
}

// portOf returns the port of an endpoint, which the kernel may have chosen.
func (s *Server) portOf(k endpointKey) int {
	if ep := s.endpoints.get(k); k.port == 0 && ep != nil {
		return ep.address().Port
	}
	return k.port
}

// bindings returns the URLs at which a site is served, with the ports that the kernel chose.
func (s *Server) bindings(g *generation, site string) []string {
	urls := []string{}
	for k, st := range g.routes.bindings {
		if st.Name != site {
			continue
		}
		urls = append(urls, k.url(s.portOf(k.endpointKey)))
	}
	slices.Sort(urls)
	return urls
}

// Connections lists the upgraded connections, by id.
func (s *Server) Connections() []Connection {
	out := []Connection{}
	for _, r := range s.conns.snapshot(nil) {
		out = append(out, Connection{r.info, r.conn.Counts()})
	}
	return out
}

// CloseConnections starts the closing handshake with code on every upgraded connection of the features and returns
// how many there were.
func (s *Server) CloseConnections(features []string, code uint16, reason string) int {
	return s.conns.shutdown(func(c module.ConnInfo) bool { return slices.Contains(features, c.Feature) }, code, reason)
}

// CloseSiteConnections starts the closing handshake with code on every upgraded connection of the sites and returns
// how many there were.
func (s *Server) CloseSiteConnections(sites []uint32, code uint16, reason string) int {
	return s.conns.shutdown(func(c module.ConnInfo) bool { return slices.Contains(sites, c.SiteID) }, code, reason)
}
