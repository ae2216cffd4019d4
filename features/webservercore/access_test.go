package webservercore

import (
	"crypto/tls"
	"crypto/x509"
	"net/http/httptest"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestAccess(t *testing.T) {
	plain, encrypted := (*tls.ConnectionState)(nil), &tls.ConnectionState{}
	named := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	for _, c := range []struct {
		flags []string
		tls   *tls.ConnectionState
		trust error
		want  int // sub-status of 403, 0 for none
	}{
		{nil, plain, nil, 0}, {[]string{"SslNegotiateCert", "SslMapCert"}, plain, nil, 0},
		{[]string{"Ssl"}, plain, nil, 4}, {[]string{"Ssl"}, encrypted, nil, 0}, {[]string{"Ssl", "Ssl128"}, plain, nil, 4},
		{[]string{"Ssl128"}, plain, nil, 5}, {[]string{"Ssl128"}, encrypted, nil, 0},
		{[]string{"SslRequireCert"}, plain, nil, 7}, {[]string{"Ssl", "SslRequireCert"}, encrypted, nil, 7}, {[]string{"Ssl", "SslRequireCert"}, named, nil, 0},
		{[]string{"SslRequireCert"}, named, x509.UnknownAuthorityError{}, 16}, {[]string{"SslNegotiateCert"}, named, x509.UnknownAuthorityError{}, 0},
		{[]string{"SslRequireCert"}, named, x509.CertificateInvalidError{Reason: x509.Expired}, 17},
		{[]string{"SslRequireCert"}, named, x509.CertificateInvalidError{Reason: x509.IncompatibleUsage}, 16},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = c.tls
		got, q := 0, &module.Request{VerifyClient: func() error { return c.trust }}
		if e := (&accessConfig{Flags: c.flags}).refuse(q, r); e != nil {
			got = e.SubStatus
		}
		if got != c.want {
			t.Errorf("%v, %+v: 403.%d, want %d", c.flags, c.tls, got, c.want)
		}
	}
}

func TestOnThisMachine(t *testing.T) {
	for _, c := range []struct {
		remote, header string
		want           bool
	}{
		{"127.0.0.1:1", "", true}, {"[::1]:1", "", true}, {"192.0.2.1:1", "", false}, {"", "", false}, {"127.0.0.1:1", "Via", false}, {"127.0.0.1:1", "Forwarded", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		if c.header != "" {
			r.Header.Set(c.header, "x")
		}
		if got := module.Local(r); got != c.want {
			t.Errorf("%q %q: %v", c.remote, c.header, got)
		}
	}
}
