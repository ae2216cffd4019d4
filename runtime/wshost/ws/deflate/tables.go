package deflate

import (
	"encoding/binary"
	"math/bits"
)

// entry answers for the next bits of the input: bits 0-3 how many of them are used up, 4-7 the kind, 8-12 a number of
// extra bits, 16-31 a value.
type entry uint32

const (
	kindLiteral entry = 0 << 4 // the value is the byte
	kindLength  entry = 1 << 4 // the value is the base
	kindEnd     entry = 2 << 4 // of the block
	kindSub     entry = 3 << 4 // the value is where a further table begins, the extra bits are its index
	kindInvalid entry = 4 << 4 // no symbol, or one that must not occur
	kindMask    entry = 15 << 4
)

func (e entry) used() uint  { return uint(e & 15) }
func (e entry) extra() uint { return uint(e>>8) & 31 }
func (e entry) value() int  { return int(e >> 16) }

// mask covers the extra bits.
func (e entry) mask() uint64 { return 1<<e.extra() - 1 }

const (
	litRoot   = 10 // bits that index the first table
	distRoot  = 8
	orderRoot = maxOrder

	// Sizes with all further tables, for any code: what zlib's "enough" finds for these roots, 1334 and 402, rounded up.
	litSize  = 1 << 11
	distSize = 1 << 9
)

// tables decode the symbols of one block. They are made anew for each block, and for each piece of input that begins
// within one, so that nobody holds them while waiting.
type tables struct {
	lit   [litSize]entry
	dist  [distSize]entry
	order [1 << orderRoot]entry

	used   [litCodes + 2]uint16 // symbols that have a code
	sorted [litCodes + 2]uint16 // the same, by length
}

// The entries of all symbols, without the bits used up.
var (
	litEntries   [litCodes + 2]entry = eachEntry(litEntry)
	distEntries  [litCodes + 2]entry = eachEntry(distEntry)
	orderEntries [litCodes + 2]entry = eachEntry(func(symbol int) entry { return kindLiteral | entry(symbol)<<16 })
)

func eachEntry(of func(symbol int) entry) (entries [litCodes + 2]entry) {
	for i := range entries {
		entries[i] = of(i)
	}
	return entries
}

// fixedTables returns the tables of the fixed code (RFC 1951, section 3.2.6).
func fixedTables() *tables {
	var lens [litCodes + 2 + distCodes + 2]uint8
	lit, dist := lens[:litCodes+2], lens[litCodes+2:]
	fixedLens(lit, dist)
	t := new(tables)
	t.build(t.lit[:], litRoot, lit, litEntries[:])
	t.build(t.dist[:], distRoot, dist, distEntries[:])
	return t
}

func litEntry(symbol int) entry {
	switch {
	case symbol < endOfBlock:
		return kindLiteral | entry(symbol)<<16
	case symbol == endOfBlock:
		return kindEnd
	case symbol >= litCodes:
		return kindInvalid
	}
	base, n := lengthBase(symbol - 257)
	return kindLength | entry(n)<<8 | entry(base)<<16
}

func distEntry(symbol int) entry {
	if symbol >= distCodes {
		return kindInvalid
	}
	base, n := distBase(symbol)
	return kindLiteral | entry(n)<<8 | entry(base)<<16
}

// build fills table, whose first 1<<root entries are indexed directly, for the code with the lengths lens. It reports
// false when the lengths are no code: oversubscribed, or incomplete. As everywhere, a code of one symbol of one bit
// and a code of none are let pass; the bits that mean nothing then are invalid.
func (t *tables) build(table []entry, root int, lens []uint8, entries []entry) bool {
	var count, offset [maxCodeLen + 2]int
	used := 0
	for i := 0; i < len(lens); {
		if i+8 <= len(lens) && binary.LittleEndian.Uint64(lens[i:]) == 0 {
			i += 8
			continue
		}
		for end := min(i+8, len(lens)); i < end; i++ {
			n := lens[i] & 15
			t.used[used] = uint16(i)
			if n > 0 {
				used++
			}
			count[n]++
		}
	}
	left, longest := 1, 0
	for n := 1; n <= maxCodeLen; n++ {
		offset[n+1] = offset[n] + count[n]
		if left = left<<1 - count[n]; left < 0 {
			return false
		}
		if count[n] > 0 {
			longest = n
		}
	}
	if left > 0 {
		if longest > 1 {
			return false
		}
		for i := range table[:1<<root] {
			table[i] = kindInvalid | 1
		}
		for i := 0; longest == 1 && i < 1<<root; i += 2 {
			table[i] = entries[t.used[0]] | 1
		}
		return true
	}
	for _, symbol := range t.used[:used] {
		p := &offset[lens[symbol]&15]
		t.sorted[*p] = symbol
		*p++
	}
	reversed, sorted := direct(table, root, t.sorted[:used], &count, entries)
	if longest > root {
		further(table, root, sorted, &count, longest, reversed, entries)
	}
	return true
}

// direct enters the symbols of a complete code whose codes are of at most root bits, and returns the next code, its
// first bit lowest, and the symbols that are left. The table is made for one bit and doubled for each further one, so
// that every symbol is entered once and the rest is copying.
func direct(table []entry, root int, sorted []uint16, count *[maxCodeLen + 2]int, entries []entry) (int, []uint16) {
	reversed := 0
	for n := 1; n <= root; n++ {
		half := 1 << (n - 1)
		copy(table[half:2*half], table[:half])
		for _, symbol := range sorted[:count[n]] {
			table[reversed] = entries[symbol] | entry(n)
			reversed = next(reversed, n)
		}
		sorted = sorted[count[n]:]
	}
	return reversed, sorted
}

// next returns the code of n bits that follows reversed, both with their first bit lowest.
func next(reversed, n int) int {
	zeros := uint(reversed ^ (1<<n - 1))
	if zeros == 0 {
		return 0 // it was the last one
	}
	bit := 1 << (bits.Len(zeros) - 1)
	return reversed&(bit-1) | bit
}

// further enters the symbols whose codes are of more than root bits into further tables.
func further(table []entry, root int, sorted []uint16, count *[maxCodeLen + 2]int, longest, reversed int, entries []entry) {
	end := 1 << root
	sub, subBits, subPrefix := 0, 0, -1
	for n := root + 1; n <= longest; n++ {
		for left := count[n]; left > 0; left-- {
			e := entries[sorted[0]]
			sorted = sorted[1:]
			if prefix := reversed & (1<<root - 1); prefix != subPrefix {
				// The further table is as large as the codes that share this prefix need: they fill it one after the other.
				subPrefix, sub, subBits = prefix, end, n-root
				for room := 1<<subBits - left; room > 0 && root+subBits < longest; {
					subBits++
					room = room<<1 - count[root+subBits]
				}
				end += 1 << subBits
				table[prefix] = kindSub | entry(subBits)<<8 | entry(sub)<<16 | entry(root)
			}
			for j := reversed >> root; j < 1<<subBits; j += 1 << (n - root) {
				table[sub+j] = e | entry(n-root)
			}
			reversed = next(reversed, n)
		}
	}
}
