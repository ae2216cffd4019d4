package ws_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// BenchmarkEcho is one message there and back over loopback, both sides of the engine counted.
func BenchmarkEcho(b *testing.B) {
	for _, size := range []int{128, 16 << 10} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			url, _ := server(b, &ws.Upgrader{}, echo)
			c := dial(b, url, nil)
			defer func() { _ = c.Close(frame.NormalClosure, "") }()
			ctx, p := context.Background(), make([]byte, size)
			b.SetBytes(int64(2 * size))
			b.ReportAllocs()
			for b.Loop() {
				if err := c.Write(ctx, frame.Binary, p); err != nil {
					b.Fatal(err)
				}
				if _, _, err := c.Read(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
