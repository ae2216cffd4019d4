package wshost

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// endpointKey is an address that the host listens on, as declared: addr "" is every address, and port 0 is one that the
// kernel chooses, another one for each site.
type endpointKey struct {
	addr   string
	port   int
	site   uint32 // 0 unless port is
	secure bool   // https
}

func (k endpointKey) String() string { return net.JoinHostPort(k.addr, strconv.Itoa(k.port)) }

// routeKey is one binding.
type routeKey struct {
	endpointKey
	host string
}

// endpointPlan is an endpoint that a configuration asks for.
type endpointPlan struct {
	key      endpointKey
	site     string     // a site that wants it, for messages
	pos      config.Pos // and where it says so
	timeouts timeouts
	limits   []siteLimit
	tls      tlsTable // empty for http
}

// timeouts are the times that an endpoint gives its clients: the longest of its sites' connectionTimeout, and for a
// request's header the server's headerWaitTimeout.
type timeouts struct{ header, idle time.Duration }

// webLimits is system.applicationHost/webLimits as the host reads it.
type webLimits struct {
	HeaderWait time.Duration `config:"headerWaitTimeout"` // 0: the connectionTimeout, but no more than maxHeaderWait
}

// defaultConnectionTimeout is that of IIS; maxHeaderWait bounds the time for the header of a request, for which
// nobody honest needs two minutes.
const (
	defaultConnectionTimeout = 2 * time.Minute
	maxHeaderWait            = 30 * time.Second
)

// routes says which site answers a request.
type routes struct {
	bindings  map[routeKey]*site
	specific  map[int]bool // ports that have bindings to single addresses
	endpoints []*endpointPlan
	secure    map[endpointKey]tlsTable
	pairs     map[*certPair]bool // in use
	warnings  []string
}

// site is a site of a generation.
type site struct {
	config.Site
	files siteFiles
}

// wanted is a binding that is to be opened.
type wanted struct {
	site *site
	key  endpointKey
	b    config.Binding
}

// planRoutes reads the bindings of the sites that start by themselves. Two sites with one binding are an error.
func planRoutes(tree *config.Tree, server *config.Effective, certs *certStore) (*routes, error) {
	limits, err := config.Decode[webLimits](server, sectionWebLimits)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", sectionWebLimits, err)
	}
	rt := &routes{bindings: map[routeKey]*site{}, specific: map[int]bool{}, secure: map[endpointKey]tlsTable{}, pairs: map[*certPair]bool{}}
	all := map[int]bool{} // ports with a binding to all addresses
	var wants []wanted
	kept := new(snapshots)
	for _, cs := range tree.Sites() {
		if !cs.AutoStart {
			continue
		}
		st := &site{Site: cs, files: siteFiles{tree, cs.Name, kept}}
		for _, b := range cs.Bindings {
			if why := notOpened(b); why != "" {
				rt.warnings = append(rt.warnings, fmt.Sprintf("%s: the %s binding %q of site %q is not opened: %s", b.Pos, b.Protocol, b.Info, cs.Name, why))
				continue
			}
			key, err := bindingEndpoint(cs.ID, b)
			if err != nil {
				return nil, bindingError(b.Pos, config.HResultMalformed, err.Error(), `write IP:port:host, as in "*:80:" or "127.0.0.1:8080:www.example.com"`)
			}
			rk := routeKey{key, strings.ToLower(b.Host)}
			if other := rt.bindings[rk]; other != nil {
				return nil, bindingError(b.Pos, config.HResultDuplicate, fmt.Sprintf("sites %q and %q have the same binding %s", other.Name, cs.Name, rk), "give one of them another port or host name")
			}
			rt.bindings[rk] = st
			all[key.port] = all[key.port] || key.addr == ""
			rt.specific[key.port] = rt.specific[key.port] || key.addr != ""
			wants = append(wants, wanted{st, key, b})
		}
	}
	return rt, rt.planEndpoints(wants, all, limits, certs)
}

// notOpened tells why a binding cannot be served; "" when it can. It keeps nothing else from being served.
func notOpened(b config.Binding) string {
	switch {
	case b.Protocol == "http":
	case b.Protocol != "https":
		return "this host serves http and https"
	case b.CertificateFile == "":
		command := strings.TrimSpace("rolemgr cert dev " + b.Host)
		return fmt.Sprintf("it names no certificate: write certificateFile and privateKeyFile there, or make one for development with %q", command)
	}
	return ""
}

