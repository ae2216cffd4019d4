package ws_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// TestRelayedMessagesLeaveTogether has one socket's messages passed to two others. What goes to the first one waits for
// the end of the turn; nothing is lost, doubled or out of order, in whatever pieces it came. A goroutine that still writes
// what the turn before has left takes the next messages along, so only the poller's turns are held to that.
func TestRelayedMessagesLeaveTogether(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		const messages = 500
		targets := make(chan *ws.Socket, 2)
		var first, second *ws.Socket
		wrong := make(chan error, 1)
		st := stand(t, w, &ws.Upgrader{}, handler{message: func(s *ws.Socket, op frame.Opcode, p []byte) {
			if first == nil {
				first, second = <-targets, <-targets
			}
			err := first.WriteFrom(s, op, p)
			if err == nil && w.driver == ws.Automatic && first.Queued() == 0 {
				err = errors.New("a message left before the turn was over")
			}
			if err == nil {
				err = second.WriteFrom(s, op, p)
			}
			if err != nil {
				select {
				case wrong <- err:
				default:
				}
			}
		}})
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var conns [3]*ws.Conn
		for i := range conns {
			c, _, err := ws.Dial(ctx, st.url, st.dial)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Cut()
			conns[i] = c
			if s := <-st.opened; i < 2 {
				targets <- s
			}
		}
		go func() {
			for i := range messages {
				if err := conns[2].Write(ctx, frame.Text, fmt.Appendf(nil, "%d", i)); err != nil {
					t.Error(err)
					return
				}
			}
		}()
		for _, c := range conns[:2] {
			for i := range messages {
				_, p, err := c.Read(ctx)
				if err != nil || string(p) != fmt.Sprint(i) {
					t.Fatalf("message %d came as %q, %v", i, p, err)
				}
			}
		}
		select {
		case err := <-wrong:
			t.Error(err)
		default:
		}
		// Out of a turn, which is not what it is for, it leaves at once.
		if err := first.WriteFrom(second, frame.Text, []byte("late")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := conns[0].Read(ctx); err != nil || string(p) != "late" {
			t.Fatalf("%q, %v", p, err)
		}
	})
}
