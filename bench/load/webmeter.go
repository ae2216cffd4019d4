package load

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/rolemgr/rolemgr/bench/proc"
)

// webMeter reads what server, load and machine use between two moments.
type webMeter struct {
	wall                       time.Time
	server, user, system, self time.Duration
	busy                       time.Duration
	done                       uint64
	bytes                      int64
	pids                       []int
}

// begin takes all figures of this moment.
func (m *webMeter) begin(v *visitor) error {
	var e [4]error
	m.done, m.bytes = v.done, v.bytes
	m.busy, e[0] = proc.Busy()
	m.self, e[1] = proc.CPU(os.Getpid())
	m.pids, e[2] = proc.Tree(v.web.PID)
	for _, pid := range m.pids {
		user, system, err := proc.UserSystem(pid)
		e[3] = errors.Join(e[3], err)
		m.user, m.system = m.user+user, m.system+system
	}
	m.wall = time.Now()
	for _, pid := range m.pids {
		cpu, err := proc.CPU(pid)
		e[3] = errors.Join(e[3], err)
		m.server += cpu
	}
	return errors.Join(e[:]...)
}

// end computes the figures of the result from those of begin and those of this moment.
func (m *webMeter) end(v *visitor) error {
	var n webMeter
	if err := n.begin(v); err != nil {
		return err
	}
	for _, pid := range m.pids {
		if !slices.Contains(n.pids, pid) {
			return fmt.Errorf("process %d of the server has ended while it was measured", pid)
		}
	}
	answers := float64(n.done - m.done)
	if v.web.Body > 0 {
		answers = float64(n.bytes-m.bytes) / float64(v.web.Body)
	}
	for _, pid := range n.pids {
		rss, err := proc.RSS(pid)
		if err != nil {
			return err
		}
		v.res.RSS += rss
	}
	wall := n.wall.Sub(m.wall)
	load := func(d time.Duration) float64 { return float64(d) / float64(wall) }
	server, self := n.server-m.server, n.self-m.self
	r := &v.res
	r.Messages, r.Seconds = n.done-m.done, wall.Seconds()
	r.CPU = float64(server) / 1e3 / answers
	// The split comes in ticks; it is scaled to the exact sum.
	if ticks := n.user - m.user + n.system - m.system; ticks > 0 {
		r.User = r.CPU * float64(n.user-m.user) / float64(ticks)
		r.System = r.CPU - r.User
	}
	r.Rate = answers / wall.Seconds()
	r.ServerLoad, r.ClientLoad, r.OtherLoad = load(server), load(self), load(n.busy-m.busy-server-self)
	return nil
}
