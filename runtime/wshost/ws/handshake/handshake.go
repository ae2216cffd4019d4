// Package handshake is the opening handshake for both sides: of RFC 6455 over HTTP/1.1, and on a server of RFC 8441
// over HTTP/2. It judges requests and responses, chooses subprotocols and reads and writes the extension header. It does
// no I/O, knows nothing of frames and of what an extension means; package ws brings the connection.
package handshake

import (
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
)

// Version is the only version of the protocol spoken: Sec-WebSocket-Version 13.
const Version = "13"

// Error is a handshake that failed. On a server it is also the refusal to be sent.
type Error struct {
	Status int         // of the refusal; 0 when a client judges a server's response
	Header http.Header // that the refusal must carry beside "Connection: close"; may be nil
	Reason string      // what is wrong, for people: safe to send, it repeats nothing of the request
	// Shared tells that the request came over HTTP/2: its stream ends with the refusal, and the connection, which
	// other requests share, stays. CheckConnect sets it; whoever makes an Error for such a request sets it too.
	Shared bool
}

// Error returns the reason.
func (e *Error) Error() string { return "websocket handshake: " + e.Reason }

// Send writes the refusal. Unless it is Shared the line is closed after it: a client that was refused an upgrade may
// have sent anything behind its request, and none of it may be taken for a further request.
func (e *Error) Send(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range e.Header {
		h[name] = values
	}
	if e.Shared {
		h.Del("Connection") // net/http would give up the whole connection for "close"
		h.Del("Upgrade")
	} else {
		h.Set("Connection", "close")
	}
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("Content-Length")
	h.Del("Sec-Websocket-Protocol") // nothing was agreed on, whatever SetHeader has put here
	h.Del("Sec-Websocket-Extensions")
	w.WriteHeader(e.Status)
	_, _ = io.WriteString(w, e.Error()+"\n") // the status is what counts; whoever left early is not told
}

func refuse(status int, reason string) *Error { return &Error{Status: status, Reason: reason} }

// AcceptKey returns the Sec-WebSocket-Accept that answers key (RFC 6455, section 4.2.2).
func AcceptKey(key string) string {
	// SHA-1 is the protocol's choice: it proves that the server understood the request and guards nothing.
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// validKey reports whether key is the base64 form of 16 bytes, written the one way there is.
func validKey(key string) bool {
	if len(key) != 24 {
		return false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(key)
	return err == nil && len(raw) == 16
}
