package module

import (
	"context"
	"net"
	"net/http"
	"net/url"
)

// Sockets says what becomes of an opening handshake that an application is to get. WebSocketModule sets it on requests
// that are one; where it is nil the feature is not installed, and the application gets an ordinary GET.
type Sockets struct {
	// Relay ends the connection at this server, and passes each message on over a WebSocket of its own to the
	// application. It answers w in every case. nil means <webSocket enabled="false"/>: the application ends the connection
	// itself, and only bytes are passed on.
	Relay func(w http.ResponseWriter, r *http.Request, app *SocketApp)
}

// SocketApp is the application that a WebSocket is relayed to.
type SocketApp struct {
	// Name is the application for people and logs: "http://127.0.0.1:41234".
	Name string
	// URL holds the path and query, Host the Host field and Header all other fields of the handshake, without those that
	// belong to the handshake itself (Connection, Upgrade and Sec-WebSocket-*).
	URL    *url.URL
	Host   string
	Header http.Header
	// Dial opens the line to the application.
	Dial func(context.Context) (net.Conn, error)
	// Refused answers the client with what the application answered instead of 101; the body is complete in memory.
	Refused func(w http.ResponseWriter, r *http.Request, resp *http.Response)
	// Failed answers the client when the application cannot be reached or speaks no HTTP.
	Failed func(w http.ResponseWriter, r *http.Request, err error)
	// Opened, if not nil, is called with the connection to be relayed; the function that it returns is called at its end.
	Opened func(Conn) (closed func())
}