// planEndpoints groups bindings by where they listen.
func (rt *routes) planEndpoints(wants []wanted, all map[int]bool, limits *webLimits, certs *certStore) error {
	byKey := map[endpointKey]*endpointPlan{}
	for _, w := range wants {
		binding := routeKey{w.key, strings.ToLower(w.b.Host)}
		if w.key.port != 0 && all[w.key.port] {
			w.key.addr = "" // the kernel does not let one port be taken twice: the listener on all addresses serves it
		}
		other := w.key
		other.secure = !other.secure
		if o := byKey[other]; o != nil && w.key.port != 0 {
			return bindingError(w.b.Pos, config.HResultDuplicate, fmt.Sprintf("site %q has port %d for %s, and site %q for another protocol in %s", w.site.Name, w.key.port, w.b.Protocol, o.site, o.pos), "give one of them another port")
		}
		p := byKey[w.key]
		if p == nil {
			p = &endpointPlan{key: w.key, site: w.site.Name, pos: w.b.Pos}
			byKey[w.key] = p
			rt.endpoints = append(rt.endpoints, p)
		}
		p.add(w.site, limits)
		if w.key.secure {
			rt.planTLS(p, w.site, binding, w.b, certs)
		}
	}
	for k, p := range byKey {
		if k.secure {
			rt.secure[k] = p.tls
		}
	}
	return nil
}

// add takes a site's limits into account.
func (p *endpointPlan) add(s *site, server *webLimits) {
	for _, l := range p.limits {
		if l.id == s.ID {
			return
		}
	}
	p.limits = append(p.limits, siteLimit{s.ID, s.Limits.MaxConnections})
	idle := connectionTimeout(s.Limits)
	p.timeouts.idle = max(p.timeouts.idle, idle)
	if p.timeouts.header = server.HeaderWait; p.timeouts.header == 0 {
		p.timeouts.header = min(p.timeouts.idle, maxHeaderWait)
	}
}

// connectionTimeout returns the site's limit; 0 would be no limit at all and means the default.
func connectionTimeout(l config.Limits) time.Duration {
	if l.ConnectionTimeout <= 0 {
		return defaultConnectionTimeout
	}
	return l.ConnectionTimeout
}

// bindingEndpoint returns the endpoint of a binding with its address in canonical form.
func bindingEndpoint(site uint32, b config.Binding) (endpointKey, error) {
	key := endpointKey{port: b.Port, secure: b.Protocol == "https"}
	if b.Port == 0 {
		key.site = site
	}
	if b.Address == "" || b.Address == "*" {
		return key, nil
	}
	a, err := netip.ParseAddr(strings.Trim(b.Address, "[]"))
	if err != nil {
		return key, fmt.Errorf("%q is not an IP address", b.Address)
	}
	if !a.IsUnspecified() {
		key.addr = a.Unmap().String()
	}
	return key, nil
}

func bindingError(pos config.Pos, hresult uint32, message, hint string) *config.Error {
	return &config.Error{Pos: pos, HResult: hresult, Section: sectionSites, Message: message, Hint: hint}
}

// find returns the site for a request that came in at an endpoint; nil when none has such a binding. A binding with a
// host name goes before one without, and within these one to the address before one to all, as in HTTP.sys.
func (rt *routes) find(ep endpointKey, r *http.Request) *site {
	host := requestHost(r.Host)
	addr := ep.addr
	if addr == "" && rt.specific[ep.port] {
		addr = localAddr(r)
	}
	for _, h := range [...]string{host, ""} {
		for _, a := range [...]string{addr, ""} {
			if s := rt.bindings[routeKey{endpointKey{a, ep.port, ep.site, ep.secure}, h}]; s != nil {
				return s
			}
		}
	}
	return nil
}

// localAddr returns the address that a request came in at, as in routeKey.
func localAddr(r *http.Request) string {
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return localAddress(local)
}

// requestHost returns the host name of a Host header field in lower case, without port and final dot.
func requestHost(h string) string {
	if i := strings.LastIndexByte(h, ':'); i >= 0 && !strings.HasSuffix(h, "]") {
		h = h[:i]
	}
	return strings.ToLower(strings.TrimSuffix(h, "."))
}

// url returns a binding as people write it. port is the one listened on.
func (k routeKey) url(port int) string {
	host := k.host
	if host == "" {
		host = k.addr
	}
	if host == "" {
		host = "*"
	}
	scheme := "http"
	if k.secure {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
}

func (k routeKey) String() string { return k.endpointKey.String() + ":" + k.host }
