package server

import (
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// gorilla serves with gorilla/websocket. Its upgrader takes over net/http's buffers.
func gorilla(l net.Listener, m Mode) error {
	up := websocket.Upgrader{EnableCompression: m != Plain, CheckOrigin: func(*http.Request) bool { return true }}
	var members room[*websocket.Conn]
	upgrade := func(w http.ResponseWriter, r *http.Request) *websocket.Conn {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			note("gorilla", err)
			return nil
		}
		return c
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		c := upgrade(w, r)
		if c == nil {
			return
		}
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
	broadcast := func(w http.ResponseWriter, r *http.Request) {
		c := upgrade(w, r)
		if c == nil {
			return
		}
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
	return serveHTTP(l, echo, broadcast)
}
