package wshost

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// recorder is a module of the log stage that keeps what was answered.
func recorder() (*fake, func() module.Outcome) {
	last := make(chan module.Outcome, 16)
	f := &fake{name: "LogModule", stage: module.StageLog, serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		q := module.FromRequest(r)
		q.OnEnd(func() { last <- q.Outcome })
		next.ServeHTTP(w, r)
	}}
	return f, func() module.Outcome { return <-last }
}

func TestOutcomeIsKept(t *testing.T) {
	log, last := recorder()
	f := &fake{name: "HelloModule", serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch r.URL.Path {
		case "/file":
			file, err := module.FromRequest(r).Files.Open("/file.txt")
			if err != nil {
				t.Error(err)
				return
			}
			defer file.Close()
			_, _ = io.Copy(w, file)
		case "/read":
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusEarlyHints)
			w.WriteHeader(http.StatusAccepted)
			w.WriteHeader(http.StatusTeapot) // too late
			_, _ = io.WriteString(w, "12345")
		case "/nothing":
		case "/flush":
			w.(http.Flusher).Flush()
			_, _ = w.Write([]byte("abc"))
		default:
			next.ServeHTTP(w, r)
		}
	}}
	h := newTestHost(t, log, f).start()
	tests := []struct {
		method, path, body string
		want               module.Outcome
	}{
		{"GET", "/file", "", module.Outcome{Status: 200, BytesSent: 18}},
		{"HEAD", "/file", "", module.Outcome{Status: 200}},
		{"POST", "/read", "1234567", module.Outcome{Status: 202, BytesSent: 5, BytesRecv: 7}},
		{"GET", "/nothing", "", module.Outcome{Status: 200}},
		{"GET", "/flush", "", module.Outcome{Status: 200, BytesSent: 3}},
		{"GET", "/unhandled", "", module.Outcome{Status: 404}},
		{"GET", "/%5c", "", module.Outcome{Status: 400}},
		{"GET", strings.Repeat("/a", 32), "", module.Outcome{Status: 404}},
		{"GET", strings.Repeat("/a", 33), "", module.Outcome{Status: 404, SubStatus: 20}},
	}
	for _, tt := range tests {
		req, err := http.NewRequest(tt.method, "http://"+h.addr+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if got := last(); got != tt.want || resp.StatusCode != tt.want.Status {
			t.Errorf("%s %s: status %d, outcome %+v; want %+v", tt.method, tt.path, resp.StatusCode, got, tt.want)
		}
	}
}

func TestBareErrorTellsNothing(t *testing.T) {
	h := newTestHost(t, &fake{name: "Nothing", stage: module.StageBegin}).start()
	c := dialRaw(t, h.addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	resp := c.response()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 404 || len(b) != 0 || resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Server") != "" {
		t.Errorf("%s %v %q, want a bare 404", resp.Status, resp.Header, b)
	}
}

func TestPanics(t *testing.T) {
	log, last := recorder()
	f := &fake{name: "HelloModule", serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		switch r.URL.Path {
		case "/before":
			panic("the sky falls")
		case "/after":
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic("the sky falls")
		case "/abort":
			panic(http.ErrAbortHandler)
		case "/renderer":
			module.FromRequest(r).RenderError = func(http.ResponseWriter, *http.Request, *module.HTTPError) { panic("again") }
			panic("the sky falls")
		}
	}}
	h := newTestHost(t, log, f).start()
	tests := []struct {
		path   string
		status int // that the client sees; 0 when the connection is cut before
		logged bool
		want   int // that is logged
	}{
		{"/before", 500, true, 500}, {"/after", 200, true, 200}, {"/abort", 0, false, 0}, {"/renderer", 500, true, 500},
	}
	for _, tt := range tests {
		before := strings.Count(h.log.String(), "the sky falls")
		c := dialRaw(t, h.addr).send("GET " + tt.path + " HTTP/1.1\r\nHost: x\r\n\r\n")
		resp, err := http.ReadResponse(c.r, nil)
		switch {
		case tt.status == 0 && err == nil:
			t.Errorf("%s: %s, want no answer", tt.path, resp.Status)
		case tt.status != 0 && (err != nil || resp.StatusCode != tt.status):
			t.Errorf("%s: %v %v, want %d", tt.path, resp, err, tt.status)
		}
		if tt.path == "/after" {
			if b, err := io.ReadAll(resp.Body); err != io.ErrUnexpectedEOF {
				t.Errorf("%s: %q, %v; want a visible cut", tt.path, b, err)
			}
		}
		if got := last(); got.Status != tt.want {
			t.Errorf("%s: status %d was logged, want %d", tt.path, got.Status, tt.want)
		}
		if got := strings.Count(h.log.String(), "the sky falls") > before; got != tt.logged {
			t.Errorf("%s: in the host's log: %v, want %v", tt.path, got, tt.logged)
		}
	}
	if _, err := os.Stat(h.home); err != nil || h.s.current.Load().users.Load() != 1 {
		t.Errorf("%d users of the generation, want the server alone", h.s.current.Load().users.Load())
	}
}

