package handshake

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// NewKey returns the Sec-WebSocket-Key made of 16 random bytes.
func NewKey(random [16]byte) string { return base64.StdEncoding.EncodeToString(random[:]) }

// SetRequest puts the client's part of the handshake (RFC 6455, section 4.1) into h. It fails when h already has a
// field that belongs to the handshake, or when subprotocols are not distinct tokens.
func SetRequest(h http.Header, key string, subprotocols []string) error {
	for name := range h {
		if c := http.CanonicalHeaderKey(name); c == "Connection" || c == "Upgrade" || strings.HasPrefix(c, "Sec-Websocket-") {
			return &Error{Reason: fmt.Sprintf("header %q belongs to the handshake", c)}
		}
	}
	h["Upgrade"] = []string{"websocket"}
	h["Connection"] = []string{"Upgrade"}
	h["Sec-WebSocket-Key"] = []string{key}
	h["Sec-WebSocket-Version"] = []string{Version}
	if len(subprotocols) == 0 {
		return nil
	}
	for _, p := range subprotocols {
		if !isToken(p) {
			return &Error{Reason: fmt.Sprintf("subprotocol %q is not a token", p)}
		}
	}
	if _, ok := tokens(subprotocols, maxSubprotocols); !ok {
		return &Error{Reason: fmt.Sprintf("a subprotocol occurs twice, or there are more than %d", maxSubprotocols)}
	}
	h["Sec-WebSocket-Protocol"] = []string{strings.Join(subprotocols, ", ")}
	return nil
}

// CheckResponse judges a server's response to a request with key and subprotocols (RFC 6455, section 4.1) and
// returns the subprotocol chosen, "" for none. The error is an *Error.
func CheckResponse(resp *http.Response, key string, subprotocols []string) (string, error) {
	accept := resp.Header["Sec-Websocket-Accept"]
	chosen := resp.Header["Sec-Websocket-Protocol"]
	var reason string
	switch {
	case resp.StatusCode != http.StatusSwitchingProtocols:
		reason = fmt.Sprintf("server answered with status %d instead of 101", resp.StatusCode)
	case resp.ProtoMajor != 1 || resp.ProtoMinor < 1:
		reason = "server did not answer in HTTP/1.1"
	case len(resp.Header["Upgrade"]) != 1 || !equalFold(resp.Header["Upgrade"][0], "websocket"):
		reason = "server did not answer with Upgrade: websocket"
	case !hasToken(resp.Header["Connection"], "upgrade"):
		reason = "server did not answer with Connection: Upgrade"
	case len(accept) != 1 || trimSpace(accept[0]) != AcceptKey(key):
		reason = "server answered with a wrong Sec-WebSocket-Accept"
	case len(resp.Header["Sec-Websocket-Extensions"]) > 0:
		reason = "server accepted an extension that was not offered"
	case len(chosen) > 1 || len(chosen) == 1 && !slices.Contains(subprotocols, chosen[0]):
		reason = "server chose a subprotocol that was not offered"
	}
	if reason != "" {
		return "", &Error{Reason: reason}
	}
	if len(chosen) == 1 {
		return chosen[0], nil
	}
	return "", nil
}
