// Package deflate is the permessage-deflate extension of RFC 7692: the negotiation of both sides, a compressor and a
// decompressor of messages, and a budget for the memory they hold. It does no I/O and knows nothing of frames; package
// ws sets RSV1 and carries the bytes.
//
// DEFLATE itself (RFC 1951) is written here and not taken from a library, for three things that compress/flate and
// its relatives do not give: a compressor that holds a window of exactly 2^bits bytes and little more (72 KiB with
// 15 bits; theirs hold 0.7 to 1.2 MB for each connection with context takeover), a decompressor that can stop after
// any byte with its output counted as it grows, and state that can be written down and read back between any two
// bytes. The tests hold both to compress/flate.
package deflate

import (
	"errors"
	"sync"
)

// Name is the registered name of the extension (RFC 7692, section 7).
const Name = "permessage-deflate"

// MinBits and MaxBits bound the window: 2^bits bytes, from 256 bytes to 32 KiB (RFC 7692, section 7.1.2).
const (
	MinBits = 8
	MaxBits = 15
)

var (
	// ErrCorrupt means compressed bytes that are no DEFLATE, refer to data outside the window, end before their message
	// is whole, or go on after it. The answer is to fail the connection (RFC 7692, section 7.2.2; close code 1007).
	ErrCorrupt = errors.New("corrupt compressed message")
	// ErrTooLong means a message that inflates beyond the limit given. The close code is 1009.
	ErrTooLong = errors.New("inflated message is longer than its limit")
	// ErrState means state to be restored that no compressor or decompressor can have written.
	ErrState = errors.New("not a usable deflate state")
)

// Pool lends the memory that is needed only while a message is worked on: about 100 KiB to compress, about 12 KiB
// to decompress, once for each message in work at the same moment. The zero value is ready for use; one is meant to
// serve many connections, at the same time too. What belongs to one connection never enters it: a window may hold
// its secrets.
type Pool struct {
	// Grow, if set, makes the room that an inflated message needs: it returns the bytes of old in a slice that has a
	// capacity of at least need bytes, and of not much more than most. It may use old's array for something else from
	// then on, so whoever sets it gives Append only slices that are for it to take. It may be called concurrently.
	Grow func(old []byte, need, most int) []byte

	encoders sync.Pool // of *encoder
	tables   sync.Pool // of *tables

	once  sync.Once
	fixed *tables // those of the fixed code, which nobody writes to
}

// grow is Grow, or what does without.
func (p *Pool) grow(old []byte, need, most int) []byte {
	if p.Grow != nil {
		return p.Grow(old, need, most)
	}
	grown := make([]byte, len(old), max(need, most))
	copy(grown, old)
	return grown
}

func (p *Pool) encoder() *encoder {
	if e, ok := p.encoders.Get().(*encoder); ok {
		return e
	}
	return new(encoder)
}

func (p *Pool) table() *tables {
	if t, ok := p.tables.Get().(*tables); ok {
		return t
	}
	return new(tables)
}

func (p *Pool) fixedTable() *tables {
	p.once.Do(func() { p.fixed = fixedTables() })
	return p.fixed
}
