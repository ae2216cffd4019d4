package ws

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// proxyServer is a proxy that handles each line with serve. It returns its address.
func proxyServer(t *testing.T, serve func(line net.Conn, br *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go serveProxy(l, serve)
	return l.Addr().String()
}

func serveProxy(l net.Listener, serve func(line net.Conn, br *bufio.Reader)) {
	for {
		line, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer line.Close()
			serve(line, bufio.NewReader(line))
		}()
	}
}

// httpProxy echoes behind CONNECT and puts what it was asked into asked.
func httpProxy(answer string, asked chan<- *http.Request) func(net.Conn, *bufio.Reader) {
	return func(line net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		asked <- r
		_, _ = io.WriteString(line, answer)
		_, _ = io.Copy(line, br)
	}
}

// longHeader is a proxy's consent of so many bytes.
func longHeader(size int) string {
	const begin, end = "HTTP/1.1 200 OK\r\nX: ", "\r\n\r\n"
	return begin + strings.Repeat("x", size-len(begin)-len(end)) + end
}

func plainDial(ctx context.Context, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

// viaProxy dials target through a proxy given as text.
func viaProxy(t *testing.T, proxy, target string) (net.Conn, error) {
	t.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		t.Fatal(err)
	}
	line, err := dialProxy(t.Context(), plainDial, u, target)
	if err == nil {
		t.Cleanup(func() { line.Close() })
	}
	return line, err
}

// echoes checks that line gives back what is written, behind what is there first.
func echoes(t *testing.T, line net.Conn, first string) {
	t.Helper()
	want := first + "hello"
	_, _ = io.WriteString(line, "hello")
	b := make([]byte, len(want))
	if _, err := io.ReadFull(line, b); err != nil || string(b) != want {
		t.Errorf("read %q, %v, want %q", b, err, want)
	}
}

func TestHTTPProxy(t *testing.T) {
	for name, c := range map[string]struct{ answer, first string }{
		"plain":                  {"HTTP/1.1 200 Connection established\r\n\r\n", ""},
		"HTTP/1.0":               {"HTTP/1.0 200 OK\r\n\r\n", ""},
		"204":                    {"HTTP/1.1 204 No Content\r\n\r\n", ""},
		"interim":                {"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", ""},
		"bytes behind":           {"HTTP/1.1 200 OK\r\n\r\nearly", "early"},
		"length":                 {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nearly", "early"},
		"chunked":                {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nearly", "early"},
		"close":                  {"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", ""},
		"header 64 KiB":          {longHeader(64 << 10), ""},
		"long, and bytes behind": {longHeader(64<<10-2) + "early", "early"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan *http.Request, 1)
			proxy := proxyServer(t, httpProxy(c.answer, asked))
			line, err := viaProxy(t, "http://us%20er:p%3Aw@"+proxy, "a.example:443")
			if err != nil {
				t.Fatal(err)
			}
			r := <-asked
			if r.Method != "CONNECT" || r.RequestURI != "a.example:443" || r.Host != "a.example:443" || r.Proto != "HTTP/1.1" {
				t.Errorf("asked %+v", r)
			}
			r.Header.Set("Authorization", r.Header.Get("Proxy-Authorization"))
			if user, password, _ := r.BasicAuth(); user != "us er" || password != "p:w" || len(r.Header) != 2 {
				t.Errorf("asked with %v", r.Header)
			}
			echoes(t, line, c.first)
		})
	}
}

