package wshost

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// maxHeaderBytes bounds request line and header together, as HTTP.sys does with MaxRequestBytes; beyond: 431.
// net/http reads 4 KiB more than it is told before it gives up.
const maxHeaderBytes = 16<<10 - 4096

// hresultInUse is what IIS reports for a port that somebody else has: ERROR_SHARING_VIOLATION.
const hresultInUse uint32 = 0x80070020

// endpoint is an address that the host listens on. It lives from the reload that first asks for it to the one that no
// longer does, through any number of generations.
type endpoint struct {
	key     endpointKey
	handler http.Handler
	counts  *siteCounts
	log     *slog.Logger
	set     connSet
	limits  atomic.Pointer[[]siteLimit]
	tls     atomic.Pointer[tlsTable]
	failed  notices // handshakes of TLS

	mu      sync.Mutex
	ln      *net.TCPListener
	current *http.Server
	given   timeouts
	former  []*http.Server // with the timeouts of before; they accept nothing but still have connections
	serving sync.WaitGroup
}

// listen opens an endpoint without accepting anything yet: clients wait in the kernel's queue.
func (p *endpointPlan) listen(ctx context.Context) (*net.TCPListener, error) {
	ln, err := listenTCP(ctx, p.key.String())
	if err == nil {
		return ln, nil
	}
	hint, hresult := "", config.HResultAccess
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		hresult = hresultInUse
		hint = fmt.Sprintf("see who listens there: ss -ltnp 'sport = :%d'", p.key.port)
	case errors.Is(err, syscall.EACCES):
		hint = "ports below 1024 need the capability CAP_NET_BIND_SERVICE, or net.ipv4.ip_unprivileged_port_start"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		hint = "this machine does not have that address: ip addr"
	}
	var errno syscall.Errno
	why := err
	if errors.As(err, &errno) {
		why = errno
	}
	return nil, bindingError(p.pos, hresult, fmt.Sprintf("cannot listen on %s for site %q: %s", p.key, p.site, why), hint)
}

// serve starts accepting from the listener.
func (e *endpoint) serve(ln *net.TCPListener, p *endpointPlan) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.limits.Store(&p.limits)
	e.tls.Store(&p.tls)
	e.ln = ln
	e.start(p.timeouts)
}

// start serves e.ln with a fresh http.Server. The caller holds e.mu.
func (e *endpoint) start(t timeouts) {
	e.given = t
	e.current = newHTTPServer(e.handler, t, e.log)
	if e.key.secure {
		e.secure(e.current)
	}
	e.run(e.current, &door{TCPListener: e.ln, set: &e.set, timeout: t.idle, secure: e.key.secure, admit: func() (func(), bool) {
		return e.counts.admit(*e.limits.Load())
	}})
}

func (e *endpoint) run(srv *http.Server, d *door) {
	e.serving.Go(func() {
		var err error
		if d.secure {
			err = srv.ServeTLS(d, "", "")
		} else {
			err = srv.Serve(d)
		}
		if err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			e.log.Error("a binding stopped accepting", "binding", e.key.String(), "error", err)
		}
	})
}

// secure lets a server speak TLS, with the certificates of the moment, and HTTP/2 in it.
func (e *endpoint) secure(srv *http.Server) {
	srv.Protocols.SetHTTP2(true)
	srv.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams}
	srv.TLSConfig = baseTLS()
	srv.TLSConfig.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		return (*e.tls.Load()).config(hello)
	}
	srv.ErrorLog = log.New(&handshakeLog{e.log, &e.failed}, "", 0)
}

// connKey finds the connection of a request in its context.
type connKey struct{}

// newHTTPServer returns an HTTP/1 server with the limits of an endpoint. Bodies have no limit here: that is the
// business of request filtering.
func newHTTPServer(h http.Handler, t timeouts, logger *slog.Logger) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Server{
		Handler:                      h,
		ConnContext:                  func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		ReadHeaderTimeout:            t.header,
		IdleTimeout:                  t.idle,
		MaxHeaderBytes:               maxHeaderBytes,
		DisableGeneralOptionsHandler: true, // the pipeline answers OPTIONS *, and logs it
		Protocols:                    protocols,
		ErrorLog:                     slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
}

// adjust takes the limits of a new configuration over. New timeouts hold for new connections: a second descriptor of
// the same socket goes to a new server, and the old server keeps the connections that it has.
func (e *endpoint) adjust(p *endpointPlan) error {
	e.limits.Store(&p.limits)
	e.tls.Store(&p.tls)
	e.mu.Lock()
	defer e.mu.Unlock()
	if p.timeouts == e.given {
		return nil
	}
	ln, err := duplicate(e.ln)
	if err != nil {
		return fmt.Errorf("change the timeouts of %s: %w", e.key, err)
	}
	old := e.ln
	e.former = append(e.former, e.current)
	e.ln = ln
	e.start(p.timeouts)
	_ = old.Close()
	return nil
}

// duplicate returns a second listener on the same socket.
func duplicate(ln *net.TCPListener) (*net.TCPListener, error) {
	f, err := ln.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	return l.(*net.TCPListener), nil
}

// address returns where the endpoint listens.
func (e *endpoint) address() *net.TCPAddr {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ln.Addr().(*net.TCPAddr)
}

// pause stops accepting; resume starts again with another listener. Connections are not touched.
func (e *endpoint) pause() {
	e.mu.Lock()
	ln := e.ln
	e.mu.Unlock()
	_ = ln.Close()
}

func (e *endpoint) resume(ln *net.TCPListener) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.former = append(e.former, e.current)
	e.ln = ln
	e.start(e.given)
}

// shutdown stops accepting, closes idle connections and waits until requests in progress have ended or ctx ends.
// Upgraded connections are not its business.
func (e *endpoint) shutdown(ctx context.Context) {
	var wg sync.WaitGroup
	for _, srv := range e.servers() {
		wg.Go(func() { _ = srv.Shutdown(ctx) })
	}
	e.pause() // for a listener that its server never came to serve
	wg.Wait()
}

// cut closes every connection, upgraded ones included, waits for the accepting goroutines and returns how many
// connections there were.
func (e *endpoint) cut() int {
	n := e.set.cut()
	for _, srv := range e.servers() {
		_ = srv.Close()
	}
	n += e.set.cut() // those that were being accepted meanwhile
	e.serving.Wait()
	return n
}

func (e *endpoint) servers() []*http.Server {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*http.Server{e.current}, e.former...)
}
