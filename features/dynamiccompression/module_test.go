package dynamiccompression

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/compress"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// pipeline returns the module, as its drop-in configures it, around a handler.
func pipeline(t testing.TB, next http.HandlerFunc) func(http.ResponseWriter, *http.Request) {
	t.Helper()
	home := t.TempDir()
	if err := os.CopyFS(home, Unit().Assets); err != nil {
		t.Fatal(err)
	}
	appHost := filepath.Join(home, "config/applicationHost.config")
	if err := os.WriteFile(appHost, []byte("<configuration></configuration>"), 0o600); err != nil {
		t.Fatal(err)
	}
	schema, err := config.NewSchema(append(config.CoreSections(), compress.Sections()...), nil)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := config.Open(config.Options{AppHost: appHost, DropInDir: filepath.Join(home, "config/features.d"), BaseDir: home, Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	server, err := tree.Server()
	if err != nil {
		t.Fatal(err)
	}
	m := newModule().(*compressionModule)
	if err := m.Provision(&module.Context{Context: t.Context(), Config: server, Shared: new(module.Shared)}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	h := m.Middleware(next)
	return func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, module.WithRequest(r, &module.Request{Config: server}))
	}
}

func TestUnit(t *testing.T) {
	if u := Unit(); u.Default || u.ID != features.ID("dynamic-compression") || len(u.Modules[0].Sections) != 0 {
		t.Errorf("%+v", u)
	}
}

func request(method string) *http.Request {
	r := httptest.NewRequest(method, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	return r
}

// TestTunnelsAreNotWrapped: the bytes behind the 200 of an extended CONNECT are frames.
func TestTunnelsAreNotWrapped(t *testing.T) {
	for _, c := range []struct {
		method, upgrade string
		wrapped         bool
	}{{"CONNECT", "", false}, {"GET", "websocket", false}, {"GET", "", true}, {"POST", "", true}} {
		rec, r := httptest.NewRecorder(), request(c.method)
		if c.upgrade != "" {
			r.Header.Set("Upgrade", c.upgrade)
		}
		var got http.ResponseWriter
		pipeline(t, func(w http.ResponseWriter, r *http.Request) { got = w })(rec, r)
		if wrapped := got != http.ResponseWriter(rec); wrapped != c.wrapped {
			t.Errorf("%+v: %T", c, got)
		}
	}
}

// deadlines is a connection that takes deadlines.
type deadlines struct {
	http.ResponseWriter
	full bool
}

func (d *deadlines) EnableFullDuplex() error { d.full = true; return nil }

func TestWriterPassesAbilitiesOn(t *testing.T) {
	d := &deadlines{ResponseWriter: httptest.NewRecorder()}
	pipeline(t, func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			t.Error(err)
		}
		if _, _, err := http.NewResponseController(w).Hijack(); err == nil {
			t.Error("a connection that cannot be taken over was")
		}
		_, _ = io.WriteString(w, strings.Repeat("still answered ", 100))
	})(d, request("GET"))
	rec := d.ResponseWriter.(*httptest.ResponseRecorder)
	if !d.full || rec.Body.Len() == 0 || rec.Header().Get("Content-Encoding") != "gzip" {
		t.Errorf("full duplex %v, %v", d.full, rec.Header())
	}
}

func TestStatusIsSentOnce(t *testing.T) {
	rec := httptest.NewRecorder()
	pipeline(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(404)
		w.WriteHeader(200)
		_, _ = io.WriteString(w, "short")
	})(rec, request("GET"))
	if rec.Code != 404 || rec.Body.String() != "short" || rec.Header().Get("Content-Encoding") != "" {
		t.Errorf("%d %q %v", rec.Code, rec.Body, rec.Header())
	}
}

// sink is a client that costs nothing.
type sink struct{ h http.Header }

func (s *sink) Header() http.Header         { return s.h }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

func BenchmarkAnswer(b *testing.B) {
	page := []byte(strings.Repeat("<li><a href=\"/item/42\">An entry of a list like many others</a></li>\n", 150))
	for _, accept := range []string{"identity", "gzip", "br", "zstd"} {
		b.Run(fmt.Sprint(accept, "-", len(page)), func(b *testing.B) {
			h := pipeline(b, func(w http.ResponseWriter, r *http.Request) {
				w.Header()["Content-Type"] = []string{"text/html"}
				_, _ = w.Write(page)
			})
			r := request("GET")
			r.Header.Set("Accept-Encoding", accept)
			w := &sink{h: http.Header{}}
			b.ReportAllocs()
			b.SetBytes(int64(len(page)))
			for b.Loop() {
				clear(w.h)
				h(w, r)
			}
		})
	}
}
