package webservercore

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// effective is the server level of an applicationHost.config with the content of system.webServer.
func effective(t *testing.T, inner string) *config.Effective {
	t.Helper()
	var sections []config.Section
	for _, m := range Unit().Modules {
		sections = append(sections, m.Sections...)
	}
	schema, err := config.NewSchema(append(config.CoreSections(), sections...), nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "applicationHost.config")
	if err := os.WriteFile(file, []byte("<configuration><system.webServer>"+inner+"</system.webServer></configuration>"), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, err := config.Open(config.Options{AppHost: file, BaseDir: filepath.Dir(file), Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	e, err := tree.Server()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// line is a recorder that can be hijacked.
type line struct {
	*httptest.ResponseRecorder
	hijacked bool
}

func (l *line) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	l.hijacked = true
	return nil, nil, nil
}

// TestHeaderWriter takes every way in which a handler can send its header.
func TestHeaderWriter(t *testing.T) {
	e := effective(t, `<httpProtocol allowKeepAlive="false"><customHeaders><add name="X-A" value="1" /></customHeaders></httpProtocol>`)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		status  int
		stays   bool // the connection is not closed
	}{
		"a status":        {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 404, false},
		"two":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404); w.WriteHeader(200) }, 404, false},
		"nothing":         {func(http.ResponseWriter, *http.Request) {}, 200, false},
		"a body":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("x")) }, 200, false},
		"a string":        {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }, 200, false},
		"a copy":          {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, strings.NewReader("x")) }, 200, false},
		"a flush":         {func(w http.ResponseWriter, _ *http.Request) { _ = http.NewResponseController(w).Flush() }, 200, false},
		"an older flush":  {func(w http.ResponseWriter, _ *http.Request) { w.(http.Flusher).Flush() }, 200, false},
		"early hints":     {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(103); w.WriteHeader(204) }, 103, false},
		"its own field":   {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("x-a", "1"); w.WriteHeader(200) }, 200, false},
		"another upgrade": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(101) }, 101, true},
		"a hijack":        {func(w http.ResponseWriter, _ *http.Request) { _, _, _ = http.NewResponseController(w).Hijack() }, 200, true},
	} {
		w := &line{ResponseRecorder: httptest.NewRecorder()}
		r := module.WithRequest(httptest.NewRequest("GET", "/", nil), &module.Request{Config: e})
		newHeaderModule().Middleware(c.handler).ServeHTTP(w, r)
		if got := w.Header().Values("X-A"); w.Code != c.status || !slices.Equal(got, []string{"1"}) {
			t.Errorf("%s: %d, field %q", name, w.Code, got)
		}
		if closes := w.Header().Get("Connection") == "close"; closes == c.stays {
			t.Errorf("%s: closes %v", name, closes)
		}
		if w.hijacked != (name == "a hijack") {
			t.Errorf("%s: hijacked %v", name, w.hijacked)
		}
	}
}

// TestHeadersOfTheFinalFolder holds that the configuration counts which is in force when the header is sent.
func TestHeadersOfTheFinalFolder(t *testing.T) {
	q := &module.Request{Config: effective(t, `<httpProtocol><customHeaders><add name="X-A" value="first" /></customHeaders></httpProtocol>`)}
	last := effective(t, `<httpProtocol><customHeaders><add name="X-A" value="last" /></customHeaders></httpProtocol>`)
	w := httptest.NewRecorder()
	newHeaderModule().Middleware(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		q.Config = last
		w.WriteHeader(200)
	})).ServeHTTP(w, module.WithRequest(httptest.NewRequest("GET", "/", nil), q))
	if got := w.Header().Values("X-A"); !slices.Equal(got, []string{"last"}) {
		t.Errorf("%q", got)
	}
}

// FuzzFields sends whatever the declaration lets pass over a real line, and looks for what it did to the response.
func FuzzFields(f *testing.F) {
	f.Add("X-A", "1")
	f.Add("Content-Length", "5")
	f.Add("X", "a\r\nb: c")
	f.Add("Transfer-Encoding ", "chunked")
	f.Fuzz(func(t *testing.T, name, value string) {
		if checkFieldName(name) != nil || checkFieldValue(value) != nil {
			return
		}
		h := http.Header{}
		addFields(h, []headerField{{name, value}, {"X-Last", "1"}})
		var b strings.Builder
		resp := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: h, Body: io.NopCloser(strings.NewReader("body")), ContentLength: 4}
		if err := resp.Write(&b); err != nil {
			t.Fatal(err)
		}
		got, err := http.ReadResponse(bufio.NewReader(strings.NewReader(b.String())), nil)
		if err != nil {
			t.Fatalf("%q: %q: %v", name, value, err)
		}
		body, err := io.ReadAll(got.Body)
		if err != nil || string(body) != "body" || got.Header.Get("X-Last") == "" || len(got.Header) > len(h)+1 {
			t.Errorf("%q: %q gives %q (%v), header %v", name, value, body, err, got.Header)
		}
	})
}
