package ws_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// echoServer is a ws.Handler without state of its own: one serves all sockets.
type echoServer struct{ ended chan error }

func (echoServer) Opened(*ws.Socket) {}

func (echoServer) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	_ = s.Write(op, payload) // a full queue is dealt with by Limits.SlowConsumer; the end is told to Closed
}

func (e echoServer) Closed(_ *ws.Socket, err error) { e.ended <- err }

// A server that sends every message back, driven by events: a socket that waits costs no goroutine.
func ExampleUpgrader_Serve() {
	h := echoServer{ended: make(chan error, 1)}
	upgrader := &ws.Upgrader{Compression: &ws.Compression{}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = upgrader.Serve(w, r, h) // returns at once; a refusal is written already
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"one", "two"} {
		if err := c.Write(ctx, frame.Text, []byte(text)); err != nil {
			fmt.Println(err)
			return
		}
		_, p, err := c.Read(ctx)
		fmt.Printf("%s %v\n", p, err)
	}
	_ = c.Close(frame.NormalClosure, "")
	fmt.Println(<-h.ended)
	// Output:
	// one <nil>
	// two <nil>
	// websocket closed by handshake: 1000 (normal closure)
}

// lookup answers questions with what something slow says.
type lookup struct{ ask func(question string) string }

func (lookup) Opened(*ws.Socket) {}

func (l lookup) Message(s *ws.Socket, op frame.Opcode, payload []byte) {
	_ = s.WriteWait(context.Background(), op, []byte(l.ask(string(payload))))
}

func (lookup) Closed(*ws.Socket, error) {}

// A handler that waits is wrapped, or it would have all sockets of its loop wait.
func ExampleBlocking() {
	slow := lookup{ask: func(q string) string { return "the answer to " + q }}
	h := ws.Blocking(slow, ws.BlockingOptions{Goroutines: 64, Queue: 4})
	upgrader := new(ws.Upgrader)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = upgrader.Serve(w, r, h)
	}))
	defer srv.Close()

	ctx := context.Background()
	c, _, err := ws.Dial(ctx, "ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close(frame.NormalClosure, "")
	_ = c.Write(ctx, frame.Text, []byte("everything"))
	_, p, err := c.Read(ctx)
	fmt.Printf("%s %v\n", p, err)
	// Output:
	// the answer to everything <nil>
}
