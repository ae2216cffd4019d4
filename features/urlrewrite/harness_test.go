package urlrewrite_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features/urlrewrite"
	"github.com/rolemgr/rolemgr/runtime/wshost"
	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// A site is a folder with a configuration, and the module in front of a handler that tells what it was asked for.
type site struct {
	tb      testing.TB
	dir     string
	server  string // applicationHost.config
	schema  *config.Schema
	tree    *config.Tree
	handler http.Handler
	next    http.HandlerFunc
	q       *module.Request // of the last request
}

const appHost = `<configuration>
  <system.applicationHost><sites>
    <site name="S" id="1">
      <application path="/"><virtualDirectory path="/" physicalPath="root" /><virtualDirectory path="/media" physicalPath="elsewhere" /></application>
      <application path="/app"><virtualDirectory path="/" physicalPath="application" /></application>
      <bindings><binding protocol="http" bindingInformation="*:80:" /></bindings>
    </site>
  </sites></system.applicationHost>
  <system.webServer>SERVER</system.webServer>
</configuration>`

// newSite makes a site. files are written below its folder; "web.config" holds the inside of <rewrite>.
func newSite(tb testing.TB, server string, files map[string]string) *site {
	tb.Helper()
	s := &site{tb: tb, dir: tb.TempDir()}
	s.server = filepath.Join(s.dir, "applicationHost.config")
	s.file("../applicationHost.config", strings.Replace(appHost, "SERVER", server, 1))
	for name, content := range files {
		s.file(name, content)
	}
	for _, d := range []string{"root", "elsewhere", "application"} {
		if err := os.MkdirAll(filepath.Join(s.dir, d), 0o755); err != nil {
			tb.Fatal(err)
		}
	}
	var err error
	if s.schema, err = wshost.Schema(urlrewrite.Unit().Modules, urlrewrite.Unit().Modules, nil); err != nil {
		tb.Fatal(err)
	}
	s.reopen()
	s.next = func(w http.ResponseWriter, r *http.Request) {
		target := r.URL.Path
		if r.URL.RawQuery != "" {
			target += "?" + r.URL.RawQuery
		}
		fmt.Fprintf(w, "%s", target)
	}
	s.handler = urlrewrite.Unit().Modules[0].New().Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.next(w, r) }))
	return s
}

// reopen reads the configuration of the server anew.
func (s *site) reopen() {
	s.tb.Helper()
	var err error
	if s.tree, err = config.Open(config.Options{AppHost: s.server, BaseDir: s.dir, Schema: s.schema}); err != nil {
		s.tb.Fatal(err)
	}
}

func (s *site) file(name, content string) {
	s.tb.Helper()
	full := filepath.Join(s.dir, "root", name)
	if rest, ok := strings.CutPrefix(name, "../"); ok {
		full = filepath.Join(s.dir, rest)
	}
	if filepath.Base(name) == "web.config" && !strings.HasPrefix(content, "<?xml") {
		content = "<configuration><system.webServer><rewrite>" + content + "</rewrite></system.webServer></configuration>"
	}
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), 0o644); err != nil {
		s.tb.Fatal(err)
	}
}

// request makes a request as the host does: "GET /path HTTP/1.1" and lines of header, or only the path.
func (s *site) request(head string) (*http.Request, error) {
	lines := strings.Split(strings.TrimSpace(head), "\n")
	method, target, ok := strings.Cut(lines[0], " ")
	if !ok {
		method, target = "GET", lines[0]
	}
	rest, secure := strings.CutPrefix(target, "https://www.example.com")
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(method + " " + rest + " HTTP/1.1\r\nHost: www.example.com\r\n\r\n")))
	if err != nil {
		return nil, err
	}
	if folder := strings.HasSuffix(r.URL.Path, "/"); r.URL.Path != "*" { // as the host cleans it
		if r.URL.Path = path.Clean(r.URL.Path); folder && r.URL.Path != "/" {
			r.URL.Path += "/"
		}
	}
	r.RemoteAddr = "192.0.2.7:4711"
	if secure {
		r.TLS = &tls.ConnectionState{}
	}
	for _, l := range lines[1:] {
		k, v, _ := strings.Cut(l, ": ")
		if k == "Host" {
			r.Host = v
		} else {
			r.Header.Add(k, v)
		}
	}
	port := 80
	if secure {
		port = 443
	}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}))
	s.q = &module.Request{SiteID: 1, SiteName: "S", Files: wshost.SiteFiles(s.tree, "S")}
	s.q.RenderError = func(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
		w.WriteHeader(e.Status)
		fmt.Fprintf(w, "%d.%d %s %s", e.Status, e.SubStatus, e.Summary, e.Hint)
		if e.Config != nil {
			fmt.Fprintf(w, " %s (%s)", e.Config.Error(), e.Config.Hint)
		}
	}
	s.q.Reconfigure = func(p string) *module.HTTPError {
		eff, err := s.tree.Effective("S", p)
		if err != nil {
			ce := (*config.Error)(nil)
			if errors.As(err, &ce) {
				return module.ConfigFailure(ce)
			}
			return &module.HTTPError{Status: 500, Summary: err.Error()}
		}
		s.q.Config = eff
		return nil
	}
	return module.WithRequest(r, s.q), nil
}

// ask sends a request through the module. The answer is told in short: what the handler was asked for, or the status
// with the Location or the page.
func (s *site) ask(head string) string {
	s.tb.Helper()
	w, aborted := s.send(head)
	switch body, _ := io.ReadAll(w.Result().Body); {
	case aborted:
		return "aborted"
	case w.Code >= 300 && w.Code < 400:
		return fmt.Sprintf("%d %s", w.Code, w.Header().Get("Location"))
	case w.Code == 200:
		return string(body)
	default:
		return string(body)
	}
}

func (s *site) send(head string) (w *httptest.ResponseRecorder, aborted bool) {
	s.tb.Helper()
	r, err := s.request(head)
	if err != nil {
		s.tb.Fatal(err)
	}
	w = httptest.NewRecorder()
	if refusal := s.q.Reconfigure(strings.Replace(r.URL.Path, "*", "/", 1)); refusal != nil {
		s.q.Fail(w, r, refusal)
		return w, false
	}
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			aborted = true
		}
	}()
	s.handler.ServeHTTP(w, r)
	return w, false
}

// rulesOf is a web.config with rules.
func rulesOf(rules string) map[string]string {
	return map[string]string{"web.config": "<rules>" + rules + "</rules>"}
}

// asked is a request with the answer that it must get; an answer that ends with "..." need only begin so.
type asked struct{ request, want string }

func (s *site) check(t *testing.T, cases []asked) {
	t.Helper()
	for _, c := range cases {
		got := s.ask(c.request)
		if begin, ok := strings.CutSuffix(c.want, "..."); got != c.want && !(ok && strings.HasPrefix(got, begin)) {
			t.Errorf("%s\n got %s\nwant %s", c.request, got, c.want)
		}
	}
}
