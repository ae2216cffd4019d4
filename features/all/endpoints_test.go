package all_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/features"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

const endpointList = `<webSocketEndpoints><add path="/cat/*" type="process" command="cat" /><add path="/chat/*" type="hub" />
	<add path="/cat/own" type="echo" /><add path="/bad" type="process" /><add path="/as" type="process" command="cat" user="nobody" /></webSocketEndpoints>`

// Where the feature is not installed, its types are refused by name and echo works as before.
func TestEndpointsNotInstalled(t *testing.T) {
	h := startHost(t, newHome(t, everything()...))
	h.webConfig(endpointList)
	for _, path := range []string{"/cat/x", "/chat/x"} {
		if a := h.ask(offer(path), ""); a.named() != "500.19" || !strings.Contains(a.body, "rolemgr install websocket-endpoints") {
			t.Errorf("%s: %s\n%s", path, a.named(), a.body)
		}
	}
	echo(t, h.dial("/cat/own"), frame.Text, "x")
}

func TestEndpoints(t *testing.T) {
	h := startHost(t, newHome(t, append([]features.ID{"websocket-endpoints"}, everything()...)...))
	h.webConfig(endpointList + `<webSocket receiveBufferLimit="4096" />`)
	c := h.dial("/cat/x?q=1")
	echo(t, c, frame.Text, "through a program")
	echo(t, h.dial("/cat/own"), frame.Text, "the exact path goes first")
	if n := h.server.Status().Sockets["websocket"]; n != 2 {
		t.Errorf("the registry knows %d sockets", n)
	}
	for request, want := range map[string]string{
		"GET /cat/x HTTP/1.1": "426.0", offer("/bad"): "500.19", offer("/as"): "500.19", offer("/cat"): "404.0",
		offer("/cat/x", "Connection: Upgrade", "Connection: Upgrade\nOrigin: http://evil.example"): "403",
		offer("/cat/x", "Key: dGhlIHNhbXBsZSBub25jZQ==", "Nothing: 1"):                             "400",
	} {
		if a := h.ask(request, ""); !strings.HasPrefix(a.named(), want) {
			t.Errorf("%s: %s, want %s", strings.SplitN(request, "\n", 2)[0], a.named(), want)
		}
	}
	if n := h.server.CloseConnections([]string{"websocket"}, 1001, "drained"); n != 2 {
		t.Errorf("%d connections are told to close", n)
	}
	if _, _, err := c.Read(t.Context()); err == nil || !strings.Contains(err.Error(), "1001") {
		t.Error(err)
	}
	h.webConfig(endpointList + `<webSocket enabled="false" />`)
	if a := h.ask(offer("/cat/x"), ""); a.status != http.StatusNotFound {
		t.Errorf("switched off: %d", a.status)
	}
	h.webConfig(endpointList + `<webSocket receiveBufferLimit="4096" />`)
	c = h.dial("/chat/room")
	if err := c.Write(t.Context(), frame.Binary, make([]byte, 4097)); err != nil {
		t.Fatal(err)
	}
	_, _, err := c.Read(t.Context())
	if closed, ok := err.(*ws.CloseError); !ok || closed.Code != frame.MessageTooBig {
		t.Errorf("a message beyond the limit ends with %v", err)
	}
	lines, _ := h.accessLog()
	if all := strings.Join(lines, "\n"); !strings.Contains(all, " GET /cat/x q=1 ") || !strings.Contains(all, " 101 0 0 ") {
		t.Errorf("the access log has no socket:\n%s", all)
	}
}
