package websocket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/tunnel"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// patience is how long a test waits for something that should happen at once.
const patience = 20 * time.Second

// registry notes connections as the host does.
type registry struct {
	mu   sync.Mutex
	open map[module.Conn]module.ConnInfo
	gone chan module.ConnInfo
}

func (g *registry) Add(i module.ConnInfo, c module.Conn) func() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[c] = i
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, c)
		g.gone <- i
	}
}

// stage is a host with one application behind it.
type stage struct {
	url      string // of the host, with the scheme ws
	registry *registry
	outcome  chan module.Outcome
	dials    int
	requests chan weak.Pointer[http.Request] // that have been made
}

// policies are what the host may do with a handshake: "" is the feature not installed.
func policies() []string { return []string{"relay", "tunnel"} }

// newStage starts a host that passes everything on to app by policy.
func newStage(t *testing.T, policy string, socket *socketConfig, app http.Handler) *stage {
	t.Helper()
	back := httptest.NewServer(app)
	st := &stage{registry: &registry{open: map[module.Conn]module.ConnInfo{}, gone: make(chan module.ConnInfo, 100)}, outcome: make(chan module.Outcome, 100)}
	st.requests = make(chan weak.Pointer[http.Request], 100)
	m := &socketModule{engine: new(ws.Engine)}
	f := forward.New(forward.Options{
		Name: back.URL, Module: "TestModule", Tunnels: new(tunnel.Engine), Timeout: patience,
		Dial: func(ctx context.Context) (net.Conn, error) {
			st.dials++
			return new(net.Dialer).DialContext(ctx, "tcp", back.Listener.Addr().String())
		},
	})
	if socket == nil {
		socket = &socketConfig{Enabled: true, ReceiveBufferLimit: 4 << 20}
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &module.Request{SiteID: 1, SiteName: "site", Start: time.Now(), Connections: st.registry, Logger: slog.New(slog.DiscardHandler)}
		q.RenderError = func(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
			w.WriteHeader(e.Status)
			_, _ = io.WriteString(w, e.Summary)
		}
		q.OnEnd(func() { st.outcome <- q.Outcome })
		switch policy {
		case "relay":
			q.Sockets = &module.Sockets{Relay: func(w http.ResponseWriter, r *http.Request, a *module.SocketApp) { m.relay(w, r, socket, a) }}
		case "tunnel":
			q.Sockets = &module.Sockets{}
		}
		r = module.WithRequest(r, q)
		st.requests <- weak.Make(r)
		f.ServeHTTP(w, r)
		q.Returned()
	}))
	st.url = "ws" + strings.TrimPrefix(front.URL, "http")
	t.Cleanup(func() { f.Close(); front.Close(); back.Close() })
	return st
}

// echo is an application that takes subprotocol "b", sets a cookie, speaks first, sends every message back, and closes
// with what follows "close ".
func echoApp(t *testing.T) http.Handler {
	u := &ws.Upgrader{Subprotocols: []string{"b"}, Origins: []string{"*"}, Compression: &ws.Compression{}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "seen="+r.Header.Get("X-Forwarded-Host"))
		c, err := u.Upgrade(w, r)
		if err != nil {
			return
		}
		defer c.Cut()
		ctx := context.Background()
		_ = c.Write(ctx, frame.Text, []byte("welcome to "+r.URL.RequestURI()))
		for {
			op, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if reason, ok := strings.CutPrefix(string(p), "close "); ok {
				_ = c.Close(4321, reason)
				return
			}
			if err := c.Write(ctx, op, p); err != nil {
				t.Log("app:", err)
				return
			}
		}
	})
}

func open(t *testing.T, url string, o *ws.DialOptions) (*ws.Conn, *http.Response) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, resp, err := ws.Dial(ctx, url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Cut)
	return c, resp
}

