package poller

import (
	"sync"
	"time"
)

// Inbox is what a loop is to do beside what its descriptors ask for, and how it waits for both. Post may be called from
// anywhere; the other methods are the loop's own.
type Inbox[T any] struct {
	poll *Poller

	mu     sync.Mutex
	posts  []T
	asleep bool // a post must wake the loop
}

// NewInbox makes the inbox of the loop that waits with p.
func NewInbox[T any](p *Poller) *Inbox[T] { return &Inbox[T]{poll: p} }

// Post gives the loop something to do, and wakes it when it waits.
func (b *Inbox[T]) Post(t T) {
	b.mu.Lock()
	b.posts = append(b.posts, t)
	wake := b.asleep
	b.asleep = false
	b.mu.Unlock()
	if wake {
		b.poll.Wake()
	}
}

// Take returns what was posted, in its order. It takes over the slice of the last time, which is not to be used any more.
func (b *Inbox[T]) Take(last []T) []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	posts := b.posts
	b.posts = last[:0]
	return posts
}

// Empty tells whether nothing was posted since the last Take.
func (b *Inbox[T]) Empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.posts) == 0
}

// Wait is Wait of the poller, which ends with a post, too. quiet means that the time is over and nothing has come. An error
// is one of the system's, and there is nothing to be done but to go on.
func (b *Inbox[T]) Wait(events []Event, limit time.Duration) (n int, quiet bool) {
	b.mu.Lock()
	if len(b.posts) > 0 {
		limit = 0
	}
	b.asleep = limit != 0
	b.mu.Unlock()
	n, _ = b.poll.Wait(events, limit)
	b.mu.Lock()
	defer b.mu.Unlock()
	quiet = b.asleep && n == 0
	b.asleep = false
	return n, quiet
}
