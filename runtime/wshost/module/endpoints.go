package module

import (
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// SocketEndpoints serves the WebSocket endpoints whose type WebSocketModule leaves to another feature. The module of that
// feature sets Request.Endpoints before WebSocketModule comes; where it is nil, the feature is not installed.
//
// WebSocketModule keeps all that endpoints have in common: it finds the entry and refuses one that cannot work, judges the
// handshake and the origin, answers, limits, pings, compresses, and enters the connection into the registry and the access log.
type SocketEndpoints interface {
	// Endpoint is asked for a handshake that is correct and comes from an allowed origin, before it is answered. It returns who
	// serves the connection, or the refusal that is to be given to Request.Fail.
	Endpoint(r *http.Request, e SocketEndpoint) (*SocketSession, *HTTPError)
}

// SocketEndpoint is an entry of <webSocketEndpoints> that a request is for.
type SocketEndpoint struct {
	Path string // as written: the key of the entry
	Type string
	// Info is what the URL has in the place of the "*" that the path ends with: "lobby" of "/chat/lobby" for "/chat/*".
	Info string
	Pos  config.Pos // where the entry is written
}

// SocketSession is who serves one connection.
type SocketSession struct {
	// Handler is called for what happens on the socket. It must not wait.
	Handler ws.Handler
	// Abandon gives back what the session holds when no socket comes of it after all. It is called in place of Handler.
	Abandon func()
	// Subprotocols are offered in order of preference; the first that the client asked for is chosen.
	Subprotocols []string
	// QueueSize and SlowConsumer are those of ws.Limits; the zero values are its defaults.
	QueueSize    int64
	SlowConsumer ws.SlowConsumer
}
