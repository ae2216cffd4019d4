package websocketendpoints

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// server serves each connection with f.
func server(t *testing.T, network, address string, f func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				f(c)
			}()
		}
	}()
	return l
}

func echoServer(t *testing.T) string {
	return server(t, "tcp", "127.0.0.1:0", func(c net.Conn) { _, _ = io.Copy(c, c) }).Addr().String()
}

func TestBridge(t *testing.T) {
	unix := filepath.Join(t.TempDir(), "s")
	server(t, "unix", unix, func(c net.Conn) { _, _ = io.Copy(c, c) })
	for _, target := range []string{echoServer(t), "unix:" + unix} {
		st := newStage(t, typeTCP, endpoint{Target: target})
		c := open(t, st.url, &ws.DialOptions{Subprotocols: []string{"base64", "binary"}})
		if c.Subprotocol() != "binary" {
			t.Errorf("subprotocol %q", c.Subprotocol())
		}
		sent := bytes.Repeat([]byte("\x00\xff\n"), 1<<20)
		if err := c.Write(context20(t), frame.Binary, sent); err != nil {
			t.Fatal(err)
		}
		var got []byte
		for len(got) < len(sent) {
			op, p, err := c.Read(context20(t))
			if err != nil || op != frame.Binary {
				t.Fatal(op, err)
			}
			got = append(got, p...)
		}
		if !bytes.Equal(got, sent) {
			t.Error("other bytes came back")
		}
		if err := c.Close(frame.NormalClosure, ""); err != nil {
			t.Error(err)
		}
	}
}

// Each side's last bytes reach the other although it closes at once.
func TestHalfClose(t *testing.T) {
	got := make(chan string, 1)
	l := server(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		_, _ = c.Write([]byte("bye"))
		_ = c.(*net.TCPConn).CloseWrite()
		b, _ := io.ReadAll(c)
		got <- string(b)
	})
	st := newStage(t, typeTCP, endpoint{Target: l.Addr().String()})
	c := open(t, st.url, nil)
	if err := c.Write(context20(t), frame.Binary, []byte("and from here")); err != nil {
		t.Fatal(err)
	}
	hear(t, c, "bye")
	if code, _ := closed(t, c); code != frame.NormalClosure {
		t.Errorf("close code %d", code)
	}
	if s := <-got; s != "and from here" {
		t.Errorf("the server got %q", s)
	}

	l = server(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		b, _ := io.ReadAll(c)
		got <- string(b)
	})
	st = newStage(t, typeTCP, endpoint{Target: l.Addr().String()})
	c = open(t, st.url, nil)
	if err := c.Write(context20(t), frame.Binary, bytes.Repeat([]byte("x"), 3<<20)); err != nil {
		t.Fatal(err)
	}
	_ = c.Close(frame.NormalClosure, "")
	if s := <-got; len(s) != 3<<20 {
		t.Errorf("the server got %d bytes of what was sent before the end", len(s))
	}
}

func TestTargets(t *testing.T) {
	one, two := echoServer(t), echoServer(t)
	for _, c := range []struct {
		e     endpoint
		query string
		want  int
	}{
		{endpoint{Target: one}, "", 101},
		{endpoint{Target: one}, "?target=" + two, 101}, // not looked at
		{endpoint{Allowed: one + ", " + two}, "?target=" + two, 101},
		{endpoint{Allowed: one}, "?target=" + two, 403},
		{endpoint{Allowed: one}, "?target=", 403},
		{endpoint{Allowed: one}, "", 400},
		{endpoint{Allowed: one}, "?target=" + one + "&target=" + one, 400},
		{endpoint{Allowed: one, Target: two}, "", 101},
		{endpoint{Allowed: one, Target: two}, "?target=" + two, 403},
		{endpoint{Allowed: one, Parameter: "to"}, "?to=" + one, 101},
		{endpoint{Allowed: one, Parameter: "to"}, "?target=" + one, 400},
		{endpoint{Allowed: one + ",,"}, "?target=,", 403},
		{endpoint{Target: "unix:/nowhere/at/all"}, "", 502},
	} {
		st := newStage(t, typeTCP, c.e)
		if got := refused(t, st.url+c.query); got != c.want {
			t.Errorf("%+v %q: %d, want %d", c.e, c.query, got, c.want)
		}
	}
}

func TestTargetThatDoesNotAnswer(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a time limit")
	}
	// A listener whose queue is full drops what comes: there is no answer to connect.
	l, full := fullListener(t)
	if !full {
		t.Skip("this system takes any number of connections")
	}
	st := newStage(t, typeTCP, endpoint{Target: l, Timeout: 100 * time.Millisecond, Max: 1})
	for range 2 { // the place is given back
		if got := refused(t, st.url); got != 504 {
			t.Errorf("%d, want 504", got)
		}
	}
}

// A server that does not read makes the client wait; one that breaks the line is told of.
func TestServerThatDoesNotRead(t *testing.T) {
	stop := make(chan struct{})
	l := server(t, "tcp", "127.0.0.1:0", func(net.Conn) { <-stop })
	defer close(stop)
	st := newStage(t, typeTCP, endpoint{Target: l.Addr().String(), Max: 1})
	flood(t, open(t, st.url, nil))
	eventually(t, "the place is free", func() bool { return refused(t, st.url) == 101 })
}

func TestServerThatBreaks(t *testing.T) {
	l := server(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_ = c.(*net.TCPConn).SetLinger(0) // a reset
	})
	st := newStage(t, typeTCP, endpoint{Target: l.Addr().String()})
	c := open(t, st.url, nil)
	say(t, c, "x")
	if code, reason := closed(t, c); code != frame.InternalError || !strings.Contains(reason, "target") {
		t.Error(code, reason)
	}
}

// A client that does not read makes the server wait.
func TestServerThatFloods(t *testing.T) {
	sent := make(chan int64, 1)
	l := server(t, "tcp", "127.0.0.1:0", func(c net.Conn) {
		n, _ := io.Copy(c, io.LimitReader(zeros{}, 256<<20))
		sent <- n
	})
	st := newStage(t, typeTCP, endpoint{Target: l.Addr().String()})
	c := open(t, st.url, nil)
	select {
	case <-time.After(time.Second):
	case n := <-sent:
		t.Errorf("%d bytes went to a client that reads nothing", n)
		return
	}
	c.Cut()
	if n := <-sent; n > 64<<20 {
		t.Errorf("%d bytes went to a client that read nothing", n)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
