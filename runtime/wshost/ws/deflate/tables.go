package deflate

import "math/bits"

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

	sorted [288]uint16
}

// litEntry returns the entry of a symbol, without the bits used up.
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

func orderEntry(symbol int) entry { return kindLiteral | entry(symbol)<<16 }

// build fills table, whose first 1<<root entries are indexed directly, for the code with the lengths lens. It reports
// false when the lengths are no code: oversubscribed, or incomplete. As everywhere, a code of one symbol of one bit
// and a code of none are let pass; the bits that mean nothing then are invalid.
func (t *tables) build(table []entry, root int, lens []uint8, of func(int) entry) bool {
	var count, offset [maxCodeLen + 2]int
	for _, n := range lens {
		count[n]++
	}
	used, left, longest := 0, 1, 0
	count[0] = 0
	for n := 1; n <= maxCodeLen; n++ {
		offset[n+1] = offset[n] + count[n]
		used += count[n]
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
	}
	for symbol, n := range lens {
		if n > 0 {
			t.sorted[offset[n]] = uint16(symbol)
			offset[n]++
		}
	}
	t.fill(table, root, t.sorted[:used], &count, longest, of)
	return true
}

// fill enters the symbols, which are sorted by their codes; count tells how many have which length.
func (t *tables) fill(table []entry, root int, sorted []uint16, count *[maxCodeLen + 2]int, longest int, of func(int) entry) {
	code, i, end := 0, 0, 1<<root
	sub, subBits, subPrefix := 0, 0, -1
	for n := 1; n <= longest; n++ {
		for left := count[n]; left > 0; left-- {
			e := of(int(sorted[i]))
			i++
			reversed := int(bits.Reverse16(uint16(code)) >> (16 - n))
			code++
			if n <= root {
				for j := reversed; j < 1<<root; j += 1 << n {
					table[j] = e | entry(n)
				}
				continue
			}
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
		}
		code <<= 1
	}
}
