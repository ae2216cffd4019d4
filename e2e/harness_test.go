//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
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
const patience = 30 * time.Second

// program is the path of the built rolemgr, and racing the path of one that ends at its first data race.
var program, racing string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "rolemgr-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program, racing = filepath.Join(dir, "rolemgr"), filepath.Join(dir, "rolemgr-race")
	for _, args := range [][]string{{"-o", program}, {"-race", "-o", racing}} {
		build := exec.Command("go", append(append([]string{"build"}, args...), "github.com/rolemgr/rolemgr/cmd/rolemgr")...)
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build rolemgr:", err)
			return 1
		}
	}
	return m.Run()
}

// server is a home folder and, once started, the rolemgr process that serves it.
type server struct {
	t     *testing.T
	exe   string
	home  string
	addr  string // of the default site, once it serves
	admin *wshost.Admin
	cmd   *exec.Cmd
	out   lockedBuffer
	done  chan struct{} // closed when the process has ended
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

// newHome installs the features into a fresh home folder and lets the kernel choose the port of the default site.
// Nothing serves yet.
func newHome(t *testing.T, features ...string) *server {
	t.Helper()
	home, err := os.MkdirTemp("", "rm") // short: the path of a Unix socket has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	s := &server{t: t, exe: program, home: home, admin: wshost.NewAdmin(home)}
	s.must(append([]string{"install"}, features...)...)
	s.edit("config/applicationHost.config", `bindingInformation="127.0.0.1:8080:"`, `bindingInformation="127.0.0.1:0:"`)
	return s
}

// startServer installs the features and serves.
func startServer(t *testing.T, features ...string) *server {
	t.Helper()
	s := newHome(t, features...)
	s.start("serve")
	return s
}

// startRacing is startServer under the race detector: memory and times say nothing there.
func startRacing(t *testing.T, features ...string) *server {
	t.Helper()
	s := newHome(t, features...)
	s.exe = racing
	s.start("serve")
	return s
}

// start runs a command that serves in the foreground and waits until the host tells which port the default site has.
func (s *server) start(args ...string) {
	s.t.Helper()
	s.cmd = exec.Command(s.exe, append([]string{"--home", s.home}, args...)...)
	s.cmd.Env = append(os.Environ(), "GORACE=halt_on_error=1 atexit_sleep_ms=0")
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	s.done = make(chan struct{})
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, done := s.cmd, s.done
	go func() {
		_ = cmd.Wait() // the state is read by stop
		close(done)
	}()
	s.t.Cleanup(func() {
		s.stop()
		if s.t.Failed() {
			s.t.Logf("output of the server:\n%s\nlogs/wshost.log:\n%s", s.out.String(), s.hostLog())
		}
	})
	s.eventually("the host answers", func() error {
		select {
		case <-done:
			s.t.Fatalf("rolemgr %s ended: %s", strings.Join(args, " "), s.out.String())
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		st, err := s.admin.Status(ctx)
		if err != nil {
			return err
		}
		s.addr, err = siteAddr(st, "Default Web Site")
		return err
	})
}

// siteAddr returns the address that a site with one binding listens on.
func siteAddr(st wshost.Status, name string) (string, error) {
	for _, site := range st.Sites {
		if site.Name != name || len(site.Bindings) != 1 {
			continue
		}
		u, err := url.Parse(site.Bindings[0])
		if err != nil || u.Port() == "0" {
			return "", fmt.Errorf("site %q is not open yet: %v, %v", name, site.Bindings, err)
		}
		return u.Host, nil
	}
	return "", fmt.Errorf("no site %q with one binding", name)
}

// stop ends the server with SIGTERM, and by force when it does not listen.
func (s *server) stop() {
	select {
	case <-s.done:
		return
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may just have ended
	select {
	case <-s.done:
	case <-time.After(patience):
		s.t.Errorf("the server did not end within %v of SIGTERM", patience)
		_ = s.cmd.Process.Kill()
		<-s.done
	}
}

// rolemgr runs one command on the home and returns its output and exit code.
func (s *server) rolemgr(args ...string) (output string, code int) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, s.exe, append([]string{"--home", s.home}, args...)...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("rolemgr %s: %v", strings.Join(args, " "), err)
	}
	if exit != nil {
		code = exit.ExitCode()
	}
	return string(out), code
}

// must runs one command that has to succeed.
func (s *server) must(args ...string) string {
	s.t.Helper()
	out, code := s.rolemgr(args...)
	if code != 0 {
		s.t.Fatalf("rolemgr %s: exit code %d\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// edit replaces the only occurrence of old in a file of the home, as a person with an editor would.
func (s *server) edit(name, old, new string) {
	s.t.Helper()
	text := s.read(name)
	if strings.Count(text, old) != 1 {
		s.t.Fatalf("%s holds %q %d times, want once:\n%s", name, old, strings.Count(text, old), text)
	}
	s.write(name, strings.Replace(text, old, new, 1))
}

func (s *server) read(name string) string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.home, name))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(b)
}

// write replaces a file of the home by a rename, so that the server never reads half of it.
func (s *server) write(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path+".new", []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		s.t.Fatal(err)
	}
}

// hostLog returns the host's own log, "" when there is none.
func (s *server) hostLog() string {
	b, _ := os.ReadFile(filepath.Join(s.home, "logs", "wshost.log"))
	return string(b)
}

// status asks the running host what it is doing.
func (s *server) status() wshost.Status {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	st, err := s.admin.Status(ctx)
	if err != nil {
		s.t.Fatalf("status: %v", err)
	}
	return st
}

func (s *server) url(path string) string { return "http://" + s.addr + path }

// get fetches a path of the default site on a connection of its own.
func (s *server) get(path string) (status int, body string) {
	s.t.Helper()
	return fetch(s.t, s.url(path))
}

func fetch(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b.String()
}

// eventually waits for a condition, looking every few milliseconds.
func (s *server) eventually(what string, condition func() error) {
	s.t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s: not within %v: %v", what, patience, err)
		}
		<-tick.C
	}
}
