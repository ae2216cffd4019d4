package wshost

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// patience is how long a test waits for something that should happen at once.
const patience = 20 * time.Second

// fake is a module under a test's control.
type fake struct {
	name      string
	stage     module.Stage
	after     []string
	provision func(*module.Context) error
	validate  func() error
	serve     func(w http.ResponseWriter, r *http.Request, next http.Handler)
	journal   *journal
	sections  []config.Section

	made, closed atomic.Int64
}

// journal notes events in the order in which they happen.
type journal struct {
	mu     sync.Mutex
	events []string
}

func (j *journal) note(format string, args ...any) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.events = append(j.events, fmt.Sprintf(format, args...))
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := j.events
	j.events = nil
	return out
}

func (f *fake) info() module.Info {
	stage := f.stage
	if stage == "" {
		stage = module.StageHandle
	}
	return module.Info{
		Name: f.name, Stage: stage, After: f.after, Feature: "feature-" + strings.ToLower(f.name), Title: f.name, Sections: f.sections,
		New: func() module.Module { return &fakeInstance{f: f, n: f.made.Add(1)} },
	}
}

// fakeInstance is a fake in one generation.
type fakeInstance struct {
	f      *fake
	n      int64
	closed atomic.Bool
}

func (i *fakeInstance) Provision(c *module.Context) error {
	i.f.journal.note("provision %s", i.f.name)
	if i.f.provision != nil {
		return i.f.provision(c)
	}
	return nil
}

func (i *fakeInstance) Validate() error {
	if i.f.validate != nil {
		return i.f.validate()
	}
	return nil
}

func (i *fakeInstance) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if i.closed.Load() {
			panic("a request met a closed module")
		}
		i.f.journal.note("serve %s", i.f.name)
		if i.f.serve == nil {
			next.ServeHTTP(w, r)
			return
		}
		i.f.serve(w, r, next)
	})
}

func (i *fakeInstance) Close() error {
	if i.closed.Swap(true) {
		panic("a module was closed twice")
	}
	i.f.journal.note("close %s", i.f.name)
	i.f.closed.Add(1)
	return nil
}

// hello answers every request with its own text.
func hello(text string) *fake {
	return &fake{name: "HelloModule", serve: func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { _, _ = io.WriteString(w, text) }}
}

// testHost is a home folder with the host that serves it.
type testHost struct {
	t     *testing.T
	home  string
	addr  string // of the default site
	fakes []*fake
	log   *syncBuffer
	s     *Server
}

// syncBuffer is a log that a test can read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// newTestHost makes a home whose configuration loads the fakes. Nothing runs yet.
func newTestHost(t *testing.T, fakes ...*fake) *testHost {
	t.Helper()
	h := &testHost{t: t, home: t.TempDir(), fakes: fakes, log: &syncBuffer{}}
	h.write("sites/default/file.txt", "content of a file\n")
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"))
	return h
}

// freeAddr returns an address with a port that was free a moment ago, for tests that need to know it before the host
// does. It comes from a part of the loopback net where nobody else looks for ports.
func freeAddr(t *testing.T) string {
	t.Helper()
	ip := fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(200), 1+rand.IntN(200), 1+rand.IntN(200))
	ln, err := net.Listen("tcp", ip+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func (h *testHost) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		h.t.Fatal(err)
	}
}

// site returns the declaration of a site whose files are sites/default.
func (h *testHost) site(id int, name, more string, bindings ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<site name="%s" id="%d"%s><application path="/"><virtualDirectory path="/" physicalPath="%s"/></application><bindings>`,
		name, id, attr(more, false), filepath.Join(h.home, "sites/default"))
	for _, info := range bindings {
		fmt.Fprintf(&b, `<binding protocol="http" bindingInformation="%s"/>`, info)
	}
	b.WriteString("</bindings>" + attr(more, true) + "</site>\n")
	return b.String()
}

// attr splits extra XML into attributes of the site and child elements.
func attr(more string, child bool) string {
	if strings.HasPrefix(more, "<") == child {
		return " " + more
	}
	return ""
}

// configure writes an applicationHost.config with the modules of the fakes and the sites, and what else is given.
func (h *testHost) configure(sites string, more ...string) {
	h.t.Helper()
	var global, modules strings.Builder
	for _, f := range h.fakes {
		fmt.Fprintf(&global, `<add name="%s" image="builtin"/>`, f.name)
		fmt.Fprintf(&modules, `<add name="%s"/>`, f.name)
	}
	h.write("config/applicationHost.config", "<configuration>\n<system.applicationHost><sites>\n"+sites+"</sites></system.applicationHost>\n"+
		"<system.webServer>\n<globalModules>"+global.String()+"</globalModules>\n<modules>"+modules.String()+"</modules>\n</system.webServer>\n"+
		strings.Join(more, "\n")+"\n</configuration>\n")
}

func (h *testHost) options() Options {
	var infos []module.Info
	for _, f := range h.fakes {
		infos = append(infos, f.info())
	}
	slices.Reverse(infos) // the order in which they are given must not matter
	return Options{Home: h.home, Name: "test", Version: "1.2.3", Modules: infos, Logger: slog.New(slog.NewTextHandler(h.log, nil))}
}

// start starts the host and stops it when the test ends.
func (h *testHost) start() *testHost {
	h.t.Helper()
	s, err := Start(context.Background(), h.options())
	if err != nil {
		h.t.Fatal(err)
	}
	h.s = s
	if urls := h.urls("Default Web Site"); len(urls) > 0 {
		h.addr = strings.Trim(strings.TrimPrefix(urls[0], "http://"), "/")
	}
	h.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = s.Stop(ctx)
		if h.t.Failed() {
			h.t.Logf("the host's log:\n%s", h.log)
		}
	})
	return h
}

// urls returns where a site is served.
func (h *testHost) urls(site string) []string {
	for _, st := range h.s.Status().Sites {
		if st.Name == site {
			return st.Bindings
		}
	}
	return nil
}

func (h *testHost) reload() ReloadReport {
	h.t.Helper()
	r, err := h.s.Reload(context.Background())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

// get makes one request on a connection of its own and returns status and body.
func (h *testHost) get(path string) (int, string) {
	h.t.Helper()
	return get(h.t, "http://"+h.addr+path)
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("this never came true: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// rawConn is a client that writes what it likes.
type rawConn struct {
	net.Conn
	r *bufio.Reader
	t *testing.T
}

func dialRaw(t *testing.T, addr string) *rawConn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return rawOver(t, c)
}

func rawOver(t *testing.T, c net.Conn) *rawConn {
	_ = c.SetDeadline(time.Now().Add(patience))
	return &rawConn{c, bufio.NewReader(c), t}
}

func (c *rawConn) send(s string) *rawConn {
	c.t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		c.t.Fatal(err)
	}
	return c
}

// response reads one response with its body.
func (c *rawConn) response() *http.Response {
	c.t.Helper()
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	resp.Body = io.NopCloser(bytes.NewReader(b))
	return resp
}

// ended waits for the end of the connection and fails the test when anything comes before it.
func (c *rawConn) ended() {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if err != nil && !errors.Is(err, net.ErrClosed) && !isReset(err) {
		c.t.Fatalf("the connection did not end: %v", err)
	}
	if len(b) > 0 {
		c.t.Fatalf("unexpected bytes: %q", b)
	}
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
