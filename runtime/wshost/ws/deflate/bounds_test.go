package deflate

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// farMatch is a message whose only repetition stands dist bytes before itself.
func farMatch(dist int) []byte {
	r := rand.New(rand.NewPCG(uint64(dist), 9))
	b := make([]byte, dist+250)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	copy(b[dist:], b[:250])
	return b
}

// TestWindowIsExact shows for each number of bits that a distance of the whole window is used, that one more is not,
// and that a decompressor with such a window is satisfied, within a message and across messages.
func TestWindowIsExact(t *testing.T) {
	pool := new(Pool)
	for bits := MinBits; bits <= MaxBits; bits++ {
		size := 1 << bits
		for _, takeover := range []bool{false, true} {
			for _, dist := range []int{size - 1, size, size + 1} {
				in := farMatch(dist)
				parts := [][]byte{in}
				if takeover {
					parts = [][]byte{in[:dist], in[dist:]}
				}
				c := NewCompressor(CompressorConfig{Bits: bits, Takeover: takeover, MinSize: -1, Pool: pool})
				d := NewDecompressor(bits, takeover, pool)
				sent := 0
				for _, p := range parts {
					z, _ := c.Append(nil, p)
					sent += len(z)
					if out, err := inflate(d, z, len(p)); err != nil || !bytes.Equal(out, p) {
						t.Fatalf("%d bits, distance %d, takeover %v: a decompressor with this window gives %v", bits, dist, takeover, err)
					}
				}
				saved := len(in) - sent
				if dist <= size && saved < 100 {
					t.Errorf("%d bits, takeover %v: a repetition %d bytes back saves only %d bytes", bits, takeover, dist, saved)
				}
				if dist > size && saved > 0 {
					t.Errorf("%d bits, takeover %v: a repetition %d bytes back was used", bits, takeover, dist)
				}
			}
		}
		if bits == MaxBits {
			continue
		}
		// The decompressor itself must be exact too, else the above proves nothing.
		for dist, want := range map[int]error{size: nil, size + 1: ErrCorrupt} {
			z, _ := NewCompressor(CompressorConfig{Bits: bits + 1, Pool: pool}).Append(nil, farMatch(dist))
			if _, err := inflate(NewDecompressor(bits, false, pool), z, 1<<20); !errors.Is(err, want) {
				t.Errorf("a decompressor with %d bits meets the distance %d: %v, want %v", bits, dist, err, want)
			}
		}
	}
}

func TestLimit(t *testing.T) {
	pool := new(Pool)
	for name, in := range inputs() {
		z, _ := NewCompressor(CompressorConfig{MinSize: -1, Pool: pool}).Append(nil, in)
		for _, limit := range []int{len(in), len(in) - 1, len(in) / 2, 0, -1} {
			if limit < 0 && len(in) == 0 {
				continue // there is nothing that could be too long
			}
			out, err := inflate(NewDecompressor(MaxBits, true, pool), z, limit)
			if limit >= len(in) && err != nil {
				t.Errorf("%s with the limit %d: %v", name, limit, err)
			}
			if limit < len(in) && !errors.Is(err, ErrTooLong) {
				t.Errorf("%s with the limit %d of %d: %v", name, limit, len(in), err)
			}
			if len(out) > max(limit, 0) {
				t.Errorf("%s with the limit %d: %d bytes were written", name, limit, len(out))
			}
		}
	}
}

// TestBomb inflates a message that would be 1000 times as long: what is held stays below the limit, and the error
// comes with the first piece that goes too far.
func TestBomb(t *testing.T) {
	pool := new(Pool)
	z, _ := NewCompressor(CompressorConfig{Pool: pool}).Append(nil, make([]byte, 8<<20))
	const limit = 100_000
	d := NewDecompressor(MaxBits, true, pool)
	var out []byte
	var err error
	read := 0
	for ; err == nil && read < len(z); read++ {
		out, err = d.Append(out, z[read:read+1], limit)
	}
	if !errors.Is(err, ErrTooLong) || len(out) > limit || cap(out) > limit+limit/4 {
		t.Errorf("%v with %d bytes written in a buffer of %d", err, len(out), cap(out))
	}
	if read > 500 {
		t.Errorf("noticed only after %d of %d bytes", read, len(z))
	}
}

// TestNoLimit inflates byte by byte under the greatest limit: the buffer must grow by doubling there too.
func TestNoLimit(t *testing.T) {
	in := make([]byte, 1<<20)
	z, _ := NewCompressor(CompressorConfig{Pool: new(Pool)}).Append(nil, in)
	d := NewDecompressor(MaxBits, false, new(Pool))
	out, grown := make([]byte, 3), 0
	for i := range z {
		before := cap(out)
		var err error
		if out, err = d.Append(out, z[i:i+1], math.MaxInt); err != nil {
			t.Fatal(err)
		}
		if cap(out) != before {
			grown++
		}
	}
	out, err := d.Finish(out, math.MaxInt)
	if err != nil || !bytes.Equal(out[3:], in) || grown > 20 {
		t.Errorf("%d bytes, %v, grown %d times", len(out)-3, err, grown)
	}
}

