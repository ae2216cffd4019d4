package server

import (
	"context"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// coder serves with coder/websocket.
func coder(l net.Listener, m Mode) error {
	options := &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled, CompressionThreshold: 1}
	switch m {
	case NoTakeover:
		options.CompressionMode = websocket.CompressionNoContextTakeover
	case Takeover:
		options.CompressionMode = websocket.CompressionContextTakeover
	}
	var members room[*websocket.Conn]
	ctx := context.Background()
	accept := func(w http.ResponseWriter, r *http.Request) *websocket.Conn {
		c, err := websocket.Accept(w, r, options)
		if err != nil {
			note("coder", err)
			return nil
		}
		c.SetReadLimit(-1)
		return c
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		c := accept(w, r)
		if c == nil {
			return
		}
		defer c.CloseNow()
		for {
			kind, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			if c.Write(ctx, kind, p) != nil {
				return
			}
		}
	}
	broadcast := func(w http.ResponseWriter, r *http.Request) {
		c := accept(w, r)
		if c == nil {
			return
		}
		defer c.CloseNow()
		members.join(c)
		defer members.leave(c)
		for {
			kind, p, err := c.Read(ctx)
			if err != nil {
				return
			}
			members.each(func(c *websocket.Conn) { _ = c.Write(ctx, kind, p) })
		}
	}
	return serveHTTP(l, echo, broadcast)
}
