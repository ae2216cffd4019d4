package load

import (
	"fmt"
	"time"

	"github.com/rolemgr/rolemgr/bench/sock"
)

// broadcast runs the broadcast scenario: the first connection sends a message, and when all have received it, the
// next. What is counted are deliveries.
func (r *run) broadcast(p *sock.Poll) error {
	s := NewStream(r.scenario.Size, 1, r.target.Raw)
	fds, err := r.openAll(p, "/broadcast", r.scenario.Conns)
	defer closeAll(fds)
	if err != nil {
		return err
	}
	conns := make([]echoConn, len(fds))
	for i, fd := range fds {
		conns[i].fd = fd
	}
	e := &engine{run: r, p: p, buf: make([]byte, 64<<10)}
	e.pipes = func(i int) *pipe { return &conns[i].pipe }
	e.take = func(i int, got []byte) (int, error) { return conns[i].take(s, got) }
	var published time.Duration
	publish := func(now time.Duration) error {
		published = now
		e.sent += uint64(len(conns))
		c := &conns[0].pipe
		c.waiting = 0 // counted for all connections together, in sent
		return c.send(s, 1, now)
	}
	e.after = func(_, n int, now time.Duration) error {
		e.hist.add(now-published, n)
		if e.done > e.sent {
			return fmt.Errorf("%d deliveries too many", e.done-e.sent)
		}
		if e.done < e.sent || e.phase == draining {
			return nil
		}
		return publish(now)
	}
	e.begin()
	if err := publish(e.since()); err != nil {
		return err
	}
	err = e.loop()
	e.res.Checked = e.done
	return err
}
