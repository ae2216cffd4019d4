package ws

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// settling is an engine with one loop and a client that talks to it in frames of one byte.
type settling struct {
	t      *testing.T
	engine Engine
	addr   string
	opened chan *Socket
	closed chan error
	s      *Socket // the newest
	line   net.Conn
}

func (e *settling) Opened(*Socket)                               {}
func (e *settling) Message(s *Socket, op frame.Opcode, p []byte) { _ = s.Write(op, p) }
func (e *settling) Closed(_ *Socket, err error)                  { e.closed <- err }
func (e *settling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u := &Upgrader{Engine: &e.engine}
	if _, err := u.ServeWith(w, r, func(s *Socket) Handler { e.opened <- s; return e }); err != nil {
		e.t.Error(err)
	}
}

func newSettling(t *testing.T) *settling {
	t.Helper()
	if !poller.Supported {
		t.Skip("there is no poller on this system")
	}
	e := &settling{t: t, engine: Engine{Loops: 1}, opened: make(chan *Socket, 1), closed: make(chan error, 4*freshMost)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: e}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
	e.addr = l.Addr().String()
	e.dial()
	t.Cleanup(func() { _ = e.line.Close() })
	return e
}

// dial opens a connection that the engine has.
func (e *settling) dial() {
	t := e.t
	t.Helper()
	var err error
	if e.line, err = net.Dial("tcp", e.addr); err != nil {
		t.Fatal(err)
	}
	if err := e.line.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	request := "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if _, err := io.WriteString(e.line, request); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 129) // of the answer
	if _, err := io.ReadFull(e.line, b); err != nil {
		t.Fatalf("%v after %q", err, b)
	}
	e.s = <-e.opened
	e.echo() // the answer goes out before the engine has the socket
}

// echo sends one letter and wants it back.
func (e *settling) echo() {
	e.t.Helper()
	b := make([]byte, 3)
	if _, err := e.line.Write([]byte{0x81, 0x81, 0, 0, 0, 0, 'x'}); err != nil {
		e.t.Fatal(err)
	}
	if _, err := io.ReadFull(e.line, b); err != nil || string(b) != "\x81\x01x" {
		e.t.Fatalf("%q, %v", b, err)
	}
}

// ask has the loop say how many lines are the Go scheduler's, and which descriptor the socket has.
func (e *settling) ask() (fresh int, fd int32) {
	e.engine.mu.Lock()
	l := e.engine.loops[0]
	e.engine.mu.Unlock()
	said := make(chan [2]int, 1)
	l.inbox.Post(task{do: func() { said <- [2]int{len(l.fresh), int(e.s.fd)} }})
	got := <-said
	return got[0], int32(got[1])
}

// settled echoes until the line is the engine's own.
func (e *settling) settled() (fd int32) {
	e.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		e.echo()
		if n, fd := e.ask(); n == 0 {
			return fd
		}
	}
	e.t.Fatal("the line stays with the Go scheduler")
	return 0
}

// A line becomes the engine's own at the first sweep, between two messages, and nobody notices; so it can be detached
// before and after, and cut.
func TestLinesSettle(t *testing.T) {
	e := newSettling(t)
	e.echo()
	before, was := e.ask()
	if fd := e.settled(); before == 1 && fd == was { // a slow machine may settle before the question
		t.Errorf("descriptor %d has settled as itself", fd)
	}
	for range 100 {
		e.echo()
	}
	line, snap, err := e.s.Detach(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if e.s, err = (&Upgrader{Engine: &e.engine}).Restore(line, snap, e); err != nil {
		t.Fatal(err)
	}
	e.echo()
	e.settled()
	e.s.Cut()
	if n, err := e.line.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("after Cut: %d, %v", n, err)
	}
}

// When the process can open no more files a line stays as it is and works; later it settles.
func TestLinesSettleLater(t *testing.T) {
	e := newSettling(t)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0 // what is open stays open
	restore := func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Error(err)
		}
	}
	fresh := 0
	for range 50 { // a slow machine may settle a line before the limit holds
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
			t.Fatal(err)
		}
		if fresh, _ = e.ask(); fresh == 1 {
			break
		}
		restore()
		_ = e.line.Close()
		<-e.closed
		e.dial()
	}
	if fresh != 1 {
		restore()
		t.Fatal("every line has settled at once")
	}
	for end := time.Now().Add(time.Second); time.Now().Before(end); { // some sweeps
		e.echo()
	}
	n, fd := e.ask()
	restore()
	if n != 1 {
		t.Errorf("%d lines are the scheduler's, descriptor %d: it cannot have settled", n, fd)
	}
	e.settled()
	for range 10 {
		e.echo()
	}
}

// Where many lines open at a time they do not wait for the sweep.
func TestManyLinesSettleAtOnce(t *testing.T) {
	e := newSettling(t)
	var lines []net.Conn
	defer func() {
		for _, line := range lines {
			_ = line.Close()
		}
	}()
	for range 3 * freshMost {
		e.dial()
		lines = append(lines, e.line)
		if n, _ := e.ask(); n > freshMost {
			t.Fatalf("%d lines are the scheduler's, want %d at most", n, freshMost)
		}
	}
	for _, e.line = range lines {
		e.echo()
	}
}

// Connections that end before the first sweep leave nothing behind: no line, no descriptor.
func TestShortLives(t *testing.T) {
	e := newSettling(t)
	first := e.line
	defer func() { _ = first.Close() }()
	e.settled()
	files := func() int {
		names, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("there is no /proc here")
		}
		return len(names)
	}
	before := files()
	for range 300 {
		e.dial()
		e.echo()
		_ = e.line.Close()
		if err := <-e.closed; err == nil {
			t.Error("ended without a reason")
		}
	}
	if n, _ := e.ask(); n != 0 {
		t.Errorf("%d lines of connections that are over are kept", n)
	}
	if after := files(); after > before+5 { // the Go runtime may have opened some of its own
		t.Errorf("%d files are open, %d before", after, before)
	}
}
