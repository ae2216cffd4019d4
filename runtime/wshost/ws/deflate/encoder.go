package deflate

import (
	"encoding/binary"
)

// encoder is the memory in which a message is compressed. Between two messages nothing of it matters.
type encoder struct {
	seqs   [maxSeqs]seq
	places [1 << 14]uint16 // the index of messages without context

	lit      tree
	dist     tree
	order    tree
	plan     [litCodes + distCodes]uint8 // code lengths as they are written, see runs
	planned  int
	planBits [litCodes + distCodes]uint8 // extra bits of plan's elements

	shaper
	bits bitWriter
}

// tree is one alphabet: how often each symbol occurs, and its code.
type tree struct {
	freq  [litCodes + 2]uint16
	lens  [litCodes + 2]uint8
	codes [litCodes + 2]prefix
	n     int // symbols in use
}

// cost returns how many bits the symbols take, the extra bits of matches left out.
func (t *tree) cost(lens []uint8) (sum int) {
	for i, n := range lens {
		sum += int(t.freq[i]) * int(n)
	}
	return sum
}

// used sets n: as many symbols as must be described, at least least.
func (t *tree) used(n, least int) {
	for n > least && t.lens[n-1] == 0 {
		n--
	}
	t.n = n
}

// block writes src, at most blockSize bytes, as the literals and matches of seqs, in the shortest of the three forms.
func (e *encoder) block(src []byte, seqs []seq) {
	extra := e.count(src, seqs)
	e.lengths(e.lit.lens[:litCodes], e.lit.freq[:litCodes], maxCodeLen)
	e.lengths(e.dist.lens[:distCodes], e.dist.freq[:distCodes], maxCodeLen)
	e.lit.used(litCodes, 257)
	e.dist.used(distCodes, 1)
	e.runs()

	var lit [288]uint8
	var dist [32]uint8
	fixedLens(lit[:], dist[:])
	dynamic := e.describe() + e.lit.cost(e.lit.lens[:litCodes]) + e.dist.cost(e.dist.lens[:distCodes]) + extra
	fixed := e.lit.cost(lit[:litCodes]) + e.dist.cost(dist[:distCodes]) + extra
	stored := int(-(e.bits.n+3)&7) + 32 + 8*len(src)
	switch {
	case stored <= dynamic && stored <= fixed:
		e.bits.stored(src)
		return
	case fixed <= dynamic:
		e.bits.write(1<<1, 3)
		assign(e.lit.codes[:288], lit[:])
		assign(e.dist.codes[:32], dist[:])
	default:
		e.bits.write(2<<1, 3)
		e.header()
		assign(e.lit.codes[:litCodes], e.lit.lens[:litCodes])
		assign(e.dist.codes[:distCodes], e.dist.lens[:distCodes])
	}
	e.symbols(src, seqs)
}

// count counts the symbols and returns how many extra bits the matches need.
func (e *encoder) count(src []byte, seqs []seq) (extra int) {
	e.lit.freq, e.dist.freq = [litCodes + 2]uint16{}, [litCodes + 2]uint16{}
	i := 0
	for _, q := range seqs {
		for _, b := range src[i : i+int(q.literals)] {
			e.lit.freq[b]++
		}
		i += int(q.literals) + int(q.length)
		l, _, n := lengthCode(int(q.length))
		d, _, m := distCode(int(q.dist) + 1)
		e.lit.freq[l]++
		e.dist.freq[d]++
		extra += int(n + m)
	}
	for _, b := range src[i:] {
		e.lit.freq[b]++
	}
	e.lit.freq[endOfBlock] = 1
	return extra
}

// symbols writes the block itself.
func (e *encoder) symbols(src []byte, seqs []seq) {
	i := 0
	for _, q := range seqs {
		e.literals(src[i : i+int(q.literals)])
		i += int(q.literals) + int(q.length)
		l, extra, n := lengthCode(int(q.length))
		c := e.lit.codes[l]
		e.bits.write(uint32(c)&0xffff|extra<<(c>>16), uint(c>>16)+n)
		d, extra, n := distCode(int(q.dist) + 1)
		c = e.dist.codes[d]
		e.bits.write(uint32(c)&0xffff|extra<<(c>>16), uint(c>>16)+n)
	}
	e.literals(src[i:])
	c := e.lit.codes[endOfBlock]
	e.bits.write(uint32(c)&0xffff, uint(c>>16))
}

func (e *encoder) literals(p []byte) {
	for _, b := range p {
		c := e.lit.codes[b]
		e.bits.write(uint32(c)&0xffff, uint(c>>16))
	}
}

// runs turns the code lengths of both alphabets, one list, into symbols of the code lengths' own alphabet: 16 repeats
// the last length, 17 and 18 are runs of zero (RFC 1951, section 3.2.7).
func (e *encoder) runs() {
	e.planned = 0
	e.order.freq = [litCodes + 2]uint16{}
	at := func(i int) uint8 {
		if i < e.lit.n {
			return e.lit.lens[i]
		}
		return e.dist.lens[i-e.lit.n]
	}
	total := e.lit.n + e.dist.n
	for i := 0; i < total; {
		v, n := at(i), 1
		for i+n < total && at(i+n) == v {
			n++
		}
		i += n
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
	e.lengths(o.lens[:orderCodes], o.freq[:orderCodes], maxOrder)
	o.n = orderCodes
	for o.n > 4 && o.lens[codeOrder[o.n-1]] == 0 {
		o.n--
	}
	return 5 + 5 + 4 + 3*o.n + o.cost(o.lens[:orderCodes]) + 2*int(o.freq[16]) + 3*int(o.freq[17]) + 7*int(o.freq[18])
}

// header writes the description of a dynamic block (RFC 1951, section 3.2.7).
func (e *encoder) header() {
	o := &e.order
	assign(o.codes[:orderCodes], o.lens[:orderCodes])
	e.bits.write(uint32(e.lit.n-257)|uint32(e.dist.n-1)<<5|uint32(o.n-4)<<10, 14)
	for _, s := range codeOrder[:o.n] {
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
		e.bits.write(uint32(c)&0xffff|uint32(e.planBits[i])<<(c>>16), uint(c>>16)+n)
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
