//go:build e2e

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestReadmeTour runs every command of the README's tour, in its order, on a running server.
func TestReadmeTour(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "web-server")
	site := t.TempDir()
	config := `<configuration><system.webServer><directoryBrowse enabled="true" /></system.webServer></configuration>`
	if err := os.WriteFile(filepath.Join(site, "web.config"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	here := strings.NewReplacer("/srv/www/site", site, "./dist", site, "8081", port)
	ran := 0
	for line := range strings.Lines(string(readme)) {
		command, _, _ := strings.Cut(here.Replace(line), "#")
		words := strings.Fields(command)
		if len(words) < 2 || words[0] != "rolemgr" || words[1] == "serve" || strings.HasPrefix(line, "rolemgr is ") {
			continue
		}
		if words[1] == "remove" { // the promise beside the command: it refuses as long as a socket is open
			conns := s.openSockets(1)
			if out, code := s.rolemgr(words[1:]...); code != 7 {
				t.Errorf("%s: exit code %d, want 7\n%s", command, code, out)
			}
			_ = conns[0].Close() // seen by the host, and then the removal closes nobody
			s.eventually("the socket has gone", func() error { return wantSockets(s, 0) })
		}
		s.must(words[1:]...)
		ran++
	}
	if ran < 8 {
		t.Errorf("only %d commands were found in the README", ran)
	}
	s.must("verify")
	s.stillServes() // the rollback has brought WebSocket Protocol back
}
