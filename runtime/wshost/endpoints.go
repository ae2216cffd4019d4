package wshost

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
)

// endpoints are the addresses that the host listens on. They change only by one change at a time (the server's reload
// slot); the lock is for those who look.
type endpoints struct {
	handler func(endpointKey) http.Handler
	log     *slog.Logger
	counts  siteCounts

	mu       sync.Mutex
	open     map[endpointKey]*endpoint
	retiring map[*endpoint]struct{} // no longer wanted, with connections that end in their own time
	retired  sync.WaitGroup
}

// change is a step from the endpoints that are open to those that a configuration asks for. Everything that can fail
// happens before it is returned: new endpoints are listening and nothing else has changed.
type change struct {
	all    *endpoints
	plans  []*endpointPlan
	opened map[endpointKey]*net.TCPListener
	paused []*endpoint // removed ones that had to make room for a new one on their port
}

// prepare opens what is new. On an error nothing has changed.
func (e *endpoints) prepare(ctx context.Context, plans []*endpointPlan) (*change, error) {
	c := &change{all: e, plans: plans, opened: map[endpointKey]*net.TCPListener{}}
	for _, p := range plans {
		if e.get(p.key) != nil {
			continue
		}
		ln, err := p.listen(ctx)
		if err != nil && c.makeRoom(p) {
			ln, err = p.listen(ctx)
		}
		if err != nil {
			c.rollback()
			return nil, err
		}
		c.opened[p.key] = ln
	}
	return c, nil
}

// makeRoom pauses the removed endpoints on the port of p: a kernel that has 127.0.0.1:80 does not give out *:80. It
// reports whether there were any.
func (c *change) makeRoom(p *endpointPlan) bool {
	made := false
	for _, old := range c.removed() {
		same := old.key.addr == p.key.addr // for another protocol
		if old.key.port == p.key.port && old.key.port != 0 && (same || old.key.addr == "" || p.key.addr == "") {
			old.pause()
			c.paused = append(c.paused, old)
			made = true
		}
	}
	return made
}

// removed returns the open endpoints that the plans do not ask for.
func (c *change) removed() []*endpoint {
	wanted := map[endpointKey]bool{}
	for _, p := range c.plans {
		wanted[p.key] = true
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	var out []*endpoint
	for k, ep := range c.all.open {
		if !wanted[k] {
			out = append(out, ep)
		}
	}
	return out
}

// rollback closes what was opened and lets paused endpoints accept again.
func (c *change) rollback() {
	for _, ln := range c.opened {
		_ = ln.Close()
	}
	for _, ep := range c.paused {
		ln, err := listenTCP(context.Background(), ep.key.String())
		if err != nil {
			c.all.log.Error("a binding could not be opened again after a refused reload", "binding", ep.key.String(), "error", err)
			continue
		}
		ep.resume(ln)
	}
}

// commit serves what is new, adjusts what stays and retires what is gone. It returns what a person should know.
func (c *change) commit() (warnings []string) {
	gone := c.removed()
	e := c.all
	for _, p := range c.plans {
		if ep := e.get(p.key); ep != nil {
			if err := ep.adjust(p); err != nil {
				warnings = append(warnings, err.Error())
			}
			continue
		}
		ep := &endpoint{key: p.key, handler: e.handler(p.key), counts: &e.counts, log: e.log}
		ep.serve(c.opened[p.key], p)
		e.mu.Lock()
		e.open[p.key] = ep
		e.mu.Unlock()
	}
	for _, ep := range gone {
		e.retire(ep)
	}
	return warnings
}

// retire stops accepting on ep and forgets it when its last connection has gone.
func (e *endpoints) retire(ep *endpoint) {
	e.mu.Lock()
	delete(e.open, ep.key)
	e.retiring[ep] = struct{}{}
	e.mu.Unlock()
	ep.pause()
	e.retired.Go(func() {
		ep.shutdown(context.Background()) // ends at the latest when stop cuts
		ep.set.wait(context.Background())
		ep.serving.Wait()
		e.mu.Lock()
		delete(e.retiring, ep)
		e.mu.Unlock()
	})
}

func (e *endpoints) get(k endpointKey) *endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open[k]
}

// every returns all endpoints, also those that are being retired.
func (e *endpoints) every() []*endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []*endpoint
	for _, ep := range e.open {
		out = append(out, ep)
	}
	for ep := range e.retiring {
		out = append(out, ep)
	}
	return out
}

// shutdown stops accepting everywhere and waits until no connection is left or ctx ends.
func (e *endpoints) shutdown(ctx context.Context) {
	var wg sync.WaitGroup
	for _, ep := range e.every() {
		wg.Go(func() {
			ep.shutdown(ctx)
			ep.set.wait(ctx)
		})
	}
	wg.Wait()
}

// cut closes what is left and returns how many connections that were.
func (e *endpoints) cut() int {
	n := 0
	for _, ep := range e.every() {
		n += ep.cut()
	}
	e.retired.Wait()
	return n
}