// TestPoolIsShared has many connections use one Pool at the same time; the race detector watches.
func TestPoolIsShared(t *testing.T) {
	pool := new(Pool)
	var wg sync.WaitGroup
	for k := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(k), 1))
			c := NewCompressor(CompressorConfig{Bits: MinBits + k, Takeover: k%2 == 0, Pool: pool})
			d := NewDecompressor(MinBits+k, k%2 == 0, pool)
			for i := range 50 {
				in := jsonMessage(r, 100+r.IntN(5000))
				z, _ := c.Append(nil, in)
				if out, err := inflate(d, z, len(in)); err != nil || !bytes.Equal(out, in) {
					t.Errorf("connection %d, message %d: %v", k, i, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestMinSize(t *testing.T) {
	pool := new(Pool)
	c := NewCompressor(CompressorConfig{Takeover: true, MinSize: 100, Pool: pool})
	in := bytes.Repeat([]byte("ab"), 50)
	if z, ok := c.Append([]byte("x"), in[:99]); ok || string(z) != "x" || len(c.Window()) != 0 {
		t.Errorf("99 bytes: %v, %q, window of %d bytes: the compressor was fed", ok, z, len(c.Window()))
	}
	if _, ok := c.Append(nil, in); !ok || len(c.Window()) != 100 {
		t.Errorf("100 bytes: %v, window of %d bytes", ok, len(c.Window()))
	}
	byDefault := NewCompressor(CompressorConfig{Pool: pool})
	if _, ok := byDefault.Append(nil, in[:DefaultMinSize-1]); ok {
		t.Error("the default minimum is not kept")
	}
	if _, ok := byDefault.Append(nil, in[:DefaultMinSize]); !ok {
		t.Error("the default minimum is exceeded")
	}
}

// TestRestore moves a conversation from object to object: between messages, and in the middle of one.
func TestRestore(t *testing.T) {
	pool := new(Pool)
	r := rand.New(rand.NewPCG(3, 4))
	for _, bits := range []int{8, 10, 15} {
		cfg := CompressorConfig{Bits: bits, Takeover: true, Pool: pool}
		c, d := NewCompressor(cfg), NewDecompressor(bits, true, pool)
		lone := NewCompressor(CompressorConfig{Bits: bits, Pool: pool})
		total, alone := 0, 0
		for i := range 60 {
			in := jsonMessage(r, 200+r.IntN(3000))
			z, _ := c.Append(nil, in)
			apart, _ := lone.Append(nil, in)
			if i > 0 {
				total, alone = total+len(z), alone+len(apart)
			}
			cut := r.IntN(len(z) + 1)
			out, err := d.Append(nil, z[:cut], len(in))
			if err != nil {
				t.Fatal(err)
			}
			moved := NewDecompressor(bits, true, pool)
			if err := moved.Restore(d.Window(), d.AppendState(nil)); err != nil {
				t.Fatalf("%d bits, message %d cut at %d of %d: %v", bits, i, cut, len(z), err)
			}
			d = moved
			if out, err = d.Append(out, z[cut:], len(in)); err == nil {
				out, err = d.Finish(out, len(in))
			}
			if err != nil || !bytes.Equal(out, in) {
				t.Fatalf("%d bits, message %d cut at %d of %d: %v", bits, i, cut, len(z), err)
			}
			next := NewCompressor(cfg)
			if err := next.Restore(c.Window()); err != nil {
				t.Fatal(err)
			}
			c = next
		}
		if total >= alone {
			t.Errorf("%d bits: restored compressors make %d bytes, and %d without any context", bits, total, alone)
		}
	}
}

func TestRestoreRefuses(t *testing.T) {
	pool := new(Pool)
	if err := NewCompressor(CompressorConfig{Bits: 8, Takeover: true, Pool: pool}).Restore(make([]byte, 257)); !errors.Is(err, ErrState) {
		t.Errorf("a window that is too large: %v", err)
	}
	if err := NewCompressor(CompressorConfig{Bits: 8, Pool: pool}).Restore(make([]byte, 1)); !errors.Is(err, ErrState) {
		t.Errorf("a window without takeover: %v", err)
	}
	d := NewDecompressor(8, true, pool)
	if err := d.Restore(make([]byte, 257), nil); !errors.Is(err, ErrState) {
		t.Errorf("a window that is too large: %v", err)
	}
	z, _ := NewCompressor(CompressorConfig{Pool: pool}).Append(nil, inputs()["json"])
	if _, err := d.Append(nil, z[:len(z)/2], 1<<20); err != nil {
		t.Fatal(err)
	}
	state := d.AppendState(nil)
	if len(state) < stateHead || len(state) > 400 {
		t.Fatalf("the state has %d bytes", len(state))
	}
	for i := range state {
		if err := NewDecompressor(8, true, pool).Restore(nil, state[:i]); i > 0 && !errors.Is(err, ErrState) {
			t.Errorf("%d bytes of %d were taken: %v", i, len(state), err)
		}
	}
}

func TestNoAllocationsInSteadyState(t *testing.T) {
	pool := new(Pool)
	r := rand.New(rand.NewPCG(5, 6))
	var messages [16][]byte
	for i := range messages {
		messages[i] = jsonMessage(r, 1024)
	}
	for _, takeover := range []bool{false, true} {
		c := NewCompressor(CompressorConfig{Takeover: takeover, Pool: pool})
		d := NewDecompressor(MaxBits, takeover, pool)
		var z, out []byte
		i := 0
		round := func() {
			m := messages[i%len(messages)]
			i++
			z, _ = c.Append(z[:0], m)
			var err error
			if out, err = d.Append(out[:0], z, 4096); err == nil {
				out, err = d.Finish(out, 4096)
			}
			if err != nil || !bytes.Equal(out, m) {
				t.Fatalf("message %d: %v", i, err)
			}
		}
		for range 100 {
			round()
		}
		if n := testing.AllocsPerRun(1000, round); n != 0 && !raceEnabled() {
			t.Errorf("takeover %v: %v allocations for a message there and back", takeover, n)
		}
	}
}

// raceEnabled reports whether this is a build with the race detector, under which sync.Pool drops things on purpose.
func raceEnabled() bool {
	var p Pool
	for range 64 {
		p.tables.Put(new(tables))
		if p.tables.Get() == nil {
			return true
		}
	}
	return false
}

// TestMemory holds what connections really keep against what a Budget is told.
func TestMemory(t *testing.T) {
	const n = 16
	pool := new(Pool)
	in := jsonMessage(rand.New(rand.NewPCG(7, 8)), 45_000)
	for _, bits := range []int{8, 9, 12, 15} {
		for _, takeover := range []bool{false, true} {
			var cs [n]*Compressor
			var ds [n]*Decompressor
			heldC := held(func() {
				for i := range cs {
					cs[i] = NewCompressor(CompressorConfig{Bits: bits, Takeover: takeover, Pool: pool})
					_, _ = cs[i].Append(nil, in)
				}
			}) / n
			z, _ := NewCompressor(CompressorConfig{Bits: bits, Pool: pool}).Append(nil, in)
			heldD := held(func() {
				for i := range ds {
					ds[i] = NewDecompressor(bits, takeover, pool)
					if _, err := inflate(ds[i], z, len(in)); err != nil {
						t.Fatal(err)
					}
				}
			}) / n
			t.Logf("%d bits, takeover %v: compressor %d bytes, decompressor %d", bits, takeover, heldC, heldD)
			const loose = 1024 // the object itself, and size classes
			if most := CompressorMemory(bits, takeover) + loose; heldC > most {
				t.Errorf("%d bits, takeover %v: a compressor holds %d bytes, more than %d", bits, takeover, heldC, most)
			}
			if most := DecompressorMemory(bits, takeover) + loose; heldD > most {
				t.Errorf("%d bits, takeover %v: a decompressor holds %d bytes, more than %d", bits, takeover, heldD, most)
			}
			runtime.KeepAlive(cs)
			runtime.KeepAlive(ds)
			runtime.KeepAlive(z)
			runtime.KeepAlive(in)
		}
	}
}

// held returns how much larger the heap is after f; what the pool keeps is there before.
func held(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func BenchmarkMessage(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	var messages [256][]byte
	for i := range messages {
		messages[i] = jsonMessage(r, 1024)
	}
	pool := new(Pool)
	for _, level := range []Level{Fast, Balanced} {
		for _, bits := range []int{0, 9, 12, 15} { // 0: no takeover
			c := NewCompressor(CompressorConfig{Bits: bits, Takeover: bits > 0, Level: level, Pool: pool})
			d := NewDecompressor(0, bits > 0, pool)
			var zs [256][]byte
			var z, out []byte
			b.Run(fmt.Sprintf("compress/level=%d/takeover=%d", level, bits), func(b *testing.B) {
				b.ReportAllocs()
				sum, i := 0, 0
				for b.Loop() {
					z, _ = c.Append(z[:0], messages[i&255])
					sum, i = sum+len(z), i+1
				}
				b.ReportMetric(float64(sum)/float64(i), "bytes/message")
			})
			c = NewCompressor(c.cfg)
			for range 2 { // as the decompressor meets them: over and over, in order
				for i, m := range messages {
					zs[i], _ = c.Append(nil, m)
				}
			}
			_ = d.Restore(c.Window(), nil)
			b.Run(fmt.Sprintf("decompress/level=%d/takeover=%d", level, bits), func(b *testing.B) {
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					var err error
					if out, err = d.Append(out[:0], zs[i&255], 4096); err == nil {
						out, err = d.Finish(out, 4096)
					}
					if err != nil {
						b.Fatal(i, err)
					}
				}
			})
		}
	}
}
