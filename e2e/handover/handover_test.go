//go:build e2e && linux && !race

package handover

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// moving is one run: clients that talk while their connections move.
type moving struct {
	drivers     [2]ws.Driver
	connections int
	programs    int // that the connections are spread over
	slow        int // every slow-th connection does not always read
	rounds      int
	spoil       func(snapshot map[string]any) // nil for none
}

// heard is what the clients say.
type heard struct {
	Messages  int            `json:"messages"`
	Fragments int            `json:"fragments"`
	Wrong     int            `json:"wrong"`
	Lost      int            `json:"lost"`
	Closed    int            `json:"closed"`
	Errors    map[string]int `json:"errors"`
}

// outcome is what is known after a run.
type outcome struct {
	heard
	moved, between                             int // moves, and messages that were taken between the first and the last
	unread, unfinished, inflating, queued, out int // snapshots that had some
	refused, ended                             int // replies that could not be written, sockets that ended early
}

// check reports what is wrong; the same check must find the fault of the negative control.
func (o *outcome) check(m moving) error {
	if o.Lost+o.Wrong+o.Closed+o.refused+o.ended > 0 || o.moved != m.connections*m.rounds {
		return fmt.Errorf("%d lost, %d wrong, %d closed, %d refused, %d ended, %d of %d moves: %v",
			o.Lost, o.Wrong, o.Closed, o.refused, o.ended, o.moved, m.connections*m.rounds, o.Errors)
	}
	return nil
}

// fleet is the server: two engines, and the sockets by their names.
type fleet struct {
	t     *testing.T
	sides [2]*ws.Upgrader
	wire  *passage

	mu      sync.Mutex
	sockets map[string]*ws.Socket
	out     outcome
	quiet   bool // sockets may end now
}

func newFleet(t *testing.T, m moving) (*fleet, string) {
	f := &fleet{t: t, sockets: map[string]*ws.Socket{}, wire: newPassage(t)}
	for i := range f.sides {
		f.sides[i] = &ws.Upgrader{
			Driver: m.drivers[i], Engine: new(ws.Engine), Compression: &ws.Compression{MinSize: -1},
			Limits: ws.Limits{QueueSize: 8 << 20, WriteTimeout: time.Minute},
		}
	}
	next := 0
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := f.sides[0].ServeWith(w, r, func(*ws.Socket) ws.Handler { return f })
		if err != nil {
			t.Error(err)
			return
		}
		if !s.Compressed() {
			t.Error("permessage-deflate was not agreed on")
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		name := strconv.Itoa(next)
		next++
		s.SetExtra([]byte(name))
		f.sockets[name] = s
	}))
	// A small buffer of the kernel's: what a client does not read waits in the engine.
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(32 << 10)
		return ctx
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return f, "ws" + strings.TrimPrefix(srv.URL, "http")
}

func (f *fleet) Opened(*ws.Socket) {}

func (f *fleet) Message(s *ws.Socket, op frame.Opcode, p []byte) {
	if err := s.Write(op, p); err != nil {
		f.mu.Lock()
		f.out.refused++
		f.mu.Unlock()
	}
}

func (f *fleet) Closed(_ *ws.Socket, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !errors.Is(err, ws.ErrDetached) && !f.quiet {
		f.out.ended++
		if f.out.ended < 4 {
			f.t.Logf("a socket ended: %v", err)
		}
	}
}

// move takes one socket to the other engine, the whole way: out, as JSON and a descriptor through a socket of the
// kernel's, and in.
func (f *fleet) move(name string, to int, spoil func(map[string]any)) error {
	f.mu.Lock()
	s := f.sockets[name]
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	line, snap, err := s.Detach(ctx)
	if err != nil {
		return err
	}
	text, err := json.Marshal(snap)
	if err != nil {
		return err
	}
	if spoil != nil {
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			return err
		}
		spoil(fields)
		if text, err = json.Marshal(fields); err != nil {
			return err
		}
	}
	arrived, text, err := f.wire.pass(line, text)
	if err != nil {
		return err
	}
	again := new(ws.Snapshot)
	if err := json.Unmarshal(text, again); err != nil {
		return err
	}
	if string(again.Extra) != name {
		return fmt.Errorf("socket %s arrived as %q", name, again.Extra)
	}
	s, err = f.sides[to].Restore(arrived, again, f)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sockets[name] = s
	f.out.note(again)
	return nil
}

// note counts what a snapshot had in it.
func (o *outcome) note(s *ws.Snapshot) {
	o.moved++
	r := &s.Receiver
	for _, c := range []struct {
		n  *int
		is bool
	}{
		{&o.unread, len(s.Unread) > 0}, {&o.queued, len(s.Queued) > 0}, {&o.unfinished, r.InMessage || len(r.Frame) > 0 || len(r.Head) > 0},
		{&o.inflating, len(r.Inflate) > 0}, {&o.out, len(s.Compression.Send) > 0 && len(s.Compression.Receive) > 0},
	} {
		if c.is {
			*c.n++
		}
	}
}

// taken returns how many messages the engines have taken.
func (f *fleet) taken() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.sockets {
		n += int(s.Counts().MessagesIn)
	}
	return n
}

func (f *fleet) ended() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.ended
}

