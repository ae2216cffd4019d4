package deflate

import (
	"math/bits"
	"slices"
)

// Alphabets of DEFLATE (RFC 1951, sections 3.2.5 and 3.2.7).
const (
	litCodes   = 286 // literals, end of block, lengths
	distCodes  = 30
	orderCodes = 19 // the code lengths' own alphabet
	endOfBlock = 256
	minMatch   = 3
	maxMatch   = 258
	maxCodeLen = 15 // bits of a code
	maxOrder   = 7  // bits of a code of the code lengths' alphabet
)

// codeOrder is the order in which the lengths of the code lengths' own code are written (RFC 1951, section 3.2.7).
var codeOrder = [orderCodes]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// lengthCode returns the symbol of a match's length, and its extra bits.
func lengthCode(length int) (symbol int, extra uint32, n uint) {
	x := uint32(length - minMatch)
	switch {
	case x == maxMatch-minMatch:
		return 285, 0, 0
	case x < 4:
		return 257 + int(x), 0, 0
	}
	n = uint(bits.Len32(x)) - 3
	return 257 + int(4*uint32(n)+x>>n), x & (1<<n - 1), n
}

// lengthBase returns the shortest length of a symbol, counted from 257, and how many extra bits follow it.
func lengthBase(c int) (base, n int) {
	switch {
	case c == 28:
		return maxMatch, 0
	case c < 4:
		return minMatch + c, 0
	}
	n = c/4 - 1
	return minMatch + (4+c&3)<<n, n
}

// distCode returns the symbol of a distance, and its extra bits.
func distCode(dist int) (symbol int, extra uint32, n uint) {
	x := uint32(dist - 1)
	if x < 2 {
		return int(x), 0, 0
	}
	n = uint(bits.Len32(x)) - 2
	return int(2*uint32(n) + x>>n), x & (1<<n - 1), n
}

// distBase returns the shortest distance of a symbol and how many extra bits follow it.
func distBase(c int) (base, n int) {
	if c < 2 {
		return 1 + c, 0
	}
	n = c/2 - 1
	return 1 + (2+c&1)<<n, n
}

// prefix is a code ready to be written: the bits, first one lowest, and their number in the upper half.
type prefix uint32

// assign gives the symbols of lens their codes (RFC 1951, section 3.2.2).
func assign(codes []prefix, lens []uint8) {
	var next, count [maxCodeLen + 2]uint16
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	for i := 1; i <= maxCodeLen; i++ {
		next[i+1] = (next[i] + count[i]) << 1
	}
	for i, n := range lens {
		codes[i] = 0
		if n > 0 {
			codes[i] = prefix(n)<<16 | prefix(bits.Reverse16(next[n])>>(16-n))
			next[n]++
		}
	}
}

// fixedLens fills in the fixed code (RFC 1951, section 3.2.6). lit has 288 elements, dist 30 or 32: the last two of
// each take part in the code and never occur.
func fixedLens(lit, dist []uint8) {
	for i := range lit {
		switch {
		case i < 144:
			lit[i] = 8
		case i < 256:
			lit[i] = 9
		case i < 280:
			lit[i] = 7
		default:
			lit[i] = 8
		}
	}
	for i := range dist {
		dist[i] = 5
	}
}

// shaper finds the lengths of codes; it is only memory to work in.
type shaper struct {
	keys [litCodes]uint32
	tree [litCodes]uint32
}

// lengths finds code lengths of at most limit bits for symbols that occur freq times.
func (s *shaper) lengths(lens []uint8, freq []uint16, limit int) {
	n := 0
	for sym, f := range freq {
		lens[sym] = 0
		if f > 0 {
			s.keys[n] = uint32(f)<<9 | uint32(sym)
			n++
		}
	}
	keys, tree := s.keys[:n], s.tree[:n]
	if n < 2 {
		if n == 1 {
			lens[keys[0]&511] = 1
		}
		return
	}
	slices.Sort(keys)
	for i, k := range keys {
		tree[i] = k >> 9
	}
	depths(tree)
	var count [litCodes]uint16
	for _, d := range tree {
		count[d]++
	}
	shorten(&count, limit)
	// The rarest symbols get the longest codes.
	i := 0
	for d := limit; d > 0; d-- {
		for range count[d] {
			lens[keys[i]&511] = uint8(d)
			i++
		}
	}
}

// depths turns weights in ascending order into depths of the leaves of a Huffman tree, in place: first the tree is
// built with parents written over the weights (Moffat and Katajainen, 1995), then read from the root down.
func depths(a []uint32) {
	n := len(a)
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ {
		var sum uint32
		for range 2 {
			if leaf >= n || root < next && a[root] < a[leaf] {
				sum += a[root]
				a[root] = uint32(next)
				root++
			} else {
				sum += a[leaf]
				leaf++
			}
		}
		a[next] = sum
	}
	a[n-2] = 0
	for i := n - 3; i >= 0; i-- {
		a[i] = a[a[i]] + 1
	}
	next, open, depth := n-1, 1, uint32(0)
	for root = n - 2; open > 0; depth++ {
		used := 0
		for root >= 0 && a[root] == depth {
			used++
			root--
		}
		for ; open > used; open-- {
			a[next] = depth
			next--
		}
		open = 2 * used
	}
}

// shorten moves leaves that are deeper than limit up, and others down until the code is complete again.
func shorten(count *[litCodes]uint16, limit int) {
	for d := limit + 1; d < len(count); d++ {
		count[limit] += count[d]
		count[d] = 0
	}
	total := 0
	for d := 1; d <= limit; d++ {
		total += int(count[d]) << (limit - d)
	}
	for ; total > 1<<limit; total-- {
		count[limit]--
		for d := limit - 1; d > 0; d-- {
			if count[d] > 0 {
				count[d]--
				count[d+1] += 2
				break
			}
		}
	}
}
