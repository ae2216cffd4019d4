package ws_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// follower keeps a connection to a server for as long as both want it.
type follower struct {
	url         string
	first, most time.Duration // between two attempts
	heard       func(payload []byte)
}

// run reads until ctx ends or the server says that coming back is of no use.
func (f *follower) run(ctx context.Context) error {
	for wait := f.first; ; wait = min(2*wait, f.most) {
		opened, err := f.session(ctx)
		if opened {
			wait = f.first
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		floor, again := comeBack(err)
		if !again {
			return err
		}
		// All clients of a server that restarts lose it at once; without jitter they would all be back at once too.
		pause := max(floor, wait/2+rand.N(wait/2+1))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// session is one connection, from its opening to its end.
func (f *follower) session(ctx context.Context) (opened bool, err error) {
	c, resp, err := ws.Dial(ctx, f.url, nil)
	if err != nil {
		if resp != nil && resp.StatusCode < 500 && resp.StatusCode != http.StatusTooManyRequests {
			return false, fmt.Errorf("%w: %w", errRefused, err)
		}
		return false, err
	}
	defer c.Cut()
	for {
		_, p, err := c.Read(ctx)
		if err != nil {
			return true, err
		}
		f.heard(p)
	}
}

var errRefused = errors.New("the server does not want this client")

// comeBack says whether to try again after err, and the shortest pause before.
func comeBack(err error) (pause time.Duration, again bool) {
	var ended *ws.CloseError
	if !errors.As(err, &ended) {
		return 0, !errors.Is(err, errRefused) // the line has failed, or nobody answered
	}
	switch ended.Code {
	case frame.ServiceRestart, frame.GoingAway: // 1012: the server will be back
		return 0, true
	case frame.TryAgainLater: // 1013: it has too much to do
		return 20 * time.Millisecond, true // minutes in earnest
	case frame.InternalError, frame.BadGateway:
		return 0, true
	}
	return 0, false // 1000: it has said all; 1002, 1008 and others: coming back changes nothing
}

// A client that comes back: with pauses that double, with jitter, at once after a restart and later when the server is
// overloaded, and not at all when it was told that there is nothing more.
func Example_reconnect() {
	var visits atomic.Int32
	upgrader := new(ws.Upgrader)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := visits.Add(1)
		if n == 1 {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		c, err := upgrader.Upgrade(w, r)
		if err != nil {
			return
		}
		_ = c.Write(r.Context(), frame.Text, fmt.Appendf(nil, "visit %d", n))
		_ = c.Close([]frame.CloseCode{2: frame.ServiceRestart, 3: frame.TryAgainLater, 4: frame.NormalClosure}[n], "")
	}))
	defer srv.Close()

	f := &follower{
		url: "ws" + strings.TrimPrefix(srv.URL, "http"), first: time.Millisecond, most: time.Second,
		heard: func(p []byte) { fmt.Printf("%s\n", p) },
	}
	fmt.Println(f.run(context.Background()))
	// Output:
	// visit 2
	// visit 3
	// visit 4
	// websocket closed by handshake: 1000 (normal closure)
}
