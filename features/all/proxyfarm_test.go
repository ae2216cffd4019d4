package all_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// asks sends n requests and tells who answered: "one two one".
func (h *testHost) asks(n int, path string, fields ...string) string {
	h.t.Helper()
	var who []string
	for range n {
		a := h.get(path, fields...)
		name := a.header.Get("X-Server")
		if name == "" {
			name = a.named()
		}
		who = append(who, name)
	}
	return strings.Join(who, " ")
}

func count(who, name string) (n int) {
	for f := range strings.FieldsSeq(who) {
		if f == name {
			n++
		}
	}
	return n
}

// TestFarmAttributes holds the attributes of a farm to their two sides. What it wants differs for each from what the default gives.
func TestFarmAttributes(t *testing.T) {
	one, two := newBehind(t, "one"), newBehind(t, "two")
	const turns = `<loadBalancing algorithm="WeightedRoundRobin" />`
	hash := func(more string) string { return `<loadBalancing algorithm="RequestHash" ` + more + ` />` }
	both := farmServer(one, "") + farmServer(two, "")
	for _, c := range []struct {
		name, farms, target string
		see                 func(h *testHost) string
		want                string
	}{
		{"turns", proxyFarm(turns, both), "http://fARM", func(h *testHost) string { return h.asks(4, "/p/") }, "one two one two"},
		{"weight", proxyFarm(turns, farmServer(one, `weight="300"`), farmServer(two, `weight="100"`)), "http://Farm", func(h *testHost) string {
			who := h.asks(8, "/p/")
			return fmt.Sprint(count(who, "one"), count(who, "two"))
		}, "6 2"},
		{"server off", proxyFarm(turns, strings.Replace(farmServer(one, ""), "<server ", `<server enabled="false" `, 1), farmServer(two, "")), "http://Farm", func(h *testHost) string { return h.asks(2, "/p/") }, "two two"},
		{"farm off", strings.Replace(proxyFarm(turns, both), `name="Farm"`, `name="Farm" enabled="false"`, 1), "http://Farm", func(h *testHost) string { return h.asks(1, "/p/") }, "502.4"},
		{"another farm", proxyFarm(turns, both), "http://Other.invalid", func(h *testHost) string { return h.asks(1, "/p/") }, "502.3"},
		{"hash of the query", proxyFarm(hash(""), both), "http://Farm", func(h *testHost) string { return spread(h, "/p/?k=%d") }, "least"},
		{"hash of a parameter", proxyFarm(hash(`hashServerVariable="QUERY_STRING" queryStringNames="k"`), both), "http://Farm", func(h *testHost) string { return spread(h, "/p/?k=%d&x=$") }, "kept"},
		{"hash of all parameters", proxyFarm(hash(`hashServerVariable="QUERY_STRING"`), both), "http://Farm", func(h *testHost) string { return spread(h, "/p/?k=%d&x=$") }, "mixed"},
		{"hash of the path", proxyFarm(hash(`hashServerVariable="URL"`), both), "http://Farm", func(h *testHost) string { return spread(h, "/p/%d?x=$") }, "kept"},
		{"no cookie", proxyFarm(turns, both), "http://Farm", func(h *testHost) string { return strings.Join(h.get("/p/").header.Values("Set-Cookie"), "") }, ""},
		{"cookie", proxyFarm(`<affinity useCookie="true" />`+turns, both), "http://Farm", stays, "ARRAffinity stays"},
		{"its name", proxyFarm(`<affinity useCookie="true" cookieName="mine" />`+turns, both), "http://Farm", stays, "mine stays"},
		{"host", proxyFarm("", both), "http://Farm", sawHost, "localhost"},
		{"host of the server", proxyFarm(`<protocol preserveHostHeader="false" />`, both), "http://Farm", sawHost, "127.0.0."},
		{"addresses", proxyFarm(`<protocol xForwardedForHeaderName="X-Real" includePortInXForwardedFor="false" maxForwards="4" />`, both), "http://Farm", func(h *testHost) string {
			_, after, _ := strings.Cut(h.get("/p/").body, "for=")
			return after
		}, " real=127.0.0.1 max=4"},
		{"locations stay", proxyFarm("", farmServer(one, "")), "http://Farm", func(h *testHost) string { return h.get("/p/redirect").header.Get("Location") }, "http://127.0.0.1:" + one.port + "/there?x=1"},
		{"locations turned round", proxyFarm(`<protocol reverseRewriteHostInResponseHeaders="true" />`, farmServer(one, "")), "http://Farm", func(h *testHost) string { return h.get("/p/redirect").header.Get("Location") }, "http://localhost/there?x=1"},
		{"time", proxyFarm(`<protocol timeout="00:00:01" />`, both), "http://Farm", func(h *testHost) string { return h.asks(1, "/p/hang") }, "502.3"},
		{"no https there", proxyFarm("", farmServer(one, `httpsPort="`+one.port+`"`)), "https://Farm", func(h *testHost) string { return h.asks(1, "/p/") }, "502.3"},
		{"removed", `<webFarms><webFarm name="Farm"><server address="127.0.0.1" /><remove address="127.0.0.1" />` + both + `</webFarm><webFarm name="G" /><remove name="G" /></webFarms>`, "http://Farm", func(h *testHost) string { return fmt.Sprint(len(h.asks(2, "/p/"))) }, "7"},
		{"cleared", `<webFarms><webFarm name="G" /><clear /><webFarm name="Farm"><server address="127.0.0.1" /><clear />` + both + `</webFarm></webFarms>`, "http://Farm", func(h *testHost) string { return fmt.Sprint(len(h.asks(2, "/p/"))) }, "7"},
	} {
		h := proxyHost(t, c.farms, c.target)
		if got := c.see(h); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		h.stop()
	}
}