func TestPassesEverythingOn(t *testing.T) {
	for _, policy := range policies() {
		t.Run(policy, func(t *testing.T) {
			st := newStage(t, policy, nil, echoApp(t))
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c, resp := open(t, st.url+"/chat?x=1", &ws.DialOptions{Subprotocols: []string{"a", "b"}, Compression: &ws.Compression{}})
			if c.Subprotocol() != "b" {
				t.Errorf("subprotocol %q", c.Subprotocol())
			}
			if got, want := resp.Header.Get("Set-Cookie"), "seen="+strings.TrimPrefix(st.url, "ws://"); got != want {
				t.Errorf("cookie %q, want %q", got, want)
			}
			if _, p, err := c.Read(ctx); err != nil || string(p) != "welcome to /chat?x=1" {
				t.Fatalf("first message %q, %v", p, err)
			}
			for _, n := range []int{0, 1, 125, 126, 65535, 65536, 3 << 20} {
				for _, op := range []frame.Opcode{frame.Text, frame.Binary} {
					sent := bytes.Repeat([]byte("x"), n)
					if err := c.Write(ctx, op, sent); err != nil {
						t.Fatal(err)
					}
					got, p, err := c.Read(ctx)
					if err != nil || got != op || !bytes.Equal(p, sent) {
						t.Fatalf("%v of %d bytes came back as %v of %d, %v", op, n, got, len(p), err)
					}
				}
			}
			if err := c.Write(ctx, frame.Text, []byte("close so long")); err != nil {
				t.Fatal(err)
			}
			_, _, err := c.Read(ctx)
			var closed *ws.CloseError
			if !errors.As(err, &closed) || closed.Code != 4321 || closed.Reason != "so long" {
				t.Errorf("closed with %v", err)
			}
			i := <-st.registry.gone
			if i.Endpoint != policy || i.Feature != "websocket" || i.Path != "/chat" {
				t.Errorf("registered as %+v", i)
			}
			o := <-st.outcome
			if o.Status != 101 && policy == "relay" || o.BytesRecv < 2000 || o.BytesSent < 2000 {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// TestCloseOfTheClient has the application see what the client closes with.
func TestCloseOfTheClient(t *testing.T) {
	for _, policy := range policies() {
		for _, c := range []struct {
			name string
			end  func(*ws.Conn)
			code frame.CloseCode // 0: no closing handshake
		}{
			{"normal", func(c *ws.Conn) { c.Close(1000, "bye") }, 1000},
			{"own code", func(c *ws.Conn) { c.Close(3999, "why") }, 3999},
			{"no code", func(c *ws.Conn) { c.Close(frame.NoStatus, "") }, frame.NoStatus},
			{"vanishes", func(c *ws.Conn) { c.Cut() }, 0},
		} {
			t.Run(policy+"/"+c.name, func(t *testing.T) {
				ended := make(chan error, 1)
				st := newStage(t, policy, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					conn, err := (&ws.Upgrader{}).Upgrade(w, r)
					if err != nil {
						ended <- err
						return
					}
					_, _, err = conn.Read(context.Background())
					ended <- err
				}))
				client, _ := open(t, st.url, nil)
				c.end(client)
				select {
				case err := <-ended:
					var closed *ws.CloseError
					if got := errors.As(err, &closed); got != (c.code != 0) || got && closed.Code != c.code {
						t.Errorf("the application saw %v", err)
					}
				case <-time.After(patience):
					t.Fatal("the application was not told")
				}
			})
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, policy := range policies() {
		t.Run(policy, func(t *testing.T) {
			st := newStage(t, policy, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Why", "no session")
				w.WriteHeader(http.StatusUnauthorized)
				_, _ = io.WriteString(w, `{"code":1,"message":"Session ID unknown"}`)
			}))
			_, resp, err := ws.Dial(context.Background(), st.url, nil)
			if err == nil || resp == nil {
				t.Fatalf("Dial: %v %v", resp, err)
			}
			body, _ := io.ReadAll(resp.Body)
			if resp.StatusCode != 401 || resp.Header.Get("X-Why") != "no session" || !strings.Contains(string(body), "Session ID unknown") {
				t.Errorf("%d %v %q", resp.StatusCode, resp.Header, body)
			}
		})
		t.Run(policy+"/lies", func(t *testing.T) {
			st := newStage(t, policy, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Connection", "Upgrade")
				w.Header().Set("Upgrade", "websocket")
				w.Header().Set("Sec-WebSocket-Accept", "bm90IHRoaXMgb25l")
				w.WriteHeader(http.StatusSwitchingProtocols)
			}))
			_, resp, _ := ws.Dial(context.Background(), st.url, nil)
			if resp == nil || resp.StatusCode != 502 {
				t.Errorf("%v", resp)
			}
		})
		t.Run(policy+"/incorrect", func(t *testing.T) {
			st := newStage(t, policy, nil, echoApp(t))
			req, _ := http.NewRequest(http.MethodGet, "http"+strings.TrimPrefix(st.url, "ws"), nil)
			req.Header.Set("Connection", "Upgrade")
			req.Header.Set("Upgrade", "websocket")
			resp, err := http.DefaultTransport.RoundTrip(req)
			if err != nil || resp.StatusCode != http.StatusUpgradeRequired && resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%v %v", resp, err)
			}
			if st.dials != 0 {
				t.Error("the application was asked")
			}
		})
	}
}

