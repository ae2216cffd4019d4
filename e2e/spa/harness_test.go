//go:build e2e

package spa

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost"
)

// patience is how long a condition may take before a test gives up; it bounds failures, not successes.
const patience = 60 * time.Second

// program is the path of the built rolemgr.
var program string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rolemgr-spa-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "rolemgr")
	build := exec.Command("go", "build", "-o", program, "github.com/rolemgr/rolemgr/cmd/rolemgr")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build rolemgr:", err)
		return 1
	}
	return m.Run()
}

// server is a rolemgr that serves a home folder.
type server struct {
	t    *testing.T
	home string
	out  lockedBuffer
}

// lockedBuffer collects the output of a process while tests look at it.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve starts a server with the role and its default services, and nothing else.
func serve(t *testing.T) *server {
	t.Helper()
	home, err := os.MkdirTemp("", "rm") // short: the path of a Unix socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := &server{t: t, home: home}
	s.rolemgr("install", "web-server")
	s.freePort()
	cmd := exec.Command(program, "--home", home, "serve")
	cmd.Stdout, cmd.Stderr = &s.out, &s.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it had to say is in its output
		close(done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-done:
		case <-time.After(patience):
			t.Errorf("the server did not end within %v of SIGTERM", patience)
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(home, "logs", "wshost.log"))
			t.Logf("output of the server:\n%s\nlogs/wshost.log:\n%s", s.out.String(), log)
		}
	})
	s.site("Default Web Site")
	return s
}

// freePort takes the port of the default site away, which another server on this machine may have.
func (s *server) freePort() {
	s.t.Helper()
	path := filepath.Join(s.home, "config", "applicationHost.config")
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	const declared = `bindingInformation="127.0.0.1:8080:"`
	if bytes.Count(b, []byte(declared)) != 1 {
		s.t.Fatalf("%s does not hold %s once:\n%s", path, declared, b)
	}
	b = bytes.Replace(b, []byte(declared), []byte(`bindingInformation="127.0.0.1:0:"`), 1)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// rolemgr runs one command, which has to succeed.
func (s *server) rolemgr(args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, append([]string{"--home", s.home}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("rolemgr %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// site waits until a site is open and returns its URL, without a slash at the end.
func (s *server) site(name string) string {
	s.t.Helper()
	admin := wshost.NewAdmin(s.home)
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		st, err := admin.Status(ctx)
		cancel()
		last = fmt.Sprint(st.Sites, err)
		for _, site := range st.Sites {
			if site.Name != name || len(site.Bindings) != 1 {
				continue
			}
			if u, err := url.Parse(site.Bindings[0]); err == nil && u.Port() != "0" {
				return "http://" + u.Host
			}
		}
		<-time.After(5 * time.Millisecond)
	}
	s.t.Fatalf("site %q is not open within %v: %s\n%s", name, patience, last, s.out.String())
	return ""
}

// add makes a site of an application with the two commands that it takes.
func (s *server) add(a app) (base string) {
	s.t.Helper()
	dist := a.build(s.t)
	s.rolemgr("install", "--for", dist)
	s.rolemgr("site", "add", dist, "--port", "0")
	return s.site(filepath.Base(dist))
}
