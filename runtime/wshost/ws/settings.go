package ws

import (
	"math/bits"
	"sync"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
)

// settings is what connections that are made alike share. It does not change.
type settings struct {
	limits  Limits // resolved
	memory  *memory
	now     func() time.Time
	start   time.Time // where clock counts from
	squeeze deflate.CompressorConfig
	budget  *deflate.Budget
}

func newSettings(l Limits, m *memory) *settings {
	return &settings{limits: l, memory: m, now: time.Now, start: time.Now()}
}

// clock returns the time since the settings were made. It fits into 8 bytes and never goes back.
func (s *settings) clock() time.Duration { return s.now().Sub(s.start) }

// memory lends what is needed only while a message is worked on, so that a connection that waits holds none of it. It
// may be used concurrently.
type memory struct {
	queues  sync.Pool              // of *queue
	turns   sync.Pool              // of *turn
	parts   sync.Pool              // of *partial
	buffers [bufferSizes]sync.Pool // of *buffer, by size
	deflate deflate.Pool
}

func newMemory() *memory {
	m := new(memory)
	m.deflate.Grow = m.swap
	return m
}

// Buffers are lent by powers of two, from 512 bytes to 4 MiB; greater ones are left to the garbage collector.
const (
	smallestBuffer = 9
	bufferSizes    = 14
)

// buffer is a slice that can be put into a pool without allocating.
type buffer struct{ b []byte }

// take lends a buffer with no length and room for at least need bytes, and for no more than most unless need is more.
func (m *memory) take(need, most int) *buffer {
	i := bits.Len(uint(max(most, need))) - 1 - smallestBuffer // of the greatest size that most allows
	if i >= 0 && i < bufferSizes && 1<<(i+smallestBuffer) >= need {
		if b, ok := m.buffers[i].Get().(*buffer); ok {
			b.b = b.b[:0]
			return b
		}
		return &buffer{make([]byte, 0, 1<<(i+smallestBuffer))}
	}
	return &buffer{make([]byte, 0, max(need, most))}
}

// give takes a buffer back. Whoever gives must hold no slice of it any more.
func (m *memory) give(b *buffer) {
	if i := bits.Len(uint(cap(b.b))) - 1 - smallestBuffer; i >= 0 && i < bufferSizes && cap(b.b) == 1<<(i+smallestBuffer) {
		m.buffers[i].Put(b)
	}
}

// swap lends a buffer that begins with what is in old, whose array it takes back. Sizes are as for take.
func (m *memory) swap(old []byte, need, most int) []byte {
	b := m.take(need, most)
	grown := append(b.b, old...)
	b.b = old
	m.give(b)
	return grown
}

// part lends the state of an unfinished frame or message, clean.
func (m *memory) part() *partial {
	if p, ok := m.parts.Get().(*partial); ok {
		return p
	}
	return new(partial)
}

// forget takes p back. Payload of the peer's is left in its arrays, where only lengths that it sets anew reach it.
func (m *memory) forget(p *partial) {
	if p.held != nil && !p.lent() {
		m.give(p.held)
	}
	*p = partial{}
	m.parts.Put(p)
}
