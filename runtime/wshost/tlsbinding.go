package wshost

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
)

// maxStreams is how many requests and WebSockets one HTTP/2 connection may have open. net/http keeps at most four times
// as many handlers of streams that a client has opened and reset, and then ends the connection (CVE-2023-44487).
const maxStreams = 250

// sectionAccess tells whether clients are asked for a certificate. A feature owns it.
const sectionAccess = "system.webServer/security/access"

// tlsBinding is an https binding with its certificate.
type tlsBinding struct {
	addr, host string // as in routeKey
	site       *site
	flags      uint32
	pair       *certPair
	clients    *x509.CertPool // authorities of client certificates; nil for those of the system
}

// tlsTable are the https bindings of an endpoint.
type tlsTable []*tlsBinding

// find returns the binding for a connection: the one of the name that the client asks for (SNI), else one that is not
// for clients with a name only, one without a host name first. nil: there is no certificate for such a client.
func (t tlsTable) find(addr, name string) *tlsBinding {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, host := range [...]string{name, ""} {
		for _, a := range [...]string{addr, ""} {
			for _, b := range t {
				if b.addr == a && b.host == host && (host != "" || b.flags&config.SSLNameRequired == 0) {
					return b
				}
			}
		}
	}
	for _, b := range t {
		if b.flags&config.SSLNameRequired == 0 && (b.addr == addr || b.addr == "") {
			return b
		}
	}
	return nil
}

// localAddress returns the address that a connection came in at, as in routeKey.
func localAddress(a net.Addr) string {
	if tcp, ok := a.(*net.TCPAddr); ok {
		return tcp.AddrPort().Addr().Unmap().WithZone("").String()
	}
	return ""
}

// config returns how a handshake is answered.
func (t tlsTable) config(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	b := t.find(localAddress(hello.Conn.LocalAddr()), hello.ServerName)
	if b == nil {
		return nil, fmt.Errorf("no https binding is for the name %q", hello.ServerName)
	}
	cert := b.pair.current.Load()
	if cert == nil {
		return nil, fmt.Errorf("the certificate %q of site %q could not be read yet", b.pair.files.chain, b.site.Name)
	}
	c := baseTLS()
	c.Certificates = []tls.Certificate{*cert}
	if b.flags&config.SSLDisableHTTP2 != 0 {
		c.NextProtos = []string{"http/1.1"}
	}
	if b.flags&config.SSLDisableTLS13 != 0 {
		c.MaxVersion = tls.VersionTLS12
	}
	if b.site.asksForCertificate() {
		c.ClientAuth, c.ClientCAs = tls.RequestClientCert, b.clients // judged request by request: see verify
	}
	return c, nil
}

// baseTLS is what all https bindings have in common: TLS 1.2 and 1.3 with the cipher suites that crypto/tls holds safe.
func baseTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
}

// asksForCertificate reports whether the root of the site wants client certificates (sslFlags). TLS 1.3 and HTTP/2 know
// no second handshake, so that what a folder below wants comes too late.
func (s *site) asksForCertificate() bool {
	e, err := s.files.tree.Effective(s.Name, "/")
	if err != nil {
		return false
	}
	access, err := config.Decode[struct {
		Flags []string `config:"sslFlags"`
	}](e, sectionAccess)
	return err == nil && (slices.Contains(access.Flags, "SslNegotiateCert") || slices.Contains(access.Flags, "SslRequireCert"))
}

// misdirected reports whether a request for st came on an HTTP/2 connection that was made for another site, so that the
// client was not asked for the certificate that st wants. Browsers share connections like that (RFC 9113, section 9.1.1),
// and make one of their own when they are told (RFC 9110, section 15.5.20).
func (t tlsTable) misdirected(st *site, r *http.Request) bool {
	if r.ProtoMajor != 2 || len(r.TLS.PeerCertificates) > 0 || strings.EqualFold(r.TLS.ServerName, requestHost(r.Host)) {
		return false
	}
	made := t.find(localAddr(r), r.TLS.ServerName)
	return (made == nil || made.site.ID != st.ID) && st.asksForCertificate() && (made == nil || !made.site.asksForCertificate())
}

// verify judges the client's certificate by the authorities of the binding that the request belongs to, whatever
// binding the connection was made for.
func (t tlsTable) verify(r *http.Request) error {
	b := t.find(localAddr(r), requestHost(r.Host))
	if b == nil || len(r.TLS.PeerCertificates) == 0 {
		return errors.New("the client sent no certificate")
	}
	rest := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		rest.AddCert(c)
	}
	_, err := r.TLS.PeerCertificates[0].Verify(x509.VerifyOptions{
		Roots: b.clients, Intermediates: rest, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return err
}

// planTLS adds an https binding to the plan of its endpoint. What is wrong with its certificate is a warning: other sites,
// and this one when the file is put right, are served.
func (rt *routes) planTLS(p *endpointPlan, st *site, key routeKey, b config.Binding, certs *certStore) {
	t := &tlsBinding{addr: key.addr, host: key.host, site: st, flags: b.SSLFlags, pair: certs.get(filesOf(b))}
	if trouble := certs.trouble(t.pair); trouble != "" {
		rt.warnings = append(rt.warnings, fmt.Sprintf("%s: binding %q of site %q: %s", b.Pos, b.Info, st.Name, trouble))
	}
	if b.ClientAuthorityFile != "" {
		t.clients = x509.NewCertPool() // nobody is trusted when the file cannot be read
		chain, err := readAuthorities(b.ClientAuthorityFile)
		if err != nil {
			rt.warnings = append(rt.warnings, fmt.Sprintf("%s: binding %q of site %q trusts no client: %v", b.Pos, b.Info, st.Name, err))
		}
		for _, c := range chain {
			t.clients.AddCert(c)
		}
	}
	p.tls = append(p.tls, t)
	rt.pairs[t.pair] = true
}

func readAuthorities(name string) ([]*x509.Certificate, error) {
	text, _, err := readPEM(name)
	if err != nil {
		return nil, err
	}
	return parseChain(name, text)
}

// filesOf returns the files of a binding's certificate. In the central store they are named by the host, or for all names
// of a domain with "_" in place of the first label, as on IIS.
func filesOf(b config.Binding) certFiles {
	if b.SSLFlags&config.SSLCentralStore == 0 {
		return certFiles{b.CertificateFile, b.PrivateKeyFile}
	}
	own := filepath.Join(b.CertificateFile, strings.ToLower(b.Host)+".pem")
	if _, domain, ok := strings.Cut(strings.ToLower(b.Host), "."); ok && !exists(own) {
		if shared := filepath.Join(b.CertificateFile, "_."+domain+".pem"); exists(shared) {
			own = shared
		}
	}
	return certFiles{own, own}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// handshakeLog takes what net/http has to say. Handshakes that fail are the clients' doing, and there is no end of them
// on a public port: they are thinned out.
type handshakeLog struct {
	log     *slog.Logger
	notices *notices
}

// Write logs one line of net/http.
func (h *handshakeLog) Write(p []byte) (int, error) {
	line := strings.TrimSpace(string(p))
	if strings.Contains(line, "TLS handshake error") {
		h.notices.warn(h.log, line)
		return len(p), nil
	}
	h.log.Warn(line)
	return len(p), nil
}

// CertificateFiles returns the files of an https binding's certificate and key.
func CertificateFiles(b config.Binding) (cert, key string) {
	f := filesOf(b)
	return f.chain, f.key
}
