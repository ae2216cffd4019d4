package server

import (
	"net"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

// fastHTTP serves with fasthttp/websocket on fasthttp.
func fastHTTP(l net.Listener, m Mode) error {
	up := websocket.FastHTTPUpgrader{
		EnableCompression: m != Plain,
		CheckOrigin:       func(*fasthttp.RequestCtx) bool { return true },
	}
	var members room[*websocket.Conn]
	echo := func(c *websocket.Conn) {
		defer c.Close()
		for {
			kind, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			if c.WriteMessage(kind, p) != nil {
				return
			}
		}
	}
	broadcast := func(c *websocket.Conn) {
		defer c.Close()
		members.join(c)
		defer members.leave(c)
		for {
			kind, p, err := c.ReadMessage()
			if err != nil {
				return
			}
			prepared, err := websocket.NewPreparedMessage(kind, p)
			if err != nil {
				return
			}
			members.each(func(c *websocket.Conn) { _ = c.WritePreparedMessage(prepared) })
		}
	}
	return fasthttp.Serve(l, func(ctx *fasthttp.RequestCtx) {
		handler := echo
		if string(ctx.Path()) == broadcastPath {
			handler = broadcast
		}
		if err := up.Upgrade(ctx, handler); err != nil {
			note("fasthttp", err)
		}
	})
}
