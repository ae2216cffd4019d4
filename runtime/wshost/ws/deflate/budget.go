package deflate

import (
	"math"
	"sync/atomic"
)

// Budget bounds the memory that the windows of many connections may hold together, usually those of one site. It is
// safe for concurrent use, and a nil *Budget has no bound.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a budget of limit bytes. With 0 there is no context takeover at all.
func NewBudget(limit int64) *Budget { return &Budget{limit: max(limit, 0)} }

// Used returns how many bytes are taken; Charge may have made them more than the limit.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Take takes n bytes, or nothing and reports false when there are not so many left.
func (b *Budget) Take(n int64) (*Lease, bool) {
	if b == nil {
		return &Lease{}, true
	}
	for {
		used := b.used.Load()
		if n < 0 || n > b.limit-used {
			return nil, false
		}
		if b.used.CompareAndSwap(used, used+n) {
			return newLease(b, n), true
		}
	}
}

// Charge takes n bytes whether they are left or not: for connections that come with their windows from another
// process. What they agreed on cannot be changed any more; those that follow find less.
func (b *Budget) Charge(n int64) *Lease {
	if b == nil {
		return &Lease{}
	}
	n = min(max(n, 0), math.MaxInt64/2)
	b.used.Add(n)
	return newLease(b, n)
}

// Lease is what was taken from a Budget. It is safe for concurrent use; a nil *Lease is empty.
type Lease struct {
	budget *Budget
	n      atomic.Int64
}

func newLease(b *Budget, n int64) *Lease {
	l := &Lease{budget: b}
	l.n.Store(n)
	return l
}

// Release gives everything back. Only the first call does anything.
func (l *Lease) Release() { l.shrink(0) }

// shrink gives back all but n bytes.
func (l *Lease) shrink(n int64) {
	if l == nil || l.budget == nil {
		return
	}
	for {
		held := l.n.Load()
		if held <= n {
			return
		}
		if l.n.CompareAndSwap(held, n) {
			l.budget.used.Add(n - held)
			return
		}
	}
}
