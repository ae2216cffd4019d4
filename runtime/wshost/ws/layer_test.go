package ws

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// layered is a line that writes while it is read, as TLS does. It keeps the deadline for writing that it was given last.
type layered struct {
	net.Conn
	mu       sync.Mutex
	deadline time.Time
}

func (l *layered) NetConn() net.Conn { return l.Conn }

func (l *layered) SetWriteDeadline(at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deadline = at
	return l.Conn.SetWriteDeadline(at)
}

func (l *layered) writeDeadline() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.deadline
}

// The deadline and the context of a write that is over must not hit what TLS writes by itself later on: an answer to a
// change of keys that fails leaves the connection with keys that the peer does not have.
func TestNoWriteDeadlineStaysOnALayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		defer there.Close()
		line := &layered{Conn: here}
		conn := newConn(line, frame.Server, newSettings(Limits{WriteTimeout: time.Second}.resolved(), newMemory()), "", nil, nil)
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			wrote := make(chan error, 1)
			go func() { wrote <- conn.Write(ctx, frame.Text, []byte("hi")) }()
			synctest.Wait()
			if got := line.writeDeadline(); !got.Equal(time.Now().Add(time.Second)) {
				t.Errorf("the deadline while writing is %v", got)
			}
			frameOf(t, there)
			if err := <-wrote; err != nil {
				t.Fatal(err)
			}
			cancel()
			if err := conn.Write(ctx, frame.Text, nil); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			time.Sleep(time.Hour)
			synctest.Wait()
			if got := line.writeDeadline(); !got.IsZero() {
				t.Errorf("the deadline after the write is %v", got)
			}
		}
		conn.Cut()
	})
}
