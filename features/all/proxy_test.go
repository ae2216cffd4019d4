package all_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// behind is a server behind the proxy. It tells what it was asked.
type behind struct {
	*httptest.Server
	address, port string
	asked         atomic.Int64
	health        atomic.Pointer[http.HandlerFunc]
}

// newBehind starts one: "one" at 127.0.0.1, "two" at 127.0.0.2, "three" at 127.0.0.3, for a farm tells servers apart by
// their addresses.
func newBehind(t *testing.T, name string) *behind {
	t.Helper()
	b := &behind{address: map[string]string{"one": "127.0.0.1", "two": "127.0.0.2", "three": "127.0.0.3"}[name]}
	up := &ws.Upgrader{Origins: []string{"*"}}
	b.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			if h := b.health.Load(); h != nil {
				(*h)(w, r)
			}
			return
		}
		b.asked.Add(1)
		w.Header().Set("X-Server", name)
		switch r.URL.Path {
		case "/ws":
			c, err := up.Upgrade(w, r)
			if err != nil {
				return
			}
			defer c.Cut()
			for {
				op, p, err := c.Read(r.Context())
				if err != nil || c.Write(r.Context(), op, append([]byte(name+" "), p...)) != nil {
					return
				}
			}
		case "/redirect":
			w.Header().Set("Location", "http://"+b.Listener.Addr().String()+"/there?x=1")
			w.Header().Set("Content-Location", "http://elsewhere.example/")
			w.Header().Add("Set-Cookie", "a=1; Domain=127.0.0.1; Path=/")
			w.Header().Add("Set-Cookie", "b=1; Domain=example.com; Path=/")
			w.WriteHeader(http.StatusFound)
		case "/once":
			w.Header().Set("Connection", "close")
		case "/hang":
			<-r.Context().Done()
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			fmt.Fprintf(w, "%s %s host=%s for=%s real=%s max=%s", r.Method, r.RequestURI, r.Host, r.Header.Get("X-Forwarded-For"), r.Header.Get("X-Real"), r.Header.Get("Max-Forwards"))
		}
	}))
	l, err := net.Listen("tcp", b.address+":0")
	if err != nil {
		t.Fatal(err)
	}
	_ = b.Listener.Close()
	b.Listener = l
	b.Start()
	_, b.port, _ = net.SplitHostPort(b.Listener.Addr().String())
	t.Cleanup(b.Close)
	return b
}

// proxyHost has the default site send everything below /p/ to target.
func proxyHost(t *testing.T, server, target string) *testHost {
	t.Helper()
	home := newHome(t, append(everything(), "url-rewrite", "reverse-proxy")...)
	replace(t, filepath.Join(home, "config/applicationHost.config"), "</configuration>", server+"</configuration>")
	h := startHost(t, home)
	h.webConfig(`<rewrite><rules><rule name="p" stopProcessing="true"><match url="^p/(.*)" /><action type="Rewrite" url="` + target + `/{R:1}" /></rule></rules></rewrite>`)
	return h
}

func proxySettings(attributes string) string {
	return `<system.webServer><proxy ` + attributes + ` /></system.webServer>`
}

// proxyFarm writes a farm of servers, with what is in its <applicationRequestRouting>.
func proxyFarm(routing string, servers ...string) string {
	return `<webFarms><webFarm name="Farm">` + strings.Join(servers, "") + `<applicationRequestRouting>` + routing + `</applicationRequestRouting></webFarm></webFarms>`
}

// farmServer writes the <server> of a farm, with more attributes of its routing.
func farmServer(b *behind, more string) string {
	return `<server address="` + b.address + `"><applicationRequestRouting httpPort="` + b.port + `" ` + more + ` /></server>`
}

