// Package devcert makes certificates for development: a local authority, made once, and one certificate that it signs.
//
// It is not a certificate authority for anybody else, asks nobody on the network, and does not change what this machine
// trusts: that is left to the person.
package devcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
)

// Names of the files in the folder.
const (
	authorityFile    = "authority.pem"
	authorityKeyFile = "authority-key.pem"
	certificateFile  = "localhost.pem"
	keyFile          = "localhost-key.pem"
)

// How long they are valid. Browsers refuse server certificates of more than 398 days.
const (
	authorityLife   = 10 * 365 * 24 * time.Hour
	certificateLife = 365 * 24 * time.Hour
	early           = time.Hour // for clocks that are behind
)

// Store is the folder with the authority and the certificate.
type Store struct {
	Dir    string
	Server string // name of the machine, for people who find the authority in a list
	Now    func() time.Time
	FS     atomicfile.FS
}

// Issued tells what is there now.
type Issued struct {
	Authority    string // path of the authority's certificate
	NewAuthority bool
	Certificate  string
	Key          string
	Names        []string
	NotAfter     time.Time
	Changed      bool
}

// Files returns the paths of the authority's certificate, the certificate and its key, whether they are there or not.
func (s Store) Files() (authority, certificate, key string) {
	return filepath.Join(s.Dir, authorityFile), filepath.Join(s.Dir, certificateFile), filepath.Join(s.Dir, keyFile)
}

// Issue makes what is missing. The certificate is for localhost, for what it was for before, and for the names. With
// renew it gets a new key and a new time.
func (s Store) Issue(names []string, renew bool) (Issued, error) {
	for _, n := range names {
		if err := CheckName(n); err != nil {
			return Issued{}, err
		}
	}
	if err := atomicfile.MkdirAll(s.FS, s.Dir, 0o755); err != nil {
		return Issued{}, fmt.Errorf("make the folder of certificates: %w", err)
	}
	var out Issued
	out.Authority, out.Certificate, out.Key = s.Files()
	authority, signer, made, err := s.authority()
	if err != nil {
		return out, err
	}
	out.NewAuthority = made
	old, key, err := s.read(certificateFile, keyFile)
	if err != nil {
		return out, err
	}
	all := []string{"localhost", "127.0.0.1", "::1"}
	all = append(all, s.named()...)
	for _, n := range names {
		all = append(all, canonical(n))
	}
	out.Names = unique(all)
	if old != nil && !made && !renew && old.CheckSignatureFrom(authority) == nil && slices.Equal(namesOf(old), out.Names) && s.Now().Before(old.NotAfter) {
		out.NotAfter = old.NotAfter
		return out, nil
	}
	out.Changed = true
	// A new name leaves the key, so that one file changes, at once.
	if key == nil || renew {
		if key, err = newKey(); err == nil {
			err = s.writeKey(keyFile, key)
		}
		if err != nil {
			return out, err
		}
	}
	out.NotAfter = s.Now().Add(certificateLife).Truncate(time.Second)
	return out, s.sign(out, authority, signer, key)
}

