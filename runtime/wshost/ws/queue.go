package ws

import (
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/poller"
)

// queue is what is to be written to a peer, in order. Small frames are copied one behind the other, so that many leave
// with one system call; frames that several peers share stay where they are.
type queue struct {
	own   []byte // the frames in front; its memory stays with the queue
	segs  []seg  // what comes behind them
	out   int    // bytes of the very first chunk that are written already
	size  int64  // bytes that are not
	next  int    // no chunk before it may be dropped
	empty int    // how many of segs have been dropped

	writing bool // a goroutine writes from it without the lock: what it may read must stay as it is
	flying  int  // how many of segs it may read

	since time.Duration // on the settings' clock: from when the peer's time to take something counts; 0 while it need not
	then  int64         // bytes that had been written at that moment
	want  int64         // bytes that it must take
}

// seg is a chunk of the queue behind own.
type seg struct {
	b     []byte
	lent  *buffer // that b lies in; nil when b is shared with others
	drop  bool    // b is one whole message that may be dropped
	begun bool    // b is the rest of a frame that is under way
}

// segCost is what a chunk is charged beside its bytes: many small messages are not free.
const segCost = 96

// held returns the bytes of memory that q stands for: what limits are held against.
func (q *queue) held() int64 { return q.size + int64(len(q.segs)-q.empty)*segCost }

const (
	queueOwn  = 4 << 10                                  // bytes of own in a new queue
	queueMost = 64<<10 + 64<<10/8 + 64 + frame.MaxHeader // what own grows to, and what is kept of it: 64 KiB to be compressed fit
)

// queue lends an empty queue.
func (m *memory) queue() *queue {
	if q, ok := m.queues.Get().(*queue); ok {
		return q
	}
	return &queue{own: make([]byte, 0, queueOwn)}
}

// forgetQueue takes q back.
func (m *memory) forgetQueue(q *queue) {
	if q.writing {
		return // the garbage collector has it when the writer is done
	}
	for i := range q.segs {
		m.giveSeg(&q.segs[i])
	}
	own, segs := q.own[:0], q.segs[:0]
	if cap(own) > 2*queueMost { // append rounds up
		own = make([]byte, 0, queueOwn)
	}
	if cap(segs) > poller.MaxVector {
		segs = nil
	}
	*q = queue{own: own, segs: segs}
	m.queues.Put(q)
}

func (m *memory) giveSeg(s *seg) {
	if s.lent != nil {
		m.give(s.lent)
	}
	*s = seg{}
}

// tail returns the slice that n bytes more are appended to; keep must follow with the result. It is own as long as that
// has room, and a buffer of its own for what is to stay droppable.
func (q *queue) tail(m *memory, n int, drop bool) []byte {
	if !drop && len(q.segs) == 0 && len(q.own)+n <= queueMost {
		return q.own
	}
	if k := len(q.segs) - 1; k >= 0 && !drop && !q.segs[k].drop && q.segs[k].lent != nil && cap(q.segs[k].b)-len(q.segs[k].b) >= n {
		return q.segs[k].b
	}
	size := max(n, queueOwn)
	if drop {
		size = n // and not more: small messages would hold many times their length
	}
	lent := m.take(n, size)
	q.segs = append(q.segs, seg{b: lent.b, lent: lent, drop: drop})
	return lent.b
}

// keep puts b, which is the tail with n bytes more, in its place.
func (q *queue) keep(b []byte, n int) {
	q.size += int64(n)
	if k := len(q.segs) - 1; k >= 0 {
		q.segs[k].b = b
		q.segs[k].lent.b = b
		return
	}
	q.own = b
}

// share appends b without copying it; nobody may change it any more.
func (q *queue) share(b []byte, drop bool) {
	q.segs = append(q.segs, seg{b: b, drop: drop})
	q.size += int64(len(b))
}

// vector appends the chunks to bs, as many as one call writes.
func (q *queue) vector(bs [][]byte) [][]byte {
	out := q.out
	if len(q.own) > out {
		bs, out = append(bs, q.own[out:]), 0
	} else {
		out -= len(q.own)
	}
	for i := range q.segs {
		if len(bs) == poller.MaxVector {
			break
		}
		if b := q.segs[i].b[out:]; len(b) > 0 {
			bs = append(bs, b)
		}
		out = 0
	}
	return bs
}

// covered returns how many of segs the first n chunks of a vector reach into.
func (q *queue) covered(n int) int {
	if len(q.own) > q.out {
		n--
	}
	i := 0
	for ; n > 0 && i < len(q.segs); i++ {
		if len(q.segs[i].b) > 0 {
			n--
		}
	}
	return i
}

// advance notes that n bytes more are written.
func (q *queue) advance(m *memory, n int) {
	q.size -= int64(n)
	q.out += n
	if len(q.own) > 0 {
		if q.out < len(q.own) {
			return
		}
		q.out -= len(q.own)
		q.own = q.own[:0]
	}
	gone := 0
	for gone < len(q.segs) && q.out >= len(q.segs[gone].b) {
		if len(q.segs[gone].b) == 0 {
			q.empty--
		}
		q.out -= len(q.segs[gone].b)
		m.giveSeg(&q.segs[gone])
		gone++
	}
	if gone > 0 {
		k := copy(q.segs, q.segs[gone:])
		clear(q.segs[k:])
		q.segs = q.segs[:k]
		q.next = max(q.next-gone, 0)
	}
}

// dropOldest drops the oldest message of which nothing is written yet, and reports whether there was one.
func (q *queue) dropOldest(m *memory) bool {
	for i := max(q.next, q.flying); i < len(q.segs); i++ {
		if !q.segs[i].drop || i == 0 && len(q.own) == 0 && q.out > 0 {
			continue
		}
		q.size -= int64(len(q.segs[i].b))
		m.giveSeg(&q.segs[i]) // an empty chunk stays in its place until there are many
		q.next = i + 1
		if q.empty++; q.empty > 64 && q.empty > len(q.segs)/2 {
			q.compact()
		}
		return true
	}
	return false
}

// compact takes the empty chunks out, behind those that are being written.
func (q *queue) compact() {
	k := q.flying
	for i := k; i < len(q.segs); i++ {
		if len(q.segs[i].b) > 0 {
			q.segs[k] = q.segs[i]
			k++
		} else {
			q.empty--
		}
	}
	clear(q.segs[k:])
	q.segs = q.segs[:k]
	q.next = q.flying
}

// dropUnbegun drops everything behind the chunk that is being written: a frame must be finished before the close frame
// that takes the place of the rest. Frames that were copied one behind the other count as one.
func (q *queue) dropUnbegun(m *memory) {
	keep := q.flying
	if len(q.own) == 0 && q.out > 0 {
		keep = max(keep, 1)
	}
	for i := keep; i < len(q.segs); i++ {
		if q.segs[i].begun {
			keep = i + 1
		}
	}
	for i := keep; i < len(q.segs); i++ {
		if len(q.segs[i].b) == 0 {
			q.empty--
		}
		q.size -= int64(len(q.segs[i].b))
		m.giveSeg(&q.segs[i])
	}
	q.segs = q.segs[:min(keep, len(q.segs))]
	q.next = min(q.next, len(q.segs))
}

// bytes copies what is not written yet.
func (q *queue) bytes() []byte {
	all := make([]byte, 0, q.size+int64(q.out))
	all = append(all, q.own...)
	for i := range q.segs {
		all = append(all, q.segs[i].b...)
	}
	return all[q.out:]
}
