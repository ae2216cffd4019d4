//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// secure gives the default site of a running server an https binding with the development certificate, and another one
// for h1.localhost without HTTP/2. It returns the port of both.
func secure(s *server) (port string) {
	s.t.Helper()
	return s.secureSite("Default Web Site")
}

// secureSite is secure for any site. Only one site of a server can have it.
func (s *server) secureSite(name string) (port string) {
	s.t.Helper()
	s.must("cert", "dev", "a.localhost", "h1.localhost")
	dev := filepath.Join(s.home, "certificates/dev/localhost")
	cert := []string{"--cert", dev + ".pem", "--key", dev + "-key.pem"}
	s.must(append([]string{"site", "bind", name, "--https", "--port", "0"}, cert...)...)
	s.must(append([]string{"site", "bind", name, "--https", "--port", "0", "--host", "h1.localhost"}, cert...)...)
	s.edit("config/applicationHost.config", `sslFlags="1"`, `sslFlags="5"`)
	s.must("reload")
	for _, site := range s.status().Sites {
		for _, b := range site.Bindings {
			if u, err := url.Parse(b); err == nil && u.Scheme == "https" && site.Name == name {
				port = u.Port()
			}
		}
	}
	if port == "" || port == "0" {
		s.t.Fatalf("no https binding is open: %v", s.status().Sites)
	}
	return port
}

// trusting lets a program of Node.js trust the development authority.
func (s *server) trusting(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+s.authority())
	return cmd
}

func (s *server) authority() string {
	return filepath.Join(s.home, "certificates/dev/authority.pem")
}

// spki is the hash of the certificate's key, as Chromium wants it.
func spki(t *testing.T, file string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// talk is a program that says when it is ready and waits for lines.
type talk struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
	cmd *exec.Cmd
}

func startTalk(t *testing.T, cmd *exec.Cmd) *talk {
	t.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // unless it has ended
		_ = cmd.Wait()
	})
	return &talk{t, in, bufio.NewReader(out), cmd}
}

func (p *talk) hears(want string) {
	p.t.Helper()
	line, err := p.out.ReadString('\n')
	if strings.TrimSpace(line) != want {
		p.t.Fatalf("the program says %q (%v), want %q", line, err, want)
	}
}

