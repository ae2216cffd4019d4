package ws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// DialOptions are the options of Dial; the zero value is ready.
type DialOptions struct {
	Header       http.Header // additional header fields of the request; Host sets the host that is asked for
	Subprotocols []string    // in order of preference
	Limits       Limits
	// NetDial, if not nil, makes the connection instead of net.Dialer.DialContext.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)
	// TLS is used for wss:// URLs; nil means the defaults. It is not changed.
	TLS *tls.Config
	// Proxy, if not nil, returns the proxy for a request, nil for none: http, https and socks5 URLs, as
	// http.ProxyFromEnvironment gives them. The request's URL has the scheme http or https.
	Proxy func(*http.Request) (*url.URL, error)
	// Compression, if not nil, offers permessage-deflate.
	Compression *Compression
	// Driver chooses how DialHandler waits for the connection; Engine is as in Upgrader and must be set for the poller.
	Driver Driver
	Engine *Engine
}

const (
	maxResponse = 64 << 10 // bytes of a server's response header
	maxRefusal  = 64 << 10 // bytes of body kept of a response that refuses
)

// Dialer opens many connections with the same limits, which share their memory: a connection of Dial or DialHandler has
// some of its own. It must not be changed while in use, and may be used concurrently.
type Dialer struct {
	Limits      Limits
	Compression *Compression
	Driver      Driver
	Engine      *Engine

	once sync.Once
	set  *settings
}

// DialHandler is the function of that name with the options of d: those that o sets beside are not looked at.
func (d *Dialer) DialHandler(ctx context.Context, rawURL string, o *DialOptions, h Handler) (*Socket, *http.Response, error) {
	d.once.Do(func() {
		d.set = newSettings(d.Limits.resolved(), newMemory())
		d.set.compress(d.Compression)
	})
	own := DialOptions{}
	if o != nil {
		own = *o
	}
	own.Limits, own.Compression, own.Driver, own.Engine = d.Limits, d.Compression, d.Driver, d.Engine
	return dialHandler(ctx, rawURL, d.set, &own, h)
}

// Dial opens a connection to a ws:// or wss:// URL and performs the client's opening handshake (RFC 6455, section
// 4.1). Redirects are not followed. ctx and Limits.HandshakeTimeout bound the whole handshake and not what comes after
// it. resp is the server's answer, also when it refused; its body, at most 64 KiB, need not be closed.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (c *Conn, resp *http.Response, err error) {
	if o == nil {
		o = &DialOptions{}
	}
	set := o.settings()
	opened, resp, err := dial(ctx, rawURL, set, o)
	if err != nil {
		return nil, resp, err
	}
	return newConn(opened.line, frame.Client, set, opened.subprotocol, newCodec(set, frame.Client, opened.agreed), opened.unread), resp, nil
}

// call is an opening handshake of a client in progress.
type call struct {
	req     *http.Request
	offer   handshake.Offer
	deflate *deflate.Offered // nil when no compression is offered
}

// cancel gives back what was put by for a connection that does not come about.
func (c *call) cancel() {
	if c.deflate != nil {
		c.deflate.Cancel()
	}
}

// settings returns what a connection with these options has to itself.
func (o *DialOptions) settings() *settings {
	set := newSettings(o.Limits.resolved(), newMemory())
	set.compress(o.Compression)
	return set
}

func dial(ctx context.Context, rawURL string, set *settings, o *DialOptions) (*opened, *http.Response, error) {
	c, err := newCall(rawURL, o)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket dial: %w", err)
	}
	opened, resp, err := c.run(ctx, o, set.limits.HandshakeTimeout)
	if err != nil {
		c.cancel()
		return nil, resp, fmt.Errorf("websocket dial: %w", err)
	}
	return opened, resp, nil
}

// run makes the line and performs the handshake on it within limit.
func (c *call) run(ctx context.Context, o *DialOptions, limit time.Duration) (*opened, *http.Response, error) {
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	line, err := connect(ctx, c.req, o)
	if err != nil {
		return nil, nil, err
	}
	guard := watch{wake: func() { _ = line.SetDeadline(past()) }}
	guard.set(ctx)
	opened, resp, err := c.shake(line)
	guard.stop()
	if err == nil && ctx.Err() != nil {
		resp, err = nil, ctx.Err()
	}
	if err != nil {
		if ctx.Err() != nil && resp == nil { // a refusal stays one when its body does not end in time
			err = ctx.Err()
		}
		_ = line.Close()
		return nil, resp, err
	}
	_ = line.SetDeadline(time.Time{})
	return opened, resp, nil
}

