package wshost

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// maxPEM bounds what is read of a PEM file: a chain has a few kilobytes.
const maxPEM = 1 << 20

// CertificateInfo is what people want to know of a certificate.
type CertificateInfo struct {
	File      string    `json:"file"`
	KeyFile   string    `json:"key_file"`
	Subject   string    `json:"subject,omitempty"`
	Issuer    string    `json:"issuer,omitempty"`
	Names     []string  `json:"names"` // host names and addresses that it is for
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
}

// CertificateError tells why a certificate or its key cannot be used, and what to do.
type CertificateError struct {
	File, Message, Hint string
}

// Error names the file and what is wrong with it.
func (e *CertificateError) Error() string {
	return fmt.Sprintf("certificate file %q: %s", e.File, e.Message)
}

func certificateFault(file, message, hint string) *CertificateError {
	return &CertificateError{file, message, hint}
}

// ReadCertificate reads a certificate and its key as a host would, and tells what it is for.
func ReadCertificate(certFile, keyFile string) (CertificateInfo, error) {
	c, _, err := loadCertificate(certFile, keyFile)
	if err != nil {
		return CertificateInfo{File: certFile, KeyFile: keyFile, Names: []string{}}, err
	}
	return describeCertificate(certFile, keyFile, c.Leaf), nil
}

func describeCertificate(certFile, keyFile string, leaf *x509.Certificate) CertificateInfo {
	return CertificateInfo{
		File: certFile, KeyFile: keyFile, Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(),
		Names: certificateNames(leaf), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
	}
}

func certificateNames(leaf *x509.Certificate) []string {
	names := append([]string{}, leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	return names
}

// loadCertificate reads a chain and the key of its first certificate from PEM files, which may be one. The warnings
// are about what works, but not for every client or not for long.
func loadCertificate(certFile, keyFile string) (c *tls.Certificate, warnings []string, err error) {
	text, _, err := readPEM(certFile)
	if err != nil {
		return nil, nil, err
	}
	chain, err := parseChain(certFile, text)
	if err != nil {
		return nil, nil, err
	}
	mode := fs.FileMode(0)
	if text, mode, err = readPEM(keyFile); err != nil {
		return nil, nil, err
	}
	key, err := parseKey(keyFile, text)
	if err != nil {
		return nil, nil, err
	}
	if err := matchKey(certFile, keyFile, chain, key); err != nil {
		return nil, nil, err
	}
	if mode&0o007 != 0 {
		warnings = append(warnings, fmt.Sprintf("everybody on this machine may read the key in %q: chmod o= it", keyFile))
	}
	for i := range len(chain) - 1 {
		if chain[i].CheckSignatureFrom(chain[i+1]) != nil {
			warnings = append(warnings, fmt.Sprintf("in %q certificate %d is not signed by the one behind it: some clients will not trust it; the order is the server's own, then each issuer", certFile, i+1))
			break
		}
	}
	c = &tls.Certificate{PrivateKey: key, Leaf: chain[0]}
	for _, x := range chain {
		c.Certificate = append(c.Certificate, x.Raw)
	}
	return c, warnings, nil
}

// readPEM reads a file and tells who may read it.
func readPEM(name string) ([]byte, fs.FileMode, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, unreadable(name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, 0, unreadable(name, err)
	case !info.Mode().IsRegular():
		return nil, 0, certificateFault(name, "it is not a file", "name a PEM file")
	case info.Size() > maxPEM:
		return nil, 0, certificateFault(name, fmt.Sprintf("it has more than %d bytes", maxPEM), "name a PEM file with one chain")
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPEM))
	if err != nil {
		return nil, 0, unreadable(name, err)
	}
	return text, info.Mode().Perm(), nil
}

// unreadable says what the file system says, and what to do about it.
func unreadable(name string, err error) error {
	hint := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		hint = "put it there, or make one for development with \"rolemgr cert dev\""
	case errors.Is(err, fs.ErrPermission):
		hint = fmt.Sprintf("let the account of the server read it: setfacl -m u:%d:r %s", os.Geteuid(), name)
	}
	return certificateFault(name, plainErrno(err).Error(), hint)
}

