package wshost

import (
	"log/slog"
	"sync"
	"time"
)

// What clients can bring about is logged so many times at once, then one time in so much time.
const (
	noticeBurst = 10
	noticeEvery = time.Second
)

// notices thins out log lines of one kind, so that nobody can fill the disk by asking for something often. The zero
// value is ready.
type notices struct {
	now func() time.Time // nil: time.Now

	mu      sync.Mutex
	spent   float64 // tokens that are missing from the full bucket
	last    time.Time
	dropped int
	places  map[string]struct{} // that were told of, see warnOf
}

// maxPlaces bounds what warnOf remembers. When so many have been told of, it begins anew.
const maxPlaces = 1024

// warnOf is warn for what has a place, such as a fault of a file: the first warning of a place is never passed over.
func (n *notices) warnOf(place string, log *slog.Logger, msg string, args ...any) {
	n.mu.Lock()
	_, told := n.places[place]
	if !told {
		if n.places == nil || len(n.places) >= maxPlaces {
			n.places = map[string]struct{}{}
		}
		n.places[place] = struct{}{}
	}
	n.mu.Unlock()
	if told {
		n.warn(log, msg, args...)
		return
	}
	log.Warn(msg, args...)
}

// warn logs a warning unless there were too many; the next one tells how many were not logged.
func (n *notices) warn(log *slog.Logger, msg string, args ...any) {
	dropped, ok := n.take()
	if !ok {
		return
	}
	if dropped > 0 {
		args = append(args, "not_logged", dropped)
	}
	log.Warn(msg, args...)
}

// take takes a token from the bucket and returns how many notices were passed over before.
func (n *notices) take() (dropped int, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	if n.now != nil {
		now = n.now()
	}
	n.spent = max(0, n.spent-float64(now.Sub(n.last))/float64(noticeEvery))
	n.last = now
	if n.spent > noticeBurst-1 {
		n.dropped++
		return 0, false
	}
	n.spent++
	dropped, n.dropped = n.dropped, 0
	return dropped, true
}
