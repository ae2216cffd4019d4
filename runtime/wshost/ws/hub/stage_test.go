package hub

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// callbacks is a ws.Handler made of functions, each of which may be nil.
type callbacks struct {
	opened  func(*ws.Socket)
	message func(*ws.Socket, frame.Opcode, []byte)
	closed  func(*ws.Socket, error)
}

func (c callbacks) Opened(s *ws.Socket) {
	if c.opened != nil {
		c.opened(s)
	}
}

func (c callbacks) Message(s *ws.Socket, op frame.Opcode, p []byte) {
	if c.message != nil {
		c.message(s, op, p)
	}
}

func (c callbacks) Closed(s *ws.Socket, err error) {
	if c.closed != nil {
		c.closed(s, err)
	}
}

// everyDriver runs a test on both drivers.
func everyDriver(t *testing.T, test func(*testing.T, ws.Driver)) {
	for name, d := range map[string]ws.Driver{"poller": ws.Automatic, "goroutine": ws.Goroutine} {
		t.Run(name, func(t *testing.T) { test(t, d) })
	}
}

// stage is a server of sockets.
type stage struct {
	url     string
	sockets chan *ws.Socket
	ends    chan error
}

// stand serves sockets whose ends of the line have small buffers, so that a peer that does not read is soon noticed.
func stand(t testing.TB, u *ws.Upgrader, c callbacks) *stage {
	t.Helper()
	st := &stage{sockets: make(chan *ws.Socket, 2048), ends: make(chan error, 2048)}
	var open sync.WaitGroup
	opened, closed := c.opened, c.closed
	c.opened = func(s *ws.Socket) {
		if opened != nil {
			opened(s)
		}
		st.sockets <- s
	}
	c.closed = func(s *ws.Socket, err error) {
		if closed != nil {
			closed(s, err)
		}
		s.OnEnd(open.Done)
		st.ends <- err
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		if u.Serve(w, r, c) != nil {
			open.Done()
		}
	}))
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		_ = c.(*net.TCPConn).SetWriteBuffer(16 << 10)
		return ctx
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Close()
		open.Wait()
	})
	st.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return st
}

// client is a peer: its connection, the line below that, and the socket at the other end.
type client struct {
	*ws.Conn
	line   *net.TCPConn
	socket *ws.Socket
}

func (st *stage) join(t testing.TB, o ws.DialOptions) client {
	t.Helper()
	var c client
	o.NetDial = func(ctx context.Context, network, address string) (net.Conn, error) {
		line, err := new(net.Dialer).DialContext(ctx, network, address)
		if err == nil {
			c.line = line.(*net.TCPConn)
			_ = c.line.SetReadBuffer(16 << 10)
		}
		return line, err
	}
	conn, _, err := ws.Dial(context.Background(), st.url, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Cut)
	c.Conn, c.socket = conn, await(t, st.sockets)
	return c
}

func await[T any](t testing.TB, from <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing came")
	}
	return v
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("in vain: ", what)
		}
	}
}

func (c client) hear(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, p, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func (c client) say(t testing.TB, text string) {
	t.Helper()
	if err := c.Write(context.Background(), frame.Text, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func publish(t testing.TB, h *Hub, room, text string) {
	t.Helper()
	if err := h.Publish(room, frame.Text, []byte(text)); err != nil {
		t.Error(err)
	}
}