// TestNotInstalled has the application see an ordinary request.
func TestNotInstalled(t *testing.T) {
	seen := make(chan http.Header, 1)
	st := newStage(t, "", nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- r.Header
		_, _ = io.WriteString(w, "polling")
	}))
	_, resp, err := ws.Dial(context.Background(), st.url, nil)
	if err == nil || resp == nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	for name := range <-seen {
		if name == "Upgrade" || name == "Connection" || strings.HasPrefix(name, "Sec-Websocket") {
			t.Errorf("the application saw %s", name)
		}
	}
}

func TestOrigins(t *testing.T) {
	for _, c := range []struct {
		allowed, origin string
		ok              bool
	}{
		{"", "https://elsewhere.example", true}, // the application judges
		{"https://a.example, https://b.example", "https://b.example", true},
		{"https://a.example", "https://b.example", false},
		{"*", "https://b.example", true},
	} {
		st := newStage(t, "relay", &socketConfig{Enabled: true, ReceiveBufferLimit: 4 << 20, AllowedOrigins: c.allowed}, echoApp(t))
		conn, resp, err := ws.Dial(context.Background(), st.url, &ws.DialOptions{Header: http.Header{"Origin": {c.origin}}})
		if (err == nil) != c.ok || !c.ok && resp.StatusCode != http.StatusForbidden {
			t.Errorf("%q admits %q: %v", c.allowed, c.origin, err)
		}
		if conn != nil {
			conn.Cut()
		}
	}
}

// TestLimitOfTheClient closes with 1009 what is longer than receiveBufferLimit, before the application sees it.
func TestLimitOfTheClient(t *testing.T) {
	for size, ok := range map[int]bool{4096: true, 4097: false} {
		st := newStage(t, "relay", &socketConfig{Enabled: true, ReceiveBufferLimit: 4096}, echoApp(t))
		c, _ := open(t, st.url, nil)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		_, _, _ = c.Read(ctx) // the welcome
		_ = c.Write(ctx, frame.Binary, make([]byte, size))
		_, p, err := c.Read(ctx)
		var closed *ws.CloseError
		if ok && len(p) != size || !ok && (!errors.As(err, &closed) || closed.Code != frame.MessageTooBig) {
			t.Errorf("%d bytes: %d bytes, %v", size, len(p), err)
		}
		cancel()
	}
}

// TestSlowSide has one side read nothing: the other is held back, and nothing is lost or kept in memory without bound.
func TestSlowSide(t *testing.T) {
	for _, policy := range policies() {
		t.Run(policy, func(t *testing.T) {
			const messages, size = 600, 64 << 10
			wrote := make(chan int, messages)
			st := newStage(t, policy, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, err := (&ws.Upgrader{Limits: ws.Limits{WriteTimeout: -1}}).Upgrade(w, r)
				if err != nil {
					return
				}
				go func() { _, _, _ = conn.Read(context.Background()) }()
				for i := range messages {
					if conn.Write(context.Background(), frame.Binary, bytes.Repeat([]byte{byte(i)}, size)) != nil {
						return
					}
					wrote <- i
				}
			}))
			c, _ := open(t, st.url, nil)
			for n := -1; n != len(wrote); time.Sleep(200 * time.Millisecond) {
				n = len(wrote)
			}
			if n := len(wrote); n > messages*3/4 {
				t.Errorf("the application wrote %d of %d messages that nobody read", n, messages)
			}
			for i := range messages {
				_, p, err := c.Read(context.Background())
				if err != nil || len(p) != size || p[0] != byte(i) {
					t.Fatalf("message %d: %d bytes, %v", i, len(p), err)
				}
			}
		})
	}
}

// TestNobodyThere answers 502.3.
func TestNobodyThere(t *testing.T) {
	for _, policy := range append(policies(), "") {
		f := forward.New(forward.Options{Name: "http://127.0.0.1:9", Module: "TestModule", Tunnels: new(tunnel.Engine),
			Dial: func(ctx context.Context) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
			}})
		m := &socketModule{engine: new(ws.Engine)}
		failure := make(chan *module.HTTPError, 1)
		q := &module.Request{Logger: slog.New(slog.DiscardHandler), RenderError: func(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) { failure <- e }}
		switch policy {
		case "relay":
			q.Sockets = &module.Sockets{Relay: func(w http.ResponseWriter, r *http.Request, a *module.SocketApp) {
				m.relay(w, r, &socketConfig{Enabled: true, ReceiveBufferLimit: 4096}, a)
			}}
		case "tunnel":
			q.Sockets = &module.Sockets{}
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version": "13"} {
			r.Header.Set(k, v)
		}
		f.ServeHTTP(httptest.NewRecorder(), module.WithRequest(r, q))
		if e := <-failure; e.Status != 502 || e.SubStatus != 3 || e.Win32 != 12029 || e.Module != "TestModule" {
			t.Errorf("%q: %+v", policy, e)
		}
	}
}
