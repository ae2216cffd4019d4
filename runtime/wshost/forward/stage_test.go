package forward_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
)

// patience is how long a test waits for something that should happen at once.
const patience = 20 * time.Second

// application is a server of which a test sees every byte: it reads a header, and what follows is the script's.
type application struct {
	t    *testing.T
	l    net.Listener
	mu   sync.Mutex
	got  bytes.Buffer // everything that came in
	hits int          // connections
}

// newApplication starts one. The script is called for each connection with what reads on and what was read: a header.
func newApplication(t *testing.T, script func(c net.Conn, br *bufio.Reader, head string)) *application {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	a := &application{t: t, l: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			a.mu.Lock()
			a.hits++
			a.mu.Unlock()
			all.Go(func() {
				defer func() { _ = c.Close() }()
				_ = c.SetDeadline(time.Now().Add(patience))
				br := bufio.NewReader(io.TeeReader(c, a))
				for {
					head, err := readHead(br)
					if err != nil {
						return
					}
					script(c, br, head)
					if !strings.Contains(head, "keep") {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return a
}

// Write notes what came in.
func (a *application) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got.Write(p)
}

func (a *application) saw() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.got.String()
}

func readHead(br *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return "", err
		}
		b.WriteString(line)
		if line == "\r\n" {
			return b.String(), nil
		}
	}
}

// says answers every request with these bytes and closes the connection.
func says(answer string) func(net.Conn, *bufio.Reader, string) {
	return func(c net.Conn, br *bufio.Reader, head string) {
		if strings.Contains(head, "Transfer-Encoding: chunked") {
			for {
				line, err := br.ReadString('\n')
				if err != nil || line == "0\r\n" {
					break
				}
			}
			_, _ = readHead(br)
		}
		_, _ = io.WriteString(c, answer)
	}
}

const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"

// front is a host that passes everything on.
type front struct {
	*httptest.Server
	set     []string // fields that the configuration has set
	sockets *module.Sockets
	failed  chan *module.HTTPError
}

func newFront(t *testing.T, addr string, change func(*forward.Options)) *front {
	o := forward.Options{
		Name: "http://" + addr, Module: "TestModule", Timeout: patience, Tunnels: new(tunnel.Engine),
		Dial: func(ctx context.Context) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", addr)
		},
	}
	if change != nil {
		change(&o)
	}
	f := forward.New(o)
	w := &front{failed: make(chan *module.HTTPError, 100)}
	w.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		q := &module.Request{SiteID: 1, Start: time.Now(), Logger: slog.New(slog.DiscardHandler), SetFields: w.set, Sockets: w.sockets}
		q.RenderError = func(rw http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
			w.failed <- e
			rw.WriteHeader(e.Status)
			_, _ = io.WriteString(rw, e.Summary)
		}
		defer q.Returned()
		f.ServeHTTP(rw, module.WithRequest(r, q))
	}))
	w.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	w.EnableHTTP2 = true
	t.Cleanup(func() { w.Close(); _ = f.Close() })
	return w
}

// exchange sends bytes to the host and returns all that it answers.
func exchange(t *testing.T, f *front, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(c)
	if err != nil {
		t.Errorf("%q: %v after %q", request, err, all)
	}
	return string(all)
}

func status(answer string) string {
	_, rest, _ := strings.Cut(answer, " ")
	code, _, _ := strings.Cut(rest, " ")
	return code
}
