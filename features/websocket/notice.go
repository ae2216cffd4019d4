package websocket

import (
	"sync"
	"time"
)

// noticeEvery is the least time between two lines of one kind in the host's log: clients that are refused come again,
// and each request is in the access log anyway.
const noticeEvery = time.Second

// notices thins out lines of one kind. The zero value is ready; it may be used concurrently.
type notices struct {
	mu      sync.Mutex
	last    time.Time
	skipped int
}

// due reports whether a line may be written at the moment now, and how many were not since the last one.
func (n *notices) due(now time.Time) (skipped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.last.IsZero() && now.Sub(n.last) < noticeEvery {
		n.skipped++
		return 0, false
	}
	skipped, n.skipped, n.last = n.skipped, 0, now
	return skipped, true
}
