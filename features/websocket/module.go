package websocket

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// feature is the id under which connections are counted.
const feature = "websocket"

// socketModule is WebSocketModule in one generation. What it does is in the request's configuration; it keeps only what
// thins out its lines in the log.
type socketModule struct{ passedOver, refusals notices }

func newModule() module.Module { return &socketModule{} }

var _ module.Module = (*socketModule)(nil)

// Middleware serves the endpoints and lets every other request pass.
func (m *socketModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		endpoints, err := config.Decode[endpointConfig](q.Config, endpointSection)
		if err != nil {
			q.Fail(w, r, misfit(endpointSection, err))
			return
		}
		e, ok := endpoints.find(r.URL.Path)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		socket, err := config.Decode[socketConfig](q.Config, socketSection)
		switch {
		case err != nil:
			q.Fail(w, r, misfit(socketSection, err))
		case !socket.Enabled:
			m.passOver(q, r)
			next.ServeHTTP(w, r)
		case !intends(r):
			q.Fail(w, r, upgradeRequired(e))
		default:
			m.serve(w, r, q, e, socket)
		}
	})
}

// passOver logs why a handshake is about to be treated as an ordinary request, and where that was decided.
func (m *socketModule) passOver(q *module.Request, r *http.Request) {
	if !intends(r) {
		return
	}
	skipped, ok := m.passedOver.due(time.Now())
	if !ok {
		return
	}
	where := "the default of the section"
	if pos, ok := q.Config.Origin(socketSection); ok {
		where = pos.String()
	}
	q.Logger.Warn("a WebSocket handshake is handled as an ordinary request: the WebSocket Protocol is switched off for this URL",
		"endpoint", r.URL.Path, "switched_off_at", where, "not_logged", skipped, "hint", `set <webSocket enabled="true" /> there to switch it on`)
}

// upgradeRequired answers those who ask for an endpoint without a handshake: browsers that open it as a page, health
// checks. RFC 9110, section 15.5.22, asks for the Upgrade field.
func upgradeRequired(e endpoint) *module.HTTPError {
	return &module.HTTPError{
		Status:  http.StatusUpgradeRequired,
		Summary: `the path "` + e.Path + `" is a WebSocket endpoint and was asked for without an opening handshake`,
		Hint:    "connect with a WebSocket client; a proxy in front must pass the Upgrade and Connection header fields on",
		Module:  "WebSocketModule",
		Header: http.Header{
			"Upgrade":               {"websocket"},
			"Connection":            {"Upgrade"},
			"Sec-Websocket-Version": {"13"},
		},
	}
}

// misfit is a section whose declaration and Go type differ: a fault of this program.
func misfit(section string, err error) *module.HTTPError {
	return &module.HTTPError{
		Status: http.StatusInternalServerError, Module: "WebSocketModule",
		Summary: "the section " + section + " cannot be read: " + err.Error(),
	}
}

// intends reports whether a request is meant as an opening handshake, correct or not: it names the protocol in
// Upgrade (RFC 6455, section 4.1, item 5), or is its HTTP/2 form (RFC 8441, section 4).
func intends(r *http.Request) bool {
	if r.Method == http.MethodConnect && strings.EqualFold(r.Header.Get(":protocol"), "websocket") {
		return true
	}
	return handshake.Wanted(r)
}

// serve performs the handshake and keeps the request, and with it its generation, until the connection has ended.
func (m *socketModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request, e endpoint, socket *socketConfig) {
	upgrader := ws.Upgrader{Limits: ws.Limits{
		MessageSize:  int64(socket.ReceiveBufferLimit),
		PingInterval: socket.PingInterval,
	}}
	conn, err := upgrader.Upgrade(w, r)
	if err != nil {
		m.refused(q, e, err)
		return
	}
	q.Outcome.Status = http.StatusSwitchingProtocols
	s := session{conn}
	defer s.record(q)
	remove := q.Connections.Add(module.ConnInfo{
		Feature: feature, SiteID: q.SiteID, Site: q.SiteName, Path: r.URL.Path,
		Remote: r.RemoteAddr, Since: q.Start, Endpoint: e.Type,
	}, s)
	defer remove()
	err = s.echo(r.Context())
	var closed *ws.CloseError
	if !errors.As(err, &closed) {
		q.Logger.Debug("a WebSocket connection ended without a closing handshake of the peer", "endpoint", e.Path, "error", err)
	}
	_ = conn.Close(frame.GoingAway, "") // completes what was begun, and does nothing after the end
}

// refused records a handshake that the engine has answered with a refusal. 400.11 is "invalid WebSocket request" of IIS.
func (m *socketModule) refused(q *module.Request, e endpoint, err error) {
	var refusal *handshake.Error
	if errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest {
		q.Outcome.SubStatus = 11
	}
	if skipped, ok := m.refusals.due(time.Now()); ok {
		q.Logger.Warn("an opening handshake is refused", "endpoint", e.Path, "error", err, "not_logged", skipped)
	}
}
