package wshost

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
)

// siteNames answers with the name of the site.
func siteNames() *fake {
	return &fake{name: "SiteModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		_, _ = io.WriteString(w, module.FromRequest(r).SiteName)
	}}
}

func refused(addr string) bool {
	c, err := net.DialTimeout("tcp", addr, patience)
	if err == nil {
		_ = c.Close()
	}
	return err != nil
}

func TestBindingsChangeLive(t *testing.T) {
	hold, release := make(chan struct{}), make(chan struct{})
	f := siteNames()
	f.serve = func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		if r.URL.Path == "/slow" {
			close(hold)
			<-release
		}
		_, _ = io.WriteString(w, module.FromRequest(r).SiteName)
	}
	h := newTestHost(t, f)
	a, b, c := freeAddr(t), freeAddr(t), freeAddr(t)
	h.configure(h.site(1, "one", "", a+":", b+":"))
	h.start()
	kept := h.s.endpoints.get(mustKey(t, a)).ln
	keepAlive := dialRaw(t, a).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	keepAlive.response()
	slow := dialRaw(t, b).send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
	<-hold

	h.configure(h.site(1, "one", "", a+":") + h.site(2, "two", "", c+":"))
	h.reload()
	if _, body := get(t, "http://"+c+"/"); body != "two" {
		t.Errorf("the new binding answers %q, want two", body)
	}
	if !refused(b) {
		t.Error("the removed binding still accepts")
	}
	if h.s.endpoints.get(mustKey(t, a)).ln != kept {
		t.Error("the binding that did not change was opened anew")
	}
	if resp := keepAlive.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response(); resp.StatusCode != 200 {
		t.Errorf("the kept connection answers %s", resp.Status)
	}
	close(release)
	resp := slow.response()
	if body, _ := io.ReadAll(resp.Body); string(body) != "one" || !resp.Close {
		t.Errorf("the request in progress got %q (close %v), want its answer and the end of the connection", body, resp.Close)
	}
	slow.ended()
	eventually(t, "the removed binding is forgotten", func() bool { return len(h.s.endpoints.every()) == 2 })
}

func mustKey(t *testing.T, addr string) endpointKey {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return endpointKey{addr: a.IP.String(), port: a.Port}
}

func TestBindingThatCannotBeOpenedRefusesTheReload(t *testing.T) {
	h := newTestHost(t, siteNames())
	a, free, taken := freeAddr(t), freeAddr(t), freeAddr(t)
	ln, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	h.configure(h.site(1, "one", "", a+":"))
	h.start()
	h.configure(h.site(1, "one", "", free+":", taken+":"))
	_, err = h.s.Reload(context.Background())
	ce := (*config.Error)(nil)
	if !errors.As(err, &ce) || !strings.Contains(ce.Message, taken) || !strings.Contains(ce.Message, `"one"`) || ce.HResult != hresultInUse || ce.Pos.Line == 0 {
		t.Fatalf("error %v, want one that names address, site and place", err)
	}
	if _, body := get(t, "http://"+a+"/"); body != "one" {
		t.Errorf("the old binding answers %q", body)
	}
	if !refused(free) {
		t.Error("the binding that could be opened was left open")
	}
	if st := h.s.Status(); st.Generation != 1 || st.Generations != 1 { // the refused one was never among them
		t.Errorf("generation %d of %d, want the first alone", st.Generation, st.Generations)
	}
	h2 := newTestHost(t)
	h2.configure(h2.site(1, "two", "", taken+":"))
	if _, err := Start(context.Background(), h2.options()); !errors.As(err, &ce) || !strings.Contains(ce.Hint, "ss -ltnp") {
		t.Errorf("Start: %v, want the same refusal with a hint", err)
	}
}