func (p *talk) say(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

func (s *server) connections() []wshost.Connection {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all, err := s.admin.Connections(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// TestBrowserOverHTTP2 holds that Chromium opens its WebSocket inside the HTTP/2 connection that it has, and a second tab
// over HTTP/1.1; the browser's net log and the host's own record of the connections agree.
func TestBrowserOverHTTP2(t *testing.T) {
	s := startServer(t, "websocket")
	port := secure(s)
	key := spki(t, filepath.Join(s.home, "certificates/dev/localhost.pem"))
	browser := startTalk(t, peer(t, "secure", key, "https://localhost:"+port+"/", "https://h1.localhost:"+port+"/"))
	browser.hears("open")
	var lines []string
	for _, c := range s.connections() {
		lines = append(lines, c.Protocol+" "+c.TLS+" "+c.Path)
	}
	slices.Sort(lines)
	if want := []string{"HTTP/1.1 TLS 1.3 /echo", "HTTP/2 TLS 1.3 /echo"}; !slices.Equal(lines, want) {
		t.Errorf("the host's record: %q, want %q", lines, want)
	}
	if out := s.must("connections"); !strings.Contains(out, "HTTP/2") || !strings.Contains(out, "HTTP/1.1") {
		t.Errorf("rolemgr connections:\n%s", out)
	}
	s.must("reload") // cuts neither
	browser.say("go on")
	browser.hears("ok")
	s.eventually("the host has let go of every socket", func() error { return wantSockets(s, 0) })
}

func TestPeersOverTLS(t *testing.T) {
	s := startServer(t, "websocket")
	port := secure(s)
	base := "https://localhost:" + port
	if out, err := s.trusting(peer(t, "node", "wss://localhost:"+port+"/echo")).CombinedOutput(); err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("node is not content with the echo over TLS: %v\n%s", err, out)
	}
	for _, c := range []struct{ version, url, want string }{
		{"--http2", base + "/", "HTTP/2 200"},
		{"--http1.1", base + "/", "HTTP/1.1 200 OK"},
		{"--http2", "https://a.localhost:" + port + "/", "HTTP/2 200"},
		{"--http2", "https://h1.localhost:" + port + "/", "HTTP/1.1 200 OK"},
		{"--http2", base + "/none", "HTTP/2 404"},
	} {
		out, err := peer(t, "curl", "-sS", "-i", c.version, "--cacert", s.authority(), "--max-time", "20", c.url).CombinedOutput()
		if first, _, _ := strings.Cut(string(out), "\r\n"); err != nil || strings.TrimSpace(first) != c.want {
			t.Errorf("curl %s %s: %v, %q; want %q", c.version, c.url, err, first, c.want)
		}
	}
	// openssl sees which certificate a name is shown, and that old versions are refused.
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-servername", "a.localhost", "-tls1_3"}, "Verification: OK"},
		{[]string{"-noservername", "-tls1_2"}, "Verification: OK"},
		{[]string{"-tls1_1", "-cipher", "ALL:@SECLEVEL=0"}, "alert protocol version"},
		{[]string{"-alpn", "h2,http/1.1"}, "ALPN protocol: h2"},
	} {
		if out := sClient(t, s, port, c.args...); !strings.Contains(out, c.want) {
			t.Errorf("openssl s_client %q does not tell %q:\n%s", c.args, c.want, out)
		}
	}
}

func sClient(t *testing.T, s *server, port string, args ...string) string {
	t.Helper()
	cmd := peer(t, "openssl", append([]string{"-connect", "127.0.0.1:" + port, "-CAfile", s.authority()}, args...)...)
	out, _ := cmd.CombinedOutput() // a refused handshake is an error too
	return string(out)
}

// TestCertificateIsRenewed holds that a new certificate is shown to the next client and that 100 open sockets do not
// notice.
func TestCertificateIsRenewed(t *testing.T) {
	s := startServer(t, "websocket")
	port := secure(s)
	holder := startTalk(t, s.trusting(peer(t, "hold", "wss://localhost:"+port+"/echo", "100")))
	holder.hears("open")
	holder.say("before")
	holder.hears("echoed")
	certificate := func() string {
		_, after, _ := strings.Cut(sClient(t, s, port, "-servername", "a.localhost"), "-----BEGIN CERTIFICATE-----")
		before, _, _ := strings.Cut(after, "-----END")
		return before
	}
	old, generation := certificate(), s.status().Generation
	if old == "" {
		t.Fatal("openssl shows no certificate")
	}
	s.must("cert", "dev", "--renew")
	s.eventually("the new certificate is shown", func() error {
		if now := certificate(); now == old || now == "" {
			return fmt.Errorf("the certificate is %q", now)
		}
		return nil
	})
	// A key that is another's leaves it in use, and says so.
	s.write("certificates/dev/localhost-key.pem", s.read("certificates/dev/authority-key.pem"))
	s.eventually("the wrong key is told of", func() error {
		if out, code := s.rolemgr("status"); code != 1 || !strings.Contains(out, "cannot be used") {
			return fmt.Errorf("exit code %d\n%s", code, out)
		}
		return nil
	})
	if now := certificate(); now == old || now == "" {
		t.Errorf("with a wrong key the certificate is %q", now)
	}
	holder.say("after")
	holder.hears("echoed")
	if st := s.status(); st.Generation != generation {
		t.Errorf("generation %d, want %d: nobody reloads for a certificate", st.Generation, generation)
	}
	if err := wantSockets(s, 100); err != nil {
		t.Error(err)
	}
}
