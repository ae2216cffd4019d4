// Package forward passes requests on to an application: a process that this host started, or another server. The modules
// that host applications share it; it is no module itself.
//
// HTTP goes through net/http/httputil, so framing is parsed and written anew on both sides and hop-by-hop fields end here
// (RFC 9110, section 7.6.1). Opening handshakes of WebSocket become what module.Sockets says: an ordinary GET, a relay of
// messages, or a tunnel of bytes.
package forward

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Win32 codes of failures, as IIS logs them beside 502.3 (winhttp.h).
const (
	win32Timeout         = 12002 // ERROR_WINHTTP_TIMEOUT
	win32CannotConnect   = 12029 // ERROR_WINHTTP_CANNOT_CONNECT
	win32ConnectionError = 12030 // ERROR_WINHTTP_CONNECTION_ERROR
	win32InvalidResponse = 12152 // ERROR_WINHTTP_INVALID_SERVER_RESPONSE
	win32ClientGone      = 1236  // ERROR_CONNECTION_ABORTED
)

// Options are those of a Forwarder. They must not be changed while in use.
type Options struct {
	// Name is the application for people and logs: "http://127.0.0.1:41234".
	Name string
	// Module is the module in whose name failures are told, as "httpPlatformHandler".
	Module string
	// Dial opens a line to the application.
	Dial func(context.Context) (net.Conn, error)
	// TLS, if not nil, is spoken to the application. It is not changed.
	TLS *tls.Config
	// Host is sent as the Host field; "" passes on what the client sent.
	Host string
	// Timeout is how long the application may take until the header of its answer is there, once it has the whole request;
	// also how long the answer to an opening handshake may take. 0 means no limit.
	Timeout time.Duration
	// Prepare, if not nil, is called with the request to the application, before it is sent, and the client's. It may
	// change the former's URL and header; Forwarded, which has been applied, tells what is there already.
	Prepare func(out, in *http.Request)
	// Answered, if not nil, is called with the header of the application's answer before it is passed on, also with the
	// 101 of a tunnel. An error is a failure.
	Answered func(*http.Response) error
	// Again, if not nil, is called when no line to the application could be opened, so that nothing of the request has
	// reached it, with the client's request. It reports whether it has answered it, as by another application.
	Again func(w http.ResponseWriter, r *http.Request, err error) bool
	// Failure, if not nil, tells how a request that failed is answered; nil means 502.3.
	Failure func(err error) *module.HTTPError
	// Opened, if not nil, is called for each WebSocket that goes to the application, relayed or tunnelled; the function
	// that it returns is called at its end.
	Opened func(module.Conn) (closed func())
	// Tunnels carries connections whose protocol was switched.
	Tunnels *tunnel.Engine
	// IdleConns is how many idle lines to the application are kept; default 64.
	IdleConns int
}

// Forwarder passes requests on to one application. It may be used concurrently. Close it to give idle lines back.
type Forwarder struct {
	o         Options
	base      *url.URL
	transport *http.Transport
	proxy     *httputil.ReverseProxy
}

// idleTime is how long an idle line to an application is kept. Servers of applications close theirs earlier or later; a
// request that finds its line closed is sent again on another when that is safe (see http.Transport).
const idleTime = 60 * time.Second

// New returns a Forwarder.
func New(o Options) *Forwarder {
	if o.IdleConns <= 0 {
		o.IdleConns = 64
	}
	f := &Forwarder{o: o, base: &url.URL{Scheme: "http", Host: "application"}}
	if o.TLS != nil {
		f.base.Scheme = "https"
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return f.dial(ctx) }
	f.transport = &http.Transport{
		DialContext: dial, DialTLSContext: dial,
		// Bodies pass as they are: what the application compressed is not unpacked.
		DisableCompression:     true,
		MaxIdleConnsPerHost:    o.IdleConns,
		IdleConnTimeout:        idleTime,
		ResponseHeaderTimeout:  o.Timeout,
		ExpectContinueTimeout:  time.Second,
		ForceAttemptHTTP2:      false,
		MaxResponseHeaderBytes: maxResponseHeader,
	}
	f.proxy = &httputil.ReverseProxy{
		Rewrite:        f.rewrite,
		Transport:      f.transport,
		ModifyResponse: f.answered,
		BufferPool:     new(buffers),
		ErrorHandler:   f.failed,
		ErrorLog:       slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // failures are told by ErrorHandler
	}
	return f
}

// maxResponseHeader bounds the header of an application's answer, in bytes.
const maxResponseHeader = 1 << 20

// Close gives idle lines back. Requests and sockets in progress go on.
func (f *Forwarder) Close() error {
	f.transport.CloseIdleConnections()
	return nil
}

// dialError is why no line to the application could be opened.
type dialError struct{ err error }

// Error says what happened.
func (e *dialError) Error() string { return e.err.Error() }

// Unwrap returns what happened.
func (e *dialError) Unwrap() error { return e.err }

// dial opens a line to the application, with TLS when that is spoken.
func (f *Forwarder) dial(ctx context.Context) (net.Conn, error) {
	line, err := f.o.Dial(ctx)
	if err != nil {
		return nil, &dialError{err}
	}
	if f.o.TLS == nil {
		return line, nil
	}
	secure := tls.Client(line, f.o.TLS)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = line.Close()
		return nil, &dialError{err}
	}
	return secure, nil
}

