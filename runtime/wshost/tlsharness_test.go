package wshost

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// authority signs certificates for tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	x := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 365 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, x, x, a.key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue returns a certificate and its key in PEM form.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate), names ...string) (chain, key string) {
	t.Helper()
	k := newKey(t)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	x := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * 90 * time.Hour),
	}
	if change != nil {
		change(x)
	}
	der, err := x509.CreateCertificate(rand.Reader, x, a.cert, k.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pemText("CERTIFICATE", der), pemText("PRIVATE KEY", raw)
}

func (a *authority) pem() string { return pemText("CERTIFICATE", a.cert.Raw) }

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// secret writes a file that its owner alone may read, by a rename as tools that renew certificates do.
func (h *testHost) secret(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		h.t.Fatal(err)
	}
}

// issue writes a certificate for the names to NAME.pem and NAME.key.
func (h *testHost) issue(a *authority, file string, names ...string) {
	h.t.Helper()
	chain, key := a.issue(h.t, nil, names...)
	h.secret(file+".pem", chain)
	h.secret(file+".key", key)
}

// secure is site with https bindings: each is the attributes of a <binding>.
func (h *testHost) secure(id int, name, more string, bindings ...string) string {
	s := h.site(id, name, more)
	for _, b := range bindings {
		s = strings.Replace(s, "</bindings>", fmt.Sprintf(`<binding protocol="https" %s/></bindings>`, b), 1)
	}
	return s
}

// tlsClient is a client that makes a new connection to an address for each use and trusts the authority.
func tlsClient(a *authority, addr string, change func(*tls.Config)) *http.Client {
	c := &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
	c.RootCAs.AddCert(a.cert)
	if change != nil {
		change(c)
	}
	return &http.Client{
		Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
		Transport: &http.Transport{
			TLSClientConfig: c, ForceAttemptHTTP2: len(c.NextProtos) == 0,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", addr)
			},
		},
	}
}

// fetch gets a URL and returns the answer with its body.
func fetch(t *testing.T, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

// dialTLS opens a connection that asks for a name.
func dialTLS(addr, name string, change func(*tls.Config)) (*tls.Conn, error) {
	c := &tls.Config{ServerName: name, InsecureSkipVerify: true}
	if change != nil {
		change(c)
	}
	return tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", addr, c)
}

// shown returns the first name of the certificate that a client is shown, or the error of its handshake.
func shown(addr, name string) string {
	c, err := dialTLS(addr, name, nil)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}
