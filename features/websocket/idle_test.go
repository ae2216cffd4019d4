package websocket

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// TestOpenConnectionsHoldNoRequest waits until the request of an open connection is garbage, with all that net/http has
// with it: header, buffers, contexts.
func TestOpenConnectionsHoldNoRequest(t *testing.T) {
	for _, policy := range policies() {
		t.Run(policy, func(t *testing.T) {
			st := newStage(t, policy, nil, echoApp(t))
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			c, _ := open(t, st.url, nil)
			request := <-st.requests
			for end := time.Now().Add(patience); request.Value() != nil; runtime.GC() {
				if time.Now().After(end) {
					t.Fatal("the request is held as long as the connection is open")
				}
			}
			if _, _, err := c.Read(ctx); err != nil { // the welcome
				t.Fatal(err)
			}
			if err := c.Write(ctx, frame.Text, []byte("still open")); err != nil {
				t.Fatal(err)
			}
			if _, p, err := c.Read(ctx); err != nil || string(p) != "still open" {
				t.Fatalf("%q, %v", p, err)
			}
		})
	}
}
