package ws_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

func TestInterleavedControlFrames(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	r := rawDial(t, url)
	r.send(masked(0x01, "Hel")...)
	r.send(masked(0x89, "ping inside")...)
	r.want(0x8A, "ping inside")
	r.send(masked(0x00, "")...)
	r.send(masked(0x8A, "a pong nobody asked for")...)
	r.send(masked(0x80, "lo")...)
	r.want(0x81, "Hello")
	r.send(masked(0x88, "\x03\xe8done")...)
	r.wantClose(1000)
}

func TestBytesSentWithTheRequestAreNotLost(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	early := append(masked(0x81, "early"), masked(0x82, strings.Repeat("b", 3000))...)
	for _, n := range []int{1, 5, len(masked(0x81, "early")), 100, len(early)} {
		r := rawDial(t, url, early[:n]...)
		r.send(early[n:]...)
		r.want(0x81, "early")
		r.want(0x82, strings.Repeat("b", 3000))
	}
}

func TestOneByteAtATime(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	r := rawDial(t, url)
	for _, b := range append(masked(0x01, "caf\xc3"), masked(0x80, "\xa9")...) {
		r.send(b)
	}
	r.want(0x81, "café")
}

// What breaks the protocol or a limit is answered with the right close frame, and the peer can read it even while
// bytes that nobody reads are on the way.
func TestBreachesAreAnsweredWithTheirCode(t *testing.T) {
	for _, c := range []struct {
		name string
		send []byte
		code uint16
	}{
		{"unmasked", []byte{0x81, 0x00}, 1002},
		{"1 GiB announced", []byte{0x82, 0xFF, 0, 0, 0, 0, 0x40, 0, 0, 0, 1, 2, 3, 4}, 1009},
		{"2^63 announced", []byte{0x82, 0xFF, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, 1002},
		{"text that is not UTF-8", masked(0x81, "\xed\xa0\x80"), 1007},
		{"close reason that is not UTF-8", masked(0x88, "\x03\xe8\xff"), 1007},
		{"close code 1006", masked(0x88, "\x03\xee"), 1002},
		{"a flood of fragments", bytes.Repeat(masked(0x00, ""), 70000), 1002},
		{"a flood of pings", bytes.Repeat(masked(0x89, ""), 30000), 1008},
	} {
		t.Run(c.name, func(t *testing.T) {
			url, results := server(t, &ws.Upgrader{}, echo)
			r := rawDial(t, url)
			go func() { // the server may stop listening in the middle of it
				_, _ = r.Write(c.send)
				_, _ = r.Write(make([]byte, 100<<10))
			}()
			if reason := r.wantClose(c.code); reason == "" {
				t.Error("no reason is given")
			}
			r.Close()
			var pe *ws.ProtocolError
			if got := <-results; !errors.As(got.err, &pe) || uint16(pe.Code) != c.code {
				t.Errorf("Read ended with %v", got.err)
			}
		})
	}
}

func TestPeerCloses(t *testing.T) {
	for _, c := range []struct {
		payload, answer string
		want            ws.CloseError
	}{
		{"", "", ws.CloseError{Code: frame.NoStatus}},
		{"\x03\xe8", "\x03\xe8", ws.CloseError{Code: 1000}},
		{"\x03\xe9leaving", "\x03\xe9", ws.CloseError{Code: 1001, Reason: "leaving"}},
		{"\x0f\xa1private", "\x0f\xa1", ws.CloseError{Code: 4001, Reason: "private"}},
	} {
		url, results := server(t, &ws.Upgrader{}, echo)
		r := rawDial(t, url)
		r.send(masked(0x88, c.payload)...)
		r.want(0x88, c.answer)
		if _, err := r.br.ReadByte(); err != io.EOF {
			t.Errorf("after the handshake: %v", err)
		}
		var ce *ws.CloseError
		if got := <-results; !errors.As(got.err, &ce) || *ce != c.want {
			t.Errorf("Read ended with %v, want %v", got.err, &c.want)
		}
	}
}

// What follows a close frame means nothing, and does not cost the peer the answer.
func TestPeerSendsAfterItsCloseFrame(t *testing.T) {
	for _, more := range [][]byte{masked(0x81, "late"), {0xFF}, make([]byte, 1<<20)} {
		url, results := server(t, &ws.Upgrader{}, echo)
		r := rawDial(t, url)
		go func() { _, _ = r.Write(append(masked(0x88, "\x03\xe8"), more...)) }()
		r.wantClose(1000)
		r.Close()
		var ce *ws.CloseError
		if got := <-results; !errors.As(got.err, &ce) || *ce != (ws.CloseError{Code: 1000}) || got.conn.Counts().MessagesIn != 0 {
			t.Errorf("%d bytes more: Read ended with %v", len(more), got.err)
		}
	}
}

func TestCloseDiscardsWhatIsStillSent(t *testing.T) {
	url, results := server(t, &ws.Upgrader{}, func(c *ws.Conn) error { return c.Close(frame.GoingAway, "") })
	r := rawDial(t, url)
	r.want(0x88, "\x03\xe9")
	r.send(masked(0x81, "on the way")...)
	r.send(masked(0x88, "\x03\xe9")...)
	if got := <-results; got.err != nil {
		t.Errorf("Close: %v", got.err)
	}
}

func TestCloseRefusesWhatMayNotBeSent(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	for code, reason := range map[frame.CloseCode]string{0: "", 999: "", 1004: "", 1006: "", 1015: "", 2000: "", 5000: "", 1000: strings.Repeat("x", 124), 1001: "\xff", 1005: "x"} {
		if err := c.Close(code, reason); err == nil || c.State() != ws.Open {
			t.Errorf("Close(%d, %q) = %v, %v", code, reason, err, c.State())
		}
	}
	if err := c.Close(frame.NoStatus, ""); err != nil {
		t.Errorf("Close without a code: %v", err)
	}
	if err := c.Close(frame.NormalClosure, ""); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

// A peer that sends and never reads must not hold a writer for longer than the write timeout.
func TestNeverReadingPeer(t *testing.T) {
	url, results := server(t, &ws.Upgrader{Limits: ws.Limits{WriteTimeout: 50 * time.Millisecond}}, func(c *ws.Conn) error {
		for {
			if err := c.Write(context.Background(), frame.Binary, make([]byte, 256<<10)); err != nil {
				return err
			}
		}
	})
	rawDial(t, url)
	got := <-results
	if !errors.Is(got.err, os.ErrDeadlineExceeded) || got.conn.State() != ws.Closed {
		t.Errorf("Write: %v, %v", got.err, got.conn.State())
	}
}

func TestCancelledReadLeavesTheConnectionWhole(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		stop := time.AfterFunc(time.Millisecond, cancel)
		if _, _, err := c.Read(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Read: %v", err)
		}
		stop.Stop()
		if err := c.Write(context.Background(), frame.Text, []byte("still here")); err != nil {
			t.Fatal(err)
		}
		if _, p, err := c.Read(context.Background()); err != nil || string(p) != "still here" {
			t.Fatalf("%q, %v", p, err)
		}
	}
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
}

func TestCancelledWriteCutsTheLine(t *testing.T) {
	results := make(chan error, 1)
	url, _ := server(t, &ws.Upgrader{}, func(c *ws.Conn) error {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		var err error
		for err == nil {
			err = c.Write(ctx, frame.Binary, make([]byte, 256<<10))
		}
		results <- err
		_, _, err = c.Read(context.Background())
		return err
	})
	rawDial(t, url)
	if err := <-results; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Write: %v", err)
	}
}

