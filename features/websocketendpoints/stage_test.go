package websocketendpoints

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// patience is how long a test waits for something that should happen at once.
const patience = 20 * time.Second

// folder is the files of a site.
type folder struct{ dir string }

func (f folder) Open(p string) (*os.File, error)        { return nil, fs.ErrNotExist }
func (f folder) Stat(p string) (fs.FileInfo, error)     { return nil, fs.ErrNotExist }
func (f folder) Physical(p string) string               { return filepath.Join(f.dir, p) }
func (f folder) Application(string) (path, root string) { return "/", f.dir }

// record is a log that tests look at.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// stage serves one endpoint as WebSocketModule does.
type stage struct {
	url   string
	dir   string
	state *state
	log   *record
	open  atomic.Int64 // connections whose Closed has not been called
}

// withDefaults fills in what the declaration of the section would.
func withDefaults(e endpoint) endpoint {
	if e.Path == "" {
		e.Path = "/*"
	}
	if e.Max == 0 {
		e.Max = 256
	}
	if e.MaxClient == 0 {
		e.MaxClient = 16
	}
	if e.Timeout == 0 {
		e.Timeout = patience
	}
	if e.HistorySize == 0 {
		e.HistorySize = 65536
	}
	if e.MaxRooms == 0 {
		e.MaxRooms = 1000
	}
	if e.MaxMembers == 0 {
		e.MaxMembers = 1000
	}
	if e.Parameter == "" {
		e.Parameter = "target"
	}
	return e
}

// ending tells the stage of the end.
type ending struct {
	ws.Handler
	st *stage
}

func (e ending) Closed(s *ws.Socket, err error) {
	e.Handler.Closed(s, err)
	e.st.open.Add(-1)
}

func newStage(t *testing.T, kind string, e endpoint) *stage {
	t.Helper()
	e = withDefaults(e)
	st := &stage{dir: t.TempDir(), state: &state{stall: 200 * time.Millisecond}, log: &record{}}
	m := &endpointModule{state: st.state}
	engine := new(ws.Engine)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := &module.Request{SiteID: 1, SiteName: "site", Start: time.Now(), Logger: slog.New(slog.NewTextHandler(st.log, nil)), Files: folder{st.dir}}
		at := module.SocketEndpoint{Path: e.Path, Type: kind, Info: strings.TrimPrefix(r.URL.Path, "/")}
		s, refusal := m.serve(r, q, &e, at)
		if refusal != nil {
			w.WriteHeader(refusal.Status)
			_, _ = io.WriteString(w, refusal.Summary)
			return
		}
		u := &ws.Upgrader{Engine: engine, Limits: ws.Limits{QueueSize: s.QueueSize, SlowConsumer: s.SlowConsumer}, Subprotocols: s.Subprotocols}
		if _, err := u.ServeWith(w, r, func(*ws.Socket) ws.Handler {
			st.open.Add(1)
			return ending{s.Handler, st}
		}); err != nil {
			s.Abandon()
		}
	}))
	st.url = "ws" + strings.TrimPrefix(front.URL, "http")
	t.Cleanup(func() {
		front.Close()
		eventually(t, "all connections end", func() bool { return st.open.Load() == 0 })
		_ = st.state.Close()
	})
	return st
}

// running returns how many programs run.
func (st *stage) running() int { return st.state.keeper.Running() }

func context20(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// open opens a connection.
func open(t *testing.T, url string, o *ws.DialOptions) *ws.Conn {
	t.Helper()
	c, resp, err := ws.Dial(context20(t), url, o)
	if err != nil {
		body := ""
		if resp != nil && resp.Body != nil {
			b, _ := io.ReadAll(resp.Body)
			body = string(b)
		}
		t.Fatalf("%v %s", err, body)
	}
	t.Cleanup(c.Cut)
	return c
}

// refused opens a connection in vain and returns the status.
func refused(t *testing.T, url string) int {
	t.Helper()
	c, resp, err := ws.Dial(context20(t), url, nil)
	if err == nil {
		c.Cut()
		return http.StatusSwitchingProtocols
	}
	if resp == nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func say(t *testing.T, c *ws.Conn, text string) {
	t.Helper()
	if err := c.Write(context20(t), frame.Text, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, c *ws.Conn, want string) {
	t.Helper()
	if got := read(t, c); got != want {
		t.Fatalf("heard %q, want %q", got, want)
	}
}

func read(t *testing.T, c *ws.Conn) string {
	t.Helper()
	_, p, err := c.Read(context20(t))
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

// closed reads to the end and returns the close code and reason.
func closed(t *testing.T, c *ws.Conn) (frame.CloseCode, string) {
	t.Helper()
	for {
		_, _, err := c.Read(context20(t))
		var end *ws.CloseError
		if errors.As(err, &end) {
			return end.Code, end.Reason
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// eventually waits for a condition that others bring about.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
