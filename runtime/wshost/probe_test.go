package wshost

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

func TestProbeSite(t *testing.T) {
	h := newTestHost(t, fileServer(), &fake{name: "OnlyThere", stage: module.StageBegin, serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		w.Header().Set("X-Site", module.FromRequest(r).SiteName)
		next.ServeHTTP(w, r)
	}})
	h.write("sites/default/web.config", "<configuration><broken") // a site's faults are not the server's
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"),
		`<location path="wshost.probe"><system.webServer><modules><remove name="OnlyThere"/></modules></system.webServer></location>`)
	h.start()
	addr, closeProbe, err := h.s.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(addr, "127.0.0.1:") {
		t.Errorf("the probe listens on %s", addr)
	}
	for path, want := range map[string]string{"/probe.txt": "rolemgr probe\n", "/Default.htm": "<!doctype html><title>rolemgr probe</title>\n"} {
		resp := dialRaw(t, addr).send("GET " + path + " HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n").response()
		if b, _ := io.ReadAll(resp.Body); string(b) != want || resp.Header.Get("X-Site") != "" {
			t.Errorf("%s: %q (%v), want %q under the location tag of the probe site", path, b, resp.Header, want)
		}
	}
	if status, _ := get(t, "http://"+addr+"/file.txt"); status != 404 {
		t.Errorf("a file of a site: %d, want 404", status)
	}
	idle := dialRaw(t, addr)
	closeProbe()
	closeProbe() // harmless
	idle.ended()
	if !refused(addr) {
		t.Error("the closed probe still listens")
	}
}

func TestProbeServesTheLiveGeneration(t *testing.T) {
	var n atomic.Int64
	f := hello("")
	f.serve = func(w http.ResponseWriter, _ *http.Request, _ http.Handler) { _, _ = io.WriteString(w, "x") }
	f.provision = func(*module.Context) error { n.Add(1); return nil }
	h := newTestHost(t, f, upgrader()).start()
	addr, closeProbe, err := h.s.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	defer closeProbe()
	h.reload()
	old := f.closed.Load()
	if _, body := get(t, "http://"+addr+"/"); body != "x" { // a closed module would panic
		t.Errorf("%q after a reload (%d modules closed)", body, old)
	}
}

func TestProbeSocketsAreNotCounted(t *testing.T) {
	h := newTestHost(t, upgrader()).start()
	addr, closeProbe, err := h.s.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	socket := upgrade(t, addr)
	if st := h.s.Status(); len(st.Sockets) != 0 || len(h.s.Connections()) != 1 {
		t.Errorf("sockets %v, %d connections; want none to lose, and one listed", st.Sockets, len(h.s.Connections()))
	}
	closeProbe()
	socket.ended() // the probe ends what belongs to it
	eventually(t, "the connection has left the registry", func() bool { return len(h.s.Connections()) == 0 })
}

func TestProbeEndsByItself(t *testing.T) {
	h := newTestHost(t, hello("x")).start()
	h.s.probes.life = 10 * time.Millisecond
	addr, _, err := h.s.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the probe is closed", func() bool { return refused(addr) })
	h.s.probes.mu.Lock()
	open := len(h.s.probes.open)
	h.s.probes.life = 0
	h.s.probes.mu.Unlock()
	if open != 0 {
		t.Errorf("%d probes are still open", open)
	}
	for i := range maxProbes + 1 {
		if _, _, err := h.s.OpenProbe(); (err != nil) != (i == maxProbes) {
			t.Errorf("probe %d: %v; want %d and no more", i, err, maxProbes)
		}
	}
}

func TestThrowAwayHostWritesNothing(t *testing.T) {
	var logDir, cacheDir string
	f := fileServer()
	f.provision = func(c *module.Context) error {
		logDir, cacheDir = c.LogDir, c.CacheDir
		return os.WriteFile(filepath.Join(c.LogDir, "access.log"), []byte("x"), 0o600)
	}
	h := newTestHost(t, f)
	taken := freeAddr(t)
	h.configure(h.site(1, "Default Web Site", "", taken+":"))
	live, err := Start(context.Background(), h.options()) // the host that is there already
	if err != nil {
		t.Fatal(err)
	}
	defer live.Stop(context.Background())
	before := listing(t, h.home)
	o := h.options()
	o.ProbeOnly, o.Logger = true, nil
	s, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	addr, closeProbe, err := s.OpenProbe()
	if err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, "http://"+addr+"/probe.txt"); body != "rolemgr probe\n" {
		t.Errorf("body %q", body)
	}
	closeProbe()
	if st := s.Status(); st.Sites[0].State != "Stopped" || st.Generation != 1 {
		t.Errorf("status %+v", st)
	}
	if strings.HasPrefix(logDir, h.home) || !strings.HasPrefix(cacheDir, logDir) {
		t.Errorf("logs would be written to %s, what can be made anew to %s", logDir, cacheDir)
	}
	if err := s.Stop(context.Background()); err != nil {
		t.Errorf("Stop: %v", err)
	}
	if after := listing(t, h.home); after != before {
		t.Errorf("the home was\n%s\nand is\n%s", before, after)
	}
	if _, err := os.Stat(logDir); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}

// listing describes every file below dir with its time and size.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			b.WriteString(p + " " + info.ModTime().String() + " " + info.Mode().String() + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}
