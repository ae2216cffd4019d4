package ws_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// answering is a server that reads one request and answers it with the bytes that answer makes of it.
func answering(t *testing.T, answer func(r *http.Request) string) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				r, err := http.ReadRequest(bufio.NewReader(conn))
				if err != nil {
					return
				}
				_, _ = io.WriteString(conn, answer(r))
				_, _ = io.Copy(io.Discard, conn) // until the client leaves
			}()
		}
	}()
	return "ws://" + ln.Addr().String()
}

func switching(r *http.Request) string {
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		handshake.AcceptKey(r.Header.Get("Sec-WebSocket-Key")) + "\r\n"
}

func TestDialJudgesTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer func(r *http.Request) string
		status int // of the response that Dial returns; 0 for none
		body   string
		ok     bool
	}{
		{"correct", func(r *http.Request) string { return switching(r) + "\r\n" }, 101, "", true},
		{"after an interim answer", func(r *http.Request) string {
			return "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + switching(r) + "\r\n"
		}, 101, "", true},
		{"redirect", func(*http.Request) string {
			return "HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 5\r\n\r\nmoved"
		}, 301, "moved", false},
		{"plain page", func(*http.Request) string { return "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }, 200, "hi", false},
		{"refusal with a long body", func(*http.Request) string {
			return "HTTP/1.1 503 Busy\r\nContent-Length: 100000\r\n\r\n" + strings.Repeat("x", 100000)
		}, 503, strings.Repeat("x", 64<<10), false},
		{"wrong accept", func(r *http.Request) string {
			return strings.Replace(switching(r), "Accept: ", "Accept: x", 1) + "\r\n"
		}, 101, "", false},
		{"extension nobody offered", func(r *http.Request) string {
			return switching(r) + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
		}, 101, "", false},
		{"header without end", func(r *http.Request) string { return switching(r) + "X: " + strings.Repeat("x", 70000) }, 0, "", false},
		{"no HTTP", func(*http.Request) string { return "SSH-2.0-OpenSSH_9\r\n\r\n" }, 0, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, resp, err := ws.Dial(context.Background(), answering(t, c.answer), nil)
			if (err == nil) != c.ok || (conn != nil) != c.ok || (resp != nil) != (c.status != 0) {
				t.Fatalf("Dial = %v, %v, %v", conn, resp, err)
			}
			if resp != nil {
				body, rerr := io.ReadAll(resp.Body)
				if resp.StatusCode != c.status || c.status != 101 && string(body) != c.body || rerr != nil {
					t.Errorf("status %d, body %.50q, %v", resp.StatusCode, body, rerr)
				}
			}
			if conn != nil {
				conn.Shutdown(1000, "")
			} else if resp != nil && !errors.As(err, new(*handshake.Error)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestDialKeepsWhatCameWithTheAnswer(t *testing.T) {
	url := answering(t, func(r *http.Request) string {
		return switching(r) + "\r\n\x81\x05early\x82\x7e\x03\xe8" + strings.Repeat("b", 1000) + "\x88\x02\x03\xe8"
	})
	c := dial(t, url, nil)
	if _, p, err := c.Read(context.Background()); err != nil || string(p) != "early" {
		t.Errorf("%q, %v", p, err)
	}
	if _, p, err := c.Read(context.Background()); err != nil || len(p) != 1000 {
		t.Errorf("%d bytes, %v", len(p), err)
	}
	if _, _, err := c.Read(context.Background()); !errors.As(err, new(*ws.CloseError)) {
		t.Errorf("%v", err)
	}
}

func TestDialSendsWhatItIsTold(t *testing.T) {
	seen := make(chan *http.Request, 1)
	url := answering(t, func(r *http.Request) string {
		seen <- r
		return switching(r) + "Sec-WebSocket-Protocol: b\r\n\r\n"
	})
	c := dial(t, strings.Replace(url, "ws://", "ws://me:secret@", 1)+"/chat?room=1", &ws.DialOptions{
		Header: http.Header{"Origin": {"http://a.example"}, "Host": {"b.example"}, "X-Mine": {"1", "2"}}, Subprotocols: []string{"a", "b"},
	})
	r := <-seen
	user, password, _ := r.BasicAuth()
	if r.Host != "b.example" || r.RequestURI != "/chat?room=1" || r.Header.Get("Origin") != "http://a.example" || len(r.Header["X-Mine"]) != 2 ||
		r.Header.Get("Sec-WebSocket-Protocol") != "a, b" || user != "me" || password != "secret" || c.Subprotocol() != "b" {
		t.Errorf("%+v, subprotocol %q", r, c.Subprotocol())
	}
	c.Shutdown(1000, "")
	for _, bad := range []string{"http://x/", "ws:///x", "ws://x/#part", "://", "/x"} {
		if _, _, err := ws.Dial(context.Background(), bad, nil); err == nil {
			t.Errorf("%q is dialled", bad)
		}
	}
}

func TestLimitHandshakeTimeout(t *testing.T) {
	url := answering(t, func(*http.Request) string { return "HTTP/1.1 101 Switching" })
	_, _, err := ws.Dial(context.Background(), url, &ws.DialOptions{Limits: ws.Limits{HandshakeTimeout: 20 * time.Millisecond}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Dial: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(5*time.Millisecond, cancel)
	if _, _, err = ws.Dial(ctx, url, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Dial: %v", err)
	}
	// In time, and the time it had for the handshake is none of the connection's business.
	echoURL, _ := server(t, &ws.Upgrader{}, echo)
	ctx, cancel = context.WithCancel(context.Background())
	c, _, err := ws.Dial(ctx, echoURL, &ws.DialOptions{Limits: ws.Limits{HandshakeTimeout: 5 * time.Second}})
	cancel()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Write(context.Background(), frame.Text, []byte("x")); err != nil {
		t.Error(err)
	}
	if _, _, err := c.Read(context.Background()); err != nil {
		t.Error(err)
	}
	_ = c.Close(1000, "")
}

// A refusal is told as one, also when its body never ends: event streams, long polls.
func TestDialRefusedWithoutEnd(t *testing.T) {
	for _, head := range []string{"Content-Type: text/event-stream\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n8\r\n", "Content-Length: 1000\r\n\r\n"} {
		url := answering(t, func(*http.Request) string { return "HTTP/1.1 200 OK\r\n" + head + "data: 1\n" })
		_, resp, err := ws.Dial(context.Background(), url, &ws.DialOptions{Limits: ws.Limits{HandshakeTimeout: 50 * time.Millisecond}})
		if !errors.As(err, new(*handshake.Error)) || resp == nil || resp.StatusCode != 200 {
			t.Fatalf("Dial: %v, %v", resp, err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "data: 1\n" || err != nil {
			t.Errorf("body %q, %v", body, err)
		}
	}
}

func TestDialTLS(t *testing.T) {
	ended := make(chan error, 1)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := new(ws.Upgrader).Upgrade(w, r)
		if err == nil {
			err = echo(c)
		}
		ended <- err
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the client that does not trust it
	srv.StartTLS()
	defer srv.Close()
	url := "wss" + strings.TrimPrefix(srv.URL, "https")
	if _, _, err := ws.Dial(context.Background(), url, nil); err == nil {
		t.Fatal("a certificate of nobody is trusted")
	}
	pool := x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	c := dial(t, url, &ws.DialOptions{TLS: &tls.Config{RootCAs: pool}})
	for _, n := range []int{1, 5000, 1 << 20} {
		go func() { _ = c.Write(context.Background(), frame.Binary, make([]byte, n)) }()
		if _, p, err := c.Read(context.Background()); err != nil || len(p) != n {
			t.Fatalf("%d bytes, %v", len(p), err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, _, err := c.Read(ctx); !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Read: %v", err)
	}
	if err := c.Close(1000, "bye"); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.As(err, new(*ws.CloseError)) {
		t.Errorf("server: %v", err)
	}
}
