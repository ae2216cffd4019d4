package all_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/features/all"
)

func TestCatalog(t *testing.T) {
	c, err := features.NewCatalog(all.Units())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range everything() {
		u, ok := c.Unit(id)
		if !ok {
			t.Errorf("no unit %q", id)
			continue
		}
		first, rest, _ := strings.Cut(u.Doc, "\n")
		if !strings.HasSuffix(first, ".") || strings.HasPrefix(first, "#") || len(rest) < 200 {
			t.Errorf("%s: the description must begin with one sentence and go on: %q", id, first)
		}
		if u.WindowsName == "" || u.DISMName == "" || u.Since == "" || len(u.Modules) == 0 {
			t.Errorf("%s: incomplete declaration", id)
		}
	}
}

type serverInfo struct {
	Version  int
	Name     string
	Program  string
	Features []struct{ ID, Title string }

	WebSocket struct {
		Installed, Enabled bool
		Endpoint, Command  string
	}
}

func (h *testHost) info() serverInfo {
	h.t.Helper()
	a := h.get("/server-info.json")
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
		h.t.Fatalf("/server-info.json: %d %v", a.status, a.header)
	}
	var i serverInfo
	if err := json.Unmarshal([]byte(a.body), &i); err != nil {
		h.t.Fatalf("%v in %s", err, a.body)
	}
	return i
}

func TestServerInfo(t *testing.T) {
	t.Run("with sockets", func(t *testing.T) {
		h := startHost(t, newHome(t, everything()...))
		i := h.info()
		if i.Version != 1 || i.Name != "testhost" || i.Program == "" || len(i.Features) != len(everything()) {
			t.Errorf("%+v", i)
		}
		if w := i.WebSocket; !w.Installed || !w.Enabled || w.Endpoint != "/echo" || w.Command != "rolemgr install websocket" {
			t.Errorf("webSocket: %+v", w)
		}
		for _, f := range i.Features {
			if f.ID == "websocket" && f.Title != "WebSocket Protocol" {
				t.Errorf("title %q", f.Title)
			}
		}
		h.webConfig(`<serverInfo enabled="true" /><webSocket enabled="false" />`)
		if w := h.info().WebSocket; !w.Installed || w.Enabled {
			t.Errorf("switched off for the site, but told as %+v", w)
		}
		h.webConfig("")
		if a := h.get("/server-info.json"); a.status != http.StatusNotFound {
			t.Errorf("a site that does not ask for it shows server information: %d", a.status)
		}
	})
	t.Run("without sockets", func(t *testing.T) {
		h := startHost(t, newHome(t, "web-server-core", "static-content"))
		if w := h.info().WebSocket; w.Installed || w.Enabled || w.Endpoint != "" {
			t.Errorf("webSocket: %+v", w)
		}
		if a := h.ask("HEAD /server-info.json HTTP/1.1", ""); a.status != http.StatusOK || a.body != "" || a.header.Get("Content-Length") == "0" {
			t.Errorf("HEAD: %+v", a)
		}
	})
}

func TestProtocolSupport(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "static-content"))
	a := h.ask("OPTIONS / HTTP/1.1", "")
	if a.status != http.StatusOK || a.header.Get("Allow") != "GET, HEAD, OPTIONS" || a.header.Get("Public") != a.header.Get("Allow") || a.body != "" {
		t.Errorf("OPTIONS: %+v", a)
	}
	a = h.ask("TRACE / HTTP/1.1\nCookie: secret", "")
	if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") == "" || strings.Contains(a.body, "secret") {
		t.Errorf("TRACE: %+v", a)
	}
}
