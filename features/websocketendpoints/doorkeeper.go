package websocketendpoints

import (
	"fmt"
	"net/netip"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// doorkeeper counts the connections of one endpoint. The zero value is ready; methods may be called concurrently.
type doorkeeper struct {
	mu  sync.Mutex
	all uint32
	by  map[netip.Prefix]uint32
}

// enter lets a client in unless a limit is reached. What it returns is called when the connection, or its program, is gone;
// calling it again does nothing.
func (d *doorkeeper) enter(remote string, e *endpoint) (leave func(), refusal *module.HTTPError) {
	who := client(remote)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all >= e.Max {
		return nil, busy(fmt.Sprintf("the endpoint %q has its %d connections", e.Path, e.Max), "maxConnections of the endpoint raises the limit")
	}
	if who.IsValid() {
		if d.by[who] >= e.MaxClient {
			return nil, busy(fmt.Sprintf("the client has its %d connections to the endpoint %q", e.MaxClient, e.Path), "maxConnectionsPerClient of the endpoint raises the limit")
		}
		if d.by == nil {
			d.by = map[netip.Prefix]uint32{}
		}
		d.by[who]++
	}
	d.all++
	return sync.OnceFunc(func() { d.leave(who) }), nil
}

func (d *doorkeeper) leave(who netip.Prefix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if !who.IsValid() {
		return
	}
	if d.by[who]--; d.by[who] == 0 {
		delete(d.by, who)
	}
}

// client returns what tells one client from another, as the engine's own limits do: an IPv4 address, or the first 64 bits of
// an IPv6 address. It is the zero Prefix for loopback, where a proxy hides its clients.
func client(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	addr := at.Addr().Unmap().WithZone("")
	if addr.IsLoopback() {
		return netip.Prefix{}
	}
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	p, _ := addr.Prefix(bits) // 32 and 64 are possible
	return p
}
