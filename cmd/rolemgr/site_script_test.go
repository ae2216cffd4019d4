package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// pickport NAME: sets $NAME to a port that nobody listens on just now.
func cmdPickPort(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
	ts.Check(ln.Close())
}

// holdport PORT: this process listens on a port until the script ends.
func cmdHoldPort(ts *testscript.TestScript, _ bool, args []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:"+args[0])
	ts.Check(err)
	ts.Defer(func() { _ = ln.Close() })
}

// fetch URL STATUS [TEXT [HOST]]: a GET is answered with the status and a body that contains the text; ! fetch URL:
// nobody listens there. The name of an https URL is looked for on this machine, and must be that of the certificate.
func cmdFetch(ts *testscript.TestScript, neg bool, args []string) {
	req, err := http.NewRequest(http.MethodGet, args[0], nil)
	ts.Check(err)
	if len(args) > 3 {
		req.Host = args[3]
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: devTrust(ts), DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
	}}}
	resp, err := client.Do(req)
	if neg {
		if err == nil {
			resp.Body.Close()
			ts.Fatalf("%s is answered with %s", args[0], resp.Status)
		}
		return
	}
	ts.Check(err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ts.Check(err)
	if strconv.Itoa(resp.StatusCode) != args[1] || len(args) > 2 && !strings.Contains(string(body), args[2]) {
		ts.Fatalf("%s: %s %q; want %q", args[0], resp.Status, body, args[1:])
	}
}

// devTrust trusts the development authority of the server, if there is one.
func devTrust(ts *testscript.TestScript) *tls.Config {
	pool := x509.NewCertPool()
	if text, err := os.ReadFile(filepath.Join(ts.Getenv("SERVER"), "certificates/dev/authority.pem")); err == nil {
		pool.AppendCertsFromPEM(text)
	}
	return &tls.Config{RootCAs: pool}
}