// spread asks for several things twice, with something else in place of $ each time, and tells how they were given out.
func spread(h *testHost, form string) string {
	seen, kept := map[string]bool{}, true
	for i := range 12 {
		var who [2]string
		for j := range 2 {
			path := fmt.Sprintf(form, i)
			who[j] = h.asks(1, strings.Replace(path, "$", fmt.Sprint("v", i*j), 1))
			seen[who[j]] = true
		}
		kept = kept && who[0] == who[1]
	}
	switch {
	case len(seen) != 2:
		return fmt.Sprint(seen)
	case !kept && !strings.Contains(form, "$"):
		return "least"
	case !kept:
		return "mixed"
	}
	return "kept"
}

// stays tells the cookie that a client is given, and whether it leads to the same server time and again.
func stays(h *testHost) string {
	first := h.get("/p/")
	cookie, _, _ := strings.Cut(first.header.Get("Set-Cookie"), ";")
	name, _, _ := strings.Cut(cookie, "=")
	for range 4 {
		a := h.get("/p/", "Cookie: x=y; "+cookie)
		if a.header.Get("X-Server") != first.header.Get("X-Server") || a.header.Get("Set-Cookie") != "" {
			return name + " goes to " + a.header.Get("X-Server") + a.header.Get("Set-Cookie")
		}
	}
	return name + " stays"
}

func sawHost(h *testHost) string {
	_, after, _ := strings.Cut(h.get("/p/").body, "host=")
	host, _, _ := strings.Cut(after, " ")
	if strings.HasPrefix(host, "127.0.0.") {
		return "127.0.0."
	}
	return host
}

