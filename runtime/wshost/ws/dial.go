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
	"time"

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
}

const (
	maxResponse = 64 << 10 // bytes of a server's response header
	maxRefusal  = 4 << 10  // bytes of body kept of a response that refuses
)

// Dial opens a connection to a ws:// or wss:// URL and performs the client's opening handshake (RFC 6455, section
// 4.1). Redirects are not followed. ctx and Limits.HandshakeTimeout bound the whole handshake and not what comes after
// it. resp is the server's answer, also when it refused; its body, at most 4 KiB, need not be closed.
func Dial(ctx context.Context, rawURL string, o *DialOptions) (c *Conn, resp *http.Response, err error) {
	if o == nil {
		o = &DialOptions{}
	}
	limits := o.Limits.resolved()
	req, key, err := request(rawURL, o)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket dial: %w", err)
	}
	if limits.HandshakeTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limits.HandshakeTimeout)
		defer cancel()
	}
	line, err := connect(ctx, req.URL, o)
	if err != nil {
		return nil, nil, fmt.Errorf("websocket dial: %w", err)
	}
	guard := watch{wake: func() { _ = line.SetDeadline(past()) }}
	guard.set(ctx)
	c, resp, err = shake(line, req, key, o.Subprotocols, limits)
	guard.stop()
	if err == nil && ctx.Err() != nil {
		resp, err = nil, ctx.Err()
	}
	if err != nil {
		if ctx.Err() != nil && resp == nil { // a refusal stays one when its body does not end in time
			err = ctx.Err()
		}
		_ = line.Close()
		return nil, resp, fmt.Errorf("websocket dial: %w", err)
	}
	_ = line.SetDeadline(time.Time{})
	return c, resp, nil
}

// request makes the opening handshake's request.
func request(rawURL string, o *DialOptions) (*http.Request, string, error) {
	u, err := url.Parse(rawURL)
	switch {
	case err != nil:
		return nil, "", err
	case u.Scheme != "ws" && u.Scheme != "wss":
		return nil, "", fmt.Errorf("scheme of %q is neither ws nor wss", u.Redacted())
	case u.Host == "":
		return nil, "", fmt.Errorf("%q names no host", u.Redacted())
	case u.Fragment != "" || u.RawFragment != "":
		return nil, "", fmt.Errorf("%q has a fragment, which a WebSocket URL must not have", u.Redacted())
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
		return nil, "", err
	}
	key := handshake.NewKey(random)
	return req, key, handshake.SetRequest(req.Header, key, o.Subprotocols)
}

// connect makes the line, with TLS on it for wss.
func connect(ctx context.Context, u *url.URL, o *DialOptions) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = map[string]string{"ws": "80", "wss": "443"}[u.Scheme]
	}
	dial := o.NetDial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	line, err := dial(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
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

// shake sends the request and judges the response.
func shake(line net.Conn, req *http.Request, key string, subprotocols []string, l Limits) (*Conn, *http.Response, error) {
	var head bytes.Buffer
	if err := req.Write(&head); err != nil {
		return nil, nil, err
	}
	if _, err := line.Write(head.Bytes()); err != nil {
		return nil, nil, err
	}
	bounded := &io.LimitedReader{R: line, N: maxResponse}
	br := bufio.NewReader(bounded)
	resp, err := http.ReadResponse(br, req)
	for err == nil && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(br, req) // an interim answer, as 103; maxResponse bounds how many
	}
	if err != nil {
		if bounded.N == 0 {
			err = errors.New("response header is longer than 64 KiB")
		}
		return nil, nil, err
	}
	chosen, err := handshake.CheckResponse(resp, key, subprotocols)
	if err != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxRefusal)) // what came of it is enough
		resp.Body = io.NopCloser(bytes.NewReader(body))
		return nil, resp, err
	}
	resp.Body = http.NoBody
	unread, _ := br.Peek(br.Buffered())
	return newConn(line, frame.Client, l, chosen, unread), resp, nil
}