// newCall makes the opening handshake's request.
func newCall(rawURL string, o *DialOptions) (*call, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, err
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, fmt.Errorf("scheme of %q is neither ws nor wss", u.Redacted())
	case u.Host == "":
		return nil, fmt.Errorf("%q names no host", u.Redacted())
	case u.Fragment != "" || u.RawFragment != "":
		return nil, fmt.Errorf("%q has a fragment, which a WebSocket URL must not have", u.Redacted())
	}
	req := &http.Request{
		Method: http.MethodGet, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: o.Header.Clone(), Host: u.Host,
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	if h := req.Header.Get("Host"); h != "" {
		req.Host = h
		req.Header.Del("Host")
	}
	if u.User != nil && req.Header.Get("Authorization") == "" {
		password, _ := u.User.Password()
		req.SetBasicAuth(u.User.Username(), password)
	}
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		return nil, err
	}
	c := &call{req: req, offer: handshake.Offer{Key: handshake.NewKey(random), Subprotocols: o.Subprotocols}}
	if o.Compression != nil {
		if err := o.Compression.check(); err != nil {
			return nil, err
		}
		c.deflate = deflate.Offer(o.Compression.policy(&o.Limits))
		c.offer.Extensions = []handshake.Extension{c.deflate.Extension()}
	}
	if err := c.offer.SetHeader(req.Header); err != nil {
		c.cancel()
		return nil, err
	}
	return c, nil
}

// connect makes the line, with TLS on it for wss.
func connect(ctx context.Context, req *http.Request, o *DialOptions) (net.Conn, error) {
	u := req.URL
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	address := net.JoinHostPort(u.Hostname(), port)
	proxy, err := o.proxy(req)
	if err != nil {
		return nil, err
	}
	var line net.Conn
	if proxy != nil {
		line, err = dialProxyTLS(ctx, dial, o.TLS, proxy, address)
	} else {
		line, err = dial(ctx, "tcp", address)
	}
	if err != nil || u.Scheme == "ws" {
		return line, err
	}
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.ServerName == "" {
		config.ServerName = u.Hostname()
	}
	config.NextProtos = []string{"http/1.1"}
	secure := tls.Client(line, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = line.Close()
		return nil, err
	}
	return secure, nil
}

// proxy asks o.Proxy with a request as it knows them.
func (o *DialOptions) proxy(req *http.Request) (*url.URL, error) {
	if o.Proxy == nil {
		return nil, nil
	}
	u := *req.URL
	u.Scheme = map[string]string{"ws": "http", "wss": "https"}[u.Scheme]
	asked := *req
	asked.URL = &u
	return o.Proxy(&asked)
}

// shake sends the request and judges the response.
func (c *call) shake(line net.Conn) (*opened, *http.Response, error) {
	var head bytes.Buffer
	if err := c.req.Write(&head); err != nil {
		return nil, nil, err
	}
	if _, err := line.Write(head.Bytes()); err != nil {
		return nil, nil, err
	}
	bounded := &io.LimitedReader{R: line, N: maxResponse}
	br := bufio.NewReader(bounded)
	resp, err := http.ReadResponse(br, c.req)
	for err == nil && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(br, c.req) // an interim answer, as 103; maxResponse bounds how many
	}
	if err != nil {
		if bounded.N == 0 {
			err = errors.New("response header is longer than 64 KiB")
		}
		return nil, nil, err
	}
	answer, err := c.offer.Check(resp)
	if err != nil {
		bounded.N = maxRefusal + maxResponse                         // the bound was that of the header
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what came of it is enough
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return nil, resp, err
	}
	resp.Body = http.NoBody
	o := &opened{line: line, subprotocol: answer.Subprotocol}
	o.unread, _ = br.Peek(br.Buffered())
	if c.deflate != nil {
		agreed, ok, err := c.deflate.CheckResponse(answer.Extensions)
		if err != nil {
			return nil, resp, err
		}
		if ok {
			o.agreed = &agreed
		}
	}
	return o, resp, nil
}
