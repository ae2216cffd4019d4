package server

import (
	"net"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// oursPoller serves with this engine and its poller driver.
func oursPoller(l net.Listener, m Mode) error { return ours(l, m, ws.Automatic) }

// oursGoroutine serves with this engine and its goroutine driver.
func oursGoroutine(l net.Listener, m Mode) error { return ours(l, m, ws.Goroutine) }

// ours serves with this engine, its limits as they are by default.
func ours(l net.Listener, m Mode, d ws.Driver) error {
	up := &ws.Upgrader{Driver: d}
	if m != Plain {
		up.Compression = &ws.Compression{SendNoTakeover: m == NoTakeover, ReceiveNoTakeover: m == NoTakeover}
	}
	serve := func(h ws.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := up.Serve(w, r, h); err != nil {
				note("rolemgr", err)
			}
		}
	}
	return serveHTTP(l, serve(oursEcho{}), serve(&oursBroadcast{}))
}

// Echo serves with this engine and its poller driver until l fails. It sends no pings, which the load does not expect.
func Echo(l net.Listener) error {
	up := &ws.Upgrader{Limits: ws.Limits{PingInterval: -1}}
	serve := func(w http.ResponseWriter, r *http.Request) {
		if err := up.Serve(w, r, oursEcho{}); err != nil {
			note("app", err)
		}
	}
	return serveHTTP(l, serve, serve)
}

// oursEcho is the handler that echoes.
type oursEcho struct{}

// Opened does nothing.
func (oursEcho) Opened(*ws.Socket) {}

// Message sends the message back.
func (oursEcho) Message(s *ws.Socket, op frame.Opcode, p []byte) { _ = s.Write(op, p) }

// Closed does nothing.
func (oursEcho) Closed(*ws.Socket, error) {}

// oursBroadcast is the handler that sends to all.
type oursBroadcast struct{ members ws.Group }

// Opened adds the socket to the group, which it leaves by itself.
func (h *oursBroadcast) Opened(s *ws.Socket) { h.members.Join(s) }

// Message sends the message to all.
func (h *oursBroadcast) Message(_ *ws.Socket, op frame.Opcode, p []byte) {
	m, err := ws.Prepare(op, p)
	if err == nil {
		err = h.members.Publish(m)
	}
	if err != nil {
		note("rolemgr", err)
	}
}

// Closed does nothing.
func (*oursBroadcast) Closed(*ws.Socket, error) {}
