// Package ws is a WebSocket engine: RFC 6455 for servers and clients, as one state machine without I/O with drivers
// around it.
//
// It is not an HTTP server: Upgrader works on any net/http server whose ResponseWriter can be hijacked.
package ws

import (
	"context"
	"net/http"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Upgrader performs the server's opening handshake (RFC 6455, section 4.2). The zero value is ready and strict: same
// origin only, default limits. It must not be changed while in use; Upgrade may be called concurrently.
type Upgrader struct {
	// Origins allows further origins beside the request's own host: "https://example.com", or "*" for any.
	Origins []string
	// Subprotocols are offered in order of preference; the first that the client asked for is chosen.
	Subprotocols []string
	// Limits bounds each connection; zero fields mean the defaults.
	Limits Limits
}

// Limits bounds one connection. Zero fields mean the default given; negative ones switch the limit off.
type Limits struct {
	MessageSize      int64         // bytes of payload of one message; default 4 MiB; beyond: close 1009
	HeldMemory       int64         // bytes held for one connection: payload, bookkeeping of fragments, queue; default 2*MessageSize+64 KiB; beyond: close 1008 or 1009
	Fragments        int           // fragments of one message; default 65536; beyond: close 1008
	ControlRate      int           // control frames per second, averaged over 10 s; default 100; beyond: close 1008
	AssemblyTimeout  time.Duration // from the first to the last fragment of a message; default 60 s; beyond: close 1008
	WriteTimeout     time.Duration // one write to the peer; default 10 s; beyond: the connection is cut
	PingInterval     time.Duration // after so much silence a ping is sent; default 0: off
	PongTimeout      time.Duration // the pong to that ping; default 20 s; beyond: the connection is cut
	CloseTimeout     time.Duration // the peer's answer to our close frame; default 5 s; beyond: the connection is cut
	HandshakeTimeout time.Duration // the opening handshake of Dial; default 10 s
}

// Upgrade answers an opening handshake and returns the connection. When the request is not a correct handshake it
// writes the refusal (400, 403, 405, 426 with Sec-WebSocket-Version) with "Connection: close" and returns a
// *handshake.Error: the caller must not write anything. After Upgrade w and r.Body must not be used.
func (u *Upgrader) Upgrade(w http.ResponseWriter, r *http.Request) (*Conn, error) { panic("contract") }

// Conn is a WebSocket connection. One Read and any number of Writes may be in progress at once; Close, Shutdown and
// Counts may be called at any time from anywhere. Pings are answered and the closing handshake is completed inside
// Read, so a connection must be read even by those who only write.
type Conn struct{}

// Read returns the next complete message. The payload is valid until the next call of Read. A closing handshake
// ends with a *CloseError, a line that is cut without one with io.ErrUnexpectedEOF.
func (c *Conn) Read(ctx context.Context) (frame.Opcode, []byte, error) { panic("contract") }

// Write sends one message. Text must be valid UTF-8. It blocks for at most Limits.WriteTimeout or until ctx ends;
// after a failed write the connection is cut, for part of a frame may be out.
func (c *Conn) Write(ctx context.Context, op frame.Opcode, p []byte) error { panic("contract") }

// Ping sends a ping and waits for its pong, which needs a Read in progress. It returns the round-trip time.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) { panic("contract") }

// Close performs the closing handshake with code and reason (at most 123 bytes of UTF-8) and closes the connection.
// It waits for at most Limits.CloseTimeout and is safe to call more than once.
func (c *Conn) Close(code frame.CloseCode, reason string) error { panic("contract") }

// Subprotocol returns the subprotocol chosen in the opening handshake, "" for none.
func (c *Conn) Subprotocol() string { panic("contract") }

// DialOptions are the options of Dial; the zero value is ready.
type DialOptions struct {
	Header       http.Header // additional header fields of the request
	Subprotocols []string
	Limits       Limits
	// NetDial, if not nil, makes the connection instead of net.Dialer.
	// (signature as net.Dialer.DialContext)
}

// Dial opens a connection to a ws:// URL and performs the client's opening handshake (RFC 6455, section 4.1).
// Redirects are not followed. ctx bounds the whole handshake. resp is the server's answer, also when it refused.
func Dial(ctx context.Context, url string, o *DialOptions) (c *Conn, resp *http.Response, err error) {
	panic("contract")
}

// CloseError is a finished closing handshake.
type CloseError struct {
	Code   frame.CloseCode
	Reason string
	Sent   bool // true when this side sent its close frame first
}

// Error names the close code.
func (e *CloseError) Error() string { panic("contract") }