func TestCut(t *testing.T) {
	url, results := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	var users sync.WaitGroup
	users.Go(func() {
		if _, _, err := c.Read(context.Background()); !errors.Is(err, ws.ErrCut) {
			t.Errorf("Read: %v", err)
		}
	})
	users.Go(func() {
		for range 2 {
			c.Cut()
		}
	})
	users.Wait()
	if r := <-results; !errors.Is(r.err, io.ErrUnexpectedEOF) {
		t.Errorf("the peer's Read: %v", r.err)
	}
	if err := c.Close(1000, ""); !errors.Is(err, ws.ErrCut) {
		t.Errorf("Close: %v", err)
	}
}

func TestWriteRefusesWhatIsNoMessage(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	ctx := context.Background()
	if err := c.Write(ctx, frame.Text, []byte("\xff")); !errors.Is(err, ws.ErrText) {
		t.Errorf("invalid text: %v", err)
	}
	if err := c.Write(ctx, frame.Ping, nil); err == nil {
		t.Error("a ping is taken for a message")
	}
	if err := c.Write(ctx, frame.Text, []byte("fine")); err != nil {
		t.Errorf("the connection did not stay open: %v", err)
	}
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
	if err := c.Write(ctx, frame.Text, nil); err == nil {
		t.Error("Write after Close succeeds")
	}
}

