package wshost

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestLoadCertificate(t *testing.T) {
	a := newAuthority(t, "test")
	chain, key := a.issue(t, nil, "a.example")
	_, other := a.issue(t, nil, "b.example")
	encrypted := strings.ReplaceAll(key, "PRIVATE KEY", "ENCRYPTED PRIVATE KEY")
	legacy := strings.Replace(key, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1)
	for name, c := range map[string]struct{ chain, key, problem, hint string }{
		"a pair":               {chain, key, "", ""},
		"with its issuer":      {chain + a.pem(), key, "", ""},
		"words around it":      {"subject=x\n" + chain + "issuer=y\n" + a.pem(), "Bag Attributes\n" + key, "", ""},
		"in one file":          {key + chain, key + chain, "", ""},
		"parameters before it": {chain, "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" + key, "", ""},
		"wrong order":          {a.pem() + chain, key, "wrong order", "the server's own first"},
		"another's key":        {chain, other, "is another's", "openssl"},
		"no certificate":       {key, key, "no certificate in PEM form", "-----BEGIN"},
		"no key":               {chain, chain, "no private key in PEM form", "-----BEGIN"},
		"empty":                {"", key, "no certificate", ""},
		"DER":                  {"0\x82\x01\x02", key, "no certificate", "openssl pkcs12"},
		"pass phrase":          {chain, encrypted, "pass phrase", "openssl pkey"},
		"pass phrase, old":     {chain, legacy, "pass phrase", "openssl pkey"},
		"half a certificate":   {pemText("CERTIFICATE", []byte("xyz")), key, "certificate 1: ", "anew"},
		"half a key":           {chain, pemText("PRIVATE KEY", []byte("xyz")), "the key cannot be read", ""},
		"too long":             {chain + strings.Repeat("x", maxPEM), key, "more than 1048576 bytes", ""},
		"as long as it may be": {chain + strings.Repeat("x", maxPEM-len(chain)), key, "", ""},
	} {
		h := newTestHost(t)
		h.secret("c.pem", c.chain)
		h.secret("c.key", c.key)
		pair, warnings, err := loadCertificate(filepath.Join(h.home, "c.pem"), filepath.Join(h.home, "c.key"))
		if c.problem == "" {
			if err != nil || pair.Leaf.DNSNames[0] != "a.example" || len(warnings) > 0 {
				t.Errorf("%s: %v, %q", name, err, warnings)
			}
			continue
		}
		var ce *CertificateError
		if !errors.As(err, &ce) || !strings.Contains(ce.Message, c.problem) || !strings.Contains(ce.Hint, c.hint) || !strings.Contains(ce.Error(), h.home) {
			t.Errorf("%s: %v, want %q and the hint %q", name, err, c.problem, c.hint)
		}
	}
}

func TestCertificateWarnings(t *testing.T) {
	a, stranger := newAuthority(t, "test"), newAuthority(t, "stranger")
	chain, key := a.issue(t, nil, "a.example")
	h := newTestHost(t)
	h.write("c.key", key) // 0644
	h.secret("c.pem", chain+stranger.pem())
	_, warnings, err := loadCertificate(filepath.Join(h.home, "c.pem"), filepath.Join(h.home, "c.key"))
	if err != nil || len(warnings) != 2 || !strings.Contains(warnings[0], "everybody") || !strings.Contains(warnings[1], "not signed") {
		t.Errorf("%q, %v", warnings, err)
	}
}

// TestUnreadable holds that what the file system refuses names the file and what to do.
func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{filepath.Join(dir, "none"): "no such file", dir: "it is not a file", fifo: "it is not a file"} {
		if _, err := ReadCertificate(name, name); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := unreadable("key.pem", &os.PathError{Op: "open", Path: "key.pem", Err: syscall.EACCES})
	if ce := (*CertificateError)(nil); !errors.As(err, &ce) || ce.Message != "permission denied" || !strings.Contains(ce.Hint, fmt.Sprintf("setfacl -m u:%d:r key.pem", os.Geteuid())) {
		t.Errorf("%v", err)
	}
}

