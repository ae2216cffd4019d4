package tunnel

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"
)

// pair returns the two ends of a TCP line.
func pair(t testing.TB) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	there, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, err = ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { here.Close(); there.Close() })
	return here, there
}

// opaque hides that a line is plain TCP.
type opaque struct{ net.Conn }

func (o opaque) CloseWrite() error { return o.Conn.(*net.TCPConn).CloseWrite() }

// wrapped is a line of an owner who keeps account of it.
type wrapped struct {
	net.Conn
	mu     sync.Mutex
	cut    func()
	closed chan struct{}
	once   sync.Once
}

func (w *wrapped) Take(cut func()) *net.TCPConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	return w.Conn.(*net.TCPConn)
}

func (w *wrapped) Close() error {
	w.mu.Lock()
	cut := w.cut
	w.mu.Unlock()
	if cut != nil {
		cut()
	}
	w.once.Do(func() { close(w.closed) })
	return w.Conn.Close()
}

// ways are the forms that a client's line can have.
func ways() map[string]func(net.Conn) net.Conn {
	return map[string]func(net.Conn) net.Conn{
		"loop":      func(c net.Conn) net.Conn { return c },
		"wrapped":   func(c net.Conn) net.Conn { return &wrapped{Conn: c, closed: make(chan struct{})} },
		"goroutine": func(c net.Conn) net.Conn { return opaque{c} },
	}
}

func wait(t *testing.T, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		buf := make([]byte, 1<<20)
		t.Fatalf("%s: not in time\n%s", what, buf[:runtime.Stack(buf, true)])
	}
}

func TestCarriesBothWays(t *testing.T) {
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			var e Engine
			client, user := pair(t)
			server, app := pair(t)
			ended := make(chan Counts, 1)
			tun := e.Start(way(client), server, []byte("hello "), []byte("GET "), func(c Counts) { ended <- c })
			var wg sync.WaitGroup
			up, down := make([]byte, 8<<20), make([]byte, 3<<20)
			r := rand.NewChaCha8([32]byte{1})
			r.Read(up)
			r.Read(down)
			send := func(c net.Conn, b []byte) {
				defer wg.Done()
				if _, err := c.Write(b); err != nil {
					t.Error(err)
				}
				if err := c.(*net.TCPConn).CloseWrite(); err != nil {
					t.Error(err)
				}
			}
			check := func(c net.Conn, want []byte) {
				defer wg.Done()
				got, err := io.ReadAll(c)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("got %d bytes, %v; want %d", len(got), err, len(want))
				}
			}
			wg.Add(4)
			go send(user, up)
			go send(app, down)
			go check(app, append([]byte("GET "), up...))
			go check(user, append([]byte("hello "), down...))
			wg.Wait()
			wait(t, "end", tun.Done())
			want := Counts{ToServer: int64(len(up) + 4), ToClient: int64(len(down) + 6)}
			if got := <-ended; got != want {
				t.Errorf("counts %+v, want %+v", got, want)
			}
		})
	}
}

// TestSlowReader lets one side take nothing: the other is not read beyond a bound, and nothing is lost.
func TestSlowReader(t *testing.T) {
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			var e Engine
			client, user := pair(t)
			server, app := pair(t)
			tun := e.Start(way(client), server, nil, nil, nil)
			data := make([]byte, 32<<20)
			rand.NewChaCha8([32]byte{2}).Read(data)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = app.Write(data)
				_ = app.(*net.TCPConn).CloseWrite()
			}()
			// The kernel's buffers and one of ours fill, and then nothing moves.
			last := int64(-1)
			for n := tun.Counts().ToClient; n != last; n = tun.Counts().ToClient {
				last = n
				time.Sleep(100 * time.Millisecond)
			}
			select {
			case <-sent:
				t.Fatal("all was taken from the side that sends although nobody reads")
			default:
			}
			got, err := io.ReadAll(user)
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("got %d bytes, %v", len(got), err)
			}
			user.Close()
			wait(t, "end", tun.Done())
		})
	}
}

func TestCut(t *testing.T) {
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			var e Engine
			client, user := pair(t)
			server, app := pair(t)
			line := way(client)
			tun := e.Start(line, server, nil, nil, nil)
			if w, ok := line.(*wrapped); ok {
				go w.Close() // as a stopping host does
			} else {
				go tun.Cut()
			}
			wait(t, "end", tun.Done())
			for _, c := range []net.Conn{user, app} {
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
					t.Errorf("read %d bytes, %v", n, err)
				}
			}
			if w, ok := line.(*wrapped); ok {
				wait(t, "the owner's Close", w.closed)
			}
			tun.Cut()
		})
	}
}

// TestResetEndsBoth has one side break off.
func TestResetEndsBoth(t *testing.T) {
	for name, way := range ways() {
		t.Run(name, func(t *testing.T) {
			var e Engine
			client, user := pair(t)
			server, app := pair(t)
			tun := e.Start(way(client), server, nil, nil, nil)
			user.(*net.TCPConn).SetLinger(0)
			user.Close()
			wait(t, "end", tun.Done())
			app.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := app.Read(make([]byte, 1)); err == nil {
				t.Error("the other side was not closed")
			}
		})
	}
}

// TestIdleCostsNothing counts goroutines: tunnels on a loop have none.
func TestIdleCostsNothing(t *testing.T) {
	e := Engine{Loops: 1}
	client, _ := pair(t)
	server, _ := pair(t)
	first := e.Start(client, server, nil, nil, nil)
	before := runtime.NumGoroutine()
	var all []*Tunnel
	for range 50 {
		client, user := pair(t)
		server, app := pair(t)
		tun := e.Start(client, server, nil, nil, nil)
		user.Write([]byte("x"))
		if _, err := io.ReadFull(app, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		all = append(all, tun)
	}
	if n := runtime.NumGoroutine(); n > before+2 {
		t.Errorf("%d goroutines with 50 tunnels more, %d before", n, before)
	}
	for _, tun := range append(all, first) {
		tun.Cut()
		wait(t, "end", tun.Done())
	}
}

func BenchmarkEcho(b *testing.B) {
	for name, way := range map[string]func(net.Conn) net.Conn{"loop": ways()["loop"], "goroutine": ways()["goroutine"]} {
		b.Run(name, func(b *testing.B) {
			var e Engine
			client, user := pair(b)
			server, app := pair(b)
			tun := e.Start(way(client), server, nil, nil, nil)
			go func() { _, _ = io.Copy(app, app) }()
			buf := make([]byte, 128)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := user.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(user, buf); err != nil {
					b.Fatal(err)
				}
			}
			tun.Cut()
		})
	}
}