// sign writes the certificate.
func (s Store) sign(out Issued, authority *x509.Certificate, signer, key *ecdsa.PrivateKey) error {
	x, err := s.template("rolemgr development", out.NotAfter)
	if err != nil {
		return err
	}
	x.KeyUsage, x.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	for _, n := range out.Names {
		if ip := net.ParseIP(n); ip != nil {
			x.IPAddresses = append(x.IPAddresses, ip)
		} else {
			x.DNSNames = append(x.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, x, authority, key.Public(), signer)
	if err != nil {
		return fmt.Errorf("sign the certificate: %w", err)
	}
	return s.write(certificateFile, "CERTIFICATE", der, 0o644)
}

// authority returns the authority, which it makes when there is none or when its time does not last for a certificate.
func (s Store) authority() (c *x509.Certificate, key *ecdsa.PrivateKey, made bool, err error) {
	c, key, err = s.read(authorityFile, authorityKeyFile)
	if err != nil {
		return nil, nil, false, err
	}
	if c != nil && key != nil && s.Now().Add(certificateLife).Before(c.NotAfter) {
		return c, key, false, nil
	}
	if key, err = newKey(); err != nil {
		return nil, nil, false, err
	}
	x, err := s.template("rolemgr development authority of "+s.Server, s.Now().Add(authorityLife))
	if err != nil {
		return nil, nil, false, err
	}
	x.IsCA, x.BasicConstraintsValid, x.MaxPathLenZero, x.KeyUsage = true, true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, x, x, key.Public(), key)
	if err != nil {
		return nil, nil, false, fmt.Errorf("make the authority: %w", err)
	}
	if err := s.writeKey(authorityKeyFile, key); err != nil {
		return nil, nil, false, err
	}
	if err := s.write(authorityFile, "CERTIFICATE", der, 0o644); err != nil {
		return nil, nil, false, err
	}
	c, err = x509.ParseCertificate(der)
	return c, key, true, err
}

func (s Store) template(name string, until time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // RFC 5280, section 4.1.2.2
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"rolemgr development"}},
		NotBefore: s.Now().Add(-early), NotAfter: until,
	}, nil
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func (s Store) writeKey(name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return s.write(name, "PRIVATE KEY", der, 0o600)
}

func (s Store) write(name, kind string, der []byte, mode fs.FileMode) error {
	text := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	if err := atomicfile.Write(s.FS, filepath.Join(s.Dir, name), text, mode); err != nil {
		return fmt.Errorf("write the certificate: %w", err)
	}
	return nil
}

// named returns the names of the certificate that is there, also of one that cannot be used any more.
func (s Store) named() []string {
	text, err := s.FS.ReadFile(filepath.Join(s.Dir, certificateFile))
	block, _ := pem.Decode(text)
	if err != nil || block == nil {
		return nil
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	return namesOf(c)
}

// read returns a certificate and its key, nil for what is not there or is not a pair.
func (s Store) read(certName, keyName string) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	var blocks [2][]byte
	for i, name := range [...]string{certName, keyName} {
		text, err := s.FS.ReadFile(filepath.Join(s.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read the certificate: %w", err)
		}
		if block, _ := pem.Decode(text); block != nil {
			blocks[i] = block.Bytes
		}
	}
	c, err := x509.ParseCertificate(blocks[0])
	if err != nil {
		return nil, nil, nil
	}
	parsed, err := x509.ParsePKCS8PrivateKey(blocks[1])
	key, ok := parsed.(*ecdsa.PrivateKey)
	if err != nil || !ok || !key.PublicKey.Equal(c.PublicKey) {
		return nil, nil, nil
	}
	return c, key, nil
}

func namesOf(c *x509.Certificate) []string {
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return unique(names)
}

// unique sorts names, localhost and the addresses of this machine first.
func unique(names []string) []string {
	own := []string{"localhost", "127.0.0.1", "::1"}
	names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(own, n) })
	slices.Sort(names)
	return append(own, slices.Compact(names)...)
}

func canonical(name string) string {
	if ip := net.ParseIP(name); ip != nil {
		return ip.String()
	}
	return strings.ToLower(name)
}

// CheckName refuses what cannot be the name of a server: a host name, for all names of a domain "*.example.com", or an
// IP address.
func CheckName(name string) error {
	if net.ParseIP(name) != nil {
		return nil
	}
	// RFC 1123, section 2.1; the underscore is seen in practice.
	label := regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	rest, _ := strings.CutPrefix(name, "*.")
	if len(rest) > 253 {
		return fmt.Errorf("%q is longer than a host name", name)
	}
	for _, l := range strings.Split(rest, ".") {
		if !label.MatchString(l) {
			return fmt.Errorf("%q is neither a host name nor an IP address", name)
		}
	}
	return nil
}
