package handshake

import (
	"bytes"
	"io"
	"net/http"
	"slices"
)

// Options are a server's choices. The zero value allows the request's own origin only and speaks no subprotocol.
type Options struct {
	// Origins are allowed beside the request's own host: "https://example.com", "null", or "*" for any.
	Origins []string
	// Subprotocols in order of preference.
	Subprotocols []string
}

// Response is what the server answers to a correct handshake, beside the status.
type Response struct {
	Accept      string      // Sec-WebSocket-Accept; "" over HTTP/2, which has none
	Subprotocol string      // "" for none
	Offered     []Extension // what the client offered
	// Extensions is what the server accepts of what was offered, in its order. Check and CheckConnect leave it nil;
	// whoever knows extensions sets it before Write or SetHeader. Names and values must be tokens.
	Extensions []Extension
}

// Wanted reports whether r asks for an upgrade to WebSocket, correctly or not.
func Wanted(r *http.Request) bool {
	return hasToken(r.Header["Upgrade"], "websocket")
}

// Check judges a request by every rule of RFC 6455, section 4.2.1, and the origin by section 10.2. The error is an
// *Error whose Status is one of
//
//	400 the request is not a correct handshake
//	403 the origin is not allowed
//	405 the method is not GET
//	426 no upgrade is asked for, or a version other than 13
func Check(r *http.Request, o Options) (*Response, error) {
	if err := checkUpgrade(r); err != nil {
		return nil, err
	}
	key := r.Header["Sec-Websocket-Key"]
	switch {
	case len(key) == 0:
		return nil, refuse(http.StatusBadRequest, "Sec-WebSocket-Key is missing")
	case len(key) > 1:
		return nil, refuse(http.StatusBadRequest, "Sec-WebSocket-Key occurs more than once")
	case !validKey(key[0]):
		return nil, refuse(http.StatusBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64")
	}
	resp, refusal := negotiate(r, o, &Response{Accept: AcceptKey(key[0])})
	if refusal != nil {
		return nil, refusal // not the typed nil that an error would take for one
	}
	return resp, nil
}

// negotiate judges what is the same in every version of HTTP: origin, subprotocols and extensions.
func negotiate(r *http.Request, o Options, resp *Response) (*Response, *Error) {
	if v := r.Header["Origin"]; len(v) > 1 {
		return nil, refuse(http.StatusBadRequest, "Origin occurs more than once")
	}
	if !originAllowed(r, o.Origins) {
		return nil, refuse(http.StatusForbidden, "origin is not allowed")
	}
	if v := r.Header["Sec-Websocket-Protocol"]; len(v) > 0 {
		asked, ok := tokens(v, maxSubprotocols)
		if !ok {
			return nil, refuse(http.StatusBadRequest, "Sec-WebSocket-Protocol is not a list of distinct tokens")
		}
		resp.Subprotocol = choose(o.Subprotocols, asked)
	}
	if v := r.Header["Sec-Websocket-Extensions"]; len(v) > 0 {
		offered, err := ParseExtensions(v)
		if err != nil {
			return nil, refuse(http.StatusBadRequest, err.Error())
		}
		resp.Offered = offered
	}
	return resp, nil
}

func checkUpgrade(r *http.Request) error {
	version := r.Header["Sec-Websocket-Version"]
	switch {
	case r.Method != http.MethodGet:
		return &Error{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"GET"}}, Reason: "method is not GET"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return refuse(http.StatusBadRequest, "HTTP version is not 1.1")
	case r.Host == "":
		return refuse(http.StatusBadRequest, "Host is missing")
	case !Wanted(r):
		return upgradeRequired("Upgrade does not name websocket")
	case !hasToken(r.Header["Connection"], "upgrade"):
		return refuse(http.StatusBadRequest, "Connection does not name Upgrade")
	case len(version) == 0:
		return upgradeRequired("Sec-WebSocket-Version is missing")
	case len(version) > 1:
		return refuse(http.StatusBadRequest, "Sec-WebSocket-Version occurs more than once")
	case version[0] != Version:
		return upgradeRequired("Sec-WebSocket-Version is not 13")
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		// A body would be read as frames by one party and as a body by another in between.
		return refuse(http.StatusBadRequest, "request has a body")
	}
	return nil
}

func upgradeRequired(reason string) *Error {
	h := http.Header{"Sec-Websocket-Version": {Version}, "Upgrade": {"websocket"}}
	return &Error{Status: http.StatusUpgradeRequired, Header: h, Reason: reason}
}

// choose returns the first of ours that the client asked for.
func choose(ours, asked []string) string {
	for _, p := range ours {
		if slices.Contains(asked, p) {
			return p
		}
	}
	return ""
}

// notOurs are fields of an accepting response that the handshake alone decides on, or that have no place in one.
func notOurs(name string) bool {
	switch name {
	case "Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions",
		"Sec-Websocket-Version", "Sec-Websocket-Key", "Content-Length", "Content-Type", "Transfer-Encoding",
		"Trailer", "Keep-Alive", "X-Content-Type-Options":
		return true
	}
	return false
}

// Write writes the whole 101 response of HTTP/1.1. Of extra, fields that the handshake decides on are left out.
func (resp *Response) Write(w io.Writer, extra http.Header) error {
	_, err := w.Write(resp.Append(make([]byte, 0, 256), extra))
	return err
}

// Append appends what Write writes to b.
func (resp *Response) Append(b []byte, extra http.Header) []byte {
	const head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
	b = append(append(append(b, head...), resp.Accept...), "\r\n"...)
	if resp.Subprotocol != "" {
		b = append(append(append(b, "Sec-WebSocket-Protocol: "...), resp.Subprotocol...), "\r\n"...)
	}
	if len(resp.Extensions) > 0 {
		b = append(append(append(b, "Sec-WebSocket-Extensions: "...), FormatExtensions(resp.Extensions)...), "\r\n"...)
	}
	if len(extra) > 0 {
		b = appendExtra(b, extra)
	}
	return append(b, "\r\n"...)
}

// appendExtra is apart from Append so that the usual answer does with the stack that reading the request took.
//
//go:noinline
func appendExtra(b []byte, extra http.Header) []byte {
	kept := http.Header{}
	for name, values := range extra {
		if !notOurs(http.CanonicalHeaderKey(name)) {
			kept[name] = values
		}
	}
	text := bytes.NewBuffer(b)
	_ = kept.Write(text) // a buffer takes everything
	return text.Bytes()
}
