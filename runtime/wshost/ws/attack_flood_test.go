//go:build unix

package ws_test

import (
	"io"
	"log"
	"strings"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// silent is for servers whose clients misbehave on purpose.
var silent = log.New(io.Discard, "", 0)

// heldMemory is Limits.HeldMemory by default: 2*MessageSize+QueueSize+256 KiB.
const heldMemory = 2*(4<<20) + 1<<20 + 256<<10

// Floods end with a close frame that names the limit. Default limits, nothing shortened.
func TestAttackFloods(t *testing.T) {
	tests := []struct {
		attack string
		code   uint16
		conns  int
		budget int64
		least  int  // bytes on the wire; a server that stops reading early has not met the attack
		again  bool // much like the one before: not under the race detector
	}{
		{"bomb", 1009, 4, heldMemory, 32000, false},
		{"bomb in fragments", 1009, 4, heldMemory, 32000, true},
		{"empty fragments", 1008, 4, 64 << 10, 65536 * 6, false},
		{"fragments of 1", 1008, 4, 1 << 20, 65536 * 7, false},
		{"fragments of 65", 1009, 4, heldMemory, 4 << 20, true},
		{"pings", 1008, 4, 64 << 10, 1000 * 6, false},
		{"pongs", 1008, 4, 64 << 10, 1000 * 6, true},
		{"pings in a message", 1008, 4, 64 << 10, 1000 * 131, false},
		{"2^63", 1002, 64, 64 << 10, 14, false},
		{"2^63-1", 1009, 64, 64 << 10, 14, true},
		{"4 MiB and a byte", 1009, 64, 64 << 10, 14, true},
	}
	a := recruit(t)
	everyFront(t, func(t *testing.T, f front) {
		ft := fortify(t, f, &ws.Upgrader{Compression: &ws.Compression{}}, nil)
		_, addr, _ := strings.Cut(ft.url, "://")
		for _, tt := range tests {
			if tt.again && underRace {
				continue
			}
			t.Run(tt.attack, func(t *testing.T) {
				ft.endure(t, tt.conns, tt.budget, func() {
					all, err := a.obey(order{Addr: addr, TLS: f.tls, Attack: tt.attack, Conns: tt.conns})
					if err != nil || len(all) != tt.conns {
						t.Errorf("%d attackers told their outcome, of %d: %v", len(all), tt.conns, err)
					}
					for _, o := range all {
						if o.Code != tt.code || o.Sent < tt.least {
							t.Errorf("an attacker saw %+v, want code %d after %d bytes at least", o, tt.code, tt.least)
						}
					}
				})
			})
		}
	})
}
