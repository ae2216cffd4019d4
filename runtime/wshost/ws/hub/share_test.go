package hub

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// All receivers share one frame, and one compressed frame for each set of parameters: what publishing allocates does
// not grow with them.
func TestOneFrameForAll(t *testing.T) {
	const receivers, size = 40, 256 << 10
	text := make([]byte, size) // compresses to three quarters or so
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range text {
		text[i] = "0123456789abcdefghijklmnopqrstuvwxyz-_.:+*ABCDEFGHIJKLMNOPQRSTUV"[rng.IntN(64)]
	}
	for name, c := range map[string]*ws.Compression{"plain": nil, "compressed": {}} {
		t.Run(name, func(t *testing.T) {
			everyDriver(t, func(t *testing.T, d ws.Driver) {
				var h Hub
				limits := ws.Limits{QueueSize: 64 << 20, WriteTimeout: -1}
				st := stand(t, &ws.Upgrader{Driver: d, Compression: c, Limits: limits}, callbacks{opened: func(s *ws.Socket) { h.Join("room", s) }})
				var all []client
				for range receivers {
					all = append(all, st.join(t, ws.DialOptions{Compression: c}))
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				if err := h.Publish("room", frame.Binary, text); err != nil {
					t.Fatal(err)
				}
				until(t, "everybody is served", func() bool {
					for _, c := range all {
						if c.socket.Queued() == 0 {
							return false
						}
					}
					return true
				})
				runtime.ReadMemStats(&after)
				// A copy for each would be 10 MiB, or 7 compressed; two frames and a compressor are far less.
				if got := after.TotalAlloc - before.TotalAlloc; got > 3<<20 {
					t.Errorf("publishing to %d allocated %d KiB", receivers, got>>10)
				}
				first := wire(t, all[0].line)
				var readers sync.WaitGroup
				for _, c := range all[1:] {
					readers.Go(func() {
						if !bytes.Equal(wire(t, c.line), first) {
							t.Error("two receivers got different bytes")
						}
					})
				}
				readers.Wait()
				if compressed := len(first) > 0 && first[0]&0x40 != 0; compressed != (c != nil) {
					t.Errorf("compressed: %v", compressed)
				}
			})
		})
	}
}

// wire reads one frame as it is on the line.
func wire(t *testing.T, line net.Conn) []byte {
	t.Helper()
	_ = line.SetReadDeadline(time.Now().Add(20 * time.Second))
	head := make([]byte, 10) // of a frame of more than 64 KiB
	if _, err := io.ReadFull(line, head); err != nil {
		t.Error(err)
		return nil
	}
	h, n := frame.Parse(head)
	if n != len(head) {
		t.Errorf("the header has %d bytes", n)
		return nil
	}
	b := append(head, make([]byte, h.Length)...)
	if _, err := io.ReadFull(line, b[n:]); err != nil {
		t.Error(err)
	}
	return b
}

func BenchmarkPublish(b *testing.B) {
	for name, d := range map[string]ws.Driver{"poller": ws.Automatic, "goroutine": ws.Goroutine} {
		b.Run(name, func(b *testing.B) {
			const receivers = 1000
			var h Hub
			st := stand(b, &ws.Upgrader{Driver: d, Limits: ws.Limits{QueueSize: 64 << 20}}, callbacks{opened: func(s *ws.Socket) { h.Join("room", s) }})
			p := make([]byte, 128)
			got := make(chan struct{}, receivers)
			for range receivers {
				c := st.join(b, ws.DialOptions{})
				go func() {
					buf := make([]byte, 128+4)
					for {
						if _, err := io.ReadFull(c.line, buf); err != nil {
							return
						}
						got <- struct{}{}
					}
				}()
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := h.Publish("room", frame.Binary, p); err != nil {
					b.Fatal(err)
				}
				for range receivers {
					<-got
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/receivers, "ns/receiver")
		})
	}
}
