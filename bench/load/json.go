package load

import (
	"fmt"
	"math/rand/v2"
)

// documents returns n JSON documents of exactly size bytes, like the updates a trading or chat server sends: the same
// keys, names that recur, numbers and identifiers that do not. zlib's level 6 makes about 40 % of one.
func documents(n, size int) [][]byte {
	rng := rand.New(rand.NewPCG(2, uint64(size)))
	names := []string{"anna", "bernd", "chiara", "dmitri", "elif", "farid", "greta", "hiroshi", "ines", "jonas", "kemal", "lucia"}
	states := []string{"open", "filled", "cancelled", "partially-filled", "rejected"}
	docs := make([][]byte, n)
	for i := range docs {
		b := fmt.Appendf(nil, `{"sequence":%d,"channel":"orders","items":[`, 100000+i)
		for k := 0; len(b) < size; k++ {
			if k > 0 {
				b = append(b, ',')
			}
			b = fmt.Appendf(b, `{"id":"%08x","user":"%s","state":"%s","price":%d.%02d,"quantity":%d,"updated":"2024-05-%02dT%02d:%02d:%02dZ"}`,
				rng.Uint32(), names[rng.IntN(len(names))], states[rng.IntN(len(states))], rng.IntN(1000), rng.IntN(100),
				1+rng.IntN(500), 1+rng.IntN(30), rng.IntN(24), rng.IntN(60), rng.IntN(60))
		}
		// It is cut to size and closed as a string would be: valid UTF-8, whose meaning nobody reads.
		copy(b[size-4:size], `"}]}`)
		docs[i] = b[:size]
	}
	return docs
}
