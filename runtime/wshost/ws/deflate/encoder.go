package deflate

import (
	"encoding/binary"
	"slices"
)

// encoder is the memory in which a message is compressed. Between two messages nothing of it matters.
type encoder struct {
	seqs   [maxSeqs]seq
	places [1 << (mostIndex - 1)]places // the index of messages without context

	lit, dist           tree
	order               tree
	nlit, ndist, norder int // symbols of each that are described

	joined   [litCodes + distCodes]uint8 // code lengths of lit and dist
	plan     [litCodes + distCodes]uint8 // the same as they are written, see runs
	planned  int
	planBits [litCodes + distCodes]uint8 // extra bits of plan's elements

	shaper
	bits bitWriter
}

// block writes src, at most blockSize bytes, as the literals and matches of seqs, in the shortest of the three forms;
// where tiny sees that there is little to choose, in the fixed code.
func (e *encoder) block(src []byte, seqs []seq) {
	if n, ok := tiny(src, seqs); ok {
		e.bits.reserve(n)
		e.bits.write(1<<1, 3)
		e.bits.symbols(src, seqs, fixedLit[:], fixedDist[:])
		return
	}
	extra := e.count(src, seqs)
	e.shape(&e.lit, litCodes, maxCodeLen)
	e.shape(&e.dist, distCodes, maxCodeLen)
	e.nlit, e.ndist = e.lit.top(257), e.dist.top(1)
	e.runs()

	dynamic := e.describe() + e.lit.cost() + e.dist.cost() + extra
	fixed := fixedDistLen*len(seqs) + extra
	for _, s := range e.lit.used[:e.lit.n] {
		fixed += int(e.lit.freq[s]) * int(fixedLen(int(s)))
	}
	stored := int(-(e.bits.n+3)&7) + 32 + 8*len(src)
	switch {
	case stored <= dynamic && stored <= fixed:
		e.bits.stored(src)
	case fixed <= dynamic:
		e.bits.reserve(3 + fixed)
		e.bits.write(1<<1, 3)
		e.bits.symbols(src, seqs, fixedLit[:], fixedDist[:])
	default:
		e.bits.reserve(3 + dynamic)
		e.bits.write(2<<1, 3)
		e.header()
		e.lit.assign()
		e.dist.assign()
		e.bits.symbols(src, seqs, e.lit.codes[:], e.dist.codes[:])
	}
}

// leastCodes is the number of bits of fixed codes below which own codes are not looked for: to describe them takes
// about as many, and seldom fewer than half.
const leastCodes = 128

// tiny reports whether the fixed code is as good as any, and how many bits it takes at most. With so few symbols a
// block without compression, which has 32 bits more than its bytes, is never shorter.
func tiny(src []byte, seqs []seq) (most int, ok bool) {
	literals := len(src)
	for i, q := range seqs {
		if literals -= int(q.length) + minMatch; 13*i > leastCodes {
			return 0, false
		}
	}
	codes := 9*literals + 13*len(seqs)
	return 3 + codes + 18*len(seqs) + 7, codes <= leastCodes
}

// count counts the symbols and returns how many extra bits the matches need.
func (e *encoder) count(src []byte, seqs []seq) (extra int) {
	lit, dist := &e.lit.freq, &e.dist.freq
	clear(lit[:litCodes])
	clear(dist[:distCodes])
	for _, q := range seqs {
		for _, b := range src[:q.literals] {
			lit[b]++
		}
		src = src[int(q.literals)+int(q.length)+minMatch:]
		l, _, n := lengthCode(q.length)
		d, _, m := distCode(uint32(q.dist))
		lit[l]++
		dist[d]++
		extra += int(n + m)
	}
	for _, b := range src {
		lit[b]++
	}
	lit[endOfBlock] = 1
	return extra
}

// runs turns the code lengths of both alphabets, one list, into symbols of the code lengths' own alphabet: 16 repeats
// the last length, 17 and 18 are runs of zero (RFC 1951, section 3.2.7).
func (e *encoder) runs() {
	e.planned = 0
	clear(e.order.freq[:orderCodes])
	lens := append(e.joined[:0], e.lit.lens[:e.nlit]...)
	lens = append(lens, e.dist.lens[:e.ndist]...)
	for len(lens) > 0 {
		v, n := lens[0], 1
		for n < len(lens) && lens[n] == v {
			n++
		}
		lens = lens[n:]
		if v > 0 {
			e.plain(v)
			n--
		}
		for n > 0 {
			switch {
			case n < 3:
				e.plain(v)
				n--
			case v > 0:
				k := min(n, 6)
				e.repeat(16, k-3)
				n -= k
			case n <= 10:
				e.repeat(17, n-3)
				n = 0
			default:
				k := min(n, 138)
				e.repeat(18, k-11)
				n -= k
			}
		}
	}
}

func (e *encoder) plain(v uint8) { e.repeat(v, 0) }

func (e *encoder) repeat(symbol uint8, extra int) {
	e.plan[e.planned], e.planBits[e.planned] = symbol, uint8(extra)
	e.order.freq[symbol]++
	e.planned++
}