// TestProxyAttributes holds each attribute of <proxy> to its two sides. What it wants differs for each from what the default gives.
func TestProxyAttributes(t *testing.T) {
	const client = "127.0.0.1"
	for _, c := range []struct {
		with, ask, holds, lacks string
	}{
		{``, "/p/a%20b?x=1;y=2", "GET /a%20b?x=1;y=2 host=127.0.0.1:", "host=localhost"},
		{`enabled="false"`, "/p/a", "404.4", "GET"},
		{`preserveHostHeader="true"`, "/p/a", "host=localhost ", "host=127.0.0.1"},
		{``, "/p/a\nX-Forwarded-For: 192.0.2.1", "for=192.0.2.1, " + client + ":", ""},
		{`includePortInXForwardedFor="false"`, "/p/a", "for=" + client + " ", ""},
		{`xForwardedForHeaderName="X-Real"`, "/p/a", "for= real=" + client, ""},
		{`xForwardedForHeaderName=""`, "/p/a", "for= real= ", ""},
		{``, "/p/a", "max=10", ""},
		{`maxForwards="3"`, "/p/a", "max=3", ""},
		{``, "/p/a\nMax-Forwards: 1", "max=0", ""},
		{``, "/p/a\nMax-Forwards: 99", "max=10", ""},
		{``, "/p/a\nMax-Forwards: 0", "400.605", ""},
		{``, "/p/redirect", "http://localhost/there?x=1|http://elsewhere.example/|a=1; Path=/|b=1; Domain=example.com; Path=/", ""},
		{`reverseRewriteHostInResponseHeaders="false"`, "/p/redirect", "/there?x=1|http://elsewhere.example/|a=1; Domain=127.0.0.1; Path=/|", "localhost"},
		{`timeout="00:00:01"`, "/p/hang", "502.3", ""},
		{``, "/q", "404.0", ""},
	} {
		b := newBehind(t, "one")
		h := proxyHost(t, proxySettings(c.with), "http://127.0.0.1:"+b.port)
		path, fields, _ := strings.Cut(c.ask, "\n")
		a := h.get(path, strings.Fields(strings.ReplaceAll(fields, ": ", ":"))...)
		saw := a.named() + " " + a.body + " " + a.header.Get("Location") + "|" + a.header.Get("Content-Location") + "|" + strings.Join(a.header.Values("Set-Cookie"), "|")
		if !strings.Contains(saw, c.holds) || c.lacks != "" && strings.Contains(saw, c.lacks) {
			t.Errorf("<proxy %s>, %s: %.600s; want %q without %q", c.with, c.ask, saw, c.holds, c.lacks)
		}
		h.stop()
	}
}

// TestProxyLoop has a rule that leads back to this server end.
func TestProxyLoop(t *testing.T) {
	h := proxyHost(t, proxySettings(`preserveHostHeader="true"`), "http://127.0.0.1:1")
	h.webConfig(`<rewrite><rules><rule name="p"><match url="^p/" /><action type="Rewrite" url="http://` + h.addr + `/p/x" /></rule></rules></rewrite>`)
	if a := h.get("/p/x", "Host: localhost"); a.named() != "400.605" && a.status != 400 {
		t.Errorf("%s\n%.500s", a.named(), a.body)
	}
}

// TestProxySockets takes WebSockets through the proxy: as a relay, as a tunnel, and as a GET where the feature is missing.
func TestProxySockets(t *testing.T) {
	for _, policy := range []string{"true", "false"} {
		b := newBehind(t, "one")
		h := proxyHost(t, proxyFarm(`<affinity useCookie="true" />`, farmServer(b, "")), "http://Farm")
		h.webConfig(`<webSocket enabled="` + policy + `" /><rewrite><rules><rule name="p"><match url="^p/(.*)" /><action type="Rewrite" url="http://Farm/{R:1}" /></rule>` +
			`<rule name="e"><match url="^echo$" /><action type="Rewrite" url="http://Farm/ws" /></rule></rules></rewrite>`)
		for _, path := range []string{"/p/ws", "/echo"} {
			c, resp, err := ws.Dial(t.Context(), "ws://"+h.addr+path, nil)
			if err != nil {
				t.Fatalf("%s: %v", policy, err)
			}
			if !strings.HasPrefix(resp.Header.Get("Set-Cookie"), "ARRAffinity=") {
				t.Errorf("%s: %v", policy, resp.Header)
			}
			if err := c.Write(t.Context(), frame.Text, []byte("hi")); err != nil {
				t.Fatal(err)
			}
			if _, p, err := c.Read(t.Context()); err != nil || string(p) != "one hi" {
				t.Errorf("%s: %q, %v", policy, p, err)
			}
			_ = c.Close(frame.NormalClosure, "")
		}
	}
}

