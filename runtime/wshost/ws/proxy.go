package ws

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

const maxProxyHeader = 64 << 10 // bytes of a proxy's answer to CONNECT

// dialProxy makes a connection to address, "host:port", through a proxy: http and https with CONNECT (RFC 9110, section
// 9.3.6), socks5 and socks5h (RFC 1928 and RFC 1929), where the proxy looks up names in both. User and password of the URL
// are shown to the proxy. Ports are 80, 443 and 1080 when the URL names none. dial makes the connection to the proxy;
// ctx bounds everything. Errors name the proxy without its password.
func dialProxy(ctx context.Context, dial dialFunc, proxy *url.URL, address string) (net.Conn, error) {
	return dialProxyTLS(ctx, dial, nil, proxy, address)
}

// dialFunc is net.Dialer.DialContext or something in its place.
type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// dialProxyTLS is dialProxy with a configuration for https proxies; it is not changed, and nil means the defaults.
func dialProxyTLS(ctx context.Context, dial dialFunc, config *tls.Config, proxy *url.URL, address string) (net.Conn, error) {
	line, err := proxyLine(ctx, dial, config, proxy)
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", proxy.Redacted(), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = line.Close() })
	var through net.Conn
	switch proxy.Scheme {
	case "http", "https":
		through, err = connectThrough(line, proxy.User, address)
	default:
		through, err = line, socks(line, proxy.User, address)
	}
	if !stop() { // the line is closed, or will be
		err = ctx.Err()
	}
	if err != nil {
		_ = line.Close()
		return nil, fmt.Errorf("proxy %s: connect to %s: %w", proxy.Redacted(), address, err)
	}
	return through, nil
}

// proxyLine makes the connection to the proxy.
func proxyLine(ctx context.Context, dial dialFunc, config *tls.Config, proxy *url.URL) (net.Conn, error) {
	var port string
	switch proxy.Scheme {
	case "http":
		port = "80"
	case "https":
		port = "443"
	case "socks5", "socks5h":
		port = "1080"
	default:
		return nil, fmt.Errorf("scheme %q is none of http, https, socks5 and socks5h", proxy.Scheme)
	}
	if p := proxy.Port(); p != "" {
		port = p
	}
	if proxy.Hostname() == "" {
		return nil, errors.New("the URL names no host")
	}
	line, err := dial(ctx, "tcp", net.JoinHostPort(proxy.Hostname(), port))
	if err != nil || proxy.Scheme != "https" {
		return line, err
	}
	own := &tls.Config{}
	if config != nil {
		own = config.Clone()
	}
	own.ServerName = proxy.Hostname() // config's, if any, is that of the server behind
	own.NextProtos = []string{"http/1.1"}
	secure := tls.Client(line, own)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = line.Close()
		return nil, err
	}
	return secure, nil
}

// connectThrough asks an HTTP proxy for a tunnel.
func connectThrough(line net.Conn, user *url.Userinfo, address string) (net.Conn, error) {
	if strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("%q is not an address", address)
	}
	head := "CONNECT " + address + " HTTP/1.1\r\nHost: " + address + "\r\n"
	if user != nil {
		password, _ := user.Password()
		head += "Proxy-Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)) + "\r\n"
	}
	if _, err := io.WriteString(line, head+"\r\n"); err != nil {
		return nil, err
	}
	bounded := &io.LimitedReader{R: line, N: maxProxyHeader}
	br := bufio.NewReader(bounded)
	request := &http.Request{Method: http.MethodConnect}
	resp, err := http.ReadResponse(br, request)
	for err == nil && resp.StatusCode < 200 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp, err = http.ReadResponse(br, request)
	}
	switch {
	case err != nil && bounded.N == 0:
		return nil, errors.New("the header of the proxy's answer is longer than 64 KiB")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errors.New("the proxy hung up instead of answering")
	case err != nil:
		return nil, err
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		return nil, fmt.Errorf("the proxy answered with status %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	// Whatever follows the header is the tunnel's, also where the header announces a body (RFC 9110, section 9.3.6).
	if n := br.Buffered(); n > 0 {
		ahead, _ := br.Peek(n)
		return &aheadLine{Conn: line, ahead: clone(ahead)}, nil
	}
	return line, nil
}

// aheadLine is a line of which some bytes have been read already. One goroutine may read at a time.
type aheadLine struct {
	net.Conn
	ahead []byte
}

// Read returns what was read ahead first.
func (l *aheadLine) Read(p []byte) (int, error) {
	if len(l.ahead) == 0 {
		return l.Conn.Read(p)
	}
	n := copy(p, l.ahead)
	l.ahead = l.ahead[n:]
	return n, nil
}
