package websocketendpoints

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// bridgeGrace is how long a server may take what a client sent before it left.
const bridgeGrace = 5 * time.Second

// subprotocolBinary is what clients of TCP bridges ask for, as noVNC does.
const subprotocolBinary = "binary"

// bridge is a connection to an endpoint of type tcp, as the handler of its socket.
type bridge struct {
	q      *module.Request
	target string
	conn   net.Conn
	in     inlet
	close  func() // gives everything back; may be called more than once
}

var _ ws.Handler = (*bridge)(nil)

// connect opens the connection to the server that an endpoint, or within its list the client, names. leave is called when the
// connection is closed; not when it cannot be opened.
func connect(st *state, r *http.Request, q *module.Request, e *endpoint, leave func()) (*module.SocketSession, *module.HTTPError) {
	target, refusal := e.choose(r)
	if refusal != nil {
		return nil, refusal
	}
	network := "tcp"
	address, isUnix := strings.CutPrefix(target, "unix:")
	if isUnix {
		network = "unix"
	}
	ctx, cancel := context.WithTimeout(r.Context(), e.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		q.Logger.Warn("the target of an endpoint cannot be reached", "endpoint", e.Path, "target", target, "error", err)
		var late net.Error // the dialer keeps the time by itself, and may be ahead of ctx
		if errors.As(err, &late) && late.Timeout() || errors.Is(err, context.DeadlineExceeded) {
			return nil, refuse(http.StatusGatewayTimeout, "the target did not answer within the time of connectTimeout", "see that it runs and that no firewall drops what is sent to it")
		}
		return nil, refuse(http.StatusBadGateway, "the target of the endpoint cannot be reached: "+err.Error(), "see that it runs and listens there")
	}
	b := &bridge{q: q, target: target, conn: conn}
	b.close = sync.OnceFunc(func() {
		_ = conn.Close()
		leave()
	})
	b.in = inlet{to: conn, done: b.inputEnded, stall: st.stall, stuck: b.stuck}
	return &module.SocketSession{Handler: b, Abandon: b.close, Subprotocols: e.subprotocols(subprotocolBinary)}, nil
}

// choose returns the target: the one that the client names, where a list says which it may name, or else the fixed one.
func (e *endpoint) choose(r *http.Request) (string, *module.HTTPError) {
	if strings.Trim(e.Allowed, ", \t") == "" {
		return strings.TrimSpace(e.Target), nil
	}
	asked := r.URL.Query()[e.Parameter]
	switch {
	case len(asked) == 0 && e.Target != "":
		return strings.TrimSpace(e.Target), nil
	case len(asked) == 0:
		return "", refuse(http.StatusBadRequest, "the client names no target", "it is to be in the query string, as in ?"+e.Parameter+"=HOST:PORT")
	case len(asked) > 1:
		return "", refuse(http.StatusBadRequest, "the client names more than one target", "")
	}
	for target := range strings.SplitSeq(e.Allowed, ",") {
		if target = strings.TrimSpace(target); target == asked[0] && target != "" {
			return target, nil
		}
	}
	return "", refuse(http.StatusForbidden, "the client names a target that is not allowed", "allowedTargets of the endpoint lists the targets, written as the client writes them")
}

// Opened begins to read the server.
func (b *bridge) Opened(s *ws.Socket) {
	b.in.socket = s
	go b.pump(s)
}

// Message passes the bytes of a message on.
func (b *bridge) Message(_ *ws.Socket, _ frame.Opcode, payload []byte) { b.in.put(payload) }

// Closed lets the server have what the client sent, and closes the connection.
func (b *bridge) Closed(*ws.Socket, error) {
	_ = b.conn.SetDeadline(time.Now().Add(bridgeGrace))
	b.in.end()
}

// stuck ends the connection of a client that the server keeps waiting for too long.
func (b *bridge) stuck() {
	b.q.Logger.Warn("the target of an endpoint takes nothing of what its client sends", "target", b.target, "after", b.in.stall)
	b.in.socket.Shutdown(uint16(frame.InternalError), "the target does not read")
}

// inputEnded closes the half of the connection that the client's bytes went out by, and then, for nobody is left to read the
// other half, all of it.
func (b *bridge) inputEnded() {
	if half, ok := b.conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
	b.close()
}

// pump passes on what the server sends. While the client does not take it, the server is not read. A server that closes its
// half ends the socket, which has no halves; what the client has sent by then still reaches it.
func (b *bridge) pump(s *ws.Socket) {
	failed := error(nil)
	err := copyBytes(b.conn, func(op frame.Opcode, p []byte) error {
		failed = s.WriteWait(context.Background(), op, p)
		return failed
	})
	switch {
	case failed != nil || s.State() != ws.Open: // the socket ends, and Closed is told
	case err != nil:
		b.q.Logger.Debug("the connection to the target of an endpoint broke", "target", b.target, "error", err)
		s.Shutdown(uint16(frame.InternalError), "the connection to the target broke")
	default:
		s.Shutdown(uint16(frame.NormalClosure), "")
	}
}
