package ws_test

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// handOver detaches c and restores it from JSON, as two processes do it.
func handOver(t *testing.T, c *ws.Conn) *ws.Conn {
	t.Helper()
	before := c.Counts()
	line, s, err := c.Detach(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Read(context.Background()); !errors.Is(err, ws.ErrDetached) {
		t.Errorf("Read after Detach: %v", err)
	}
	if err := c.Write(context.Background(), frame.Text, nil); !errors.Is(err, ws.ErrDetached) {
		t.Errorf("Write after Detach: %v", err)
	}
	if _, _, err := c.Detach(context.Background()); err == nil {
		t.Error("a second Detach succeeds")
	}
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again ws.Snapshot
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	restored, err := ws.Restore(line, &again)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if got := restored.Counts(); got.BytesIn < before.BytesIn || got.MessagesIn != before.MessagesIn {
		t.Errorf("counts %+v became %+v", before, got)
	}
	return restored
}

func reading(c *ws.Conn) <-chan string {
	result := make(chan string, 1)
	go func() {
		_, p, err := c.Read(context.Background())
		if err != nil {
			result <- err.Error()
			return
		}
		result <- string(p)
	}()
	return result
}

// The peer sees nothing of a hand-over at any byte of what it sends, and a Read in progress is interrupted by it.
func TestHandOverAtEveryByte(t *testing.T) {
	conns := make(chan *ws.Conn, 1)
	url, _ := server(t, &ws.Upgrader{}, func(c *ws.Conn) error {
		conns <- c
		return nil
	})
	r := rawDial(t, url)
	c := <-conns
	stream := append(masked(0x01, "caf\xc3"), masked(0x89, "png")...)
	stream = append(stream, masked(0x80, "\xa9")...)
	sent := int64(0)
	for range 2 {
		read := reading(c)
		for i, b := range stream {
			r.send(b)
			for sent++; c.Counts().BytesIn < sent; {
				runtime.Gosched()
			}
			if i == len(stream)-1 {
				break
			}
			c = handOver(t, c)
			if got := <-read; got != ws.ErrDetached.Error() {
				t.Fatalf("byte %d: the interrupted Read returned %q", i, got)
			}
			read = reading(c)
		}
		if got := <-read; got != "café" {
			t.Fatalf("got %q", got)
		}
		r.want(0x8A, "png")
		if err := c.Write(context.Background(), frame.Text, []byte("answer")); err != nil {
			t.Fatal(err)
		}
		r.want(0x81, "answer")
	}
	go r.send(masked(0x88, "\x03\xe8")...)
	if got := <-reading(handOver(t, c)); got != (&ws.CloseError{Code: 1000}).Error() {
		t.Errorf("got %q", got)
	}
	r.want(0x88, "\x03\xe8")
}

func TestRestoreRefuses(t *testing.T) {
	url, _ := server(t, &ws.Upgrader{}, echo)
	c := dial(t, url, nil)
	line, good, err := c.Detach(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*ws.Snapshot){
		"version":      func(s *ws.Snapshot) { s.Version++ },
		"role":         func(s *ws.Snapshot) { s.Role = "proxy" },
		"state":        func(s *ws.Snapshot) { s.State = ws.Closed },
		"state 0":      func(s *ws.Snapshot) { s.State = 0 },
		"limits":       func(s *ws.Snapshot) { s.Limits = ws.Limits{} },
		"pong":         func(s *ws.Snapshot) { s.Pong = make([]byte, 126) },
		"whole header": func(s *ws.Snapshot) { s.Receiver.Head = []byte{0x81, 0x00} },
		"frame":        func(s *ws.Snapshot) { s.Receiver.Frame = []byte{0x81} },
		"held":         func(s *ws.Snapshot) { s.Receiver.Held = []byte("x") },
	} {
		s := *good
		spoil(&s)
		if _, err := ws.Restore(line, &s); !errors.Is(err, ws.ErrSnapshot) {
			t.Errorf("%s: %v", name, err)
		}
	}
	again, err := ws.Restore(line, good)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(1000, ""); err != nil {
		t.Error(err)
	}
}

func TestDetachGivesUpWithItsContext(t *testing.T) {
	stuck := make(chan struct{})
	tried := make(chan error, 1)
	url, _ := server(t, &ws.Upgrader{}, func(c *ws.Conn) error {
		wrote := make(chan error, 1)
		go func() { wrote <- c.Write(context.Background(), frame.Binary, make([]byte, 32<<20)) }()
		<-stuck
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
		defer cancel()
		_, _, err := c.Detach(ctx)
		tried <- err
		if err := <-wrote; err != nil {
			t.Errorf("the write in progress: %v", err)
		}
		return echo(c)
	})
	r := rawDial(t, url)
	if _, err := r.br.Peek(1); err != nil {
		t.Fatal(err)
	}
	close(stuck)
	if err := <-tried; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Detach: %v", err)
	}
	if first, p, err := r.recv(); first != 0x82 || len(p) != 32<<20 || err != nil {
		t.Fatalf("%x, %d bytes, %v", first, len(p), err)
	}
	r.send(masked(0x81, "as before")...)
	r.want(0x81, "as before")
}
