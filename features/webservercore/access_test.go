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
		want  int // sub-status of 403, 0 for none
	}{
		{nil, plain, 0}, {[]string{"SslNegotiateCert", "SslMapCert"}, plain, 0},
		{[]string{"Ssl"}, plain, 4}, {[]string{"Ssl"}, encrypted, 0}, {[]string{"Ssl", "Ssl128"}, plain, 4},
		{[]string{"Ssl128"}, plain, 5}, {[]string{"Ssl128"}, encrypted, 0},
		{[]string{"SslRequireCert"}, plain, 7}, {[]string{"Ssl", "SslRequireCert"}, encrypted, 7}, {[]string{"Ssl", "SslRequireCert"}, named, 0},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.TLS = c.tls
		got := 0
		if e := (&accessConfig{Flags: c.flags}).refuse(r); e != nil {
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
