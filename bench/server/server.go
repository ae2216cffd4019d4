// Package server holds the servers that the benchmark compares: ours, other WebSocket libraries of the Go world, node's
// ws, and two that parse nothing and are the limit. Each is used as its authors advise for speed, echoes on /echo and
// sends what it gets to all on /broadcast, and runs in a process of its own.
//
// None of them is an example of how to write a server: they check no origins and bound nothing.
package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
)

// Mode is how a server is to treat permessage-deflate.
type Mode uint8

// The modes: no compression, compression without and with context takeover.
const (
	Plain Mode = iota
	NoTakeover
	Takeover
)

// String returns the mode as the flag of "bench serve" has it.
func (m Mode) String() string { return [...]string{"plain", "nct", "ct"}[m] }

// ParseMode returns the mode of a flag's text.
func ParseMode(text string) (Mode, error) {
	for _, m := range []Mode{Plain, NoTakeover, Takeover} {
		if m.String() == text {
			return m, nil
		}
	}
	return 0, fmt.Errorf("there is no mode %q; there are plain, nct and ct", text)
}

// Paths that every server answers.
const (
	echoPath      = "/echo"
	broadcastPath = "/broadcast"
)

// Server is one of the compared servers.
type Server struct {
	Name  string // for flags and tables
	About string // what it is, for people
	// Module is the path of its Go module, for the version in the report; empty when it is part of this benchmark.
	Module string
	// Raw servers parse no frames.
	Raw bool
	// Ours marks the engine that the benchmark is about.
	Ours bool
	// Script, if set, is what node is to run instead of this program.
	Script string
	// Modes beyond Plain that the server can do.
	Modes []Mode
	// NoBroadcast marks servers without a broadcast.
	NoBroadcast bool

	serve func(l net.Listener, m Mode) error // until the process ends
}

// Can reports whether the server has a mode.
func (s Server) Can(m Mode) bool { return m == Plain || slices.Contains(s.Modes, m) }

// All returns all servers in the order of the report.
func All() []Server {
	both := []Mode{NoTakeover, Takeover}
	one := []Mode{NoTakeover}
	return []Server{
		{Name: "raw-epoll", About: "TCP echo in Go on epoll that parses nothing after the HTTP upgrade: the limit", Raw: true, serve: rawEpoll},
		{Name: "raw-net", About: "TCP echo in Go, a goroutine for each connection, that parses nothing after the HTTP upgrade", Raw: true, NoBroadcast: true, serve: rawNet},
		{Name: "rolemgr", About: "this engine, poller driver", Ours: true, Modes: both, serve: oursPoller},
		{Name: "rolemgr-goroutine", About: "this engine, goroutine driver", Ours: true, Modes: both, serve: oursGoroutine},
		{Name: "gobwas", About: "gobwas/ws below its own helpers: own loop, replies gathered by hand", Module: "github.com/gobwas/ws", Modes: one, serve: gobwas},
		{Name: "gws", About: "lxzan/gws", Module: "github.com/lxzan/gws", Modes: both, serve: gwsServer},
		{Name: "gorilla", About: "gorilla/websocket", Module: "github.com/gorilla/websocket", Modes: one, serve: gorilla},
		{Name: "fasthttp", About: "fasthttp/websocket", Module: "github.com/fasthttp/websocket", Modes: one, serve: fastHTTP},
		{Name: "coder", About: "coder/websocket", Module: "github.com/coder/websocket", Modes: both, serve: coder},
		{Name: "ws-node", About: "ws for node", Script: "server.mjs", Modes: both},
	}
}

// Choose returns the servers named in a comma-separated list, in the list's order; all when it is empty.
func Choose(names string) ([]Server, error) {
	all := All()
	if names == "" {
		return all, nil
	}
	var chosen []Server
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(all, func(s Server) bool { return s.Name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no server %q; there are %s", name, strings.Join(serverNames(all), ", "))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// serverNames returns the names of servers.
func serverNames(all []Server) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	return names
}

// Run runs a server in this process: it prints "listening HOST:PORT" to out, answers each line "gc" of in with "done"
// after a garbage collection that returned memory to the system, and ends when in does.
func Run(s Server, m Mode, in io.Reader, out io.Writer) error {
	if s.serve == nil {
		return fmt.Errorf("%s is not a server of this program", s.Name)
	}
	if !s.Can(m) {
		return fmt.Errorf("%s has no mode %s", s.Name, m)
	}
	runtime.GOMAXPROCS(1)
	// No keep-alive: it would cost every Go server the same four system calls a connection.
	lc := net.ListenConfig{KeepAlive: -1}
	l, err := lc.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	failed := make(chan error, 2)
	go func() { failed <- s.serve(l, m) }()
	if _, err := fmt.Fprintf(out, "listening %s\n", l.Addr()); err != nil {
		return fmt.Errorf("telling the address: %w", err)
	}
	go func() { failed <- obey(in, out) }()
	return <-failed
}

// obey carries out the commands that come in.
func obey(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		if lines.Text() != "gc" {
			return fmt.Errorf("unknown command %q", lines.Text())
		}
		debug.FreeOSMemory()
		if _, err := fmt.Fprintln(out, "done"); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	return lines.Err()
}

// serveHTTP runs net/http with a handler for each path.
func serveHTTP(l net.Listener, echo, broadcast http.HandlerFunc) error {
	mux := http.NewServeMux()
	mux.HandleFunc(echoPath, echo)
	mux.HandleFunc(broadcastPath, broadcast)
	return (&http.Server{Handler: mux}).Serve(l)
}

// note reports what went wrong with one connection. A connection that the load ends is no news: reports are for
// refused handshakes and the like.
func note(name string, err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
}

// room is a set of connections that get what any of them sends.
type room[C comparable] struct {
	mu      sync.Mutex
	members []C
}

// join adds a connection.
func (r *room[C]) join(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = append(r.members, c)
}

// leave removes a connection.
func (r *room[C]) leave(c C) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.members, c); i >= 0 {
		r.members = slices.Delete(r.members, i, i+1)
	}
}

// each calls f for every connection, one after the other and for nobody else at the same time.
func (r *room[C]) each(f func(C)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.members {
		f(c)
	}
}
