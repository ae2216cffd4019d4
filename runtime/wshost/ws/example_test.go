package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// A server that sends every message back, read by the handler of the request, and a client that says hello to it.
func Example() {
	upgrader := &ws.Upgrader{Subprotocols: []string{"echo.v1"}}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return // the refusal is written already
		}
		defer c.Close(frame.NormalClosure, "") // does nothing when the client was first
		for {
			op, p, err := c.Read(r.Context())
			if err != nil {
				return
			}
			if err := c.Write(r.Context(), op, p); err != nil {
				return
			}
		}
	}))
	defer srv.Close()

	ctx := context.Background()
	url := "ws" + strings.TrimPrefix(srv.URL, "http")
	c, _, err := ws.Dial(ctx, url, &ws.DialOptions{Subprotocols: []string{"echo.v2", "echo.v1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := c.Write(ctx, frame.Text, []byte("hello")); err != nil {
		fmt.Println(err)
		return
	}
	op, p, err := c.Read(ctx)
	fmt.Printf("%s: %v %q %v\n", c.Subprotocol(), op, p, err)

	fmt.Println(c.Close(frame.NormalClosure, "bye"), c.State())
	_, _, err = c.Read(ctx)
	var ended *ws.CloseError
	if errors.As(err, &ended) {
		fmt.Println(ended.Code, ended.Sent)
	}
	// Output:
	// echo.v1: text "hello" <nil>
	// <nil> closed
	// 1000 (normal closure) true
}
