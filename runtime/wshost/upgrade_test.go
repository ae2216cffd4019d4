package wshost

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// upgrader is a module that switches every WebSocket request to a protocol of lines: it echoes them, and says
// "close CODE REASON" when it is told to shut down. The peer answers by closing, or is cut after a while.
func upgrader() *fake {
	return &fake{name: "UpgradeModule", serve: func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if !handshake.Wanted(r) {
			next.ServeHTTP(w, r)
			return
		}
		q := module.FromRequest(r)
		end := q.Detach()
		c, brw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			end()
			return
		}
		lc := &lineConn{c: c}
		remove := q.Connections.Add(module.ConnInfo{Feature: "sockets", SiteID: q.SiteID, Site: q.SiteName, Path: r.URL.Path}, lc)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		go func() {
			lc.echo(brw.Reader)
			remove()
			q.Outcome.BytesRecv = lc.in.Load()
			end()
		}()
	}}
}

type lineConn struct {
	c       net.Conn
	in, out atomic.Int64
}

func (l *lineConn) echo(r *bufio.Reader) {
	defer l.c.Close()
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		l.in.Add(int64(len(line)))
		n, _ := io.WriteString(l.c, line)
		l.out.Add(int64(n))
	}
}

func (l *lineConn) Shutdown(code uint16, reason string) {
	_, _ = fmt.Fprintf(l.c, "close %d %s\n", code, reason)
}

func (l *lineConn) Counts() module.ConnCounts {
	return module.ConnCounts{BytesIn: l.in.Load(), BytesOut: l.out.Load()}
}

const upgradeRequest = "GET /socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

// upgrade opens an upgraded connection.
func upgrade(t *testing.T, addr string) *rawConn {
	t.Helper()
	c := dialRaw(t, addr).send(upgradeRequest)
	if resp := c.response(); resp.StatusCode != 101 {
		t.Fatalf("status %d, want 101", resp.StatusCode)
	}
	return c
}

func TestWantsWebSocket(t *testing.T) {
	for v, want := range map[string]bool{"websocket": true, "WebSocket": true, "h2c, websocket": true, "": false, "h2c": false, "websockets": false} {
		if got := handshake.Wanted(&http.Request{Header: http.Header{"Upgrade": {v}}}); got != want {
			t.Errorf("Upgrade: %q: %v, want %v", v, got, want)
		}
	}
}

func TestRefusedUpgradeEndsTheConnection(t *testing.T) {
	var served atomic.Int64
	f := &fake{name: "HelloModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		served.Add(1)
		_, _ = io.WriteString(w, "an ordinary answer")
	}}
	h := newTestHost(t, f).start()
	for _, first := range []string{
		upgradeRequest,
		"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nContent-Length: 2\r\n\r\nab",
	} {
		served.Store(0)
		c := dialRaw(t, h.addr).send(first + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
		resp := c.response()
		if resp.StatusCode != 200 || !resp.Close {
			t.Errorf("%q: %s, close %v; want an ordinary answer that ends the connection", first, resp.Status, resp.Close)
		}
		c.ended()
		if n := served.Load(); n != 1 {
			t.Errorf("%q: %d requests were served, want 1", first, n)
		}
	}
}

func TestMissingWebSocketIsLogged(t *testing.T) {
	missing := &fake{name: webSocketModule}
	h := newTestHost(t, hello("x"))
	h.fakes = append(h.fakes, missing) // known to the host, but not loaded
	h.start()
	dialRaw(t, h.addr).send(upgradeRequest).response()
	const want = "command=\"rolemgr install feature-websocketmodule\""
	if n := strings.Count(h.log.String(), want); n != 1 {
		t.Errorf("the log names the command %d times, want once:\n%s", n, h.log)
	}
	h.configure(h.site(1, "Default Web Site", "", "127.0.0.1:0:"))
	h.reload()
	dialRaw(t, h.addr).send(upgradeRequest).response()
	if n := strings.Count(h.log.String(), want); n != 1 {
		t.Errorf("with the module loaded the log names the command %d times, want no more than before", n)
	}
}

func TestNoticesAreLimited(t *testing.T) {
	log := &syncBuffer{}
	now := time.Unix(1000, 0)
	n := &notices{now: func() time.Time { return now }}
	note := func(times int) int {
		before := strings.Count(log.String(), "\n")
		for range times {
			n.warn(slog.New(slog.NewTextHandler(log, nil)), "x", "k", "v")
		}
		return strings.Count(log.String(), "\n") - before
	}
	if got := note(100); got != noticeBurst {
		t.Errorf("%d lines of 100, want %d", got, noticeBurst)
	}
	now = now.Add(noticeEvery)
	if got := note(2); got != 1 || !strings.Contains(log.String(), "k=v not_logged=90") {
		t.Errorf("%d lines after a second, want 1 that counts the 90 before:\n%s", got, log)
	}
	now = now.Add(time.Hour)
	if got := note(100); got != noticeBurst {
		t.Errorf("%d lines after a long time, want %d: the bucket has a bottom and a rim", got, noticeBurst)
	}
}

func TestRefusedUpgradeKeepsConnectionOptions(t *testing.T) {
	f := &fake{name: "HelloModule", serve: func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header()["Connection"] = []string{"Upgrade"} // RFC 9110, section 7.8: it goes with the field Upgrade
		w.Header().Set("Upgrade", "websocket")
		w.WriteHeader(http.StatusUpgradeRequired)
	}}
	h := newTestHost(t, f).start()
	b, err := io.ReadAll(dialRaw(t, h.addr).send(upgradeRequest).r) // until the host ends the connection
	head, _, _ := strings.Cut(string(b), "\r\n\r\n")
	if err != nil || !strings.HasPrefix(head, "HTTP/1.1 426 ") || !strings.Contains(head, "\r\nConnection: close\r\nConnection: Upgrade\r\n") {
		t.Errorf("%q, %v; want both options of Connection", b, err)
	}
}
