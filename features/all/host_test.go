package all_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// everything lists the units with a folder, which a test host has unless it says otherwise.
func everything() []features.ID {
	return []features.ID{
		"web-server-core", "static-content", "default-document", "http-errors", "http-logging", "request-filtering", "websocket",
		"directory-browsing", "http-redirection",
		"static-compression", "dynamic-compression",
	}
}

// testHost is a real host on a home of its own, with the drop-ins of some units in place.
type testHost struct {
	t      *testing.T
	home   string
	addr   string
	server *wshost.Server
	log    *syncBuffer // the host's own log
}

// appModule is an application: a module that answers what is below /app/ by itself.
type appModule struct{ answer http.HandlerFunc }

func app(answer http.HandlerFunc) module.Info {
	return module.Info{Name: "TestApp", Stage: module.StageMap, New: func() module.Module { return appModule{answer} }}
}

func (m appModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/app/") {
			m.answer(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// newHome lays the assets and seeds of units out as the installer does, with a port that the kernel chooses.
func newHome(t *testing.T, ids ...features.ID) string {
	t.Helper()
	home := t.TempDir()
	for _, u := range all.Units() {
		for _, id := range ids {
			if u.ID != id {
				continue
			}
			for _, f := range []fs.FS{u.Assets, u.Seeds} {
				if f == nil {
					continue
				}
				if err := os.CopyFS(home, f); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	replace(t, filepath.Join(home, "config/applicationHost.config"), "127.0.0.1:8080:", "127.0.0.1:0:")
	return home
}

// startHost starts a host on a home, with modules beside those of the units, and stops it with the test.
func startHost(t *testing.T, home string, more ...module.Info) *testHost {
	t.Helper()
	h, err := tryHost(t, home, more...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// tryHost is startHost for a home that may be refused.
func tryHost(t *testing.T, home string, more ...module.Info) (*testHost, error) {
	t.Helper()
	catalog, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range more {
		write(t, filepath.Join(home, "config/features.d", m.Name+".config"), `<configuration><system.webServer><globalModules><add name="`+
			m.Name+`" image="test" /></globalModules><modules><add name="`+m.Name+`" /></modules></system.webServer></configuration>`)
	}
	h := &testHost{t: t, home: home, log: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	h.server, err = wshost.Start(t.Context(), wshost.Options{Home: home, Name: "testhost", Version: "0", Modules: append(catalog.Modules(), more...), Logger: log})
	if err != nil {
		return nil, err
	}
	t.Cleanup(h.stop)
	for _, s := range h.server.Status().Sites {
		for _, b := range s.Bindings {
			u, err := url.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			h.addr = u.Host
		}
	}
	if h.addr == "" {
		t.Fatalf("the host has no binding: %+v", h.server.Status())
	}
	return h, nil
}

// stop stops the host; what its logs hold is then on disk.
func (h *testHost) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.server.Stop(ctx); err != nil {
		h.t.Errorf("stop: %v", err)
	}
}

// site writes a file of the default site.
func (h *testHost) site(name, content string) {
	h.t.Helper()
	write(h.t, filepath.Join(h.home, "sites/default", name), content)
}

// webConfig writes the web.config of the default site, with the content of system.webServer.
func (h *testHost) webConfig(inner string) {
	h.t.Helper()
	h.site("web.config", "<configuration><system.webServer>"+inner+"</system.webServer></configuration>")
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	// By rename, so that no request meets half a file, and with another identity for whoever remembers the old one.
	tmp := file + ".new"
	if err := os.WriteFile(tmp, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, file); err != nil {
		t.Fatal(err)
	}
}

func replace(t *testing.T, file, old, new string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	write(t, file, strings.ReplaceAll(string(b), old, new))
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   string
	closes bool // Connection: close, which http.ReadResponse takes out of the header
}

// named returns the status with the sub-status that the detailed page names.
func (a answer) named() string {
	_, rest, ok := strings.Cut(a.body, "HTTP Error ")
	if !ok {
		return strconv.Itoa(a.status)
	}
	number, _, _ := strings.Cut(rest, "<")
	return number
}

// ask sends a request as it is written, without a client that tidies it up, and reads the response. Every line of head
// ends with CRLF for it; Host and Connection: close are added.
func (h *testHost) ask(head, body string) answer {
	h.t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		h.t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	lines := strings.Split(head, "\n")
	if !strings.Contains(head, "\nHost:") {
		lines = append(lines, "Host: localhost")
	}
	if !strings.Contains(head, "\nConnection:") {
		lines = append(lines, "Connection: close")
	}
	if _, err := io.WriteString(c, strings.Join(lines, "\r\n")+"\r\n\r\n"+body); err != nil {
		h.t.Fatal(err)
	}
	method, _, _ := strings.Cut(head, " ")
	resp, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		h.t.Fatalf("%s: %v", lines[0], err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatalf("%s: %v", lines[0], err)
	}
	// The host closes the line when the request has ended, its log line included.
	if _, err := io.Copy(io.Discard, c); err != nil {
		h.t.Fatalf("%s: the line is not closed: %v", lines[0], err)
	}
	return answer{resp.StatusCode, resp.Header, string(b), resp.Close}
}

// get asks for a path with GET.
func (h *testHost) get(path string, header ...string) answer {
	h.t.Helper()
	return h.ask(strings.Join(append([]string{"GET " + path + " HTTP/1.1"}, header...), "\n"), "")
}

// accessLog stops the host and returns the lines of the default site's log that are no directives.
func (h *testHost) accessLog() (lines []string, whole string) {
	h.t.Helper()
	h.stop()
	files, err := filepath.Glob(filepath.Join(h.home, "logs/W3SVC1/u_ex*.log"))
	if err != nil || len(files) == 0 {
		h.t.Fatalf("no access log below %s (%v)", h.home, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			h.t.Fatal(err)
		}
		whole += string(b)
	}
	for line := range strings.Lines(whole) {
		if !strings.HasPrefix(line, "#") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	return lines, whole
}

// uninstallDropIn takes a feature's drop-in away and reloads.
func (h *testHost) uninstallDropIn(id string) error {
	if err := os.Remove(filepath.Join(h.home, "config/features.d", id+".config")); err != nil {
		return err
	}
	_, err := h.server.Reload(h.t.Context())
	return err
}
