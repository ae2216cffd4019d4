package wshost

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// judging is a module that tells what the host thinks of the client's certificate, with the section that asks for one.
func judging() *fake {
	return &fake{
		name: "JudgeModule",
		sections: []config.Section{{Path: sectionAccess, Element: config.Element{Name: "access", Attributes: []config.Attribute{
			{Name: "sslFlags", Type: config.Flags, Default: "None", Values: []config.Value{{Name: "None"}, {Name: "Ssl", Value: 8}, {Name: "SslNegotiateCert", Value: 32}, {Name: "SslRequireCert", Value: 64}}},
		}}}},
		serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
			_, _ = fmt.Fprintf(w, "%d certificates, %v", len(r.TLS.PeerCertificates), module.FromRequest(r).VerifyClient())
		},
	}
}

func TestClientCertificates(t *testing.T) {
	a, clients, strangers := newAuthority(t, "test"), newAuthority(t, "clients"), newAuthority(t, "strangers")
	h := newTestHost(t, judging())
	addr := freeAddr(t)
	h.issue(a, "c", "open.example", "asks.example", "needs.example", "system.example")
	h.secret("clients.pem", clients.pem())
	bind := `bindingInformation="` + addr + `:%s.example" sslFlags="0" certificateFile="c.pem" privateKeyFile="c.key"`
	trusting := bind + ` clientAuthorityFile="clients.pem"`
	asks := func(site, flags string) string {
		return `<location path="` + site + `"><system.webServer><security><access sslFlags="` + flags + `"/></security></system.webServer></location>`
	}
	h.configure(h.secure(1, "Open", "", fmt.Sprintf(bind, "open"))+h.secure(2, "Asks", "", fmt.Sprintf(trusting, "asks"))+
		h.secure(3, "Needs", "", fmt.Sprintf(trusting, "needs"))+h.secure(4, "System", "", fmt.Sprintf(bind, "system")),
		asks("Asks", "Ssl, SslNegotiateCert")+asks("Needs", "SslRequireCert")+asks("System", "SslRequireCert"))
	h.start()
	pair := func(by *authority, change func(*x509.Certificate)) *tls.Certificate {
		chain, key := by.issue(t, change, "somebody")
		c, err := tls.X509KeyPair([]byte(chain), []byte(key))
		if err != nil {
			t.Fatal(err)
		}
		return &c
	}
	good, strange := pair(clients, nil), pair(strangers, nil)
	expired := pair(clients, func(x *x509.Certificate) { x.NotAfter = time.Now().Add(-time.Minute) })
	server := pair(clients, func(x *x509.Certificate) { x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	for _, c := range []struct {
		host string
		cert *tls.Certificate
		want string
	}{
		{"open", good, "0 certificates, the client sent no certificate"}, // it is not asked for
		{"asks", nil, "0 certificates, the client sent no certificate"},
		{"asks", good, "1 certificates, <nil>"},
		{"needs", good, "1 certificates, <nil>"},
		{"needs", strange, "1 certificates, x509: certificate signed by unknown authority"},
		{"needs", expired, "1 certificates, x509: certificate has expired"},
		{"needs", server, "1 certificates, x509: certificate specifies an incompatible key usage"},
		{"system", good, "1 certificates, x509: certificate signed by unknown authority"},
	} {
		client := tlsClient(a, addr, func(o *tls.Config) {
			o.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if c.cert == nil {
					return &tls.Certificate{}, nil
				}
				return c.cert, nil
			}
		})
		if _, body := fetch(t, client, "https://"+c.host+".example/"); !strings.HasPrefix(body, c.want) {
			t.Errorf("%s: %q, want %q", c.host, body, c.want)
		}
	}
	// An HTTP/2 connection that was made for a site that does not ask is not good for one that does.
	for _, c := range []struct {
		host string
		want int
	}{{"open.example", 200}, {"needs.example", http.StatusMisdirectedRequest}} {
		client := tlsClient(a, addr, func(o *tls.Config) { o.ServerName = "open.example" })
		if resp, _ := fetch(t, client, "https://"+c.host+"/"); resp.StatusCode != c.want {
			t.Errorf("%s on a connection for another site: %s", c.host, resp.Status)
		}
	}
	// A client that names nobody got the binding of its request all the same.
	h.configure(h.secure(3, "Needs", "", strings.Replace(fmt.Sprintf(trusting, ""), ":.example", ":", 1)), asks("Needs", "SslRequireCert"))
	h.reload()
	nameless := tlsClient(a, addr, func(o *tls.Config) { o.InsecureSkipVerify = true })
	if resp, body := fetch(t, nameless, "https://127.0.0.1/"); resp.StatusCode != 200 || !strings.HasPrefix(body, "0 certificates") {
		t.Errorf("by its address: %s %q", resp.Status, body)
	}
	h.configure(h.secure(3, "Needs", "", fmt.Sprintf(trusting, "needs"))+h.secure(5, "Too", "", fmt.Sprintf(trusting, "asks")), asks("Needs", "SslRequireCert"))
	// Without the authorities nobody is trusted.
	h.secret("clients.pem", "nothing")
	if r := h.reload(); len(r.Warnings) != 2 || !strings.Contains(r.Warnings[0], "trusts no client") {
		t.Errorf("warnings %q", r.Warnings)
	}
	client := tlsClient(a, addr, func(o *tls.Config) { o.Certificates = []tls.Certificate{*good} })
	if _, body := fetch(t, client, "https://needs.example/"); !strings.Contains(body, "unknown authority") && !strings.Contains(body, "no certificate") {
		t.Errorf("without authorities: %q", body)
	}
}
