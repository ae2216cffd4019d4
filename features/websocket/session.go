package websocket

import (
	"errors"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// counted is a connection as the host's registry sees it. Shutdown is that of the engine.
type counted struct{ *ws.Socket }

var _ module.Conn = counted{}

// Counts returns what has passed so far.
func (c counted) Counts() module.ConnCounts { return module.ConnCounts(c.Socket.Counts()) }

// session is one connection of an echo endpoint.
type session struct {
	q      *module.Request
	path   string // of the endpoint
	remove func() // from the registry
	end    func() // of the request
}

var _ ws.Handler = (*session)(nil)

// Opened does nothing: the client speaks first.
func (*session) Opened(*ws.Socket) {}

// Message sends every message back with the opcode it came with. What it fails for ends the socket by itself.
func (*session) Message(s *ws.Socket, op frame.Opcode, payload []byte) { _ = s.Write(op, payload) }

// Closed ends the request; what passed goes into the access log.
func (t *session) Closed(s *ws.Socket, err error) {
	var closed *ws.CloseError
	if !errors.As(err, &closed) {
		t.q.Logger.Debug("a WebSocket connection ended without a closing handshake of the peer", "endpoint", t.path, "error", err)
	}
	c := s.Counts()
	t.q.Outcome.BytesRecv, t.q.Outcome.BytesSent = c.BytesIn, c.BytesOut
	t.remove()
	t.end()
}
