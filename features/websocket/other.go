package websocket

import (
	"net/http"
	"slices"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// serveOther performs the handshake of an endpoint whose type another feature serves. That is asked last, for it may start
// a program or connect somewhere: a handshake that is refused anyway does neither.
func (m *socketModule) serveOther(w http.ResponseWriter, r *http.Request, q *module.Request, e endpoint, info string, socket *socketConfig) {
	at := &module.SocketSession{Abandon: func() {}}
	if checkHandshake(r, socket, false) == nil {
		var refusal *module.HTTPError
		at, refusal = q.Endpoints.Endpoint(r, module.SocketEndpoint{Path: e.Path, Type: e.Type, Info: info, Pos: e.At})
		if refusal != nil {
			q.Fail(w, r, refusal)
			return
		}
	}
	end := q.Detach()
	u := m.upgrader(upgraderKey{site: q.SiteID, socket: *socket, queue: at.QueueSize, slow: at.SlowConsumer})
	s, err := u.ServeAs(w, r, chosen(r, at.Subprotocols), func(s *ws.Socket) ws.Handler {
		return &served{session: opened(r, q, e, s, end), by: at.Handler}
	})
	if s == nil {
		at.Abandon()
		m.refused(q, e, err)
		end()
	}
}

// chosen returns the first of the offered subprotocols that the client asks for.
func chosen(r *http.Request, offered []string) string {
	if len(offered) == 0 {
		return ""
	}
	asked := subprotocols(r)
	for _, name := range offered {
		if slices.Contains(asked, name) {
			return name
		}
	}
	return ""
}

// served is one connection of an endpoint that another feature serves.
type served struct {
	*session
	by ws.Handler
}

var _ ws.Handler = (*served)(nil)

// Opened passes the call on.
func (t *served) Opened(s *ws.Socket) { t.by.Opened(s) }

// Message passes the call on.
func (t *served) Message(s *ws.Socket, op frame.Opcode, payload []byte) { t.by.Message(s, op, payload) }

// Closed passes the call on, and ends the request.
func (t *served) Closed(s *ws.Socket, err error) {
	t.by.Closed(s, err)
	t.session.Closed(s, err)
}
