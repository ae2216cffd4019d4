package server

import (
	"net"
	"net/http"

	"github.com/lxzan/gws"
)

// gwsEcho is the event handler of gws that echoes.
type gwsEcho struct{ gws.BuiltinEventHandler }

// OnMessage sends the message back.
func (gwsEcho) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

// gwsBroadcast is the event handler of gws that sends to all.
type gwsBroadcast struct {
	gws.BuiltinEventHandler
	members *room[*gws.Conn]
}

// OnOpen adds the connection to the room.
func (h gwsBroadcast) OnOpen(c *gws.Conn) { h.members.join(c) }

// OnClose removes the connection from the room.
func (h gwsBroadcast) OnClose(c *gws.Conn, _ error) { h.members.leave(c) }

// OnMessage sends the message to all.
func (h gwsBroadcast) OnMessage(_ *gws.Conn, m *gws.Message) {
	defer m.Close()
	b := gws.NewBroadcaster(m.Opcode, m.Bytes())
	defer b.Close()
	h.members.each(func(c *gws.Conn) { _ = b.Broadcast(c) })
}

// gwsServer serves with lxzan/gws; as it advises, the read loop runs in a goroutine of its own, so that net/http's
// memory is set free.
func gwsServer(l net.Listener, m Mode) error {
	option := &gws.ServerOption{ReadMaxPayloadSize: 64 << 20, WriteMaxPayloadSize: 64 << 20}
	if m != Plain {
		option.PermessageDeflate = gws.PermessageDeflate{
			Enabled: true, Threshold: 1,
			ServerContextTakeover: m == Takeover, ClientContextTakeover: m == Takeover,
			ServerMaxWindowBits: 15, ClientMaxWindowBits: 15,
		}
	}
	serve := func(h gws.Event) http.HandlerFunc {
		up := gws.NewUpgrader(h, option)
		return func(w http.ResponseWriter, r *http.Request) {
			c, err := up.Upgrade(w, r)
			if err != nil {
				note("gws", err)
				return
			}
			go c.ReadLoop()
		}
	}
	return serveHTTP(l, serve(gwsEcho{}), serve(gwsBroadcast{members: new(room[*gws.Conn])}))
}
