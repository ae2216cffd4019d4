package all_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// TestFilterOfUpgrades: an opening handshake is a request like any other, and is refused with the sub-status in place of
// the 101.
func TestFilterOfUpgrades(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "http-errors", "request-filtering", "websocket"))
	const deny = `<denyStrings><add string="evil" /></denyStrings>`
	for _, c := range []struct{ name, section, path, field, want string }{
		{"nothing against it", ``, "/echo", "", "101"},
		{"a URL sequence", `<denyUrlSequences><add sequence="ech" /></denyUrlSequences>`, "/echo", "", "404.5"},
		{"a verb", `<verbs><add verb="GET" allowed="false" /></verbs>`, "/echo", "", "404.6"},
		{"an extension", `<fileExtensions allowUnlisted="false" />`, "/echo", "", "404.7"},
		{"a hidden segment", `<hiddenSegments><add segment="echo" /></hiddenSegments>`, "/echo", "", "404.8"},
		{"a long field", `<requestLimits><headerLimits><add header="Sec-WebSocket-Protocol" sizeLimit="3" /></headerLimits></requestLimits>`, "/echo", "\nSec-WebSocket-Protocol: chat", "404.10"},
		{"double escapes", ``, "/%2565cho", "", "404.11"},
		{"a long URL", `<requestLimits maxUrl="4" />`, "/echo", "", "404.14"},
		{"a long query", `<requestLimits maxQueryString="3" />`, "/echo?t=12", "", "404.15"},
		{"a query sequence", `<denyQueryStringSequences><add sequence="evil" /></denyQueryStringSequences>`, "/echo?evil", "", "404.18"},
		{"a rule", `<filteringRules><filteringRule name="r"><scanHeaders><add requestHeader="Origin" /></scanHeaders>` + deny + `</filteringRule></filteringRules>`, "/echo", "\nOrigin: http://evil.example", "404.19"},
		{"too many segments", ``, strings.Repeat("/a", 33), "", "404.20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h.webConfig(`<webSocketEndpoints><clear /><add path="/echo" type="echo" /></webSocketEndpoints><security><requestFiltering>` + c.section + `</requestFiltering></security>`)
			if c.want == "101" {
				echo(t, h.dial(c.path), 1, "through")
				return
			}
			a := h.ask(offer(c.path)+c.field, "")
			if a.named() != c.want || !a.closes {
				t.Errorf("%s (closes %v), want %s", a.named(), a.closes, c.want)
			}
		})
	}
}

// TestBodyLimitIsNotForFrames: what follows an opening handshake is no body, whatever its size.
func TestBodyLimitIsNotForFrames(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "http-errors", "request-filtering", "websocket"))
	h.webConfig(`<security><requestFiltering><requestLimits maxAllowedContentLength="4" /></requestFiltering></security>`)
	echo(t, h.dial("/echo"), 1, strings.Repeat("x", 1000))
}

// TestFilterBeforeTheAnswer: a body that turns out to be too long is told as such, whatever the handler that read it
// makes of the error, and the handler sees no byte more than is allowed.
func TestFilterBeforeTheAnswer(t *testing.T) {
	read := make(chan int, 2)
	h := startHost(t, newHome(t, "web-server-core", "http-errors", "request-filtering"), app(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		read <- len(b)
		if err == nil {
			return
		}
		if r.URL.Path == "/app/own" {
			http.Error(w, "the application's own words", http.StatusBadRequest)
			return
		}
		module.FromRequest(r).Fail(w, r, &module.HTTPError{Status: http.StatusBadGateway, SubStatus: 3, Summary: "the application is gone"})
	}))
	h.webConfig(`<security><requestFiltering><requestLimits maxAllowedContentLength="4" /></requestFiltering></security>`)
	for path, want := range map[string]string{"/app/proxy": "413.1", "/app/own": "400"} {
		a := h.ask("POST "+path+" HTTP/1.1\nTransfer-Encoding: chunked", "4\r\nabcd\r\n4\r\nefgh\r\n0\r\n\r\n")
		if n := <-read; a.named() != want || n != 4 {
			t.Errorf("%s: %s with %d bytes, want %s", path, a.named(), n, want)
		}
	}
	// The refusal does not wait for the end of the body: here it never comes.
	if a := h.ask("POST /app/proxy HTTP/1.1\nTransfer-Encoding: chunked", "5\r\nabcde\r\n"); a.named() != "413.1" || !a.closes {
		t.Errorf("while it arrives: %s", a.named())
	}
	if a := h.ask("POST /app/proxy HTTP/1.1\nExpect: 100-continue\nContent-Length: 5", ""); a.named() != "413.1" {
		t.Errorf("before it is sent: %s", a.named())
	}
}

func TestRemoveServerHeader(t *testing.T) {
	h := startHost(t, newHome(t, "web-server-core", "http-errors", "request-filtering", "websocket"), app(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "App/1.0")
		switch r.URL.Path {
		case "/app/flush":
			_ = http.NewResponseController(w).Flush()
		case "/app/status":
			w.WriteHeader(http.StatusTeapot)
		case "/app/copy":
			_, _ = io.Copy(w, strings.NewReader("x"))
		default:
			_, _ = w.Write([]byte("x"))
		}
	}))
	for _, remove := range []string{"false", "true"} {
		h.webConfig(`<security><requestFiltering removeServerHeader="` + remove + `" /></security>`)
		for _, path := range []string{"/app/write", "/app/status", "/app/flush", "/app/copy"} {
			if a := h.get(path); (a.header.Get("Server") == "") != (remove == "true") {
				t.Errorf("removeServerHeader=%s: %s is answered with Server %q", remove, path, a.header.Get("Server"))
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		c, _, err := ws.Dial(ctx, "ws://"+h.addr+"/echo", nil)
		cancel()
		if err != nil {
			t.Fatalf("removeServerHeader=%s: an upgrade: %v", remove, err)
		}
		echo(t, c, 1, "x")
		_ = c.Close(1000, "")
	}
}
