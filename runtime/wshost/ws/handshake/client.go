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

// Offer is the client's part of the handshake (RFC 6455, section 4.1).
type Offer struct {
	Key          string      // of NewKey
	Subprotocols []string    // in order of preference; distinct tokens, at most 64
	Extensions   []Extension // in order of preference; alternatives of one extension may follow one another; at most 16
}

// Answer is what a server chose of an Offer.
type Answer struct {
	Subprotocol string // "" for none
	// Extensions are accepted in this order. Each name was offered and occurs once; whether its parameters fit what
	// was offered is for whoever knows the extension to judge.
	Extensions []Extension
}

// SetHeader puts the offer into h, the header of the request. It fails with an *Error, and h is as before, when h
// already has a field that belongs to the handshake, or when the offer is not made of tokens within the limits.
func (o Offer) SetHeader(h http.Header) error {
	for name := range h {
		if c := http.CanonicalHeaderKey(name); c == "Connection" || c == "Upgrade" || strings.HasPrefix(c, "Sec-Websocket-") {
			return &Error{Reason: fmt.Sprintf("header %q belongs to the handshake", c)}
		}
	}
	for _, p := range o.Subprotocols {
		if !isToken(p) {
			return &Error{Reason: fmt.Sprintf("subprotocol %q is not a token", p)}
		}
	}
	if _, ok := tokens(o.Subprotocols, maxSubprotocols); !ok && len(o.Subprotocols) > 0 {
		return &Error{Reason: fmt.Sprintf("a subprotocol occurs twice, or there are more than %d", maxSubprotocols)}
	}
	if reason := unsound(o.Extensions); reason != "" {
		return &Error{Reason: reason}
	}
	h["Upgrade"] = []string{"websocket"}
	h["Connection"] = []string{"Upgrade"}
	h["Sec-WebSocket-Key"] = []string{o.Key}
	h["Sec-WebSocket-Version"] = []string{Version}
	if len(o.Subprotocols) > 0 {
		h["Sec-WebSocket-Protocol"] = []string{strings.Join(o.Subprotocols, ", ")}
	}
	if len(o.Extensions) > 0 {
		h["Sec-WebSocket-Extensions"] = []string{FormatExtensions(o.Extensions)}
	}
	return nil
}

// unsound says what keeps a list of extensions from being written, "" for nothing.
func unsound(list []Extension) string {
	if len(list) > maxExtensions {
		return fmt.Sprintf("more than %d extensions are offered", maxExtensions)
	}
	for _, e := range list {
		ok := isToken(e.Name) && len(e.Params) <= maxParams
		for _, p := range e.Params {
			ok = ok && isToken(p.Name) && (!p.HasValue || isToken(p.Value))
		}
		if !ok {
			return fmt.Sprintf("extension %q is not made of tokens, or has more than %d parameters", e.Name, maxParams)
		}
	}
	return ""
}

// Check judges a server's response to the offer (RFC 6455, section 4.1). The error is an *Error.
func (o Offer) Check(resp *http.Response) (*Answer, error) {
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
	case len(accept) != 1 || trimSpace(accept[0]) != AcceptKey(o.Key):
		reason = "server answered with a wrong Sec-WebSocket-Accept"
	case len(chosen) > 1 || len(chosen) == 1 && !slices.Contains(o.Subprotocols, chosen[0]):
		reason = "server chose a subprotocol that was not offered"
	}
	if reason != "" {
		return nil, &Error{Reason: reason}
	}
	answer := &Answer{}
	if len(chosen) == 1 {
		answer.Subprotocol = chosen[0]
	}
	if v := resp.Header["Sec-Websocket-Extensions"]; len(v) > 0 {
		list, err := ParseExtensions(v)
		if err != nil {
			return nil, &Error{Reason: "server answered with a malformed Sec-WebSocket-Extensions"}
		}
		if reason := o.unfit(list); reason != "" {
			return nil, &Error{Reason: reason}
		}
		answer.Extensions = list
	}
	return answer, nil
}

// unfit says why a server cannot accept list of what was offered, "" when it can. Names are compared with regard to
// case, as a server compares them.
func (o Offer) unfit(list []Extension) string {
	for i, e := range list {
		named := func(other Extension) bool { return other.Name == e.Name }
		if !slices.ContainsFunc(o.Extensions, named) {
			return "server accepted an extension that was not offered"
		}
		if slices.ContainsFunc(list[:i], named) {
			return "server accepted an extension twice"
		}
	}
	return ""
}
