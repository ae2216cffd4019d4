package process

import (
	"sync"
	"time"
)

// RapidFail counts the failures of a program within a window of time. Once there are more than the limit allows, it is
// tripped until so many have left the window that another attempt is sensible. Methods may be called concurrently.
type RapidFail struct {
	limit  int
	window time.Duration

	mu    sync.Mutex
	times []time.Time // of the newest failures, oldest first, limit+1 at most
}

// NewRapidFail returns a counter that trips with the failure after the limit-th within window. A limit of 0 never trips.
func NewRapidFail(limit int, window time.Duration) *RapidFail {
	return &RapidFail{limit: limit, window: window}
}

// Failed notes a failure and reports whether it is the one that trips the counter.
func (f *RapidFail) Failed(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.over(now)
	f.times = append(f.times, now)
	if len(f.times) > f.limit+1 {
		f.times = f.times[1:]
	}
	return !before && f.over(now)
}

// Tripped reports whether there were too many failures, and when that ends.
func (f *RapidFail) Tripped(now time.Time) (until time.Time, tripped bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.over(now) {
		return time.Time{}, false
	}
	return f.times[0].Add(f.window), true
}

// Reset forgets all failures: the program, or what it is made of, was changed.
func (f *RapidFail) Reset() {
	f.mu.Lock()
	f.times = nil
	f.mu.Unlock()
}

func (f *RapidFail) over(now time.Time) bool {
	return f.limit > 0 && len(f.times) > f.limit && now.Sub(f.times[0]) < f.window
}
