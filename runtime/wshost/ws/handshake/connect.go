package handshake

import (
	"net/http"
	"strings"
)

// protocolField is where net/http puts the pseudo-header field ":protocol" of a request over HTTP/2. No field that a
// client sends can have this name: a colon is not allowed in one.
const protocolField = ":protocol"

// WantedConnect reports whether r is an extended CONNECT for a WebSocket (RFC 8441, section 5), correct or not. Such
// requests arrive only when the program announces the protocol; see package xconnect.
func WantedConnect(r *http.Request) bool {
	protocol := r.Header[protocolField]
	return r.Method == http.MethodConnect && r.ProtoMajor == 2 && len(protocol) == 1 && equalFold(protocol[0], "websocket")
}

// CheckConnect judges an extended CONNECT over HTTP/2 by the rules of RFC 8441, sections 4 and 5, and the rest as
// Check does. A Sec-WebSocket-Key is not looked at: the pseudo-header field ":protocol" has taken its place. The error
// is an *Error with Shared set, whose Status is one of
//
//	400 the request is not a correct handshake, or of a version other than 13
//	403 the origin is not allowed
//	405 the method is not CONNECT
//	501 the protocol asked for is not websocket
func CheckConnect(r *http.Request, o Options) (*Response, error) {
	resp, err := checkConnect(r, o)
	if err != nil {
		err.Shared = true
		return nil, err
	}
	return resp, nil
}

func checkConnect(r *http.Request, o Options) (*Response, *Error) {
	version := r.Header["Sec-Websocket-Version"]
	protocol := r.Header[protocolField]
	switch {
	case r.Method != http.MethodConnect:
		return nil, &Error{Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {"CONNECT"}}, Reason: "method is not CONNECT"}
	case r.ProtoMajor != 2:
		return nil, refuse(http.StatusBadRequest, "HTTP version is not 2")
	case len(protocol) != 1:
		return nil, refuse(http.StatusBadRequest, ":protocol is missing")
	case !equalFold(protocol[0], "websocket"):
		return nil, refuse(http.StatusNotImplemented, ":protocol is not websocket") // RFC 9220, section 3
	case r.Host == "":
		return nil, refuse(http.StatusBadRequest, ":authority is missing")
	case r.URL == nil || !strings.HasPrefix(r.URL.Path, "/"):
		return nil, refuse(http.StatusBadRequest, ":path is not a path")
	case len(r.Header["Connection"]) > 0 || len(r.Header["Upgrade"]) > 0:
		return nil, refuse(http.StatusBadRequest, "Connection and Upgrade have no place in HTTP/2")
	case len(version) == 0:
		return nil, otherVersion("Sec-WebSocket-Version is missing")
	case len(version) > 1:
		return nil, refuse(http.StatusBadRequest, "Sec-WebSocket-Version occurs more than once")
	case version[0] != Version:
		return nil, otherVersion("Sec-WebSocket-Version is not 13")
	case r.ContentLength != -1 || len(r.TransferEncoding) > 0:
		// A length would end the stream at that byte; 0 without one is a stream that ended with its header.
		return nil, refuse(http.StatusBadRequest, "the stream has a length or has ended")
	}
	return negotiate(r, o, &Response{})
}

// otherVersion refuses with 400: 426 must name a protocol in Upgrade (RFC 9110, section 15.5.22), which HTTP/2 does not
// have.
func otherVersion(reason string) *Error {
	return &Error{Status: http.StatusBadRequest, Header: http.Header{"Sec-Websocket-Version": {Version}}, Reason: reason}
}

// SetHeader puts the answer to an extended CONNECT into h, the header of the 200 response. Fields that the handshake
// decides on, or that have no place in such a response, are removed from h; all others, as Set-Cookie, stay.
func (resp *Response) SetHeader(h http.Header) {
	for name := range h {
		if notOurs(http.CanonicalHeaderKey(name)) {
			delete(h, name)
		}
	}
	if resp.Subprotocol != "" {
		h["Sec-Websocket-Protocol"] = []string{resp.Subprotocol}
	}
	if len(resp.Extensions) > 0 {
		h["Sec-Websocket-Extensions"] = []string{FormatExtensions(resp.Extensions)}
	}
}
