package wshost

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// closeGoingAway is the close code of an endpoint that goes away (RFC 6455, section 7.4.1).
const closeGoingAway = 1001

// connRegistry implements module.ConnRegistry.
type connRegistry struct {
	calm     calm
	mu       sync.Mutex
	last     uint64
	conns    map[uint64]registered
	draining bool
	reason   string
	empty    chan struct{} // not nil while somebody waits for the last connection; closed when it has gone
}

type registered struct {
	info module.ConnInfo
	conn module.Conn
}

// Add enters a connection. While the host is stopping the connection is told at once to go.
func (c *connRegistry) Add(info module.ConnInfo, conn module.Conn) (remove func()) {
	c.mu.Lock()
	if c.conns == nil {
		c.conns = map[uint64]registered{}
	}
	c.last++
	info.ID = c.last
	c.conns[info.ID] = registered{info, conn}
	draining, reason := c.draining, c.reason
	c.mu.Unlock()
	c.calm.note()
	if draining {
		conn.Shutdown(closeGoingAway, reason)
	}
	return func() { c.remove(info.ID) }
}

func (c *connRegistry) remove(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, id)
	if len(c.conns) == 0 && c.empty != nil {
		close(c.empty)
		c.empty = nil
	}
}

// snapshot returns the connections that match, by id. A nil match means all.
func (c *connRegistry) snapshot(match func(module.ConnInfo) bool) []registered {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []registered
	for _, r := range c.conns {
		if match == nil || match(r.info) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b registered) int { return cmp.Compare(a.info.ID, b.info.ID) })
	return out
}

// shutdown starts the closing handshake on the connections that match and returns how many there were. It calls them
// without the lock, so that a connection may leave the registry from inside Shutdown.
func (c *connRegistry) shutdown(match func(module.ConnInfo) bool, code uint16, reason string) int {
	all := c.snapshot(match)
	for _, r := range all {
		r.conn.Shutdown(code, reason)
	}
	return len(all)
}

// drain closes every connection with 1001 and every later one as it comes.
func (c *connRegistry) drain(reason string) {
	c.mu.Lock()
	c.draining, c.reason = true, reason
	c.mu.Unlock()
	c.shutdown(nil, closeGoingAway, reason)
}

// wait waits until no connection is left or ctx ends, and returns how many are left.
func (c *connRegistry) wait(ctx context.Context) int {
	for {
		c.mu.Lock()
		n := len(c.conns)
		if n == 0 {
			c.mu.Unlock()
			return 0
		}
		if c.empty == nil {
			c.empty = make(chan struct{})
		}
		empty := c.empty
		c.mu.Unlock()
		select {
		case <-empty:
		case <-ctx.Done():
			return n
		}
	}
}

// byFeature counts the connections of sites. Those of the probe site come and go with a probe and are nobody's loss.
func (c *connRegistry) byFeature() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]int{}
	for _, r := range c.conns {
		if r.info.SiteID != probeSiteID {
			out[r.info.Feature]++
		}
	}
	return out
}