// clientKey is where the client's request is found in the context of the one to the application: failures are about that
// one. It has no forwarding fields, by which a page of details would take a client at the server for one behind a proxy.
type clientKey struct{}

// attempt is a request that is being passed on.
type attempt struct {
	client *http.Request
	begun  atomic.Bool // there was a line for it: the application may have seen it, even when none could be opened afterwards
}

// ServeHTTP passes a request on and answers with what the application answers. r is a request of the host.
func (f *Forwarder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := module.FromRequest(r)
	connect := handshake.WantedConnect(r)
	switch {
	case q.Sockets != nil && (connect || handshake.Wanted(r)):
		f.upgrade(w, r, q)
	case connect:
		// A browser asks so only when the server says that it speaks WebSocket over HTTP/2: there is no GET to fall back to.
		q.Fail(w, r, &module.HTTPError{
			Status: http.StatusNotImplemented, Module: f.o.Module,
			Summary: "a WebSocket over HTTP/2 was asked for, but the feature WebSocket Protocol is not installed",
			Hint:    "rolemgr install websocket",
		})
	case r.Method == http.MethodConnect:
		// It asks for a tunnel to wherever the client likes (RFC 9110, section 9.3.6).
		q.Fail(w, r, &module.HTTPError{Status: http.StatusMethodNotAllowed, Module: f.o.Module, Summary: "the method CONNECT is not passed on"})
	default:
		if r.ProtoMajor == 1 {
			// An application may answer before it has the whole body; net/http would read the rest first.
			_ = http.NewResponseController(w).EnableFullDuplex()
		}
		w.Header()["Content-Type"] = nil // where the application says none, net/http would guess
		a := &attempt{client: r}
		ctx := context.WithValue(r.Context(), clientKey{}, a)
		if f.o.Again != nil {
			ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { a.begun.Store(true) }})
		}
		f.proxy.ServeHTTP(w, r.WithContext(ctx))
	}
}

// rewrite makes the request to the application of the client's.
func (f *Forwarder) rewrite(p *httputil.ProxyRequest) {
	p.Out.URL.Scheme, p.Out.URL.Host = f.base.Scheme, f.base.Host
	p.Out.Host = f.o.Host
	if p.Out.Host == "" {
		p.Out.Host = p.In.Host
	}
	// As it came: httputil leaves out what it cannot read as parameters, and an application may read it otherwise.
	p.Out.URL.RawQuery = p.In.URL.RawQuery
	// The values come into the client's map when its body has ended, and not into a copy of it.
	p.Out.Trailer = p.In.Trailer
	stripUpgrade(p.Out.Header)
	if _, ok := p.Out.Header["Te"]; ok { // httputil leaves "trailers" only
		p.Out.Header.Set("Connection", "TE") // RFC 9110, section 10.1.4
	}
	Forwarded(p.Out.Header, p.In)
	if f.o.Prepare != nil {
		f.o.Prepare(p.Out, p.In)
	}
}

// answered looks at the application's answer before it is passed on.
func (f *Forwarder) answered(resp *http.Response) error {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return errors.New("the application switched protocols without being asked to")
	}
	if f.o.Answered != nil {
		return f.o.Answered(resp)
	}
	return nil
}

// failed answers a request that did not get an answer of the application.
func (f *Forwarder) failed(w http.ResponseWriter, r *http.Request, err error) {
	a, _ := r.Context().Value(clientKey{}).(*attempt)
	if a != nil {
		r = a.client
	}
	var undialled *dialError
	if f.o.Again != nil && r.Context().Err() == nil && (a == nil || !a.begun.Load()) && errors.As(err, &undialled) && f.o.Again(w, r, err) {
		return
	}
	q := module.FromRequest(r)
	q.Fail(w, r, f.failure(r, err))
}

// failure says how a failed request is answered.
func (f *Forwarder) failure(r *http.Request, err error) *module.HTTPError {
	if r.Context().Err() != nil {
		return &module.HTTPError{
			Status: http.StatusBadRequest, Win32: win32ClientGone, Module: f.o.Module,
			Summary: "the client left before the application had answered",
		}
	}
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return &module.HTTPError{
			Status: http.StatusRequestEntityTooLarge, SubStatus: 1, Module: f.o.Module, Summary: "the request's body is longer than allowed",
		}
	}
	if f.o.Failure != nil {
		if e := f.o.Failure(err); e != nil {
			return e
		}
	}
	return f.BadGateway(err)
}

// BadGateway returns the 502.3 of an application that cannot be reached, does not answer in time or answers no HTTP.
func (f *Forwarder) BadGateway(err error) *module.HTTPError {
	e := &module.HTTPError{Status: http.StatusBadGateway, SubStatus: 3, Win32: win32InvalidResponse, Module: f.o.Module}
	var op *net.OpError
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		e.Win32, e.Summary = win32Timeout, "the application "+f.o.Name+" did not answer in time"
	case errors.As(err, &op) && op.Op == "dial":
		e.Win32, e.Summary = win32CannotConnect, "the application "+f.o.Name+" does not take connections: "+err.Error()
	case errors.As(err, &op):
		e.Win32, e.Summary = win32ConnectionError, "the connection to the application "+f.o.Name+" broke: "+err.Error()
	default:
		e.Summary = "the application " + f.o.Name + " gave no usable answer: " + err.Error()
	}
	return e
}
