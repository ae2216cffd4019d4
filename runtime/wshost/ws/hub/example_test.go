package hub_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/hub"
)

// chat is a ws.Handler: what somebody says in a room reaches all that are in it. The room's name, which clients choose,
// is kept with the socket.
type chat struct{ rooms hub.Hub }

func (c *chat) Opened(s *ws.Socket) { c.rooms.Join(s.Data().(string), s) }

func (c *chat) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	_ = c.rooms.Publish(s.Data().(string), op, payload)
}

func (c *chat) Closed(s *ws.Socket, _ error) {} // it leaves its rooms by itself

func Example_chat() {
	c := new(chat)
	upgrader := &ws.Upgrader{Compression: &ws.Compression{}, Limits: ws.Limits{SlowConsumer: ws.DropOldest}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		room := r.URL.Query().Get("room")
		if len(room) > 32 {
			http.Error(w, "the name is too long", http.StatusBadRequest)
			return
		}
		_, _ = upgrader.ServeWith(w, r, func(s *ws.Socket) ws.Handler {
			s.SetData(room)
			return c
		})
	}))
	defer srv.Close()

	ctx := context.Background()
	url := "ws" + strings.TrimPrefix(srv.URL, "http") + "/?room="
	var clients []*ws.Conn
	for _, room := range []string{"go", "go", "tea"} {
		conn, _, err := ws.Dial(ctx, url+room, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer conn.Cut()
		// Its own words come back once it is in the room.
		_ = conn.Write(ctx, frame.Text, []byte("here I am"))
		if _, _, err := conn.Read(ctx); err != nil {
			fmt.Println(err)
			return
		}
		clients = append(clients, conn)
	}
	_, _, _ = clients[0].Read(ctx) // the second one's words
	fmt.Println(c.rooms.Rooms(), c.rooms.Len("go"))

	_ = clients[1].Write(ctx, frame.Text, []byte("hello, gophers"))
	for _, conn := range clients[:2] {
		_, p, err := conn.Read(ctx)
		fmt.Printf("%s %v\n", p, err)
	}
	// Output:
	// [go tea] 2
	// hello, gophers <nil>
	// hello, gophers <nil>
}
