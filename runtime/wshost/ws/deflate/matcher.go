package deflate

import (
	"encoding/binary"
	"math/bits"
)

const (
	blockSize  = 32 << 10 // bytes of input of one block
	leastMatch = 4        // the shortest match that is looked for
	maxSeqs    = blockSize/leastMatch + 1
	ways       = 2 // places remembered for each hash
	mostStep   = 8 // bytes from one look for a match to the next
)

// seq is some literals and the match behind them.
type seq struct {
	literals uint16
	length   uint16
	dist     uint16 // minus 1
}

// index remembers where four bytes were seen last. A place is a position modulo 65536: no distance is longer than
// 32768, so one that is out of date names some other place within reach or none, and whoever asks compares the bytes
// anyway. Nothing ever has to be cleared or moved when the window moves.
type index struct {
	places []uint16 // ways for each hash, the latest first
	shift  uint
}

// indexBits returns the binary logarithm of the number of places for a window or a message of 2^bits bytes.
func indexBits(bits int) int { return min(max(bits, MinBits), 14) }

func (x *index) reset(places []uint16) {
	x.places = places
	x.shift = uint(32 - bits.Len(uint(len(places)/ways)-1))
}

// bucket returns the places for the four bytes v.
func (x *index) bucket(v uint32) *[ways]uint16 {
	return (*[ways]uint16)(x.places[v*0x9E3779B1>>x.shift*ways:])
}

// insert notes place for the four bytes v and returns where they were before.
func (x *index) insert(v uint32, place uint16) [ways]uint16 {
	b := x.bucket(v)
	old := *b
	b[0], b[1] = place, old[0]
	return old
}

// insertAll notes every place of buf, whose first byte stands at base.
func (x *index) insertAll(buf []byte, base uint16) {
	for i := 0; i+leastMatch <= len(buf); i++ {
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
	i, from := start, start
	for i+leastMatch <= len(buf) {
		length, dist := s.best(buf, i, base, leastMatch-1)
		if length == 0 {
			// The longer nothing was found, the less is looked for: bytes that do not compress pass fast.
			i += min(1+(i-from)>>6, mostStep)
			continue
		}
		at, noted := i, i+1
		for s.lazy && length < 64 && at+1+leastMatch <= len(buf) {
			longer, d := s.best(buf, at+1, base, length)
			noted = at + 2
			if longer == 0 {
				break
			}
			at, length, dist = at+1, longer, d
		}
		s.seqs = append(s.seqs, seq{uint16(s.pending + at - from), uint16(length), uint16(dist - 1)})
		s.pending = 0
		i, from = at+length, at+length
		for j := noted; j < i && j+leastMatch <= len(buf); j++ {
			s.insert(binary.LittleEndian.Uint32(buf[j:]), base+uint16(j))
		}
	}
	s.pending += len(buf) - from
}

// best notes the place of buf[i] and returns the longest match for it, 0 when none is longer than beat.
func (s *search) best(buf []byte, i int, base uint16, beat int) (length, dist int) {
	v := binary.LittleEndian.Uint32(buf[i:])
	here := base + uint16(i)
	reach := min(s.reach, i)
	limit := min(len(buf)-i, maxMatch)
	for _, place := range s.insert(v, here) {
		d := int(here - place)
		if uint(d-1) >= uint(reach) || binary.LittleEndian.Uint32(buf[i-d:]) != v {
			continue
		}
		if n := common(buf[i-d:], buf[i:i+limit]); n > beat {
			beat, length, dist = n, n, d
		}
	}
	return length, dist
}

// common returns how many bytes b has in common with the start of a, which is longer.
func common(a, b []byte) int {
	n := 0
	a = a[:len(b)]
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