func TestConfigurationErrorOfOneFolder(t *testing.T) {
	log, last := recorder()
	var mu sync.Mutex
	var seen *module.HTTPError
	errors := &fake{name: "ErrorModule", stage: module.StageLog, serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		q := module.FromRequest(r)
		bare := q.RenderError
		q.RenderError = func(w http.ResponseWriter, r *http.Request, e *module.HTTPError) {
			mu.Lock()
			seen = e
			mu.Unlock()
			bare(w, r, e)
		}
		next.ServeHTTP(w, r)
	}}
	h := newTestHost(t, log, errors, hello("fine")).start()
	h.write("sites/default/broken/web.config", "<configuration>\n <system.webServer>\n  <noSuchSection/>\n </system.webServer>\n</configuration>\n")
	if status, _ := h.get("/broken/x"); status != 500 {
		t.Errorf("status %d, want 500", status)
	}
	if o := last(); o.Status != 500 || o.SubStatus != 19 || o.Win32 != config.HResultMalformed {
		t.Errorf("outcome %+v, want 500.19 with the code of a malformed file", o)
	}
	mu.Lock()
	defer mu.Unlock()
	if seen == nil || seen.Config == nil || seen.Config.Pos.File != filepath.Join(h.home, "sites/default/broken/web.config") || seen.Config.Pos.Line != 3 {
		t.Errorf("the renderer saw %+v, want file and line 3", seen)
	}
	if _, body := h.get("/elsewhere"); body != "fine" {
		t.Errorf("body %q: the rest of the site must go on", body)
	}
}

func TestModulesRunOnlyWhereListed(t *testing.T) {
	log, last := recorder()
	h := newTestHost(t, hello("hello"), log)
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:")+h.site(2, "plain", "", "127.0.0.1:0:"),
		`<location path="plain"><system.webServer><modules><remove name="HelloModule"/></modules></system.webServer></location>`)
	h.start()
	if status, body := h.get("/"); status != 200 || body != "hello" {
		t.Errorf("a site that lists the module: %d %q", status, body)
	}
	last()
	status, _ := get(t, h.urls("plain")[0])
	if o := last(); status != 404 || o.SubStatus != 4 {
		t.Errorf("a site that does not: %d, outcome %+v; want 404.4: no module is left to handle it", status, o)
	}
}

func TestMissingFeatureIsExplained(t *testing.T) {
	loaded, absent := hello("x"), &fake{name: "AbsentModule"}
	h := newTestHost(t, loaded)
	h.write("sites/default/web.config", "<configuration><system.web><compilation debug=\"true\"/></system.web><appSettings><add key=\"a\" value=\"b\"/></appSettings></configuration>")
	o := h.options()
	info := absent.info()
	info.Sections = []config.Section{{Path: "system.webServer/absent", Element: config.Element{Name: "absent"}}}
	o.Modules = append(o.Modules, info)
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	url := s.Status().Sites[0].Bindings[0]
	if status, _ := get(t, url); status != 200 {
		t.Errorf("status %d: sections of .NET must be passed over:\n%s", status, h.log)
	}
	h.write("sites/default/sub/web.config", `<configuration><system.webServer><absent/></system.webServer></configuration>`)
	if status, _ := get(t, url+"sub/"); status != 500 || !strings.Contains(h.log.String(), "rolemgr install "+info.Feature) {
		t.Errorf("status %d, want 500 and a log that names the command:\n%s", status, h.log)
	}
}

// TestSectionsThatTwoModulesRead: a section of a feature can be used while only the module that reads it is loaded, and
// is declared once when the owner is loaded too.
func TestSectionsThatTwoModulesRead(t *testing.T) {
	shared := []config.Section{{Path: "system.webServer/shared", Element: config.Element{Name: "shared"}}}
	owner, reader := module.Info{Name: "Owner", Feature: "owner", Sections: shared}, module.Info{Name: "Reader", Feature: "reader", Reads: shared}
	for _, c := range []struct {
		loaded []module.Info
		usable bool
	}{{nil, false}, {[]module.Info{owner}, true}, {[]module.Info{reader}, true}, {[]module.Info{reader, owner}, true}} {
		schema, err := Schema(c.loaded, []module.Info{owner, reader}, nil)
		if err != nil {
			t.Fatalf("%d modules: %v", len(c.loaded), err)
		}
		h := newTestHost(t, hello("x"))
		h.write("sites/default/web.config", `<configuration><system.webServer><shared/></system.webServer></configuration>`)
		faults := config.CheckFile(filepath.Join(h.home, "sites/default/web.config"), schema)
		if (len(faults) == 0) != c.usable || !c.usable && faults[0].Feature != "owner" {
			t.Errorf("%d modules: %v", len(c.loaded), faults)
		}
	}
}
