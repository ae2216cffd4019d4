package ws

import (
	"net/http"
	"net/netip"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Admission bounds how many connections are open at once. One may be shared by several Upgraders, as by those of one
// site. It must not be copied or changed while in use. Beyond a bound handshakes are refused with 503 and Retry-After.
type Admission struct {
	// Connections bounds all connections together; default 100,000, negative: no bound.
	Connections int
	// PerAddress bounds those of one client: an IPv4 address, or the first 64 bits of an IPv6 address, which is what one
	// customer has. Loopback addresses are not counted: who comes from there is a proxy that hides its clients. Default
	// 4,096, negative: no bound.
	PerAddress int

	mu      sync.Mutex
	total   int
	clients map[netip.Prefix]*client
}

const (
	defaultConnections = 100_000
	defaultPerAddress  = 4_096
	retryAfter         = "5" // seconds
)

// client counts the connections of one address.
type client struct {
	of     *Admission
	prefix netip.Prefix // not valid for those that are not told apart
	n      int
}

// Open returns how many connections are open.
func (a *Admission) Open() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.total
}

// admit counts a connection from remote, "address:port", or refuses it. One that is open already, as after a hand-over,
// is always counted.
func (a *Admission) admit(remote string, open bool) (*client, error) {
	prefix := clientOf(remote)
	a.mu.Lock()
	defer a.mu.Unlock()
	if most := bound(a.Connections, defaultConnections); most >= 0 && a.total >= most && !open {
		return nil, busy("too many connections are open")
	}
	c := a.clients[prefix]
	if c == nil {
		c = &client{of: a, prefix: prefix}
	}
	if most := bound(a.PerAddress, defaultPerAddress); prefix.IsValid() && most >= 0 && c.n >= most && !open {
		return nil, busy("too many connections from one address are open")
	}
	if a.clients == nil {
		a.clients = map[netip.Prefix]*client{}
	}
	a.clients[prefix] = c
	c.n++
	a.total++
	return c, nil
}

// leave gives the place of one connection back; c may be nil.
func (c *client) leave() {
	if c == nil {
		return
	}
	c.of.mu.Lock()
	defer c.of.mu.Unlock()
	c.of.total--
	if c.n--; c.n == 0 {
		delete(c.of.clients, c.prefix)
	}
}

func bound(n, byDefault int) int {
	if n == 0 {
		return byDefault
	}
	return n
}

func busy(reason string) error {
	return &handshake.Error{Status: http.StatusServiceUnavailable, Header: http.Header{"Retry-After": {retryAfter}}, Reason: reason}
}

// clientOf returns what tells one client from another; the zero Prefix for loopback and for what is no address.
func clientOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap()
	if addr.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.WithZone("").Prefix(bits) // 32 and 64 are possible
	return p
}
