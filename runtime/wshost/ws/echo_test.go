package ws_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// ended is how a served connection ended.
type ended struct {
	conn *ws.Conn
	err  error
}

// server serves WebSocket connections with handle and tells how each ended.
func server(t testing.TB, u *ws.Upgrader, handle func(*ws.Conn) error) (url string, results chan ended) {
	t.Helper()
	results = make(chan ended, 16)
	var open sync.WaitGroup
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := u.Upgrade(w, r)
		if err != nil {
			results <- ended{nil, err}
			return
		}
		open.Add(1)
		defer open.Done()
		err = handle(c)
		select {
		case results <- ended{c, err}:
		default:
		}
	}))
	t.Cleanup(func() {
		srv.Close()
		open.Wait()
	})
	return "ws" + strings.TrimPrefix(srv.URL, "http"), results
}

// echo sends every message back until the connection ends.
func echo(c *ws.Conn) error {
	for {
		op, p, err := c.Read(context.Background())
		if err != nil {
			return err
		}
		if err := c.Write(context.Background(), op, p); err != nil {
			return err
		}
	}
}

func dial(t testing.TB, url string, o *ws.DialOptions) *ws.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, _, err := ws.Dial(ctx, url, o)
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	return c
}

func TestEcho(t *testing.T) {
	url, results := server(t, &ws.Upgrader{Limits: ws.Limits{MessageSize: 32 << 20}}, echo)
	c := dial(t, url, &ws.DialOptions{Limits: ws.Limits{MessageSize: 32 << 20}})
	ctx := context.Background()
	var in, out int64
	for _, n := range []int{0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 1 << 20, 16 << 20, 3} {
		for _, op := range []frame.Opcode{frame.Text, frame.Binary} {
			want := bytes.Repeat([]byte("a\xc3\xa9"), n/3+1)[:n]
			if op == frame.Text {
				want = bytes.Repeat([]byte("w"), n)
			}
			written := make(chan error, 1)
			go func() { written <- c.Write(ctx, op, want) }()
			gotOp, got, err := c.Read(ctx)
			if err != nil || gotOp != op || !bytes.Equal(got, want) {
				t.Fatalf("%v of %d bytes: got %v of %d bytes, error %v", op, n, gotOp, len(got), err)
			}
			if err := <-written; err != nil {
				t.Fatal(err)
			}
			in, out = in+int64(n), out+int64(n)
		}
	}
	counts := c.Counts()
	if counts.MessagesIn != 26 || counts.MessagesOut != 26 || counts.BytesIn < in || counts.BytesOut < out {
		t.Errorf("counts %+v for 26 messages and %d bytes each way", counts, in)
	}
	if err := c.Close(frame.NormalClosure, "bye"); err != nil {
		t.Errorf("Close: %v", err)
	}
	if c.State() != ws.Closed {
		t.Errorf("state %v after Close", c.State())
	}
	r := <-results
	var ce *ws.CloseError
	if !errors.As(r.err, &ce) || *ce != (ws.CloseError{Code: 1000, Reason: "bye"}) {
		t.Errorf("server's Read ended with %v", r.err)
	}
	if s := r.conn.Counts(); s.BytesIn != c.Counts().BytesOut || s.BytesOut != c.Counts().BytesIn {
		t.Errorf("the sides count differently: %+v and %+v", s, c.Counts())
	}
	if _, _, err := c.Read(ctx); !errors.As(err, &ce) || !ce.Sent || ce.Code != 1000 {
		t.Errorf("Read after Close: %v", err)
	}
	if err := c.Write(ctx, frame.Text, nil); err == nil {
		t.Error("Write after Close succeeded")
	}
}

func TestReadEndsWithTheLine(t *testing.T) {
	url, results := server(t, &ws.Upgrader{}, echo)
	whole := masked(0x01, "hello")
	for n := range len(whole) + 1 {
		for _, reset := range []bool{false, true} {
			raw := rawDial(t, url)
			raw.send(whole[:n]...)
			if reset {
				if err := raw.Conn.(*net.TCPConn).SetLinger(0); err != nil {
					t.Fatal(err)
				}
			}
			raw.Close()
			if r := <-results; !errors.Is(r.err, io.ErrUnexpectedEOF) || r.conn.State() != ws.Closed {
				t.Errorf("line torn after %d bytes (reset %v): %v", n, reset, r.err)
			}
		}
	}
}