// TestFarmHealth has servers taken out and in by what they answer.
func TestFarmHealth(t *testing.T) {
	for _, c := range []struct {
		name, check string
		answer      http.HandlerFunc
		want        string // who answers once the check has found what it finds
	}{
		{"status", ``, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "two two"},
		{"another status is right", `statusCodeMatch="500"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "one one"},
		{"text", `responseMatch="^wel+$"`, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ill") }, "two two"},
		{"time", `timeout="00:00:01"`, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "two two"},
		{"too few are well", `minServers="2"`, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, "one two"},
	} {
		one, two := newBehind(t, "one"), newBehind(t, "two")
		one.health.Store(&c.answer)
		well := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if strings.Contains(c.name, "another") {
				w.WriteHeader(200)
			}
			fmt.Fprint(w, "well")
		})
		two.health.Store(&well)
		h := proxyHost(t, proxyFarm(`<healthCheck url="http://Farm/health" interval="00:00:01" `+c.check+` /><loadBalancing algorithm="WeightedRoundRobin" />`, farmServer(one, ""), farmServer(two, "")), "http://Farm")
		eventually(t, "the check finds out", func() bool { return strings.Contains(h.log.String(), "does not pass its health check") })
		if got := h.asks(2, "/p/"); got != c.want && got != strings.Join([]string{"two", "one"}, " ") {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
		if c.name == "status" { // and back again
			one.health.Store(&well)
			eventually(t, "the check finds it well again", func() bool { return strings.Contains(h.log.String(), "passes its health check again") })
			if got := h.asks(2, "/p/"); count(got, "one") != 1 {
				t.Errorf("well again: %s", got)
			}
			sick := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
			one.health.Store(&sick)
			two.health.Store(&sick)
			eventually(t, "nobody is well", func() bool { return h.asks(1, "/p/") == "502.4" })
		}
		h.stop()
	}
}

// TestFarmServerDown has requests go to another server when one takes no connections: whole, with their bodies, also
// handshakes, and away from the server of the cookie.
func TestFarmServerDown(t *testing.T) {
	one, two := newBehind(t, "one"), newBehind(t, "two")
	h := proxyHost(t, proxyFarm(`<affinity useCookie="true" /><loadBalancing algorithm="WeightedRoundRobin" />`, farmServer(one, ""), farmServer(two, "")), "http://Farm")
	first := h.get("/p/once") // and no line is kept
	if first.header.Get("X-Server") != "one" {
		t.Fatal(first)
	}
	cookie, _, _ := strings.Cut(first.header.Get("Set-Cookie"), ";")
	one.Close()
	a := h.ask("POST /p/ HTTP/1.1\nContent-Length: 3\nCookie: "+cookie, "abc")
	if a.status != 200 || a.header.Get("X-Server") != "two" || !strings.HasPrefix(a.body, "POST / ") || len(a.header.Values("Set-Cookie")) != 1 {
		t.Errorf("%d %v %s", a.status, a.header, a.body)
	}
	if got := h.asks(3, "/p/"); got != "two two two" || strings.Count(h.log.String(), "takes no connections") != 1 {
		t.Errorf("%s\n%s", got, h.log.String())
	}
	echoed := h.dial("/p/ws")
	if err := echoed.Write(t.Context(), frame.Text, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	if _, p, err := echoed.Read(t.Context()); err != nil || string(p) != "two hi" {
		t.Errorf("%q, %v", p, err)
	}
	two.CloseClientConnections()
	two.Close()
	if a := h.get("/p/"); a.named() != "502.3" {
		t.Errorf("nobody is there: %s", a.named())
	}
}

// TestFarmLeastRequests has a busy server passed over.
func TestFarmLeastRequests(t *testing.T) {
	one, two := newBehind(t, "one"), newBehind(t, "two")
	h := proxyHost(t, proxyFarm("", farmServer(one, ""), farmServer(two, "")), "http://Farm")
	socket := h.dial("/p/ws")
	if err := socket.Write(t.Context(), frame.Text, []byte("hi")); err != nil {
		t.Fatal(err)
	}
	_, p, err := socket.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	idle := map[string]string{"one hi": "two two two", "two hi": "one one one"}[string(p)]
	if got := h.asks(3, "/p/"); got != idle {
		t.Errorf("%s while %q holds a WebSocket", got, p)
	}
}
