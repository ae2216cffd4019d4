package conformance

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// target is the server under test.
type target struct {
	host, path string // as they stand in a request
	address    string
	tls        *tls.Config // nil for ws
	header     http.Header // to be sent with each request
}

func newTarget(o Options) (*target, error) {
	u, err := url.Parse(o.URL)
	if err != nil {
		return nil, fmt.Errorf("read the address of the server: %w", err)
	}
	t := &target{host: u.Host, path: u.RequestURI(), address: u.Host, header: o.Header}
	port := "80"
	switch u.Scheme {
	case "ws":
	case "wss":
		port = "443"
		t.tls = &tls.Config{}
		if o.TLS != nil {
			t.tls = o.TLS.Clone()
		}
		if t.tls.ServerName == "" {
			t.tls.ServerName = u.Hostname()
		}
		t.tls.NextProtos = []string{"http/1.1"}
	default:
		return nil, fmt.Errorf("%q is no address of a WebSocket server: it begins with ws:// or wss://", o.URL)
	}
	if u.Hostname() == "" {
		return nil, fmt.Errorf("%q names no host", o.URL)
	}
	if u.Port() == "" {
		t.address = net.JoinHostPort(u.Hostname(), port)
	}
	return t, nil
}

// line opens a line to the server.
func (t *target) line(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{}
	if t.tls != nil {
		return (&tls.Dialer{NetDialer: &d, Config: t.tls}).DialContext(ctx, "tcp", t.address)
	}
	return d.DialContext(ctx, "tcp", t.address)
}

// caseKey is the Sec-WebSocket-Key of a case: the same in every run.
func caseKey(id string) string {
	h := fnv.New128a()
	_, _ = io.WriteString(h, id) // a hash never fails
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// fields are the lines of a request; an empty value leaves one out.
type fields struct {
	method, version                          string
	host, upgrade, connection, key, protocol string
	extra                                    []string // whole lines
}

// proper are the fields of a correct handshake (RFC 6455, section 4.2.1).
func (t *target) proper(key string) fields {
	return fields{
		method: "GET", version: "HTTP/1.1", host: t.host, upgrade: "websocket", connection: "Upgrade",
		key: key, protocol: "13",
	}
}

// request writes the request of a handshake.
func (t *target) request(f fields) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s\r\n", f.method, t.path, f.version)
	for _, l := range [][2]string{
		{"Host", f.host}, {"Upgrade", f.upgrade}, {"Connection", f.connection},
		{"Sec-WebSocket-Key", f.key}, {"Sec-WebSocket-Version", f.protocol},
	} {
		if l[1] != "" {
			b.WriteString(l[0] + ": " + l[1] + "\r\n")
		}
	}
	for _, l := range f.extra {
		b.WriteString(l + "\r\n")
	}
	for _, name := range slices.Sorted(maps.Keys(t.header)) {
		for _, v := range t.header[name] {
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString("\r\n")
	return b.String()
}

// knock performs a correct opening handshake. The response is returned also when the server refused.
func (t *target) knock(ctx context.Context, id string, extra ...string) (net.Conn, *bufio.Reader, *http.Response, error) {
	conn, err := t.line(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if d, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(d) // a line that cannot have one is bounded by the context
	}
	key := caseKey(id)
	f := t.proper(key)
	f.extra = extra
	br := bufio.NewReader(conn)
	if _, err = io.WriteString(conn, t.request(f)); err == nil {
		var resp *http.Response
		if resp, err = http.ReadResponse(br, &http.Request{Method: "GET"}); err == nil {
			if err = checkAnswer(resp, key); err == nil {
				_ = conn.SetDeadline(time.Time{})
				return conn, br, resp, nil
			}
			conn.Close()
			return nil, nil, resp, err
		}
	}
	conn.Close()
	return nil, nil, nil, err
}

// checkAnswer judges a server's 101 by RFC 6455, section 4.1. What extensions it may have taken is judged apart.
func checkAnswer(resp *http.Response, key string) error {
	has := func(name, token string) bool {
		for _, v := range resp.Header.Values(name) {
			for t := range strings.SplitSeq(v, ",") {
				if strings.EqualFold(strings.TrimSpace(t), token) {
					return true
				}
			}
		}
		return false
	}
	accept := resp.Header.Values("Sec-WebSocket-Accept")
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("status %d instead of 101", resp.StatusCode)
	case !strings.EqualFold(resp.Header.Get("Upgrade"), "websocket"):
		return fmt.Errorf("a 101 with Upgrade %q", resp.Header.Get("Upgrade"))
	case !has("Connection", "upgrade"):
		return fmt.Errorf("a 101 with Connection %q", resp.Header.Get("Connection"))
	case len(accept) != 1 || accept[0] != handshake.AcceptKey(key):
		return fmt.Errorf("a 101 with Sec-WebSocket-Accept %q", accept)
	}
	return nil
}
