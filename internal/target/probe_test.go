package target

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// newProber returns a prober of a server with these handlers.
func newProber(t *testing.T, handlers map[string]http.HandlerFunc) prober {
	t.Helper()
	mux := http.NewServeMux()
	for path, h := range handlers {
		mux.HandleFunc(path, h)
	}
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return prober{addr: strings.TrimPrefix(srv.URL, "http://"), now: time.Now}
}

// checkProbe compares a probe's outcome: want is part of the detail, or of the error when fails is set.
func checkProbe(t *testing.T, detail string, err error, want string, fails bool) {
	t.Helper()
	got := detail
	if err != nil {
		got = err.Error()
	}
	if (err != nil) != fails || !strings.Contains(got, want) {
		t.Errorf("detail %q, error %v; want failure %v with %q", detail, err, fails, want)
	}
}

func TestProbeHTTP(t *testing.T) {
	p := newProber(t, map[string]http.HandlerFunc{
		"/ok": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/plain")
			_, _ = w.Write([]byte("rolemgr probe\n"))
		},
		"/moved": func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusMovedPermanently) },
	})
	for _, tc := range []struct {
		name  string
		probe features.Probe
		want  string
		fails bool
	}{
		{"all as told", features.Probe{Path: "/ok", Status: 200, Header: "content-type: text/plain", Contains: "probe"}, "GET /ok: 200, 14 bytes in ", false},
		{"any status", features.Probe{Path: "/none"}, "404", false},
		{"other status", features.Probe{Path: "/none", Status: 200}, "answered with 404 instead of 200", true},
		{"expected failure", features.Probe{Path: "/none", Status: 404}, "GET /none: 404", false},
		{"other header", features.Probe{Path: "/ok", Header: "Content-Type: text/html"}, `"text/plain" in Content-Type instead of "text/html"`, true},
		{"no such header", features.Probe{Path: "/ok", Header: "X-None: 1"}, `"" in X-None`, true},
		{"other text", features.Probe{Path: "/ok", Contains: "absent"}, `does not contain "absent"`, true},
		{"a redirect is an answer", features.Probe{Path: "/moved", Status: 301}, "GET /moved: 301", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.probe.Kind = features.ProbeHTTP
			detail, err := p.probe(t.Context(), features.Unit{}, tc.probe)
			checkProbe(t, detail, err, tc.want, tc.fails)
		})
	}
}

func TestProbeModule(t *testing.T) {
	u := features.Unit{ID: "one", Modules: []module.Info{{Name: "AModule"}, {Name: "BModule"}}}
	for _, tc := range []struct {
		loaded []string
		want   string
		fails  bool
	}{
		{[]string{"BModule", "AModule", "CModule"}, "loaded: AModule, BModule", false},
		{[]string{"AModule"}, "has not loaded BModule", true},
		{nil, "has not loaded AModule, BModule", true},
	} {
		detail, err := prober{modules: tc.loaded, now: time.Now}.probe(t.Context(), u, features.Probe{Kind: features.ProbeModule})
		checkProbe(t, detail, err, tc.want, tc.fails)
	}
}

func TestProbeOfUnknownKindFails(t *testing.T) {
	detail, err := prober{now: time.Now}.probe(t.Context(), features.Unit{}, features.Probe{Kind: "icmp"})
	checkProbe(t, detail, err, `"icmp"`, true)
}

// upgrade answers with a WebSocket that treats each message as told.
func upgrade(reply func([]byte) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := (&ws.Upgrader{}).Upgrade(w, r)
		if err != nil {
			return
		}
		ctx := context.WithoutCancel(r.Context())
		for {
			op, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if op != frame.Binary {
				continue
			}
			if err := c.Write(ctx, op, reply(p)); err != nil {
				return
			}
		}
	}
}

func TestProbeWebSocket(t *testing.T) {
	p := newProber(t, map[string]http.HandlerFunc{
		"/echo":  upgrade(func(p []byte) []byte { return p }),
		"/wrong": upgrade(func(p []byte) []byte { return append([]byte{^p[0]}, p[1:]...) }),
		"/short": upgrade(func(p []byte) []byte { return p[:len(p)-1] }),
		"/plain": func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "no upgrade here") },
	})
	for _, tc := range []struct {
		path, want string
		fails      bool
	}{
		{"/echo", "echo of 32 bytes in ", false},
		{"", "echo of 32 bytes in ", false},
		{"/wrong", "another message came back", true},
		{"/short", "another message came back", true},
		{"/plain", "answered with 200 instead of 101", true},
		{"/none", "answered with 404 instead of 101", true},
	} {
		t.Run("at "+tc.path, func(t *testing.T) {
			detail, err := p.probe(t.Context(), features.Unit{}, features.Probe{Kind: features.ProbeWebSocket, Path: tc.path})
			checkProbe(t, detail, err, tc.want, tc.fails)
		})
	}
}
