package websocket

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/config"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// feature is the id under which connections are counted.
const feature = "websocket"

// socketModule is WebSocketModule in one generation. What it does is in the request's configuration; it keeps what thins
// out its lines in the log, and what connections of like configuration share.
type socketModule struct {
	passedOver, refusals notices

	engine  *ws.Engine
	release func()

	mu        sync.Mutex
	upgraders map[upgraderKey]*ws.Upgrader
	dialers   map[uint32]*ws.Dialer // by receiveBufferLimit
}

// upgraderKey is what connections must have in common to share an Upgrader.
type upgraderKey struct {
	site    uint32
	socket  socketConfig
	relayed bool
	queue   int64
	slow    ws.SlowConsumer
}

func newModule() module.Module { return &socketModule{} }

var (
	_ module.Provisioner = (*socketModule)(nil)
	_ io.Closer          = (*socketModule)(nil)
)

// Provision takes the engine, which outlives generations as connections do.
func (m *socketModule) Provision(c *module.Context) error {
	engine, release, err := c.Shared.Acquire("websocket.engine", func() (any, error) { return new(ws.Engine), nil })
	if err != nil {
		return err
	}
	m.engine, m.release = engine.(*ws.Engine), release
	return nil
}

// Close gives the engine back.
func (m *socketModule) Close() error {
	m.release()
	return nil
}

// windowBudget bounds the memory of the compression windows of one site's connections, in bytes: about 550 with full
// windows. Those that come later are compressed without context takeover.
const windowBudget = 64 << 20

// upgrader returns the Upgrader for connections that have this in common.
func (m *socketModule) upgrader(key upgraderKey) *ws.Upgrader {
	socket := &key.socket
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.upgraders[key]
	if u == nil {
		u = &ws.Upgrader{
			Engine:  m.engine,
			Origins: socket.origins(key.relayed),
			Limits: ws.Limits{
				MessageSize: int64(socket.ReceiveBufferLimit), PingInterval: socket.PingInterval,
				QueueSize: key.queue, SlowConsumer: key.slow,
			},
			Compression: &ws.Compression{Budget: deflate.NewBudget(windowBudget)},
		}
		if m.upgraders == nil {
			m.upgraders = map[upgraderKey]*ws.Upgrader{}
		}
		m.upgraders[key] = u
	}
	return u
}

// Middleware serves the endpoints and lets every other request pass.
func (m *socketModule) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := module.FromRequest(r)
		endpoints, err := config.Decode[endpointConfig](q.Config, endpointSection)
		if err != nil {
			q.Fail(w, r, module.Misfit("WebSocketModule", endpointSection, err))
			return
		}
		e, info, ok := endpoints.find(r.URL.Path)
		if !ok || q.Upstream != nil {
			if intends(r) && !m.offer(w, r, q) {
				return
			}
			next.ServeHTTP(w, r)
			return
		}
		socket, err := config.Decode[socketConfig](q.Config, socketSection)
		switch {
		case err != nil:
			q.Fail(w, r, module.Misfit("WebSocketModule", socketSection, err))
		case !socket.Enabled:
			m.passOver(q, r)
			next.ServeHTTP(w, r)
		case e.Type != typeEcho && q.Endpoints == nil:
			q.Fail(w, r, module.ConfigFailure(e.missing()))
		case e.fault() != nil:
			q.Fail(w, r, module.ConfigFailure(e.fault()))
		case !intends(r):
			q.Fail(w, r, upgradeRequired(e))
		case e.Type != typeEcho:
			m.serveOther(w, r, q, e, info, socket)
		default:
			m.serve(w, r, q, e, socket)
		}
	})
}

// offer tells an application that may serve the request what becomes of the handshake. It reports false when it has
// answered the request.
func (m *socketModule) offer(w http.ResponseWriter, r *http.Request, q *module.Request) bool {
	socket, err := config.Decode[socketConfig](q.Config, socketSection)
	if err != nil {
		q.Fail(w, r, module.Misfit("WebSocketModule", socketSection, err))
		return false
	}
	q.Sockets = &module.Sockets{}
	if socket.Enabled {
		q.Sockets.Relay = func(w http.ResponseWriter, r *http.Request, app *module.SocketApp) { m.relay(w, r, socket, app) }
	}
	return true
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

// intends reports whether a request is meant as an opening handshake, correct or not: it names the protocol in
// Upgrade (RFC 6455, section 4.1, item 5), or is its HTTP/2 form (RFC 8441, section 5).
func intends(r *http.Request) bool { return handshake.Wanted(r) || handshake.WantedConnect(r) }

// serve performs the handshake and leaves the connection to the engine. The request, and with it its generation, lasts
// until the connection has ended.
func (m *socketModule) serve(w http.ResponseWriter, r *http.Request, q *module.Request, e endpoint, socket *socketConfig) {
	end := q.Detach()
	s, err := m.upgrader(upgraderKey{site: q.SiteID, socket: *socket}).ServeWith(w, r, func(s *ws.Socket) ws.Handler {
		return opened(r, q, e, s, end)
	})
	if s == nil {
		m.refused(q, e, err)
		end()
	}
}

// opened enters a connection into the registry.
func opened(r *http.Request, q *module.Request, e endpoint, s *ws.Socket, end func()) *session {
	q.Outcome.Status = http.StatusSwitchingProtocols
	if r.ProtoMajor == 2 {
		q.Outcome.Status = http.StatusOK
	}
	info := module.ConnInfo{
		Feature: feature, SiteID: q.SiteID, Site: q.SiteName, Path: r.URL.Path,
		Remote: r.RemoteAddr, Since: q.Start, Endpoint: e.Type,
	}
	info.SetLine(r)
	return &session{q: q, path: e.Path, end: end, remove: q.Connections.Add(info, counted{s})}
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
