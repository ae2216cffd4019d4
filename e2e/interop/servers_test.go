//go:build e2e

package interop

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// The peers as servers of the engine.

func nodeServer(t *testing.T, deflate any, more ...string) string {
	t.Helper()
	option, err := json.Marshal(deflate)
	if err != nil {
		t.Fatal(err)
	}
	return startServer(t, append([]string{"node", "peers/nodeserver.mjs", string(option)}, more...)...)
}

func TestNodeServer(t *testing.T) {
	t.Parallel()
	ports := map[bool]string{false: nodeServer(t, false), true: nodeServer(t, true)}
	cert, key := certificate(t)
	secure := map[bool]string{false: nodeServer(t, false, cert, key), true: nodeServer(t, true, cert, key)}
	find(t).each(t, func(t *testing.T, c cell) {
		if c.way == overTLS {
			c.call(t, secure[c.compress], cert, &ws.Compression{})
		} else {
			c.call(t, ports[c.compress], "", &ws.Compression{})
		}
	})
}

func TestPythonServer(t *testing.T) {
	t.Parallel()
	python := func(compression string) string {
		return startServer(t, "/usr/bin/python3", "peers/python.py", "server", compression)
	}
	ports := map[bool]string{false: python("none"), true: python("deflate")}
	r := find(t)
	r.each(t, func(t *testing.T, c cell) { c.call(t, ports[c.compress], "", &ws.Compression{}) })
	small := python("small")
	t.Run("small windows", func(t *testing.T) {
		const want = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9"
		sockets := cell{r, poller, true, true}.call(t, small, "", &ws.Compression{})
		wantParameters(t, sockets[0].down.field("Sec-Websocket-Extensions"), want)
	})
}

func TestSocketIOServer(t *testing.T) {
	t.Parallel()
	serve := func(deflate string) string { return startServer(t, "node", "peers/socketioserver.mjs", deflate) }
	ports := map[bool]string{false: serve("false"), true: serve("true")}
	find(t).each(t, func(t *testing.T, c cell) {
		w := tap(t, "127.0.0.1:"+ports[c.compress])
		url := "ws://" + w.addr() + "/socket.io/?EIO=4&transport=websocket"
		did := converseSocketIO(call(t, c.way, url, "", ws.DialOptions{Compression: &ws.Compression{}}))
		second := &socketIOClient{caller: call(t, c.way, url, "", ws.DialOptions{Compression: &ws.Compression{}})}
		second.connect()
		second.send(frame.Text, []byte(`42["bye"]`))
		second.leave(ws.CloseError{Code: frame.NoStatus})
		if did, want := append(did, "closed"), strings.Fields(c.did); !slices.Equal(did, want) {
			t.Errorf("%s did %v; the matrix says %v", c.peer, did, want)
		}
		c.judge(t, w.sockets())
	})
}
