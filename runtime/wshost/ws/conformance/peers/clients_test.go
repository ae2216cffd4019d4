package peers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	coder "github.com/coder/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	gorilla "github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/conformance"
)

// client opens a WebSocket and echoes on it until it ends.
type client func(ctx context.Context, url string)

func gorillaClient(ctx context.Context, url string) {
	d := gorilla.Dialer{EnableCompression: true}
	if c, _, err := d.DialContext(ctx, url, nil); err == nil {
		echoOnGorilla(c)
	}
}

func coderClient(ctx context.Context, url string) {
	c, _, err := coder.Dial(ctx, url, &coder.DialOptions{CompressionMode: coder.CompressionContextTakeover})
	if err == nil {
		echoOnCoder(ctx, c)
	}
}

func gobwasClient(ctx context.Context, url string) {
	conn, br, _, err := gobwas.Dial(ctx, url)
	if err != nil {
		return
	}
	defer conn.Close()
	c := net.Conn(conn)
	if br != nil {
		c = buffered{conn, br}
	}
	for {
		p, op, err := wsutil.ReadServerData(c)
		if err != nil || wsutil.WriteClientMessage(c, op, p) != nil {
			return
		}
	}
}

// gwsClient drops the connection when the engine panics.
func gwsClient(_ context.Context, url string) {
	c, _, err := gws.NewClient(&gwsServer{}, &gws.ClientOption{
		Addr: url, CheckUtf8Enabled: true, ReadMaxPayloadSize: maxMessage, WriteMaxPayloadSize: maxMessage, Logger: silent{},
		PermessageDeflate: gws.PermessageDeflate{Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true},
	})
	if err != nil {
		return
	}
	defer func() {
		_ = recover()
		_ = c.NetConn().Close()
	}()
	c.ReadLoop()
}

// judgeClient runs the cases that match with a client.
func judgeClient(t *testing.T, o conformance.Options, run client) *conformance.Report {
	t.Helper()
	cases, err := conformance.Choose(conformance.Client, o.Match)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var turn, open sync.WaitGroup
	next := make(chan int)
	for range atOnce {
		turn.Go(func() {
			for n := range next {
				run(t.Context(), fmt.Sprintf("ws://%s/case?n=%d", ln.Addr(), n))
			}
		})
	}
	open.Go(func() {
		for n := range cases {
			next <- n + 1
		}
		close(next)
		turn.Wait()
		if resp, err := http.Get("http://" + ln.Addr().String() + "/done"); err == nil {
			_ = resp.Body.Close()
		}
	})
	r, err := conformance.Serve(t.Context(), ln, o)
	if err != nil {
		t.Fatal(err)
	}
	open.Wait()
	return r
}
