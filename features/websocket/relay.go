package websocket

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/forward"
	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// appMessage is the least limit of a message from an application, in bytes; receiveBufferLimit, which is about clients,
// raises it.
const appMessage = 64 << 20

// appQueue is how many bytes may wait for one side of a relay; see ws.Socket.WriteFrom, which keeps it far below.
const appQueue = 1 << 20

// dialer returns what opens connections to applications: without compression, for both ends are mostly on one machine,
// and without pings, which are the client side's.
func (m *socketModule) dialer(socket *socketConfig) *ws.Dialer {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.dialers[socket.ReceiveBufferLimit]
	if d == nil {
		limit := max(appMessage, int64(socket.ReceiveBufferLimit))
		d = &ws.Dialer{Engine: m.engine, Limits: ws.Limits{MessageSize: limit, QueueSize: limit + appQueue, PingInterval: -1, HandshakeTimeout: -1}}
		if m.dialers == nil {
			m.dialers = map[uint32]*ws.Dialer{}
		}
		m.dialers[socket.ReceiveBufferLimit] = d
	}
	return d
}

// relay opens a WebSocket to the application with what the client asks for, answers the client with what the application
// chose, and passes on messages from then on, and the close code and reason at the end.
func (m *socketModule) relay(w http.ResponseWriter, r *http.Request, socket *socketConfig, app *module.SocketApp) {
	q := module.FromRequest(r)
	if e := m.judgeOrigin(r, socket); e != nil {
		q.Fail(w, r, e)
		return
	}
	p := &pair{q: q, app: app}
	// The application is asked first: whether it takes the connection, and with which subprotocol, is its to say.
	u := url.URL{Scheme: "ws", Host: "application", Path: app.URL.Path, RawPath: app.URL.RawPath, RawQuery: app.URL.RawQuery}
	header := app.Header.Clone()
	header.Set("Host", app.Host)
	server, resp, err := m.dialer(socket).DialHandler(r.Context(), u.String(), &ws.DialOptions{
		Header: header, Subprotocols: subprotocols(r),
		NetDial: func(ctx context.Context, _, _ string) (net.Conn, error) { return app.Dial(ctx) },
	}, (*serverSide)(p))
	switch {
	case err != nil && resp != nil && resp.StatusCode != http.StatusSwitchingProtocols:
		app.Refused(w, r, resp)
		return
	case err != nil:
		app.Failed(w, r, err)
		return
	}
	p.server = server
	forward.RemoveHop(resp.Header)
	for name, values := range resp.Header {
		if !ofHandshake(name) {
			w.Header()[name] = append(w.Header()[name], values...)
		}
	}
	m.accept(w, r, q, socket, p)
}

// accept answers the client and joins both sides.
func (m *socketModule) accept(w http.ResponseWriter, r *http.Request, q *module.Request, socket *socketConfig, p *pair) {
	p.end = q.Detach()
	client, err := m.upgrader(upgraderKey{site: q.SiteID, socket: *socket, relayed: true}).ServeAs(w, r, p.server.Subprotocol(), func(s *ws.Socket) ws.Handler {
		q.Outcome.Status = http.StatusSwitchingProtocols
		if r.ProtoMajor == 2 {
			q.Outcome.Status = http.StatusOK
		}
		info := module.ConnInfo{
			Feature: feature, SiteID: q.SiteID, Site: q.SiteName, Path: module.AskedPath(r), Remote: r.RemoteAddr, Since: q.Start, Endpoint: "relay",
		}
		info.SetLine(r)
		p.remove = q.Connections.Add(info, counted{s})
		if p.app.Opened != nil {
			p.closed = p.app.Opened(counted{s})
		}
		p.app = nil // with the header of the handshake
		return (*clientSide)(p)
	})
	if client == nil {
		p.server.Cut()
		m.refused(q, endpoint{Path: r.URL.Path, Type: "relay"}, err)
		p.end()
	}
}