// TestKeyForms holds that every form of key that openssl writes is read.
func TestKeyForms(t *testing.T) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	e := newKey(t)
	pkcs8 := func(k any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sec1, err := x509.MarshalECPrivateKey(e)
	if err != nil {
		t.Fatal(err)
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, der := range map[string][]byte{"RSA, PKCS #1": x509.MarshalPKCS1PrivateKey(r), "RSA": pkcs8(r), "ECDSA, SEC 1": sec1, "ECDSA": pkcs8(e), "Ed25519": pkcs8(ed)} {
		if _, err := parseKeyBytes(der); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := parseKeyBytes(pkcs8(x)); err == nil || !strings.Contains(err.Error(), "not for TLS") {
		t.Errorf("a key that cannot sign: %v", err)
	}
}

func TestExpiry(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for _, c := range []struct {
		before, after time.Duration
		want          string
	}{
		{-day, 90 * day, ""}, {-80 * day, 14 * day, ""}, {-80 * day, 14*day - 1, "it expires on 2030-01-14 23:59:59 UTC"},
		{-4 * day, 2 * day, ""}, {-4*day - 3, 2 * day, "it expires on 2030-01-03 00:00:00 UTC"}, // of six days
		{-day, 0, "it expired on 2030-01-01 00:00:00 UTC"}, {1, day, "it is not valid before 2030-01-01 00:00:00 UTC"}, {0, 90 * day, ""},
	} {
		info := CertificateInfo{NotBefore: now.Add(c.before), NotAfter: now.Add(c.after)}
		if got := info.Expiry(now); got != c.want {
			t.Errorf("%v to %v: %q, want %q", c.before, c.after, got, c.want)
		}
	}
	if got := (CertificateInfo{}).Expiry(now); got != "" {
		t.Errorf("no certificate: %q", got)
	}
}

// TestEndIsTold holds that the log speaks of a certificate that ends once a day, not at every look.
func TestEndIsTold(t *testing.T) {
	a := newAuthority(t, "test")
	h := newTestHost(t)
	chain, key := a.issue(t, func(x *x509.Certificate) {
		x.NotBefore, x.NotAfter = time.Now().Add(-9*time.Hour), time.Now().Add(time.Hour)
	}, "a.example")
	h.secret("c.pem", chain+key)
	now := time.Now()
	s := &certStore{log: h.options().Logger, now: func() time.Time { return now }}
	defer s.close()
	p := s.get(certFiles{filepath.Join(h.home, "c.pem"), filepath.Join(h.home, "c.pem")})
	count := func() int { return strings.Count(h.log.String(), "it expire") }
	for range 3 {
		s.look()
	}
	if n := count(); n != 1 {
		t.Errorf("told %d times, want once:\n%s", n, h.log)
	}
	now = now.Add(24 * time.Hour)
	s.look()
	s.look()
	if st := s.status(p); count() != 2 || !strings.HasPrefix(st.Expiry, "it expired on ") || !st.InUse {
		t.Errorf("told %d times: %+v", count(), st)
	}
}

func TestCovers(t *testing.T) {
	c := CertificateInfo{Names: []string{"a.example", "*.b.example", "10.0.0.1", "::1"}}
	for host, want := range map[string]bool{"a.example": true, "A.example": true, "x.b.example": true, "b.example": false, "10.0.0.1": true, "::1": true, "10.0.0.2": false, "": false} {
		if got := c.Covers(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

// FuzzPEM holds that no file brings the reading of certificates and keys down.
func FuzzPEM(f *testing.F) {
	a := newAuthority(f, "test")
	chain, key := a.issue(f, nil, "a.example")
	for _, s := range []string{"", "0\x82", chain, key, chain + key, strings.Replace(key, "-----\n", "-----\nProc-Type: 4,ENCRYPTED\n\n", 1), "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		certs, err := parseChain("x.pem", text)
		if (err == nil) != (len(certs) > 0) {
			t.Errorf("%d certificates, %v", len(certs), err)
		}
		k, kerr := parseKey("x.pem", text)
		if (kerr == nil) != (k != nil) {
			t.Errorf("key %v, %v", k, kerr)
		}
		if err == nil && kerr == nil {
			_ = matchKey("x.pem", "x.pem", certs, k)
		}
	})
}
