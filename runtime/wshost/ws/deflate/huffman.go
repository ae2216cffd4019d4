package deflate

import "math/bits"

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

// lengthSymbols tells the symbol of a match's length less minMatch, counted from 257.
var lengthSymbols [maxMatch - minMatch + 1]uint8 = eachLength()

func eachLength() (symbols [maxMatch - minMatch + 1]uint8) {
	for c := range 29 {
		base, n := lengthBase(c)
		for i := range 1 << n {
			symbols[min(base-minMatch+i, len(symbols)-1)] = uint8(c)
		}
	}
	return symbols
}

// lengthCode returns the symbol of a match's length less minMatch, and its extra bits.
func lengthCode(x uint8) (symbol int, extra uint32, n uint) {
	c := lengthSymbols[x]
	if c < 8 || c == 28 {
		return 257 + int(c), 0, 0
	}
	n = uint(c)/4 - 1
	return 257 + int(c), uint32(x) & (1<<n - 1), n
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

// distCode returns the symbol of a distance less 1, and its extra bits.
func distCode(x uint32) (symbol int, extra uint32, n uint) {
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

func (p prefix) bits() uint64 { return uint64(p & 0xffff) }
func (p prefix) len() uint    { return uint(p >> 16) }

// fixedLen returns the length of a symbol's fixed code for literals and lengths; those for distances have fixedDistLen
// (RFC 1951, section 3.2.6).
func fixedLen(symbol int) uint8 {
	switch {
	case symbol < 144:
		return 8
	case symbol < 256:
		return 9
	case symbol < 280:
		return 7
	}
	return 8
}

const fixedDistLen = 5

// fixedLens fills in the fixed code (RFC 1951, section 3.2.6). lit has 288 elements, dist 30 or 32: the last two of
// each take part in the code and never occur.
func fixedLens(lit, dist []uint8) {
	for i := range lit {
		lit[i] = fixedLen(i)
	}
	for i := range dist {
		dist[i] = fixedDistLen
	}
}

// fixedTree has the fixed codes for n symbols of one alphabet.
func fixedTree(n int, length func(symbol int) uint8) (codes [litCodes + 2]prefix) {
	var t tree
	for i := range n {
		t.lens[i], t.used[i] = length(i), uint16(i)
		t.count[t.lens[i]]++
	}
	t.n = n
	t.assign()
	return t.codes
}

var (
	fixedLit  [litCodes + 2]prefix = fixedTree(litCodes+2, fixedLen)
	fixedDist [litCodes + 2]prefix = fixedTree(distCodes+2, func(int) uint8 { return fixedDistLen })
)