// judgeOrigin refuses pages of an origin that is not allowed, where that is for this server to say. All else of the
// handshake was checked before it came here.
func (m *socketModule) judgeOrigin(r *http.Request, socket *socketConfig) *module.HTTPError {
	if socket.AllowedOrigins == "" {
		return nil
	}
	err := checkHandshake(r, socket, true)
	var refusal *handshake.Error
	if !errors.As(err, &refusal) {
		return nil
	}
	e := &module.HTTPError{Status: refusal.Status, Summary: refusal.Reason, Module: "WebSocketModule", Header: refusal.Header}
	if refusal.Status == http.StatusForbidden {
		e.Hint = "allowedOrigins of <webSocket> lists the origins whose pages may connect"
	}
	return e
}

// checkHandshake says why the engine would refuse a handshake.
func checkHandshake(r *http.Request, socket *socketConfig, relayed bool) error {
	check := handshake.Check
	if handshake.WantedConnect(r) {
		check = handshake.CheckConnect
	}
	_, err := check(r, handshake.Options{Origins: socket.origins(relayed)})
	return err
}

// subprotocols returns what the client asks for, in its order.
func subprotocols(r *http.Request) []string {
	var list []string
	for _, v := range r.Header["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(v, ",") {
			if name = textproto.TrimString(name); name != "" {
				list = append(list, name)
			}
		}
	}
	return list
}

// ofHandshake reports whether a field of the application's answer belongs to its own handshake, or to a server that the
// client does not see.
func ofHandshake(name string) bool {
	switch name {
	case "Content-Length", "Date", "Server":
		return true
	}
	return strings.HasPrefix(name, "Sec-Websocket-")
}

// pair is a relayed connection. The application's socket is not read before the client's is open.
type pair struct {
	q      *module.Request
	app    *module.SocketApp
	server *ws.Socket // to the application
	remove func()     // from the registry
	closed func()     // of the application's module; nil for none
	end    func()     // of the request

	mu     sync.Mutex
	client *ws.Socket // nil until it is open
	over   bool       // the application's side has ended
	err    error      // how
}

// clientSide is a pair as the handler of the client's socket, serverSide of the application's.
type (
	clientSide pair
	serverSide pair
)

var (
	_ ws.Handler = (*clientSide)(nil)
	_ ws.Handler = (*serverSide)(nil)
)

// Opened begins to read the application.
func (p *clientSide) Opened(s *ws.Socket) {
	p.mu.Lock()
	p.client = s
	over, err := p.over, p.err
	p.mu.Unlock()
	if over {
		pass(s, err)
		return
	}
	p.server.Resume()
}

// Message passes a message of the client on.
func (p *clientSide) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	_ = p.server.WriteFrom(s, op, payload) // what it fails for ends the application's socket
}

// Closed tells the application, and ends the request.
func (p *clientSide) Closed(s *ws.Socket, err error) {
	pass(p.server, err)
	c := s.Counts()
	p.q.Outcome.BytesRecv, p.q.Outcome.BytesSent = c.BytesIn, c.BytesOut
	p.remove()
	if p.closed != nil {
		p.closed()
	}
	p.end()
}

// Opened waits for the client, unless that was faster.
func (p *serverSide) Opened(s *ws.Socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.client == nil {
		s.Pause()
	}
}

// Message passes a message of the application on.
func (p *serverSide) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	_ = p.client.WriteFrom(s, op, payload)
}

// Closed tells the client.
func (p *serverSide) Closed(_ *ws.Socket, err error) {
	p.mu.Lock()
	p.over, p.err = true, err
	client := p.client
	p.mu.Unlock()
	if client != nil {
		pass(client, err)
	}
}

// pass ends a side as the other one has ended: with its close code and reason unchanged; without a closing handshake
// where there was none, so that both ends see the same 1006; with 1001 where this server ended the other side.
func pass(s *ws.Socket, err error) {
	var closed *ws.CloseError
	var broken *ws.ProtocolError
	switch {
	case errors.As(err, &closed):
		if s.Close(closed.Code, closed.Reason) != nil {
			s.Shutdown(uint16(frame.GoingAway), "")
		}
	case errors.As(err, &broken):
		s.Shutdown(uint16(frame.GoingAway), "the other side broke the protocol or a limit")
	default:
		s.Cut()
	}
}
