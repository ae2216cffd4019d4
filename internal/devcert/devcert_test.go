package devcert

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/internal/atomicfile"
	"github.com/rolemgr/rolemgr/internal/atomicfile/faultfs"
)

func newStore(t *testing.T) Store {
	return Store{Dir: filepath.Join(t.TempDir(), "dev"), Server: "test", Now: time.Now, FS: atomicfile.OS{}}
}

func parse(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestIssue(t *testing.T) {
	s := newStore(t)
	first, err := s.Issue([]string{"B.example", "10.0.0.1", "*.dev.example"}, false)
	if err != nil || !first.NewAuthority || !first.Changed {
		t.Fatalf("%+v, %v", first, err)
	}
	want := []string{"localhost", "127.0.0.1", "::1", "*.dev.example", "10.0.0.1", "b.example"}
	if !slices.Equal(first.Names, want) {
		t.Errorf("names %q", first.Names)
	}
	for name, mode := range map[string]os.FileMode{authorityFile: 0o644, authorityKeyFile: 0o600, certificateFile: 0o644, keyFile: 0o600} {
		if info, err := os.Stat(filepath.Join(s.Dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	trust := x509.NewCertPool()
	trust.AddCert(parse(t, first.Authority))
	c := parse(t, first.Certificate)
	for _, name := range []string{"localhost", "b.example", "x.dev.example", "127.0.0.1", "::1", "10.0.0.1"} {
		if _, err := c.Verify(x509.VerifyOptions{Roots: trust, DNSName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if days := c.NotAfter.Sub(c.NotBefore).Hours() / 24; days > 398 {
		t.Errorf("valid for %f days: browsers refuse it", days)
	}

	again, err := s.Issue([]string{"b.example"}, false)
	if err != nil || again.Changed || again.NewAuthority || !again.NotAfter.Equal(c.NotAfter) {
		t.Errorf("the same again: %+v, %v", again, err)
	}
	key, _ := os.ReadFile(first.Key)
	more, err := s.Issue([]string{"c.example"}, false)
	if now, _ := os.ReadFile(first.Key); err != nil || !more.Changed || more.NewAuthority || len(more.Names) != 7 || string(now) != string(key) {
		t.Errorf("another name: %+v, %v; the key must stay", more, err)
	}
	renewed, err := s.Issue(nil, true)
	if now, _ := os.ReadFile(first.Key); err != nil || !renewed.Changed || renewed.NewAuthority || len(renewed.Names) != 7 || string(now) == string(key) {
		t.Errorf("renewed: %+v, %v", renewed, err)
	}
	s.Now = func() time.Time { return time.Now().Add(authorityLife - 24*time.Hour) }
	late, err := s.Issue(nil, false)
	if err != nil || !late.NewAuthority || !late.Changed || len(late.Names) != 7 {
		t.Errorf("near the end of the authority: %+v, %v", late, err)
	}
}

func TestBrokenFilesAreMadeAnew(t *testing.T) {
	s := newStore(t)
	if _, err := s.Issue(nil, false); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{keyFile, certificateFile, authorityKeyFile, authorityFile} {
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte("broken"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := s.Issue(nil, false)
		if err != nil || !got.Changed || got.NewAuthority != strings.HasPrefix(name, "authority") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if err := parse(t, got.Certificate).CheckSignatureFrom(parse(t, got.Authority)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, ok := range map[string]bool{
		"a": true, "a-b.example": true, "_a.b": true, "*.example.com": true, "::1": true, "1.2.3.4": true, long + ".b": true,
		"": false, "*": false, "*.": false, "a.*.b": false, "-a": false, "a-": false, "a..b": false, "a.": false, "a b": false, "a:80": false,
		"http://a": false, long + "a.b": false, strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 126) + "ab": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := newStore(t).Issue([]string{"a b"}, false); err == nil {
		t.Error("a bad name is taken")
	}
}

// TestDiskFails holds that a full disk leaves a pair that fits, or none.
func TestDiskFails(t *testing.T) {
	for n := 1; ; n++ {
		s := newStore(t)
		if _, err := s.Issue(nil, false); err != nil {
			t.Fatal(err)
		}
		disk := faultfs.New(atomicfile.OS{}, faultfs.Fault{At: n, Do: faultfs.ENOSPC})
		s.FS = disk
		_, err := s.Issue([]string{"a.example"}, false)
		if c, k, rerr := s.read(certificateFile, keyFile); rerr != nil || c == nil || k == nil {
			t.Errorf("failure %d leaves no pair: %v, %v", n, err, rerr)
		}
		if err == nil {
			return
		}
		if errors.Is(err, os.ErrNotExist) {
			t.Errorf("failure %d: %v", n, err)
		}
	}
}
