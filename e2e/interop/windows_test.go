//go:build e2e

package interop

import (
	"slices"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// variant is one way to agree on permessage-deflate with the npm package ws. In names "us" and "peer" stand for the side
// that sends, "client" or "server".
type variant struct {
	name   string
	peer   map[string]any // what its option perMessageDeflate holds
	ours   ws.Compression
	agreed []string // the parameters that must come of it
}

func windows() []variant {
	return []variant{
		{
			"the peer asks for small windows", map[string]any{"usMaxWindowBits": 9, "peerMaxWindowBits": 10}, ws.Compression{},
			[]string{"us_max_window_bits=9", "peer_max_window_bits=10"},
		},
		{
			"the peer keeps nothing", map[string]any{"usNoContextTakeover": true, "peerNoContextTakeover": true}, ws.Compression{},
			[]string{"us_no_context_takeover", "peer_no_context_takeover"},
		},
		{
			"we ask for small windows", nil, ws.Compression{SendBits: 9, ReceiveBits: 10},
			[]string{"us_max_window_bits=9", "peer_max_window_bits=10"},
		},
		{"we send with the smallest window", nil, ws.Compression{SendBits: 8}, []string{"us_max_window_bits=8"}},
		{
			"we keep nothing", nil, ws.Compression{SendNoTakeover: true, ReceiveNoTakeover: true},
			[]string{"us_no_context_takeover", "peer_no_context_takeover"},
		},
		{"we do not keep what we send", nil, ws.Compression{SendNoTakeover: true}, []string{"us_no_context_takeover"}},
		{"we do not keep what we receive", nil, ws.Compression{ReceiveNoTakeover: true}, []string{"peer_no_context_takeover"}},
	}
}

// as puts the names of the sides in, for a peer in a role.
func (v variant) as(role string) (peer map[string]any, answer string) {
	us := map[string]string{"client": "server", "server": "client"}[role]
	peer = map[string]any{}
	for option, value := range v.peer {
		option = strings.Replace(strings.Replace(option, "us", us, 1), "peer", role, 1)
		peer[option] = value
	}
	answer = "permessage-deflate"
	for _, parameter := range v.agreed {
		answer += "; " + strings.Replace(strings.Replace(parameter, "us_", us+"_", 1), "peer_", role+"_", 1)
	}
	return peer, answer
}

// TestNodeClientWindows tries the variants with the client of the package ws.
func TestNodeClientWindows(t *testing.T) {
	t.Parallel()
	r := find(t)
	p := start(t, "node", "peers/nodeclient.mjs")
	for _, v := range windows() {
		option, answer := v.as(r.role)
		for _, w := range r.deflate {
			t.Run(v.name+"/"+string(w), func(t *testing.T) {
				s := newStand(t, w, &v.ours)
				cell{r, w, true, true}.exchange(t, s, func() result { return p.run(job{URL: s.url("/"), Deflate: option}) })
				wantParameters(t, s.wire.sockets()[0].down.field("Sec-Websocket-Extensions"), answer)
			})
		}
	}
}

// TestNodeServerWindows tries the variants with the server of the package ws.
func TestNodeServerWindows(t *testing.T) {
	t.Parallel()
	r := find(t)
	for _, v := range windows() {
		option, answer := v.as(r.role)
		t.Run(v.name, func(t *testing.T) {
			port := nodeServer(t, option)
			for _, w := range r.deflate {
				t.Run(string(w), func(t *testing.T) {
					sockets := cell{r, w, true, true}.call(t, port, "", &v.ours)
					wantParameters(t, sockets[0].down.field("Sec-Websocket-Extensions"), answer)
				})
			}
		})
	}
}

// wantParameters compares an answer with what it should say; the order of parameters means nothing.
func wantParameters(t *testing.T, got, want string) {
	t.Helper()
	split := func(s string) []string {
		parts := strings.Split(strings.ReplaceAll(s, " ", ""), ";")
		slices.Sort(parts)
		return parts
	}
	if !slices.Equal(split(got), split(want)) {
		t.Errorf("the server answered %q, want %q", got, want)
	}
}