func TestDialThroughAProxy(t *testing.T) {
	u := &Upgrader{}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		op, p, err := c.Read(r.Context())
		if err == nil {
			_ = c.Write(r.Context(), op, p)
		}
		_ = c.Close(frame.NormalClosure, "")
	}))
	defer server.Close()
	tunnel := func(line net.Conn, br *bufio.Reader) {
		r, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		there, err := net.Dial("tcp", r.Host)
		if err != nil {
			return
		}
		defer there.Close()
		_, _ = io.WriteString(line, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, br) }()
		_, _ = io.Copy(line, there)
	}
	proxy := &url.URL{Scheme: "http", Host: proxyServer(t, tunnel)}
	asked := ""
	o := &DialOptions{
		TLS: server.Client().Transport.(*http.Transport).TLSClientConfig,
		Proxy: func(r *http.Request) (*url.URL, error) {
			asked = r.URL.Scheme // as http.ProxyFromEnvironment looks at it
			return proxy, nil
		},
	}
	c, _, err := Dial(t.Context(), strings.Replace(server.URL, "https", "wss", 1), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Cut()
	if err := c.Write(t.Context(), frame.Text, []byte("hi")); err != nil {
		t.Error(err)
	}
	if _, p, err := c.Read(t.Context()); string(p) != "hi" || err != nil || asked != "https" {
		t.Errorf("read %q, %v; the proxy was asked for with %q", p, err, asked)
	}
}

func TestHTTPProxyWithoutUser(t *testing.T) {
	asked := make(chan *http.Request, 1)
	proxy := proxyServer(t, httpProxy("HTTP/1.1 200 OK\r\n\r\n", asked))
	line, err := viaProxy(t, "http://"+proxy, "[::1]:80")
	if err != nil {
		t.Fatal(err)
	}
	if r := <-asked; len(r.Header) != 0 || r.Host != "[::1]:80" {
		t.Errorf("asked %s with %v", r.Host, r.Header)
	}
	if _, ok := line.(*net.TCPConn); !ok {
		t.Errorf("the line is a %T, which the poller cannot have", line)
	}
}

func TestHTTPSProxy(t *testing.T) {
	cert := httptest.NewTLSServer(nil) // for its certificate
	defer cert.Close()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: cert.TLS.Certificates, NextProtos: []string{"h2", "http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan *http.Request, 1)
	go serveProxy(l, httpProxy("HTTP/1.1 200 OK\r\n\r\n", asked))
	roots := x509.NewCertPool()
	roots.AddCert(cert.Certificate())
	config := &tls.Config{RootCAs: roots, ServerName: "a.example", NextProtos: []string{"x"}}
	proxy := &url.URL{Scheme: "https", Host: l.Addr().String()}
	line, err := dialProxyTLS(t.Context(), plainDial, config, proxy, "a.example:443")
	if err != nil {
		t.Fatal(err)
	}
	defer line.Close()
	<-asked
	echoes(t, line, "")
	if config.ServerName != "a.example" || config.NextProtos[0] != "x" {
		t.Error("the configuration was changed")
	}
	if _, err := dialProxy(t.Context(), plainDial, proxy, "a.example:443"); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

func TestHTTPProxyRefuses(t *testing.T) {
	for name, c := range map[string]struct{ answer, want string }{
		"407":               {"HTTP/1.1 407 Go Away\r\nContent-Length: 0\r\n\r\n", "407 Proxy Authentication Required"},
		"502":               {"HTTP/1.1 502 x\r\n\r\nlong story", "502 Bad Gateway"},
		"redirect":          {"HTTP/1.1 302 x\r\nLocation: http://b.example/\r\n\r\n", "302 Found"},
		"101":               {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "101"},
		"no HTTP":           {"SSH-2.0-x\r\n\r\n", "malformed"},
		"header 64 KiB + 1": {longHeader(64<<10 + 1), "longer than 64 KiB"},
		"interim only":      {strings.Repeat("HTTP/1.1 103 x\r\n\r\n", 5000), "longer than 64 KiB"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan *http.Request, 1)
			proxy := proxyServer(t, httpProxy(c.answer, asked))
			_, err := viaProxy(t, "http://user:secret@"+proxy, "a.example:443")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), proxy) || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	hangsUp := proxyServer(t, func(_ net.Conn, br *bufio.Reader) { _, _ = http.ReadRequest(br) })
	if _, err := viaProxy(t, "http://"+hangsUp, "a.example:443"); err == nil || !strings.Contains(err.Error(), "hung up") {
		t.Errorf("hangs up: %v", err)
	}
	if _, err := viaProxy(t, "http://"+hangsUp, "a.example:443\r\nX: y"); err == nil || !strings.Contains(err.Error(), "not an address") {
		t.Errorf("address with a line end: %v", err)
	}
}

func TestProxyURL(t *testing.T) {
	for proxy, want := range map[string]string{
		"ftp://p.example:21":      "scheme",
		"http://":                 "no host",
		"socks4://p.example":      "scheme",
		"p.example:8080":          "scheme",
		"http://p.example":        "p.example:80",
		"https://p.example":       "p.example:443",
		"socks5://p.example":      "p.example:1080",
		"socks5h://u:w@p.example": "p.example:1080",
		"http://[::1]:3128":       "[::1]:3128",
	} {
		u, err := url.Parse(proxy)
		if err != nil {
			t.Fatal(err)
		}
		dial := func(_ context.Context, _, address string) (net.Conn, error) {
			return nil, errors.New("dialled " + address)
		}
		if _, err := dialProxy(t.Context(), dial, u, "a.example:80"); err == nil || !strings.HasSuffix(err.Error(), want) && want != "scheme" && want != "no host" || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", proxy, err, want)
		}
	}
}

