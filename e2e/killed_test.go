//go:build e2e

package e2e

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestKilledInstaller kills rolemgr at many moments of an installation and of a removal, below live sockets. Whatever the
// moment, the next command finds one of the two states, complete, and nobody is cut.
func TestKilledInstaller(t *testing.T) {
	s := startServer(t, "websocket")
	conns := s.openSockets(20)
	whole := s.timed("remove", "http-logging")
	moments, killed := 60, 0
	for i := range moments {
		verb := []string{"install", "remove"}[i%2]
		if s.runFor(whole*time.Duration(i+1)/time.Duration(moments), verb, "http-logging") {
			killed++
		}
		s.must("recover")
		s.must("verify")
		installed := strings.Contains(s.read("state.toml"), `id = "http-logging"`)
		running := s.has("HttpLoggingModule")
		if installed != running {
			t.Fatalf("killed %s, moment %d: recorded %v, running %v", verb, i, installed, running)
		}
		echoAll(t, conns, fmt.Sprintf("after killed %s %d", verb, i))
	}
	if killed < moments/3 {
		t.Errorf("only %d of %d commands were killed before their end: the moments say nothing", killed, moments)
	}
	if err := wantSockets(s, len(conns)); err != nil {
		t.Error(err)
	}
	s.must("install", "http-logging")
	s.stillServes()
}

// timed runs a command and returns how long it took.
func (s *server) timed(args ...string) time.Duration {
	s.t.Helper()
	begin := time.Now()
	s.must(args...)
	return time.Since(begin)
}

// runFor starts a command, kills it after a while and reports whether it had not ended by itself.
func (s *server) runFor(while time.Duration, args ...string) (killed bool) {
	s.t.Helper()
	cmd := exec.Command(s.exe, append([]string{"--home", s.home}, args...)...)
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	timer := time.AfterFunc(while, func() { _ = cmd.Process.Kill() }) // it may have ended
	defer timer.Stop()
	return cmd.Wait() != nil
}

// has reports whether the running generation has loaded a module.
func (s *server) has(module string) bool {
	s.t.Helper()
	for _, m := range s.status().Modules {
		if m == module {
			return true
		}
	}
	return false
}