func TestPing(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	var reader sync.WaitGroup
	reader.Go(func() { _, _, _ = c.Read(context.Background()) })
	for range 20 {
		trip, err := c.Ping(context.Background())
		if err != nil || trip <= 0 || c.LastPong().RoundTrip <= 0 || c.LastPong().At.IsZero() {
			t.Fatalf("Ping: %v, %v, %+v", trip, err, c.LastPong())
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Ping(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Ping with a context that has ended: %v", err)
	}
	if err := c.Close(1000, ""); err != nil {
		t.Error(err)
	}
	reader.Wait()
	if _, err := c.Ping(context.Background()); err == nil {
		t.Error("Ping after Close succeeds")
	}
}

func TestEverythingAtOnce(t *testing.T) {
	url, results := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	ctx := context.Background()
	var writers sync.WaitGroup
	const each, many = 50, 6
	for i := range many {
		writers.Go(func() {
			for j := range each {
				if err := c.Write(ctx, frame.Binary, bytes.Repeat([]byte{byte(i)}, 1+j*200)); err != nil {
					t.Error(err)
				}
				if j%10 == 0 {
					if _, err := c.Ping(ctx); err != nil {
						t.Error(err)
					}
				}
				_, _, _ = c.Counts(), c.State(), c.LastPong()
			}
		})
	}
	next := map[byte]int{}
	for range each * many {
		_, p, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if n := 1 + next[p[0]]*200; len(p) != n || bytes.Count(p, p[:1]) != n {
			t.Fatalf("writer %d: %d bytes, want %d of a kind", p[0], len(p), n)
		}
		next[p[0]]++
	}
	var reader sync.WaitGroup
	reader.Go(func() { _, _, _ = c.Read(ctx) }) // lets the last pings come back
	writers.Wait()
	var closers sync.WaitGroup
	for range 4 {
		closers.Go(func() {
			if err := c.Close(1000, ""); err != nil {
				t.Error(err)
			}
		})
		c.Shutdown(1001, "")
	}
	closers.Wait()
	reader.Wait()
	if r := <-results; !errors.As(r.err, new(*ws.CloseError)) {
		t.Errorf("server: %v", r.err)
	}
}

// A refused upgrade must end the connection: what follows the request is not a further request.
func TestRefusedUpgradeEndsTheLine(t *testing.T) {
	served := make(chan string, 4)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served <- r.URL.Path
		if _, err := new(ws.Upgrader).Upgrade(w, r); !errors.As(err, new(*handshake.Error)) {
			t.Errorf("Upgrade: %v", err)
		}
	}))
	defer srv.Close()
	conn := rawLine(t, srv.URL)
	_, _ = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
	all, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(all), "HTTP/1.1 426 ") || !strings.Contains(string(all), "\r\nConnection: close\r\n") ||
		!strings.Contains(string(all), "\r\nSec-Websocket-Version: 13\r\n") || strings.Count(string(all), "HTTP/1.1") != 1 {
		t.Errorf("answer %q, %v", all, err)
	}
	if len(served) != 1 {
		t.Errorf("%d requests were served", len(served))
	}
}

// What a handler has put into the header goes out with the 101, and a writer that cannot be hijacked is refused.
func TestUpgradeAnswers(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "session=1")
		c, err := (&ws.Upgrader{Subprotocols: []string{"b"}}).Upgrade(w, r)
		if err != nil {
			t.Error(err)
			return
		}
		if c.Subprotocol() != "b" || c.RemoteAddr().String() != r.RemoteAddr || c.State() != ws.Open {
			t.Errorf("%q from %v, %v", c.Subprotocol(), c.RemoteAddr(), c.State())
		}
		_ = c.Close(1000, "")
	}))
	defer srv.Close()
	c, resp, err := ws.Dial(context.Background(), "ws"+strings.TrimPrefix(srv.URL, "http"), &ws.DialOptions{Subprotocols: []string{"a", "b"}})
	if err != nil || resp.Header.Get("Set-Cookie") != "session=1" || c.Subprotocol() != "b" {
		t.Fatalf("%v, %v", resp, err)
	}
	if _, _, err := c.Read(context.Background()); !errors.As(err, new(*ws.CloseError)) {
		t.Error(err)
	}

	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
		r.Header.Set(name, value)
	}
	if _, err := new(ws.Upgrader).Upgrade(w, r); !errors.As(err, new(*handshake.Error)) || w.Code != http.StatusInternalServerError {
		t.Errorf("%v, %d", err, w.Code)
	}
}
