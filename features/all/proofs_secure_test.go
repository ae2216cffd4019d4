package all_test

import (
	"bufio"
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
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// proofCertificates writes certificates for "a" and "b" into a home: certs/a.pem with its key, certs/a.crt and certs/a.key.
func proofCertificates(t *testing.T, home string) {
	t.Helper()
	for n, name := range []string{"a", "b"} {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{
			SerialNumber: big.NewInt(int64(n + 1)), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		crt := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		secret := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
		fill(t, filepath.Join(home, "certs"), map[string]string{name + ".pem": crt + secret, name + ".crt": crt, name + ".key": secret})
	}
}

// secureProofs are those of https: the certificates of bindings, and hsts.
func secureProofs() []proofs {
	var cases []proof
	for _, at := range []string{"siteDefaults", "site"} {
		cases = append(cases, secureSettings(at)...)
	}
	return []proofs{{section: "system.applicationHost/sites", own: true, cases: cases}}
}

func secureSettings(at string) []proof {
	in := func(content, bound string) string {
		if at == "site" {
			return proofSites("", proofSite("", content+proofApps+bound))
		}
		return proofSites(`<siteDefaults>`+content+`</siteDefaults>`, proofSite("", proofApps+bound))
	}
	bind := func(attributes string) string {
		return in(`<bindings><binding protocol="https" bindingInformation="127.0.0.1:0:" `+attributes+`/></bindings>`, "")
	}
	const secure = `<binding protocol="https" bindingInformation="127.0.0.1:0:" certificateFile="certs/a.pem"/>`
	hsts := func(attributes string) string { return in(`<hsts `+attributes+`/>`, `<bindings>`+secure+`</bindings>`) }
	const binding, header = "/bindings/binding@", "200 max-age=5"
	return []proof{
		{of: at + binding + "certificateFile", in: bind("§"), with: "certs/a.pem", without: "certs/b.pem", do: certificate, want: "a", otherwise: "b"},
		{of: at + binding + "privateKeyFile", in: bind(`certificateFile="certs/a.crt" §`), with: "certs/a.key", without: unset, do: certificate, want: "a", otherwise: "none"},
		{of: at + binding + "clientAuthorityFile", in: bind(`certificateFile="certs/a.pem" §`), with: "certs/b.crt", without: unset, do: trusted, want: "200", otherwise: "403.16",
			server: `<security><access sslFlags="Ssl, SslNegotiateCert, SslRequireCert"/></security>`},
		{of: at + binding + "sslFlags", in: bind(`certificateFile="certs/a.pem" §`), with: "32", without: "0", do: tlsVersion, want: "TLS 1.2", otherwise: "TLS 1.3"},
		{of: at + "/hsts@enabled", in: hsts(`§ max-age="5"`), with: "true", without: unset, do: hstsField, want: header, otherwise: "200 "},
		{of: at + "/hsts@max-age", in: hsts(`enabled="true" §`), with: "5", without: "6", do: hstsField, want: header, otherwise: "200 max-age=6"},
		{of: at + "/hsts@includeSubDomains", in: hsts(`enabled="true" max-age="5" §`), with: "true", without: unset, do: hstsField, want: header + "; includeSubDomains", otherwise: header},
		{of: at + "/hsts@preload", in: hsts(`enabled="true" max-age="5" §`), with: "true", without: unset, do: hstsField, want: header + "; preload", otherwise: header},
		{of: at + "/hsts@redirectHttpToHttps", in: in(`<hsts enabled="true" max-age="5" §/>`, `<bindings>`+secure+proofBinding+`</bindings>`), with: "true", without: unset, do: overHTTP, want: "301", otherwise: "200"},
	}
}

// secured asks over https and returns the answer with the state of the connection; an error is a refused handshake.
func (v *variant) secured(o *tls.Config) (answer, tls.ConnectionState, error) {
	v.t.Helper()
	o.InsecureSkipVerify, o.ServerName = true, "localhost"
	c, err := tls.Dial("tcp", v.addr, o)
	if err != nil {
		return answer{}, tls.ConnectionState{}, err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(c, "GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return answer{}, tls.ConnectionState{}, err
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return answer{}, tls.ConnectionState{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}, c.ConnectionState(), err
}

// certificate tells whose certificate the server has.
func certificate(v *variant) string {
	_, state, err := v.secured(&tls.Config{})
	if err != nil {
		return "none"
	}
	return state.PeerCertificates[0].Subject.CommonName
}

// trusted tells how a client with the certificate of "b" is answered.
func trusted(v *variant) string {
	pair, err := tls.LoadX509KeyPair(filepath.Join(v.home, "certs/b.crt"), filepath.Join(v.home, "certs/b.key"))
	if err != nil {
		v.t.Fatal(err)
	}
	a, _, err := v.secured(&tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }})
	if err != nil {
		return err.Error()
	}
	return a.named()
}

func tlsVersion(v *variant) string {
	_, state, err := v.secured(&tls.Config{})
	if err != nil {
		return err.Error()
	}
	return tls.VersionName(state.Version)
}

func hstsField(v *variant) string {
	a, _, err := v.secured(&tls.Config{})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d %s", a.status, a.header.Get("Strict-Transport-Security"))
}

// overHTTP asks over http where a site speaks https too.
func overHTTP(v *variant) string {
	for _, s := range v.server.Status().Sites {
		for _, b := range s.Bindings {
			if s.Name == "one" && strings.HasPrefix(b, "http://") {
				v.addr = "127.0.0.1" + strings.TrimSuffix(b[strings.LastIndex(b, ":"):], "/")
			}
		}
	}
	return v.request("").named()
}
