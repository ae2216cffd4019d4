package ws

import (
	"context"
	"fmt"
	"net/http"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Serve answers an opening handshake and has h called for what happens on the socket. It returns at once: the request's
// handler may return, and its goroutine and buffers are freed. Over HTTP/2 (RFC 8441) it returns at the end of the
// socket, for there the stream ends with the handler. Refusals are as with Upgrade.
func (u *Upgrader) Serve(w http.ResponseWriter, r *http.Request, h Handler) error {
	_, err := u.serve(w, r, u.Subprotocols, func(*Socket) Handler { return h })
	return err
}

// ServeWith is Serve for handlers that belong to one socket: h is called with the socket before its Opened. The socket is
// nil when there is an error. Once the handshake is answered, what fails is told to Closed alone.
func (u *Upgrader) ServeWith(w http.ResponseWriter, r *http.Request, h func(*Socket) Handler) (*Socket, error) {
	return u.serve(w, r, u.Subprotocols, h)
}

// ServeAs is ServeWith for relays: subprotocol, which somebody else has chosen of those that the client asked for, takes
// the place of Subprotocols; "" is none.
func (u *Upgrader) ServeAs(w http.ResponseWriter, r *http.Request, subprotocol string, h func(*Socket) Handler) (*Socket, error) {
	var chosen []string
	if subprotocol != "" {
		chosen = []string{subprotocol}
	}
	return u.serve(w, r, chosen, h)
}

func (u *Upgrader) serve(w http.ResponseWriter, r *http.Request, subprotocols []string, h func(*Socket) Handler) (*Socket, error) {
	o, err := u.open(w, r, subprotocols)
	if err != nil {
		return nil, err
	}
	set := u.settings()
	s := newSocket(set, frame.Server, nil, newCodec(set, frame.Server, o.agreed), o.subprotocol)
	s.client = o.client
	s.h = h(s)
	err = u.engine().drive(u.Driver, s, o)
	if stream, ok := o.line.(*stream); ok {
		stream.release() // net/http gives what it writes to away when the handler returns
	}
	if err != nil {
		_ = o.line.Close()
		s.finish(fmt.Errorf("websocket serve: %w", err))
	}
	return s, nil
}

// engine returns the engine that drives the sockets of u.
func (u *Upgrader) engine() *Engine {
	if u.Engine != nil {
		return u.Engine
	}
	return &u.own
}

// DialHandler is Dial for event-driven use: h is called for what happens on the socket. Without an Engine of its own
// the socket is read by a goroutine.
func DialHandler(ctx context.Context, rawURL string, o *DialOptions, h Handler) (*Socket, *http.Response, error) {
	if o == nil {
		o = &DialOptions{}
	}
	return dialHandler(ctx, rawURL, o.settings(), o, h)
}

func dialHandler(ctx context.Context, rawURL string, set *settings, o *DialOptions, h Handler) (*Socket, *http.Response, error) {
	opened, resp, err := dial(ctx, rawURL, set, o)
	if err != nil {
		return nil, resp, err
	}
	s := newSocket(set, frame.Client, h, newCodec(set, frame.Client, opened.agreed), opened.subprotocol)
	e, d := new(Engine), Goroutine
	if o.Engine != nil {
		e, d = o.Engine, o.Driver
	}
	if err := e.drive(d, s, opened); err != nil {
		_ = opened.line.Close()
		s.codec.release()
		return nil, resp, fmt.Errorf("websocket dial: %w", err)
	}
	return s, resp, nil
}