// describe finds the code for the code lengths and returns how many bits the description of a dynamic block takes.
func (e *encoder) describe() int {
	o := &e.order
	e.shape(o, orderCodes, maxOrder)
	e.norder = orderCodes
	for e.norder > 4 && o.lens[codeOrder[e.norder-1]] == 0 {
		e.norder--
	}
	return 5 + 5 + 4 + 3*e.norder + o.cost() + 2*int(o.freq[16]) + 3*int(o.freq[17]) + 7*int(o.freq[18])
}

// header writes the description of a dynamic block (RFC 1951, section 3.2.7).
func (e *encoder) header() {
	o := &e.order
	o.assign()
	e.bits.write(uint32(e.nlit-257)|uint32(e.ndist-1)<<5|uint32(e.norder-4)<<10, 14)
	for _, s := range codeOrder[:e.norder] {
		e.bits.write(uint32(o.lens[s]), 3)
	}
	for i, s := range e.plan[:e.planned] {
		c := o.codes[s]
		n := uint(0)
		switch s {
		case 16:
			n = 2
		case 17:
			n = 3
		case 18:
			n = 7
		}
		e.bits.write(uint32(c.bits())|uint32(e.planBits[i])<<c.len(), c.len()+n)
	}
}

// bitWriter appends bits to dst, the lowest first.
type bitWriter struct {
	dst []byte
	acc uint64
	n   uint // bits in acc, fewer than 32 between two writes
}

// write appends the n lowest bits of v, at most 32; the others are 0.
func (w *bitWriter) write(v uint32, n uint) {
	w.acc |= uint64(v) << (w.n & 63)
	if w.n += n; w.n >= 32 {
		w.dst = binary.LittleEndian.AppendUint32(w.dst, uint32(w.acc))
		w.acc >>= 32
		w.n -= 32
	}
}

// reserve makes room in dst for n bits and what symbols may overwrite behind them.
func (w *bitWriter) reserve(n int) { w.dst = slices.Grow(w.dst, n/8+24) }

// symbols writes literals, matches and the end of a block. There must be room for them: see reserve. It overwrites up
// to 8 bytes behind what it appends.
func (w *bitWriter) symbols(src []byte, seqs []seq, forLit, forDist []prefix) {
	lit, dist := (*[litCodes + 2]prefix)(forLit), (*[litCodes + 2]prefix)(forDist)
	out, acc, n := w.dst[len(w.dst):cap(w.dst)], w.acc, w.n
	at := 0
	for k := 0; ; k++ {
		last := k == len(seqs)
		literals := src
		if !last {
			literals = src[:seqs[k].literals]
		}
		// acc holds fewer than 8 bits after each step; three codes are 45 bits at most.
		binary.LittleEndian.PutUint64(out[at:], acc)
		at, acc, n = at+int(n>>3), acc>>(n&^7&63), n&7
		for ; len(literals) >= 3; literals = literals[3:] {
			a, b, c := lit[literals[0]], lit[literals[1]], lit[literals[2]]
			acc |= a.bits() << (n & 63)
			n += a.len()
			acc |= b.bits() << (n & 63)
			n += b.len()
			acc |= c.bits() << (n & 63)
			n += c.len()
			binary.LittleEndian.PutUint64(out[at:], acc)
			at, acc, n = at+int(n>>3), acc>>(n&^7&63), n&7
		}
		for _, b := range literals {
			a := lit[b]
			acc |= a.bits() << (n & 63)
			n += a.len()
		}
		binary.LittleEndian.PutUint64(out[at:], acc)
		at, acc, n = at+int(n>>3), acc>>(n&^7&63), n&7
		if last {
			break
		}
		q := seqs[k]
		src = src[int(q.literals)+int(q.length)+minMatch:]
		// A match is 48 bits at most: two codes of 15, 5 and 13 more.
		l, extra, wide := lengthCode(q.length)
		a := lit[l]
		acc |= (a.bits() | uint64(extra)<<(a.len()&63)) << (n & 63)
		n += a.len() + wide
		d, extra, wide := distCode(uint32(q.dist))
		a = dist[d]
		acc |= (a.bits() | uint64(extra)<<(a.len()&63)) << (n & 63)
		n += a.len() + wide
	}
	end := lit[endOfBlock]
	acc |= end.bits() << (n & 63)
	n += end.len()
	binary.LittleEndian.PutUint64(out[at:], acc)
	at, acc, n = at+int(n>>3), acc>>(n&^7&63), n&7
	w.dst, w.acc, w.n = w.dst[:len(w.dst)+at], acc, n
}

// align fills the last byte with zeros.
func (w *bitWriter) align() {
	for ; w.n > 0; w.n -= min(w.n, 8) {
		w.dst = append(w.dst, byte(w.acc))
		w.acc >>= 8
	}
}

// stored appends p, at most 65535 bytes, as a block without compression (RFC 1951, section 3.2.4).
func (w *bitWriter) stored(p []byte) {
	w.write(0, 3)
	w.align()
	w.dst = binary.LittleEndian.AppendUint16(w.dst, uint16(len(p)))
	w.dst = binary.LittleEndian.AppendUint16(w.dst, ^uint16(len(p)))
	w.dst = append(w.dst, p...)
}
