package rounds

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/bench/load"
	"github.com/rolemgr/rolemgr/bench/proc"
	"github.com/rolemgr/rolemgr/bench/server"
)

// TestMain makes the test program a server when it is started as one, as "bench serve" does.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == "serve" {
		mode, err := server.ParseMode(os.Args[3])
		if err != nil {
			panic(err)
		}
		chosen, err := server.Choose(os.Args[4])
		if err != nil {
			panic(err)
		}
		if err := server.Run(chosen[0], mode, os.Stdin, os.Stdout); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// small returns all scenarios with few connections.
func small(t *testing.T) []load.Scenario {
	t.Helper()
	if _, _, err := proc.Two(); err != nil {
		t.Skip(err)
	}
	t.Setenv("GORACE", "atexit_sleep_ms=0") // servers built with the race detector would sleep a second at their end
	all := load.Scenarios()
	for i := range all {
		all[i].Conns = min(all[i].Conns, 8)
	}
	return all
}

func TestEveryServerDoesEveryScenario(t *testing.T) {
	var log bytes.Buffer
	c := &Config{Rounds: 1, Seconds: 0.01, NodeDir: "../node", Log: &log}
	for _, s := range small(t) {
		if s.Kind != load.Echo || s.Name == "p16s" || s.Name == "1m" { // the others differ from p16s in numbers only
			c.Scenarios = append(c.Scenarios, s)
		}
	}
	for _, s := range server.All() {
		if err := c.Available(s); err != nil {
			t.Log(err)
			continue
		}
		c.Servers = append(c.Servers, s)
	}
	d, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	done := map[string]int{}
	for _, r := range d.Runs {
		done[r.Server]++
		if r.Error != "" {
			t.Errorf("%s, %s: %s", r.Server, r.Scenario, r.Error)
		} else if r.Result.Checked == 0 {
			t.Errorf("%s, %s: nothing was checked", r.Server, r.Scenario)
		}
	}
	for _, s := range c.Servers {
		want := 5 + len(s.Modes) // without compression: p16s, 1m, broadcast, connect, idle
		if s.NoBroadcast {
			want--
		}
		if s.Ours || s.Name == "ws-node" {
			want++ // the others decline smaller windows
		}
		if done[s.Name] != want {
			t.Errorf("%s has done %d scenarios, want %d", s.Name, done[s.Name], want)
		}
	}
	if n := strings.Count(log.String(), "\n") - strings.Count(log.String(), "declined: "); n != len(d.Runs) {
		t.Errorf("%d lines for %d runs", n, len(d.Runs))
	}
}

func TestOrderTurns(t *testing.T) {
	servers, err := server.Choose("raw-epoll,raw-net,gws")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	c := &Config{Scenarios: small(t)[:1], Servers: servers, Rounds: 3, Seconds: 0.001, Log: &log}
	d, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	order := ""
	for _, r := range d.Runs {
		order += r.Server + " "
	}
	if want := "raw-epoll raw-net gws raw-net gws raw-epoll gws raw-epoll raw-net "; order != want {
		t.Errorf("the order was %s", order)
	}
}

func TestMissingPeer(t *testing.T) {
	servers, err := server.Choose("ws-node")
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{NodeDir: t.TempDir()}
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	expect := func(want string) {
		t.Helper()
		if err := c.Available(servers[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	expect("install Node.js 20 or later, or leave ws-node out with -servers")
	if err := os.WriteFile(filepath.Join(bin, "node"), []byte("#!/bin/sh\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	expect("run this in the folder bench")
	if err := os.WriteFile(filepath.Join(c.NodeDir, "server.mjs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(`run "npm ci" in ` + c.NodeDir)
	if err := os.MkdirAll(filepath.Join(c.NodeDir, "node_modules", "ws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := c.Available(servers[0]); err != nil {
		t.Error(err)
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	scenarios := small(t)
	var log bytes.Buffer
	bin, node := t.TempDir(), t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	if err := os.WriteFile(filepath.Join(bin, "node"), []byte("#!/bin/sh\necho no such flag >&2\nexit 9\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(node, "server.mjs"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(node, "node_modules", "ws"), 0o700); err != nil {
		t.Fatal(err)
	}
	servers, err := server.Choose("ws-node,raw-net")
	if err != nil {
		t.Fatal(err)
	}
	c := &Config{Scenarios: scenarios[:1], Servers: servers, Rounds: 1, Seconds: 0.001, NodeDir: node, Log: &log}
	d, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Runs) != 2 || !strings.Contains(d.Runs[0].Error, "starting ws-node: it has ended; it says: no such flag") || d.Runs[1].Error != "" {
		t.Errorf("%+v", d.Runs)
	}
}

func TestRunRefusesNonsense(t *testing.T) {
	for _, c := range []Config{{Rounds: 0, Seconds: 1}, {Rounds: 1, Seconds: 0}} {
		if _, err := c.Run(); err == nil {
			t.Errorf("%d rounds of %g seconds passed", c.Rounds, c.Seconds)
		}
	}
}
