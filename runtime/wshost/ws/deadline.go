package ws

import (
	"sync"
	"time"
)

// deadline is a point in time that can be moved, also while somebody waits for it. Unlike those of the HTTP/2 server
// it can be moved back after it passed. The zero value never passes. It is safe for concurrent use.
type deadline struct {
	mu     sync.Mutex
	at     time.Time // zero for never
	timer  *time.Timer
	passed chan struct{} // closed when at is over; nil when nobody asked yet
	over   bool          // passed is closed
}

// set moves the deadline; the zero time means never.
func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = at
	if d.over {
		d.passed, d.over = nil, false
	}
	d.look()
}

// wait returns a channel that is closed when the deadline has passed. It is good until then, however often the
// deadline moves before.
func (d *deadline) wait() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.passed == nil {
		d.passed = make(chan struct{})
		d.look()
	}
	return d.passed
}

// look closes passed when it is time, or sees to it that the timer looks again. A timer that fires for a time that does
// not hold any more does no harm.
func (d *deadline) look() {
	if d.at.IsZero() || d.passed == nil || d.over {
		if d.timer != nil {
			d.timer.Stop()
		}
		return
	}
	switch rest := time.Until(d.at); {
	case rest <= 0:
		d.over = true
		close(d.passed)
	case d.timer == nil:
		d.timer = time.AfterFunc(rest, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.look()
		})
	default:
		d.timer.Reset(rest)
	}
}
