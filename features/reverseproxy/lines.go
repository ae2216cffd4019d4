package reverseproxy

import (
	"container/list"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
)

// connectTime is how long a line to a server may take to be opened.
const connectTime = 10 * time.Second

// mostForwarders is how many servers are kept lines to at once. A rule may make names of servers of what clients send.
const mostForwarders = 256

// lineKey is what requests must have in common to share lines.
type lineKey struct {
	secure  bool
	addr    string // host and port
	name    string // that a certificate must be for
	timeout time.Duration
}

func lineOf(u *url.URL, host, port string, timeout time.Duration) lineKey {
	k := lineKey{secure: u.Scheme == "https", name: host, timeout: timeout}
	if port == "" {
		if port = "80"; k.secure {
			port = "443"
		}
	}
	k.addr = net.JoinHostPort(host, port)
	return k
}

// lines keeps lines to other servers, and what is known of the servers of farms. It outlives generations.
type lines struct {
	tunnels tunnel.Engine
	roots   *x509.CertPool // nil: those of the system

	mu         sync.Mutex
	forwarders map[lineKey]*list.Element
	order      list.List // of *kept, the one used last in front
	states     map[string]*state
}

type kept struct {
	key lineKey
	f   *forward.Forwarder
}

func newLines() *lines {
	return &lines{forwarders: map[lineKey]*list.Element{}, states: map[string]*state{}}
}

// Close gives idle lines back.
func (l *lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.order.Front(); e != nil; e = e.Next() {
		_ = e.Value.(*kept).f.Close()
	}
	return nil
}

// forwarder returns what passes requests on to a server.
func (l *lines) forwarder(k lineKey) *forward.Forwarder {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.forwarders[k]; e != nil {
		l.order.MoveToFront(e)
		return e.Value.(*kept).f
	}
	f := forward.New(l.options(k))
	l.forwarders[k] = l.order.PushFront(&kept{k, f})
	if l.order.Len() > mostForwarders {
		last := l.order.Remove(l.order.Back()).(*kept)
		delete(l.forwarders, last.key)
		_ = last.f.Close()
	}
	return f
}

func (l *lines) options(k lineKey) forward.Options {
	scheme := "http"
	var secure *tls.Config
	if k.secure {
		scheme, secure = "https", &tls.Config{ServerName: k.name, RootCAs: l.roots, MinVersion: tls.VersionTLS12}
	}
	return forward.Options{
		Name: scheme + "://" + k.addr, Module: name, TLS: secure, Timeout: k.timeout, Tunnels: &l.tunnels,
		Dial: func(ctx context.Context) (net.Conn, error) {
			return (&net.Dialer{Timeout: connectTime}).DialContext(ctx, "tcp", k.addr)
		},
		Prepare: sending, Answered: answered, Again: again,
	}
}

// state returns what is known of a server of a farm.
func (l *lines) state(of string) *state {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.states[of]
	if s == nil {
		s = new(state)
		l.states[of] = s
	}
	return s
}

// again takes a request to another server of its farm when a line to the first could not be opened.
func again(w http.ResponseWriter, r *http.Request, err error) bool {
	a := attemptOf(r)
	if a == nil || a.farm == nil {
		return false
	}
	a.farm.unreachable(a.server, err)
	return a.farm.serve(w, r, a)
}
