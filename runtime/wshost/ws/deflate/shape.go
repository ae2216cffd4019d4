package deflate

import (
	"math/bits"
	"slices"
)

// tree is one alphabet: how often each symbol occurs, and its code.
type tree struct {
	freq  [litCodes + 2]uint16
	lens  [litCodes + 2]uint8
	codes [litCodes + 2]prefix
	used  [litCodes + 2]uint16   // the symbols that occur, ascending
	n     int                    // how many they are
	count [maxCodeLen + 1]uint16 // how many symbols have codes of each length
}

// top returns how many symbols must be described, at least least.
func (t *tree) top(least int) int {
	if t.n == 0 {
		return least
	}
	return max(int(t.used[t.n-1])+1, least)
}

// cost returns how many bits the symbols take, the extra bits of matches left out.
func (t *tree) cost() (sum int) {
	for _, s := range t.used[:t.n] {
		sum += int(t.freq[s]) * int(t.lens[s])
	}
	return sum
}

// assign gives the symbols that occur their codes (RFC 1951, section 3.2.2).
func (t *tree) assign() {
	var next [maxCodeLen + 2]uint16
	for i := 1; i <= maxCodeLen; i++ {
		next[i+1] = (next[i] + t.count[i]) << 1
	}
	for _, s := range t.used[:t.n] {
		n := t.lens[s] & 15
		t.codes[s] = prefix(n)<<16 | prefix(bits.Reverse16(next[n])>>(16-n))
		next[n]++
	}
}

// shaper finds the lengths of codes; it is only memory to work in.
type shaper struct {
	keys   [litCodes + 2]uint32 // frequency and symbol
	sorted [litCodes + 2]uint32
	tree   [litCodes + 2]uint32
	starts [countable + 1]uint16
}

const (
	countable = 512 // frequencies below this are sorted by counting
	deepest   = 32  // no tree of blockSize+1 symbols is deeper: its weights grow at least like Fibonacci's numbers
)

// shape finds code lengths of at most limit bits for those of the first symbols symbols of t that occur.
func (s *shaper) shape(t *tree, symbols, limit int) {
	n, most := 0, uint32(0)
	for sym, f := range t.freq[:symbols] {
		t.used[n] = uint16(sym)
		s.keys[n] = uint32(f)<<9 | uint32(sym)
		if f > 0 {
			n++
		}
		most = max(most, uint32(f))
	}
	t.n = n
	clear(t.lens[:symbols])
	t.count = [maxCodeLen + 1]uint16{}
	if n < 2 {
		if n == 1 {
			t.lens[t.used[0]], t.count[1] = 1, 1
		}
		return
	}
	keys := s.sort(n, most)
	tree := s.tree[:n]
	for i, k := range keys {
		tree[i] = k >> 9
	}
	depths(tree)
	var count [deepest]uint16
	for _, d := range tree {
		count[d&(deepest-1)]++
	}
	shorten(&count, int(tree[0]), limit)
	// The rarest symbols get the longest codes.
	i := 0
	for d := limit; d > 0; d-- {
		for _, k := range keys[i : i+int(count[d])] {
			t.lens[k&511] = uint8(d)
		}
		t.count[d] = count[d]
		i += int(count[d])
	}
}

// sort returns the first n keys in ascending order; most is the greatest frequency.
func (s *shaper) sort(n int, most uint32) []uint32 {
	keys := s.keys[:n]
	if n < 12 || most >= countable {
		slices.Sort(keys)
		return keys
	}
	starts := s.starts[:most+2]
	clear(starts)
	for _, k := range keys {
		starts[k>>9+1]++
	}
	sum := uint16(0)
	for i, c := range starts {
		sum += c
		starts[i] = sum
	}
	sorted := s.sorted[:n]
	for _, k := range keys {
		p := &starts[k>>9]
		sorted[*p] = k
		*p++
	}
	return sorted
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

// shorten moves leaves that are deeper than limit, down to depth most, up, and others down until the code is complete
// again.
func shorten(count *[deepest]uint16, most, limit int) {
	if most <= limit {
		return
	}
	for d := limit + 1; d <= most; d++ {
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