// A proxy that does not answer is given up when the context ends, in every step.
func TestProxyContext(t *testing.T) {
	for proxy, steps := range map[string][]string{
		"http":   {""},
		"https":  {""},
		"socks5": {"", "\x05\x02", "\x05\x02\x01\x00", "\x05\x02\x01\x00\x05\x00\x00\x03"},
	} {
		for _, answer := range steps {
			t.Run(fmt.Sprintf("%s %x", proxy, answer), func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				address := proxyServer(t, func(line net.Conn, br *bufio.Reader) {
					_, _ = io.WriteString(line, answer)
					_, _ = br.ReadByte()
					cancel()
					_, _ = io.Copy(io.Discard, br)
				})
				u := &url.URL{Scheme: proxy, Host: address, User: url.UserPassword("user", "secret")}
				if _, err := dialProxy(ctx, plainDial, u, "a.example:80"); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// socksServer plays rounds: each reads as many bytes as the first text has, which must be equal, and answers with the
// second. It echoes then.
func socksServer(t *testing.T, rounds ...[2]string) string {
	return proxyServer(t, func(line net.Conn, br *bufio.Reader) {
		for _, r := range rounds {
			b := make([]byte, len(r[0]))
			if _, err := io.ReadFull(br, b); err != nil || string(b) != r[0] {
				t.Errorf("the proxy got %q, %v, want %q", b, err, r[0])
				return
			}
			_, _ = io.WriteString(line, r[1])
		}
		_, _ = io.Copy(line, br)
	})
}

func TestSOCKS(t *testing.T) {
	const name = "\x05\x01\x00\x03\x09a.example\x01\xbb"
	const ok = "\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50"
	plain := [2]string{"\x05\x01\x00", "\x05\x00"}
	asks := [2]string{"\x05\x02\x00\x02", "\x05\x02"}
	login := [2]string{"\x01\x04user\x06secret", "\x01\x00"}
	for _, c := range []struct {
		name, user, target string
		rounds             [][2]string
		want               string // of the error, "" for none
	}{
		{"name", "", "a.example:443", [][2]string{plain, {name, ok}}, ""},
		{"IPv4", "", "192.0.2.7:80", [][2]string{plain, {"\x05\x01\x00\x01\xc0\x00\x02\x07\x00\x50", ok}}, ""},
		{"IPv6", "", "[2001:db8::7]:80", [][2]string{plain, {"\x05\x01\x00\x04\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x07\x00\x50", ok}}, ""},
		{"bytes behind", "", "a.example:443", [][2]string{plain, {name, ok + "early"}}, ""},
		{"answer with IPv6", "", "a.example:443", [][2]string{plain, {name, "\x05\x00\x00\x04" + strings.Repeat("x", 18)}}, ""},
		{"answer with a name", "", "a.example:443", [][2]string{plain, {name, "\x05\x00\x00\x03\x02xx\x00\x00"}}, ""},
		{"login", "user:secret@", "a.example:443", [][2]string{asks, login, {name, ok}}, ""},
		{"login not asked for", "user:secret@", "a.example:443", [][2]string{{asks[0], "\x05\x00"}, {name, ok}}, ""},
		{"login without password", "user@", "a.example:443", [][2]string{asks, {"\x01\x04user\x00", "\x01\x00"}, {name, ok}}, ""},
		{"wrong login", "user:secret@", "a.example:443", [][2]string{asks, {login[0], "\x01\x01"}}, "refused user and password"},
		{"login demanded", "", "a.example:443", [][2]string{{plain[0], "\x05\xff"}}, "asks for a user"},
		{"login not offered", "", "a.example:443", [][2]string{{plain[0], "\x05\x02"}}, "not supported"},
		{"GSSAPI", "user:secret@", "a.example:443", [][2]string{{asks[0], "\x05\x01"}}, "not supported"},
		{"SOCKS 4", "", "a.example:443", [][2]string{{plain[0], "\x04\x00"}}, "does not speak SOCKS 5"},
		{"refused", "", "a.example:443", [][2]string{plain, {name, "\x05\x05\x00\x01" + strings.Repeat("x", 6)}}, "connection refused"},
		{"unknown reply", "", "a.example:443", [][2]string{plain, {name, "\x05\x63\x00\x01" + strings.Repeat("x", 6)}}, "reply 99"},
		{"reply of another version", "", "a.example:443", [][2]string{plain, {name, "\x04\x00\x00\x01"}}, "does not speak SOCKS 5"},
		{"reply with another address", "", "a.example:443", [][2]string{plain, {name, "\x05\x00\x00\x02"}}, "unknown type 2"},
		{"port 65536", "", "a.example:65536", nil, "port"},
		{"no port", "", "a.example", nil, "missing port"},
		{"name of 255", "", strings.Repeat("a", 255) + ":80", [][2]string{plain, {"\x05\x01\x00\x03\xff" + strings.Repeat("a", 255) + "\x00\x50", ok}}, ""},
		{"name of 256", "", strings.Repeat("a", 256) + ":80", nil, "255"},
		{"user of 256", strings.Repeat("a", 256) + ":w@", "a.example:443", nil, "255"},
		{"password of 256", "u:" + strings.Repeat("a", 256) + "@", "a.example:443", nil, "255"},
	} {
		t.Run(c.name, func(t *testing.T) {
			proxy := socksServer(t, c.rounds...)
			line, err := viaProxy(t, "socks5://"+c.user+proxy, c.target)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), proxy) || strings.Contains(err.Error(), "secret") {
					t.Errorf("error %v, want %q", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			first := ""
			if c.name == "bytes behind" {
				first = "early"
			}
			echoes(t, line, first)
		})
	}
}

func TestSOCKSProxyHangsUp(t *testing.T) {
	whole := "\x05\x02\x01\x00\x05\x00\x00\x03\x02xx\x00\x50"
	for n := range len(whole) {
		line := struct {
			io.Reader
			io.Writer
		}{strings.NewReader(whole[:n]), io.Discard}
		if err := socks(line, url.UserPassword("u", "p"), "a.example:80"); err == nil || !strings.Contains(err.Error(), "hung up") {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
	rest := bytes.NewBufferString(whole + "tunnel")
	err := socks(struct {
		io.Reader
		io.Writer
	}{rest, io.Discard}, url.UserPassword("u", "p"), "a.example:80")
	if err != nil || rest.String() != "tunnel" {
		t.Errorf("%v; left %q", err, rest)
	}
}
