package wshost

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// door is a listener whose connections are counted and charged to a site.
type door struct {
	*net.TCPListener
	set     *connSet
	timeout time.Duration // for a write that makes no progress
	secure  bool          // TLS is spoken: what is not said in it is not understood
	// admit charges a new connection to a site; ok is false when every site behind the door has its maxConnections.
	admit func() (release func(), ok bool)
}

// Accept returns the next connection that is admitted. One that is not is told 503 (as HTTP.sys does for the
// connection limit of a site) and closed: best effort, without waiting for its request.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.AcceptTCP()
		if err != nil {
			return nil, err
		}
		release, ok := d.admit()
		if !ok {
			if !d.secure {
				_ = c.SetWriteDeadline(time.Now().Add(time.Second))
				_, _ = io.WriteString(c, "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			}
			_ = c.Close()
			continue
		}
		bc := &conn{TCPConn: c, set: d.set, release: release, timeout: d.timeout, began: time.Now()}
		d.set.add(bc)
		return bc, nil
	}
}

// siteLimit is a site behind an endpoint with its maxConnections.
type siteLimit struct {
	id  uint32
	max uint32
}

// siteCounts counts the open connections of each site over all its endpoints and over all generations.
type siteCounts struct {
	mu sync.Mutex
	n  map[uint32]uint32
}

// admit charges a connection to the first of the sites that has room. A connection's site is known only from its first
// request, so where several sites share an endpoint the limit that holds is the sum of theirs.
func (s *siteCounts) admit(sites []siteLimit) (release func(), ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == nil {
		s.n = map[uint32]uint32{}
	}
	for _, l := range sites {
		if s.n[l.id] < l.max {
			s.n[l.id]++
			return func() { s.leave(l.id) }, true
		}
	}
	return nil, false
}

func (s *siteCounts) leave(id uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n[id]--; s.n[id] == 0 {
		delete(s.n, id)
	}
}

// listenTCP listens on an address; "" is every address of the machine.
func listenTCP(ctx context.Context, hostport string) (*net.TCPListener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", hostport)
	if err != nil {
		return nil, err
	}
	tcp, ok := ln.(*net.TCPListener)
	if !ok {
		_ = ln.Close()
		return nil, errors.New("not a TCP listener")
	}
	return tcp, nil
}
