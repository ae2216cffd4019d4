package fastcgi

import (
	"log/slog"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/gateway"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/process"
)

// testPool is the pool of an application that runs already, at a Unix socket.
func testPool(t *testing.T, app application) (*pool, net.Listener) {
	t.Helper()
	dir, err := os.MkdirTemp("", "f")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	app.Requests = 100
	p := &pool{app: app, network: "unix", address: l.Addr().String(), log: slog.New(slog.DiscardHandler), rapid: process.NewRapidFail(0, time.Minute), release: func() {}}
	return p, l
}

// siteFiles is module.Files of a site without files.
type siteFiles struct{ module.Files }

func (siteFiles) Physical(p string) string { return "/srv" + p }

// TestRequestLimits: an application that keeps still is given up after the shorter of its two times.
func TestRequestLimits(t *testing.T) {
	for name, app := range map[string]application{
		"activityTimeout": {Activity: 1, Request: 3600},
		"requestTimeout":  {Activity: 3600, Request: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, l := testPool(t, app)
			go func() {
				for {
					if _, err := l.Accept(); err != nil { // and says nothing
						return
					}
				}
			}()
			q := &module.Request{Files: siteFiles{}, Logger: slog.New(slog.DiscardHandler), Handler: &module.Handler{}}
			r := module.WithRequest(httptest.NewRequest("GET", "/a.php", nil), q)
			begin := time.Now()
			e := (&exchange{pool: p, q: q, script: gateway.Script{URL: "/a.php"}}).run(httptest.NewRecorder(), r)
			if e == nil || e.Status != 500 || e.Win32 != waitTimeout || !strings.Contains(e.Summary, "of 1 s") {
				t.Errorf("%+v", e)
			}
			if took := time.Since(begin); took < time.Second || took > 30*time.Second {
				t.Errorf("after %v", took)
			}
		})
	}
}

// TestIdleTimeout: what nobody uses is ended then, and what is used is not.
func TestIdleTimeout(t *testing.T) {
	for idle, want := range map[uint32]int{0: 0, 3600: 1} {
		p, _ := testPool(t, application{Idle: idle})
		i, err := p.acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p.put(i)
		count := func() int {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.count
		}
		for deadline := time.Now().Add(10 * time.Second); count() != want && time.Now().Before(deadline); {
			time.Sleep(time.Millisecond)
		}
		if n := count(); n != want {
			t.Errorf("idleTimeout %d: %d instances", idle, n)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestGrace: signalBeforeTerminateSeconds, one second at least.
func TestGrace(t *testing.T) {
	for seconds, want := range map[uint32]time.Duration{0: time.Second, 1: time.Second, 7: 7 * time.Second} {
		if got := (&pool{app: application{Signal: seconds}}).grace(); got != want {
			t.Errorf("%d: %v", seconds, got)
		}
	}
}

// TestStderrMode: what becomes of an answer when the script wrote to its error stream before it.
func TestStderrMode(t *testing.T) {
	for mode, text := range map[string]bool{stderrIn500: true, stderrGeneric: false, stderrTerminate: false} {
		e := &exchange{pool: &pool{app: application{Stderr: mode}}}
		e.stderr.WriteString("oh dear\n")
		if got := e.complained(); got.Status != 500 || strings.Contains(got.Summary, "oh dear") != text {
			t.Errorf("%s: %+v", mode, got)
		}
	}
}
