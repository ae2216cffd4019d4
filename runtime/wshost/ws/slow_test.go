package ws

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// A peer must not stretch the time for a message by sending a little of it again and again.
func TestLimitAssemblyTimeoutHoldsForADrip(t *testing.T) {
	const limit = 3 * time.Second
	for _, every := range []time.Duration{time.Millisecond, grace / 2, grace - 1, grace, grace + 1, 2 * grace} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, Limits{AssemblyTimeout: limit})
			read := reads(conn)
			var drip sync.WaitGroup
			defer drip.Wait()
			drip.Go(func() {
				defer line.Close()
				for _, b := range wire(frame.Binary, true, strings.Repeat("x", 60000)) {
					if _, err := line.Write([]byte{b}); err != nil {
						return
					}
					time.Sleep(every)
				}
			})
			op, p := frameOf(t, line)
			r := <-read
			var pe *ProtocolError
			if op != frame.Close || binary.BigEndian.Uint16([]byte(p)) != 1008 || !errors.As(r.err, &pe) || r.took < limit || r.took > limit+grace {
				t.Errorf("a byte every %v: %v %q, %+v", every, op, p, r)
			}
		})
	}
}

// Who reads with short contexts reads steadily: timeouts hold as for one long Read.
func TestTimeoutsHoldWhenReadIsCalledAgainAndAgain(t *testing.T) {
	for name, c := range map[string]struct {
		limits Limits
		send   []byte
		want   time.Duration
	}{
		"assembly": {Limits{AssemblyTimeout: 3 * time.Second}, wire(frame.Binary, true, "ab")[:3], 3 * time.Second},
		"silence":  {Limits{PingInterval: 2 * time.Second, PongTimeout: time.Second}, nil, 3 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			conn, line := pair(t, c.limits)
			start := time.Now()
			go func() {
				_, _ = line.Write(c.send)
				buf := make([]byte, 256)
				for {
					if _, err := line.Read(buf); err != nil {
						return
					}
				}
			}()
			var err error
			for conn.State() != Closed {
				if time.Since(start) > time.Minute {
					t.Fatalf("%s: the connection is still open", name)
				}
				ctx, cancel := context.WithTimeout(t.Context(), grace/2)
				_, _, err = conn.Read(ctx)
				cancel()
			}
			took := time.Since(start)
			if !errors.As(err, new(*ProtocolError)) && !errors.Is(err, os.ErrDeadlineExceeded) || took < c.want || took > c.want+2*grace {
				t.Errorf("%s: ended after %v with %v", name, took, err)
			}
		})
	}
}
