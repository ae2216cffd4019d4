package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	blockSize  = 32 << 10 // bytes of input of one block
	leastMatch = 4        // the shortest match that is looked for
	maxSeqs    = blockSize/leastMatch + 1
	farthest   = 4096 // bytes back to where a shortest match still takes fewer bits than literals do, as a rule
	mostStep   = 8    // bytes from one look for a match to the next
	mostIndex  = 14   // binary logarithm of the number of places in the largest index
	goodMatch  = 64   // no longer match is looked for behind one of this length
)

// seq is some literals and the match behind them.
type seq struct {
	literals uint16
	length   uint8  // minus minMatch
	dist     uint16 // minus 1
}

// places are the last two places where four bytes with one hash were seen, the latest in the lower half. A place is a
// position modulo 65536: no distance is longer than 32768, so one that is out of date names some other place within
// reach or none, and whoever asks compares the bytes anyway. Nothing ever has to be cleared or moved when the window
// moves.
type places uint32

const placesSize = 4 // bytes of one places

// index remembers where four bytes were seen last.
type index struct {
	places []places
	shift  uint
}

// indexBits returns the binary logarithm of the number of places for a window or a message of 2^bits bytes.
func indexBits(bits int) int { return min(max(bits, MinBits), mostIndex) }

func (x *index) reset(p []places) {
	x.places = p
	x.shift = uint(32 - bits.Len(uint(len(p))-1))
}

// insert notes place for the four bytes v and returns where they were before.
func (x *index) insert(v uint32, place uint16) places {
	b := &x.places[v*0x9E3779B1>>(x.shift&31)]
	old := *b
	*b = old<<16 | places(place)
	return old
}

// insertAll notes the places of buf[from:to], as far as there are four bytes; buf[0] stands at base.
func (x *index) insertAll(buf []byte, from, to int, base uint16) {
	for i := from; i < min(to, len(buf)-leastMatch+1); i++ {
		x.insert(binary.LittleEndian.Uint32(buf[i:]), base+uint16(i))
	}
}

// search finds matches; what it finds is added to seqs.
type search struct {
	index
	reach int // the greatest distance
	lazy  bool

	seqs    []seq
	pending int // literals since the last match
}

// run reads buf[start:]; what stands before is known to the peer. The first byte of buf stands at base.
func (s *search) run(buf []byte, start int, base uint16) {
	i, from, x := start, start, s.index
	for i+leastMatch <= len(buf) {
		v := binary.LittleEndian.Uint32(buf[i:])
		here := base + uint16(i)
		old := x.insert(v, here)
		reach := uint16(min(s.reach, i) - 1)
		length, dist := 0, 0
		if d := here - uint16(old); d-1 <= reach && i > 0 && binary.LittleEndian.Uint32(buf[i-int(d):]) == v {
			length, dist = common(buf, i-int(d), i), int(d)
		}
		if d := here - uint16(old>>16); d-1 <= reach && i > 0 && length < goodMatch && binary.LittleEndian.Uint32(buf[i-int(d):]) == v {
			if n := common(buf, i-int(d), i); n > length {
				length, dist = n, int(d)
			}
		}
		if length == leastMatch && dist > farthest || length == 0 {
			// The longer nothing was found, the less is looked for: bytes that do not compress pass fast.
			i += min(1+(i-from)>>6, mostStep)
			continue
		}
		noted := i + 1
		for s.lazy && length < goodMatch && i+1+leastMatch <= len(buf) {
			longer, d := s.better(buf, i+1, base, length)
			noted = i + 2
			if longer == 0 {
				break
			}
			i, length, dist = i+1, longer, d
		}
		s.seqs = append(s.seqs, seq{uint16(s.pending + i - from), uint8(length - minMatch), uint16(dist - 1)})
		s.pending = 0
		i += length
		from = i
		s.cover(buf, noted, i, base)
	}
	s.pending += len(buf) - from
}

// cover notes the places of buf[from:to], which a match covers. What a long match repeats is remembered where it stood
// before, so that of its middle few places do.
func (s *search) cover(buf []byte, from, to int, base uint16) {
	step, edge := 8, 32
	if !s.lazy {
		step, edge = 4, 4
	}
	for to = min(to, len(buf)-leastMatch+1); from < to; {
		s.insert(binary.LittleEndian.Uint32(buf[from:]), base+uint16(from))
		if to-from > edge {
			from += step
		} else {
			from++
		}
	}
}

// better notes the place of buf[i] and returns the longest match for it, 0 when none is longer than beat.
func (s *search) better(buf []byte, i int, base uint16, beat int) (length, dist int) {
	v := binary.LittleEndian.Uint32(buf[i:])
	here := base + uint16(i)
	reach := uint16(min(s.reach, i) - 1)
	old := s.insert(v, here)
	for k := 0; k < 2 && i+beat < len(buf); k++ {
		d := here - uint16(old)
		old >>= 16
		// A longer match has the byte that ends it, too: that is asked first.
		if at := i - int(d); d-1 <= reach && buf[at+beat] == buf[i+beat] && binary.LittleEndian.Uint32(buf[at:]) == v {
			if n := common(buf, at, i); n > beat {
				beat, length, dist = n, n, int(d)
			}
		}
	}
	return length, dist
}

// common returns how many bytes, at most maxMatch, buf[i:] has in common with what stands at the earlier place at. The
// first four are known to be.
func common(buf []byte, at, i int) int {
	b := buf[i:min(i+maxMatch, len(buf))]
	a := buf[at : at+len(b)]
	n := leastMatch
	for ; n+8 <= len(b); n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