func TestAllAddressesTakeOverFromOne(t *testing.T) {
	h := newTestHost(t, siteNames())
	one := freeAddr(t)
	_, port, _ := net.SplitHostPort(one)
	h.configure(h.site(1, "one", "", one+":"))
	h.start()
	c := dialRaw(t, one).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	c.response()

	h.configure(h.site(1, "one", "", one+":") + h.site(2, "all", "", "*:"+port+":"))
	h.reload()
	for addr, want := range map[string]string{one: "one", "127.0.0.1:" + port: "all"} {
		if _, body := get(t, "http://"+addr+"/"); body != want {
			t.Errorf("%s answers %q, want %q", addr, body, want)
		}
	}

	// And back, while another program has a port that the new configuration wants: nothing may be lost.
	taken := freeAddr(t)
	ln, err := net.Listen("tcp", taken)
	if err != nil {
		t.Fatal(err)
	}
	h.configure(h.site(1, "one", "", one+":", taken+":"))
	if _, err := h.s.Reload(context.Background()); err == nil {
		t.Fatal("the reload was not refused")
	}
	if _, body := get(t, "http://127.0.0.1:"+port+"/"); body != "all" {
		t.Errorf("after the refused reload: %q, want all", body)
	}
	_ = ln.Close()
	h.reload()
	if _, body := get(t, "http://"+one+"/"); body != "one" || !refused("127.0.0.1:"+port) {
		t.Errorf("after the reload: %q, want the single address alone", body)
	}
}

func TestHostHeaders(t *testing.T) {
	h := newTestHost(t, siteNames())
	addr := freeAddr(t)
	h.configure(h.site(1, "www", "", addr+":www.example.com") + h.site(2, "any", "", addr+":") + h.site(3, "off", `serverAutoStart="false"`, addr+":off.example.com"))
	h.start()
	ask := func(host string) (int, string) {
		resp := dialRaw(t, addr).send("GET / HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n\r\n").response()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	for host, want := range map[string]string{
		"www.example.com": "www", "WWW.Example.COM:8080": "www", "www.example.com.": "www", "other": "any", "127.0.0.1": "any", "[::1]:80": "any", "off.example.com": "any",
	} {
		if status, body := ask(host); status != 200 || body != want {
			t.Errorf("Host %s: %d %q, want %q", host, status, body, want)
		}
	}
	h.configure(h.site(1, "www", "", addr+":www.example.com"))
	log, last := recorder()
	h.s.options.Modules = append(h.s.options.Modules, log.info())
	h.fakes = append(h.fakes, log)
	h.configure(h.site(1, "www", "", addr+":www.example.com"))
	h.reload()
	status, _ := ask("other")
	if o := last(); status != 404 || o.SubStatus != 1 {
		t.Errorf("an unknown host: %d, %+v; want 404.1", status, o)
	}
	if st := h.s.Status(); len(st.Sites) != 1 || st.Sites[0].Bindings[0] != "http://www.example.com:"+addr[strings.LastIndexByte(addr, ':')+1:]+"/" {
		t.Errorf("sites %+v", st.Sites)
	}
}

// TestBindingPrecedence has one site for each form of a binding on one port. HTTP.sys looks for a host name first, then
// for the address.
func TestBindingPrecedence(t *testing.T) {
	h := newTestHost(t, siteNames())
	one := freeAddr(t)
	_, port, _ := net.SplitHostPort(one)
	other := net.JoinHostPort("127.0.0.9", port)
	forms := []struct{ name, binding string }{
		{"address and name", one + ":a.test"}, {"name", "*:" + port + ":a.test"}, {"address", one + ":"}, {"any", "*:" + port + ":"},
	}
	sites := ""
	for i, f := range forms {
		sites += h.site(i+1, f.name, "", f.binding)
	}
	h.configure(sites)
	h.start()
	ask := func(addr, host string) string {
		resp := dialRaw(t, addr).send("GET / HTTP/1.1\r\nConnection: close\r\nHost: " + host + "\r\n\r\n").response()
		b, _ := io.ReadAll(resp.Body)
		return string(b)
	}
	for _, tt := range []struct{ addr, host, want string }{
		{one, "a.test", "address and name"}, {other, "a.test", "name"}, {one, "b.test", "address"}, {other, "b.test", "any"},
	} {
		if got := ask(tt.addr, tt.host); got != tt.want {
			t.Errorf("%s with Host %s: %q, want %q", tt.addr, tt.host, got, tt.want)
		}
	}
	// Without the first, a name at every address goes before the address alone.
	h.configure(h.site(2, "name", "", "*:"+port+":a.test") + h.site(3, "address", "", one+":"))
	h.reload()
	if got := ask(one, "a.test"); got != "name" {
		t.Errorf("a name against an address: %q, want the name", got)
	}
}

func TestSiteThatDoesNotStart(t *testing.T) {
	h := newTestHost(t, siteNames())
	addr := freeAddr(t)
	h.configure(h.site(1, "off", `serverAutoStart="false"`, addr+":"))
	h.start()
	if !refused(addr) {
		t.Error("a site with serverAutoStart=false is bound")
	}
	if st := h.s.Status(); st.Sites[0].State != "Stopped" || len(st.Sites[0].Bindings) != 0 {
		t.Errorf("%+v, want a stopped site", st.Sites[0])
	}
}

func TestMaxConnections(t *testing.T) {
	h := newTestHost(t, siteNames())
	h.configure(h.site(1, "one", `<limits maxConnections="2"/>`, "127.0.0.1:0:", "127.0.0.2:0:"))
	h.start()
	urls := h.urls("one")
	addr := func(i int) string { return strings.Trim(strings.TrimPrefix(urls[i], "http://"), "/") }
	const request = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	first := dialRaw(t, addr(0)).send(request)
	second := dialRaw(t, addr(1)).send(request)
	if a, b := first.response(), second.response(); a.StatusCode != 200 || b.StatusCode != 200 {
		t.Fatalf("%s, %s: two connections are allowed", a.Status, b.Status)
	}
	third := dialRaw(t, addr(0)) // told at accept, before it asks
	if resp := third.response(); resp.StatusCode != 503 {
		t.Errorf("the third connection got %s, want 503", resp.Status)
	}
	_ = second.Close()
	eventually(t, "the place is free again", func() bool {
		c := dialRaw(t, addr(1)).send(request)
		resp, err := http.ReadResponse(c.r, nil)
		_ = c.Close()
		return err == nil && resp.StatusCode == 200
	})
}

func TestNewTimeoutsHoldForNewConnections(t *testing.T) {
	t.Parallel()
	h := newTestHost(t, siteNames())
	h.start()
	key := endpointKey{addr: "127.0.0.1", site: 1}
	old := dialRaw(t, h.addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	old.response()
	h.configure(h.site(1, "Default Web Site", `<limits connectionTimeout="00:00:01"/>`, "127.0.0.1:0:"))
	h.reload()
	if got := h.s.endpoints.get(key).given; got != (timeouts{header: time.Second, idle: time.Second}) {
		t.Errorf("timeouts %v, want a second", got)
	}
	fresh := dialRaw(t, h.addr).send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	fresh.response()
	fresh.ended() // after a second of silence
	if resp := old.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n").response(); resp.StatusCode != 200 {
		t.Errorf("the older connection: %s", resp.Status)
	}
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"),
		`<system.applicationHost><webLimits headerWaitTimeout="00:00:45"/></system.applicationHost>`)
	h.reload()
	if got := h.s.endpoints.get(key).given; got != (timeouts{header: 45 * time.Second, idle: 2 * time.Minute}) {
		t.Errorf("timeouts %v, want those of webLimits and of IIS", got)
	}
}

