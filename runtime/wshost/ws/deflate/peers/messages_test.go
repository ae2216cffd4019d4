package peers

import (
	"fmt"
	"math/rand/v2"
	"time"
)

var (
	kinds  = []string{"order.updated", "order.created", "price.changed", "user.joined", "user.left", "stock.low"}
	names  = []string{"Ada Lovelace", "Grace Hopper", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Niklaus Wirth", "Donald Knuth", "Frances Allen"}
	cities = []string{"London", "New York", "Manchester", "Rotterdam", "Los Angeles", "Winterthur", "Milwaukee", "Peru"}
	words  = []string{"ready", "pending", "shipped", "left at the door", "call before", "fragile", "second floor", "paid", "refund", "gift", "express", "none"}
)

// message returns n bytes of JSON as servers send it: the same fields in every record, values that vary.
func message(r *rand.Rand, n int) []byte {
	at := time.Unix(1_700_000_000+r.Int64N(1e7), 0).UTC()
	b := fmt.Appendf(nil, `{"type":%q,"id":"%08x-%04x","at":%q,"items":[`,
		kinds[r.IntN(len(kinds))], r.Uint32(), r.Uint32()&0xffff, at.Format(time.RFC3339))
	const end = `]}`
	for {
		at = at.Add(time.Duration(r.IntN(5000)) * time.Millisecond)
		item := fmt.Appendf(nil, `{"id":%d,"user":%q,"city":%q,"at":%q,"price":%d.%02d,"count":%d,"note":%q},`,
			r.IntN(1e7), names[r.IntN(len(names))], cities[r.IntN(len(cities))], at.Format("2006-01-02T15:04:05.000Z"),
			r.IntN(1000), r.IntN(100), r.IntN(50), words[r.IntN(len(words))])
		if len(b)+len(item)+len(end) > n {
			break
		}
		b = append(b, item...)
	}
	b = append(b[:len(b)-1], `],"text":"`...)
	for len(b) < n-2 {
		b = append(b, words[r.IntN(len(words))]...)
		b = append(b, ' ')
	}
	return append(b[:n-2], `"}`...)
}

// messages returns k messages of n bytes, the same ones every time.
func messages(k, n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	m := make([][]byte, k)
	for i := range m {
		m[i] = message(r, n)
	}
	return m
}
