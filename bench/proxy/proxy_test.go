package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
)

// passCommand makes the test program a proxy of bytes.
const passCommand = "pass"

// TestMain makes the test program the application, as "bench app" does, and a proxy.
func TestMain(m *testing.M) {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == appCommand:
		err = App(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == passCommand:
		err = pass(os.Args[2], os.Args[3])
	default:
		os.Exit(m.Run())
	}
	panic(err)
}

// pass carries bytes from one port to another.
func pass(from, to string) error {
	l, err := net.Listen("tcp", "127.0.0.1:"+from)
	if err != nil {
		return err
	}
	for {
		client, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer client.Close()
			app, err := net.Dial("tcp", "127.0.0.1:"+to)
			if err != nil {
				return
			}
			defer app.Close()
			go func() {
				_, _ = io.Copy(app, client)
				_ = app.(*net.TCPConn).CloseWrite()
			}()
			_, _ = io.Copy(client, app)
		}()
	}
}

// TestRun runs every scenario, with fewer idle connections, through a proxy that is always there: a copy of this program,
// so that it is told apart from the application.
func TestRun(t *testing.T) {
	if _, _, err := proc.Two(); err != nil {
		t.Skip(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := t.TempDir() + "/passer"
	b, err := os.ReadFile(self)
	if err == nil {
		err = os.WriteFile(program, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	passer := Server{Name: "passer", program: program, prepare: func(s *stage) ([]string, error) {
		return []string{passCommand, fmt.Sprint(s.port), fmt.Sprint(s.appPort)}, nil
	}}
	var log bytes.Buffer
	c := &Config{Scenarios: Scenarios(), Servers: []Server{passer}, Rounds: 2, IdleRounds: 1, Seconds: 0.005, Program: "none is needed", Log: &log}
	for i := range c.Scenarios {
		if c.Scenarios[i].Kind == load.IdleMemory {
			c.Scenarios[i].Conns, c.Scenarios[i].Rest = 50, time.Millisecond
		}
	}
	d, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*len(c.Scenarios) - 1; len(d.Runs) != want || strings.Count(log.String(), "\n") != want {
		t.Errorf("%d runs, want %d, log:\n%s", len(d.Runs), want, &log)
	}
	for _, r := range d.Runs {
		if r.Error != "" || r.Result.Messages == 0 && r.Result.Idle == nil {
			t.Errorf("%s: %+v", r.Scenario, r)
		}
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for _, c := range []Config{{Rounds: 0, Seconds: 1}, {Rounds: 1, Seconds: 0}} {
		if _, err := c.Run(); err == nil {
			t.Errorf("%d rounds of %g seconds passed", c.Rounds, c.Seconds)
		}
	}
}

func TestMissingProxy(t *testing.T) {
	_, err := (&Config{dir: t.TempDir()}).start(Server{Name: "none", program: "no-such-proxy"})
	if err == nil || !strings.Contains(err.Error(), "make bench-proxy") {
		t.Errorf("%v", err)
	}
}