// parseChain reads the certificates of a file.
func parseChain(name string, text []byte) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, certificateFault(name, fmt.Sprintf("certificate %d: %v", len(chain)+1, err), "get it anew from who issued it")
		}
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, noPEM(name, text, "certificate")
	}
	return chain, nil
}

// parseKey reads the first private key of a file.
func parseKey(name string, text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "PRIVATE KEY" && !strings.HasSuffix(block.Type, " PRIVATE KEY") {
			continue
		}
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return nil, certificateFault(name, "the key is protected by a pass phrase", "nobody is there to type it: openssl pkey -in old.pem -out key.pem")
		}
		key, err := parseKeyBytes(block.Bytes)
		if err != nil {
			return nil, certificateFault(name, "the key cannot be read: "+err.Error(), "it is an RSA, ECDSA or Ed25519 key in PEM form")
		}
		return key, nil
	}
	return nil, noPEM(name, text, "private key")
}

// parseKeyBytes reads a key in any of the forms that openssl writes.
func parseKeyBytes(der []byte) (crypto.Signer, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		if k, err := x509.ParsePKCS1PrivateKey(der); err == nil {
			return k, nil
		}
		if k, err := x509.ParseECPrivateKey(der); err == nil {
			return k, nil
		}
		return nil, err
	}
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("a key of type %T is not for TLS", key)
}

// noPEM tells what a file without the wanted block seems to be.
func noPEM(name string, text []byte, what string) error {
	hint := "it begins with -----BEGIN"
	if bytes.HasPrefix(text, []byte{0x30}) {
		hint = fmt.Sprintf("it looks like DER or PFX: openssl pkcs12 -in %[1]s -nodes -out new.pem, or openssl x509 -inform der -in %[1]s -out new.pem", name)
	}
	return certificateFault(name, "it holds no "+what+" in PEM form", hint)
}

// matchKey checks that the key is that of the first certificate.
func matchKey(certFile, keyFile string, chain []*x509.Certificate, key crypto.Signer) error {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return certificateFault(keyFile, fmt.Sprintf("a key of type %T is not for TLS", key), "")
	}
	i := slices.IndexFunc(chain, func(c *x509.Certificate) bool { return public.Equal(c.PublicKey) })
	switch {
	case i == 0:
		return nil
	case i > 0:
		return certificateFault(certFile, fmt.Sprintf("the certificates stand in the wrong order: the key in %q is that of number %d", keyFile, i+1), "put the server's own first, then each issuer")
	}
	return certificateFault(certFile, fmt.Sprintf("the key in %q is another's", keyFile),
		fmt.Sprintf("compare: openssl x509 -in %s -noout -pubkey; openssl pkey -in %s -pubout", certFile, keyFile))
}

// expiry returns what is to be said of a certificate's end: nothing, that it comes soon, or that it is over. A short
// life makes for a short notice.
func expiry(leaf *x509.Certificate, now time.Time) string {
	left := leaf.NotAfter.Sub(now)
	switch {
	case now.Before(leaf.NotBefore):
		return "it is not valid before " + leaf.NotBefore.UTC().Format(time.DateTime) + " UTC"
	case left <= 0:
		return "it expired on " + leaf.NotAfter.UTC().Format(time.DateTime) + " UTC"
	case left < min(14*24*time.Hour, leaf.NotAfter.Sub(leaf.NotBefore)/3):
		return "it expires on " + leaf.NotAfter.UTC().Format(time.DateTime) + " UTC"
	}
	return ""
}

// Expiry tells, at a time, that the certificate is not valid or will not be for long; "" for neither.
func (c CertificateInfo) Expiry(now time.Time) string {
	if c.NotAfter.IsZero() {
		return ""
	}
	return expiry(&x509.Certificate{NotBefore: c.NotBefore, NotAfter: c.NotAfter}, now)
}

// Covers reports whether the certificate is for a host name or address.
func (c CertificateInfo) Covers(host string) bool {
	x := &x509.Certificate{}
	for _, n := range c.Names {
		if ip := net.ParseIP(n); ip != nil {
			x.IPAddresses = append(x.IPAddresses, ip)
		} else {
			x.DNSNames = append(x.DNSNames, n)
		}
	}
	return x.VerifyHostname(host) == nil
}
