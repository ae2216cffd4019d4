package ws

import (
	"errors"
	"testing"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

func TestAdmission(t *testing.T) {
	for _, c := range []struct {
		name    string
		a       *Admission
		remotes []string // all but the last are admitted
		ok      bool     // so is the last
	}{
		{"connections: at it", &Admission{Connections: 2}, []string{"10.0.0.1:1", "10.0.0.2:1"}, true},
		{"connections: beyond", &Admission{Connections: 2}, []string{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"}, false},
		{"connections: loopback counts", &Admission{Connections: 1}, []string{"127.0.0.1:1", "127.0.0.1:2"}, false},
		{"per address: at it", &Admission{PerAddress: 2}, []string{"10.0.0.1:1", "10.0.0.1:2"}, true},
		{"per address: beyond", &Admission{PerAddress: 2}, []string{"10.0.0.1:1", "10.0.0.1:2", "10.0.0.1:3"}, false},
		{"per address: others come in", &Admission{PerAddress: 1}, []string{"10.0.0.1:1", "10.0.0.2:1"}, true},
		{"per address: one network of IPv6", &Admission{PerAddress: 1}, []string{"[2001:db8::1]:1", "[2001:db8::ffff:0:0:2]:1"}, false},
		{"per address: another network of IPv6", &Admission{PerAddress: 1}, []string{"[2001:db8::1]:1", "[2001:db8:0:1::1]:1"}, true},
		{"per address: IPv4 in IPv6", &Admission{PerAddress: 1}, []string{"10.0.0.1:1", "[::ffff:10.0.0.1]:1"}, false},
		{"per address: loopback does not count", &Admission{PerAddress: 1}, []string{"127.0.0.1:1", "127.0.0.1:2", "[::1]:1", "[::1]:2"}, true},
		{"off", &Admission{Connections: -1, PerAddress: -1}, []string{"10.0.0.1:1", "10.0.0.1:2"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var in []*client
			last := len(c.remotes) - 1
			for i, remote := range c.remotes {
				p, err := c.a.admit(remote, false)
				if (err == nil) != (i < last || c.ok) {
					t.Fatalf("%s: %v", remote, err)
				}
				var refusal *handshake.Error
				if err != nil && (!errors.As(err, &refusal) || refusal.Status != 503 || refusal.Header.Get("Retry-After") == "") {
					t.Errorf("refused with %v", err)
				}
				if p != nil {
					in = append(in, p)
				}
			}
			if c.a.Open() != len(in) {
				t.Errorf("%d are open", c.a.Open())
			}
			for _, p := range in {
				p.leave()
			}
			if c.a.Open() != 0 || len(c.a.clients) != 0 {
				t.Errorf("%d are left", c.a.Open())
			}
			if p, err := c.a.admit(c.remotes[last], false); err != nil {
				t.Error(err)
			} else {
				p.leave()
			}
		})
	}
	for n, want := range map[int]int{0: defaultConnections, 7: 7, -1: -1} {
		if got := bound(n, defaultConnections); got != want {
			t.Errorf("bound of %d is %d", n, got)
		}
	}
}
