package reverseproxy

import (
	"bufio"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// ask sends a request for u through the module with these farms. A 502 is told with its sub-status.
func ask(t *testing.T, m *routing, u string) string {
	t.Helper()
	target, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	q := &module.Request{Upstream: target, Logger: slog.New(slog.DiscardHandler), Start: time.Now()}
	q.RenderError = func(w http.ResponseWriter, _ *http.Request, e *module.HTTPError) {
		w.WriteHeader(e.Status)
		_, _ = io.WriteString(w, strconv.Itoa(e.Status)+"."+strconv.Itoa(e.SubStatus)+" "+e.Summary)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", "http://www.example.com/", http.NoBody)
	m.Middleware(http.NotFoundHandler()).ServeHTTP(w, module.WithRequest(r, q))
	q.Returned()
	return w.Body.String()
}

// TestSecure has https go to a server whose certificate the system trusts, and to no other.
func TestSecure(t *testing.T) {
	back := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Host+r.Header.Get("X-Forwarded-Proto"))
	}))
	back.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	defer back.Close()
	u, _ := url.Parse(back.URL)
	port, _ := strconv.Atoi(u.Port())
	c := &farmConfig{Name: "Shop", Enabled: true, Servers: []serverConfig{{Address: "127.0.0.1", Enabled: true}}}
	c.Servers[0].Routing.HTTPPort, c.Servers[0].Routing.HTTPSPort, c.Servers[0].Routing.Weight = 1, uint32(port), 1
	c.Routing.Protocol = proxyConfig{Timeout: time.Minute, PreserveHost: true, MaxForwards: 10}
	pool := x509.NewCertPool()
	pool.AddCert(back.Certificate())
	for _, roots := range []*x509.CertPool{pool, nil} {
		l := newLines()
		l.roots = roots
		m := &routing{lines: l, farms: map[string]*farm{"shop": newFarm(c, l, slog.New(slog.DiscardHandler))}}
		got := ask(t, m, "https://SHOP/x")
		if trusted := got == "www.example.comhttp"; trusted != (roots != nil) || !trusted && !strings.Contains(got, "502.3") {
			t.Errorf("roots %v: %s", roots != nil, got)
		}
		if got := ask(t, m, "http://shop/x"); !strings.Contains(got, "502.3") { // nobody listens there
			t.Errorf("http: %s", got)
		}
		_ = l.Close()
	}
}

// TestLinesAreFew has a rule that makes names of what clients send keep no more than so many forwarders.
func TestLinesAreFew(t *testing.T) {
	l := newLines()
	defer func() { _ = l.Close() }()
	key := func(i int) lineKey { return lineKey{addr: strconv.Itoa(i)} }
	first := l.forwarder(key(0))
	for i := 1; i < mostForwarders; i++ {
		l.forwarder(key(i))
	}
	if l.forwarder(key(0)) != first || l.order.Len() != mostForwarders {
		t.Errorf("%d are kept", l.order.Len())
	}
	l.forwarder(key(mostForwarders))
	if l.forwarder(key(0)) != first || l.order.Len() != mostForwarders || l.forwarders[key(1)] != nil {
		t.Errorf("%d are kept, or the one used last is not", l.order.Len())
	}
}

func TestChecks(t *testing.T) {
	for _, c := range []struct {
		name  string
		check func(string) error
		good  []string
		bad   []string
	}{
		{"statuses", statusRanges, []string{"200-399", "200", "200, 204 - 206", "100-999"}, []string{"", "99", "1000", "300-200", "2xx", "200,"}},
		{"addresses", address, []string{"a", "10.0.0.1", "::1", "[::1]", "a.example"}, []string{"", "http://a", "a/b", "a b", "u@a"}},
		{"health", healthURL, []string{"", "http://shop/x", "https://shop/"}, []string{"/x", "ftp://shop/", "http://", "farm"}},
		{"variables", hashVariable, []string{"", "query_string", "URL", "HTTP_X_USER", "REMOTE_ADDR"}, []string{"HTTP_", "LOGON_USER", "x"}},
		{"fields", fieldName, []string{"", "X-Real-IP"}, []string{"a b", "Host", "transfer-encoding", "a:"}},
		{"cookies", cookieName, []string{"a", "ARRAffinity"}, []string{"", "a=b", "a;b", "a b"}},
	} {
		for _, s := range c.good {
			if err := c.check(s); err != nil {
				t.Errorf("%s: %q: %v", c.name, s, err)
			}
		}
		for _, s := range c.bad {
			if c.check(s) == nil {
				t.Errorf("%s: %q is accepted", c.name, s)
			}
		}
	}
}

func TestHashKeys(t *testing.T) {
	const get = "GET /a?x=1&y=2&x=3 HTTP/1.1\r\nHost: h.example:81\r\nX-User: me\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(get)))
	if err != nil {
		t.Fatal(err)
	}
	r.RemoteAddr = "192.0.2.1:9"
	for _, c := range []struct{ variable, queries, want string }{
		{"", "", ""}, {"QUERY_STRING", "", "x=1&y=2&x=3"}, {"query_string", "x", "x=1&x=3&"}, {"", "y, x", "y=2& x=1& x=3&"}, {"QUERY_STRING", "z", ""},
		{"URL", "", "/a"}, {"UNENCODED_URL", "", "/a?x=1&y=2&x=3"}, {"SERVER_NAME", "", "h.example"}, {"REMOTE_ADDR", "", "192.0.2.1"}, {"HTTP_X_USER", "", "me"}, {"HTTP_X_NONE", "", ""},
	} {
		if got := hashKey(r, &loadConfig{Variable: c.variable, Queries: c.queries}); got != c.want {
			t.Errorf("%q %q: %q, want %q", c.variable, c.queries, got, c.want)
		}
	}
}

func FuzzStatuses(f *testing.F) {
	for _, s := range []string{"200-399", "200", "200,204-206", "", "-", "9-99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ranges, err := parseStatuses(s)
		for _, r := range ranges {
			if err == nil && (r.from < 100 || r.to > 999 || r.from > r.to) {
				t.Errorf("%q: %v", s, r)
			}
		}
		if err == nil && len(ranges) == 0 {
			t.Errorf("%q is a list of nothing", s)
		}
	})
}