func TestOtherProtocolsAreNotOpened(t *testing.T) {
	h := newTestHost(t, siteNames())
	site := h.site(1, "Default Web Site", "", "127.0.0.1:0:")
	h.configure(strings.Replace(site, "</bindings>", `<binding protocol="https" bindingInformation="127.0.0.1:443:"/></bindings>`, 1))
	h.start()
	if r := h.reload(); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], `the https binding "127.0.0.1:443:" of site "Default Web Site" is not opened: it names no certificate`) {
		t.Errorf("warnings %q", r.Warnings)
	}
	if status, _ := h.get("/"); status != 200 {
		t.Errorf("status %d", status)
	}
}

func TestDeclaredAddresses(t *testing.T) {
	tests := []struct {
		address string
		want    string
		bad     bool
	}{
		{"", "", false}, {"*", "", false}, {"0.0.0.0", "", false}, {"[::]", "", false}, {"127.0.0.1", "127.0.0.1", false},
		{"[::1]", "::1", false}, {"0:0:0:0:0:0:0:1", "::1", false}, {"example.com", "", true},
	}
	for _, tt := range tests {
		k, err := bindingEndpoint(7, config.Binding{Address: tt.address, Port: 80})
		if (err != nil) != tt.bad || k.addr != tt.want || k.site != 0 {
			t.Errorf("%q: %+v, %v", tt.address, k, err)
		}
	}
}
