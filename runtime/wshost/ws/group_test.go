package ws_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Everybody in a group hears what is published, in order, however each has agreed on compression.
func TestGroupPublishes(t *testing.T) {
	everyWay(t, func(t *testing.T, w way) {
		var g ws.Group
		st := stand(t, w, &ws.Upgrader{Compression: &ws.Compression{}, Limits: ws.Limits{QueueSize: 64 << 20}}, handler{
			opened: func(s *ws.Socket) {
				if !g.Join(s) || g.Join(s) {
					t.Error("joined twice, or not at all")
				}
			},
			message: func(s *ws.Socket, op frame.Opcode, p []byte) { // a personal answer between the public ones
				_ = s.Write(op, append([]byte("private "), p...))
			},
		})
		var clients []*ws.Conn
		for i := range 12 {
			clients = append(clients, st.join(t, func(o *ws.DialOptions) {
				switch i % 4 {
				case 1:
					o.Compression = &ws.Compression{}
				case 2:
					o.Compression = &ws.Compression{ReceiveBits: 9}
				case 3:
					o.Compression = &ws.Compression{ReceiveNoTakeover: true}
				}
			}))
			await(t, st.opened)
		}
		if g.Len() != len(clients) {
			t.Fatalf("%d members", g.Len())
		}
		const n = 200
		text := func(from string, i int) string { return fmt.Sprintf("%s %d %s", from, i, strings.Repeat("news ", i)) }
		var publishers sync.WaitGroup
		for _, from := range []string{"a", "b"} {
			publishers.Go(func() {
				for i := range n {
					m, err := ws.Prepare(frame.Text, []byte(text(from, i)))
					if err != nil {
						t.Error(err)
						return
					}
					if err := g.Publish(m); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		var readers sync.WaitGroup
		for _, c := range clients {
			readers.Go(func() {
				next := map[string]int{}
				for i := range 3 * n {
					if i < n {
						say(t, c, frame.Text, []byte(text("self", i)))
					}
					_, p := hear(t, c)
					var from string
					var k int
					s := strings.TrimPrefix(string(p), "private ")
					if _, err := fmt.Sscanf(s, "%s %d", &from, &k); err != nil || next[from] != k || s != text(from, k) {
						t.Errorf("%.30q after %v", p, next)
						return
					}
					next[from]++
				}
			})
		}
		publishers.Wait()
		readers.Wait()
		for _, c := range clients {
			_ = c.Close(1000, "")
			await(t, st.closed)
		}
		emptied(t, &g)
	})
}

// emptied waits until every socket has left, which it does after its Closed callback.
func emptied(t *testing.T, g *ws.Group) {
	t.Helper()
	for limit := time.Now().Add(10 * time.Second); g.Len() != 0; time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("%d members are left", g.Len())
		}
	}
}
