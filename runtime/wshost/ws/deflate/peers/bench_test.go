package peers

import (
	"fmt"
	"slices"
	"testing"

	"github.com/klauspost/compress/flate"
)

// batch is how many messages one measurement takes: enough to fill a window and for the clock of CPU time, which counts microseconds.
const batch = 64

// job is one thing to be measured; it does batch messages and returns how many bytes they became.
type job struct {
	name string
	run  func() (bytes int)
}

// compete runs jobs in turn, so that whatever else the machine does meets all of them, and reports for each the median
// CPU time of a message and its ratio to the first.
func compete(b *testing.B, jobs []job) {
	times := make([][]float64, len(jobs))
	size := make([]int, len(jobs))
	for _, j := range jobs {
		j.run()
	}
	for turn := 0; b.Loop(); turn++ {
		for k := range jobs {
			i := (k + turn) % len(jobs)
			start := spent()
			size[i] = jobs[i].run()
			times[i] = append(times[i], float64(spent()-start)/batch)
		}
	}
	var first float64
	for i, j := range jobs {
		slices.Sort(times[i])
		median := times[i][len(times[i])/2]
		if i == 0 {
			first = median
		}
		b.ReportMetric(median, j.name+"-ns/message")
		b.ReportMetric(median/first, j.name+"-x-"+jobs[0].name)
		if size[i] > 0 {
			b.ReportMetric(float64(size[i])/batch, j.name+"-B/message")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// payloads are the messages as a client sends them that compresses like zlib at its default level.
func payloads(takeover bool, messages [][]byte) [][]byte {
	d := newDictionary(takeover)
	d.w, _ = flate.NewWriter(nil, 6)
	z := make([][]byte, len(messages))
	for i := range 2 * len(messages) { // the second round is the one that is repeated: its context is right
		z[i%len(messages)] = slices.Clone(d.compress(messages[i%len(messages)]))
	}
	return z
}

func perTakeover(b *testing.B, f func(b *testing.B, takeover bool)) {
	for _, takeover := range []bool{false, true} {
		b.Run(fmt.Sprintf("takeover=%v", takeover), func(b *testing.B) { f(b, takeover) })
	}
}

// BenchmarkCompress compresses messages of 1 KiB of JSON.
func BenchmarkCompress(b *testing.B) {
	in := messages(batch, 1024)
	perTakeover(b, func(b *testing.B, takeover bool) {
		var jobs []job
		for _, k := range codecs {
			c := k.make(takeover)
			jobs = append(jobs, job{k.name, func() (n int) {
				for _, m := range in {
					n += len(c.compress(m))
				}
				return n
			}})
		}
		compete(b, jobs)
	})
}

// BenchmarkInflate inflates what a client makes of the same messages.
func BenchmarkInflate(b *testing.B) {
	in := messages(batch, 1024)
	perTakeover(b, func(b *testing.B, takeover bool) {
		zs := payloads(takeover, in)
		var jobs []job
		for _, k := range codecs[:3] {
			c := k.make(takeover)
			// What a client that has sent the messages before has put into the window.
			for _, z := range firstRound(takeover, in) {
				if _, err := c.inflate(z); err != nil {
					b.Fatal(k.name, err)
				}
			}
			jobs = append(jobs, job{k.name, func() int {
				for _, z := range zs {
					if _, err := c.inflate(z); err != nil {
						b.Fatal(k.name, err)
					}
				}
				return 0
			}})
		}
		compete(b, jobs)
	})
}

func firstRound(takeover bool, messages [][]byte) [][]byte {
	d := newDictionary(takeover)
	var z [][]byte
	for _, m := range messages {
		z = append(z, slices.Clone(d.compress(m)))
	}
	return z
}

// BenchmarkEcho inflates a message and compresses it again, as an echo server does; gws is the engine itself.
func BenchmarkEcho(b *testing.B) {
	in := messages(batch, 1024)
	perTakeover(b, func(b *testing.B, takeover bool) {
		first, zs := firstRound(takeover, in), payloads(takeover, in)
		g := newGWS(b, takeover)
		g.echo(first)
		jobs := []job{{"gws", func() int { return g.echo(zs) }}}
		for _, k := range codecs {
			c := k.make(takeover)
			echo := func(zs [][]byte) (n int) {
				for _, z := range zs {
					m, err := c.inflate(z)
					if err != nil {
						b.Fatal(k.name, err)
					}
					n += len(c.compress(m))
				}
				return n
			}
			echo(first)
			jobs = append(jobs, job{k.name, func() int { return echo(zs) }})
		}
		compete(b, jobs)
	})
}

// BenchmarkAllocations reports what each codec allocates for a message there and back.
func BenchmarkAllocations(b *testing.B) {
	in := messages(batch, 1024)
	perTakeover(b, func(b *testing.B, takeover bool) {
		for _, k := range codecs {
			b.Run(k.name, func(b *testing.B) {
				c := k.make(takeover)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if _, err := c.inflate(c.compress(in[i%batch])); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}