// TestProxyToItsOwnName has a client whose Host field says the name of the server behind get an answer of that, and no file
// of this one; {HTTP_HOST} is this server.
func TestProxyToItsOwnName(t *testing.T) {
	b := newBehind(t, "one")
	h := proxyHost(t, "", "http://127.0.0.1:"+b.port)
	h.site("secret.txt", "secret")
	if a := h.get("/p/secret.txt", "Host: 127.0.0.1:"+b.port); a.header.Get("X-Server") != "one" {
		t.Errorf("%d %s", a.status, a.body)
	}
	h.webConfig(`<rewrite><rules><rule name="p"><match url="^p/(.*)" /><action type="Rewrite" url="http://{HTTP_HOST}/{R:1}" /></rule></rules></rewrite>`)
	if a := h.get("/p/secret.txt"); a.body != "secret" {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestProxyErrorPage has the page that the site names for a server that is not there come from the site.
func TestProxyErrorPage(t *testing.T) {
	h := proxyHost(t, `<system.webServer><httpErrors errorMode="Custom" /></system.webServer>`, "http://x")
	h.site("sorry.txt", "sorry")
	h.webConfig(`<httpErrors errorMode="Custom"><remove statusCode="502" /><error statusCode="502" path="/sorry.txt" responseMode="ExecuteURL" /></httpErrors>` +
		`<rewrite><rules><rule name="p"><match url="^p/" /><action type="Rewrite" url="http://127.0.0.1:1/" /></rule></rules></rewrite>`)
	if a := h.get("/p/"); a.status != 502 || a.body != "sorry" {
		t.Errorf("%d %.200s", a.status, a.body)
	}
}

// TestProxyMissing names the feature, and where it is switched off.
func TestProxyMissing(t *testing.T) {
	home := newHome(t, append(everything(), "url-rewrite")...)
	h := startHost(t, home)
	h.webConfig(`<rewrite><rules><rule name="p"><match url="^p/" /><action type="Rewrite" url="http://127.0.0.1:1/" /></rule></rules></rewrite>`)
	if a := h.get("/p/"); a.named() != "404.4" || !strings.Contains(a.body, "rolemgr install reverse-proxy") {
		t.Errorf("%s\n%s", a.named(), a.body)
	}
}

// TestProxyRulesOfSites: fields that a rule sets, other schemes, servers that are not there.
func TestProxyRulesOfSites(t *testing.T) {
	b := newBehind(t, "one")
	h := proxyHost(t, `<system.webServer><rewrite><allowedServerVariables><add name="HTTP_X_REAL" /><add name="HTTP_HOST" /></allowedServerVariables></rewrite></system.webServer>`, "http://x")
	rule := func(name, action string) string {
		return `<rule name="` + name + `"><match url="^` + name + `$" /><serverVariables><set name="HTTP_X_REAL" value="rule" /></serverVariables><action type="Rewrite" ` + action + ` /></rule>`
	}
	h.webConfig(`<rewrite><rules>` + rule("a", `url="http://127.0.0.1:`+b.port+`/x y?q=1"`) + rule("b", `url="ws://127.0.0.1:`+b.port+`?q=2" appendQueryString="false"`) +
		rule("c", `url="ftp://127.0.0.1/"`) + rule("d", `url="http://127.0.0.1:1/"`) + rule("e", `url="https://127.0.0.1:`+b.port+`/"`) +
		`<rule name="z"><match url="^z(.*)$" /><action type="Rewrite" url="http://127.0.0.1:` + b.port + `{R:1}" /></rule>` +
		`<rule name="h"><match url="^h$" /><serverVariables><set name="HTTP_HOST" value="rule.example" /></serverVariables><action type="Rewrite" url="http://127.0.0.1:` + b.port + `/" /></rule></rules></rewrite>`)
	for path, holds := range map[string]string{
		"/a?p=1": "GET /x%20y?q=1&p=1 ", "/b?p=1": "GET /?q=2 ", "/c": "400.0", "/d": "502.3", "/e": "502.3", "/h": "host=rule.example ",
		"/z@evil.example/": "400.0", "/z%20/": "400.0", "/z/%0d%0aX:1": "400.0",
	} {
		if a := h.get(path); !strings.Contains(a.named()+a.body, holds) || a.status == 200 && path[:2] < "/f" && !strings.Contains(a.body, "real=rule") {
			t.Errorf("%s: %s %.400s, want %q", path, a.named(), a.body, holds)
		}
	}
}