// talk waits until each connection has brought so many messages more, on the average.
func (f *fleet) talk(m moving, each int) error {
	from := f.taken()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		switch n := f.taken() - from; {
		case n >= each*m.connections:
			return nil
		case f.ended() > 0:
			return fmt.Errorf("%d sockets have ended", f.ended())
		case time.Now().After(deadline):
			return fmt.Errorf("only %d messages came", n)
		}
	}
}

// rounds moves every socket so many times, two at once, with traffic between, and stops at the first that cannot be
// moved.
func (f *fleet) rounds(m moving) error {
	if err := f.talk(m, 5); err != nil {
		return err
	}
	before := f.taken()
	for round := range m.rounds {
		if err := f.talk(m, 1); err != nil {
			return err
		}
		names := make(chan string, m.connections)
		for i := range m.connections {
			names <- strconv.Itoa(i)
		}
		close(names)
		errs := make(chan error, 2)
		for range cap(errs) {
			go func() {
				for name := range names {
					if err := f.move(name, 1-round%2, m.spoil); err != nil {
						errs <- fmt.Errorf("round %d, socket %s: %w", round, name, err)
						return
					}
				}
				errs <- nil
			}()
		}
		if err := errors.Join(<-errs, <-errs); err != nil {
			return err
		}
	}
	f.out.between = f.taken() - before
	return nil
}

// client is a program that talks.
type client struct {
	in  io.Closer
	out *bufio.Scanner
	cmd *exec.Cmd
}

func startClient(t *testing.T, url string, connections, slow int) *client {
	t.Helper()
	for _, need := range []func() error{
		func() error { _, err := exec.LookPath("node"); return err },
		func() error { _, err := os.Stat("../node_modules/ws"); return err },
	} {
		if err := need(); err != nil {
			t.Fatalf("%v; run \"make deps\"", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "node", "peers/talk.mjs", url, strconv.Itoa(connections), strconv.Itoa(slow))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		cancel()
		_ = cmd.Wait() // an error is told by what the program has not said
	})
	return &client{in, bufio.NewScanner(out), cmd}
}

func (c *client) say(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatalf("the client has ended: %v", c.out.Err())
	}
	return c.out.Text()
}

// run has the clients talk, moves their connections, and sums up.
func (m moving) run(t *testing.T) *outcome {
	t.Helper()
	f, url := newFleet(t, m)
	var clients []*client
	for range m.programs {
		clients = append(clients, startClient(t, url, m.connections/m.programs, m.slow))
	}
	for _, c := range clients {
		if got := c.say(t); got != "open" {
			t.Fatal(got)
		}
	}
	start := time.Now()
	err := f.rounds(m)
	took := time.Since(start)
	f.mu.Lock()
	f.quiet = true
	f.mu.Unlock()
	if err != nil {
		t.Log(err)
	}
	f.out.Errors = map[string]int{}
	for _, c := range clients {
		_ = c.in.Close()
	}
	for _, c := range clients {
		var h heard
		if err := json.Unmarshal([]byte(c.say(t)), &h); err != nil {
			t.Fatal(err)
		}
		f.out.Messages += h.Messages
		f.out.Fragments += h.Fragments
		f.out.Wrong += h.Wrong
		f.out.Lost += h.Lost
		f.out.Closed += h.Closed
		for what, n := range h.Errors {
			f.out.Errors[what] += n
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	o := f.out
	t.Logf("%d messages checked, %d of them while %d moves took %v; snapshots with windows %d, unread bytes %d, an unfinished message %d, one inflated in part %d, queued writes %d",
		o.Messages, o.between, o.moved, took.Round(time.Millisecond), o.out, o.unread, o.unfinished, o.inflating, o.queued)
	return &o
}

func TestHandOver(t *testing.T) {
	for _, tt := range []struct {
		name string
		moving
	}{
		{"1000 between pollers", moving{[2]ws.Driver{ws.Automatic, ws.Automatic}, 1000, 4, 25, 10, nil}},
		{"100 between goroutines", moving{[2]ws.Driver{ws.Goroutine, ws.Goroutine}, 100, 1, 10, 10, nil}},
		{"100 between a poller and goroutines", moving{[2]ws.Driver{ws.Automatic, ws.Goroutine}, 100, 1, 10, 10, nil}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := tt.run(t)
			if err := o.check(tt.moving); err != nil {
				t.Error(err)
			}
			// A run without traffic, or that moves idle connections only, proves nothing.
			if o.between < o.moved || o.out < o.moved/2 || o.unfinished == 0 || o.inflating == 0 || o.queued == 0 {
				t.Errorf("too little was going on: %+v", o)
			}
		})
	}
}

// TestHandOverWithoutWindows is the negative control: the check must find the fault when the inbound window is left
// behind.
func TestHandOverWithoutWindows(t *testing.T) {
	for _, driver := range []ws.Driver{ws.Automatic, ws.Goroutine} {
		m := moving{[2]ws.Driver{driver, driver}, 50, 1, 0, 2, func(s map[string]any) {
			delete(s["compression"].(map[string]any), "receive")
		}}
		o := m.run(t)
		if err := o.check(m); err == nil || o.Wrong+o.Closed == 0 {
			t.Errorf("driver %d: windows were dropped and nobody noticed: %+v", driver, o)
		} else {
			t.Logf("as it must be: %v", err)
		}
	}
}
