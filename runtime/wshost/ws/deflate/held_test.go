package deflate

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// everyBlock is a message with a stored, a fixed and a dynamic block, and one with BFINAL, and what it says.
func everyBlock(pool *Pool) (payload, message []byte) {
	r := rand.New(rand.NewPCG(11, 12))
	noise := make([]byte, 300)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, part := range [][]byte{noise, []byte("Hello, hello, hello"), jsonMessage(r, 700), bytes.Repeat([]byte{'x'}, 1000)} {
		z, _ := NewCompressor(CompressorConfig{MinSize: -1, Pool: pool}).Append(nil, part)
		payload = append(append(payload, z...), tail[:]...)
		message = append(message, part...)
	}
	return append(payload, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"...), append(message, "Hello"...)
}

// TestHandOverAfterEveryByte moves a message from one decompressor to another after each of its bytes: what is written
// down is all that is known, and no longer than it is said to be.
func TestHandOverAfterEveryByte(t *testing.T) {
	pool := new(Pool)
	payload, message := everyBlock(pool)
	window := bytes.Repeat([]byte("before"), 100)
	kinds := map[phase]bool{}
	for cut := range len(payload) + 1 {
		first, second := NewDecompressor(10, true, pool), NewDecompressor(10, true, pool)
		if err := first.Restore(window, nil); err != nil {
			t.Fatal(err)
		}
		out, err := first.Append(nil, payload[:cut], len(message))
		if err != nil {
			t.Fatalf("%d bytes: %v", cut, err)
		}
		state := first.AppendState(nil)
		if len(state) > 400 {
			t.Errorf("after %d bytes the state has %d", cut, len(state))
		}
		if err := second.Restore(first.Window(), state); err != nil {
			t.Fatalf("after %d bytes: %v", cut, err)
		}
		if again := second.AppendState(nil); !bytes.Equal(again, state) {
			t.Fatalf("after %d bytes %x is written down as %x", cut, state, again)
		}
		kinds[first.phase] = true
		if out, err = second.Append(out, payload[cut:], len(message)); err == nil {
			out, err = second.Finish(out, len(message))
		}
		if err != nil || !bytes.Equal(out, message) {
			t.Fatalf("moved after %d bytes: %d bytes of %d, %v", cut, len(out), len(message), err)
		}
		if said := append(bytes.Clone(window), message...); !bytes.Equal(second.Window(), said[len(said)-1024:]) {
			t.Fatalf("moved after %d bytes: a wrong window", cut)
		}
	}
	for _, p := range []phase{atHeader, atStored, inStored, atOrder, atLens, atSymbols} {
		if !kinds[p] {
			t.Errorf("no cut falls into phase %d", p)
		}
	}
}

// TestRestoreRefusesFixedLengths: a fixed block has no lengths to be read.
func TestRestoreRefusesFixedLengths(t *testing.T) {
	pool := new(Pool)
	d := NewDecompressor(8, true, pool)
	if _, err := d.Append(nil, []byte("\xf2\x48"), 100); err != nil || d.phase != atSymbols || !d.fixed {
		t.Fatal(err, d.phase, d.fixed)
	}
	state := d.AppendState(nil)
	for p, want := range map[phase]error{atSizes: ErrState, atOrder: ErrState, atLens: ErrState, atSymbols: nil} {
		state[1] = byte(p)
		if err := NewDecompressor(8, true, pool).Restore(nil, state); !errors.Is(err, want) {
			t.Errorf("phase %d of a fixed block: %v, want %v", p, err, want)
		}
	}
}

// TestHeld: what is held grows with what is said, up to what a Budget is told and not beyond.
func TestHeld(t *testing.T) {
	pool := new(Pool)
	if n := unsafe.Sizeof(Decompressor{}); n > inflaterMemory {
		t.Errorf("a Decompressor is %d bytes itself, more than %d", n, inflaterMemory)
	}
	if n := unsafe.Sizeof(places(0)); n != placesSize {
		t.Errorf("places are %d bytes", n)
	}
	in := jsonMessage(rand.New(rand.NewPCG(13, 14)), 1000)
	for bits := MinBits; bits <= MaxBits; bits++ {
		for _, takeover := range []bool{false, true} {
			c := NewCompressor(CompressorConfig{Bits: bits, Takeover: takeover, Pool: pool})
			d := NewDecompressor(bits, takeover, pool)
			if c.Held() != 0 || d.Held() != inflaterMemory {
				t.Errorf("%d bits: %d and %d bytes before the first message", bits, c.Held(), d.Held())
			}
			mostC, mostD := int(CompressorMemory(bits, takeover)), int(DecompressorMemory(bits, takeover))
			for i := range 100 {
				z, _ := c.Append(nil, in)
				if _, err := inflate(d, z, len(in)); err != nil {
					t.Fatal(err)
				}
				if c.Held() > mostC || d.Held() > mostD {
					t.Fatalf("%d bits, takeover %v, message %d: %d of %d and %d of %d bytes",
						bits, takeover, i, c.Held(), mostC, d.Held(), mostD)
				}
			}
			// A window that is shorter than each message is replaced by it, and needs no room to move.
			if c.Held() != mostC || d.Held() != mostD && 1<<bits > len(in) {
				t.Errorf("%d bits, takeover %v, windows full: %d of %d and %d of %d bytes",
					bits, takeover, c.Held(), mostC, d.Held(), mostD)
			}
			p := Params{ServerNoContextTakeover: !takeover, ClientNoContextTakeover: !takeover, ServerMaxWindowBits: bits, ClientMaxWindowBits: bits}
			if n := p.Memory(true); takeover && n != int64(mostC+mostD) || !takeover && n != 0 {
				t.Errorf("%d bits, takeover %v: Params.Memory is %d", bits, takeover, n)
			}
		}
	}
	if n := (Params{ServerMaxWindowBits: MaxBits, ClientMaxWindowBits: MaxBits}).Memory(true); n > 128<<10 {
		t.Errorf("a connection with full windows holds %d bytes", n)
	}
}

// TestPoolLeavesNoTrace: what a message becomes does not depend on whose message was compressed in the same memory
// before.
func TestPoolLeavesNoTrace(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, takeover := range []bool{false, true} {
		for range 20 {
			in, other := jsonMessage(r, 100+r.IntN(40_000)), jsonMessage(r, 100+r.IntN(40_000))
			used := new(Pool)
			e := new(encoder)
			used.encoders.Put(e)
			_, _ = NewCompressor(CompressorConfig{Pool: used}).Append(nil, other)
			cfg := CompressorConfig{Takeover: takeover, Pool: used}
			after, _ := NewCompressor(cfg).Append(nil, in)
			cfg.Pool = new(Pool)
			alone, _ := NewCompressor(cfg).Append(nil, in)
			if !bytes.Equal(after, alone) {
				t.Fatalf("takeover %v: %d bytes become %d bytes in used memory, %d other bytes in new", takeover, len(in), len(after), len(alone))
			}
		}
	}
}

// TestHugeRuns inflates and compresses what takes one copy for each match, with periods around every way of copying;
// under the race detector this is what makes it bearable.
func TestHugeRuns(t *testing.T) {
	pool := new(Pool)
	for _, c := range []struct{ period, size int }{
		{1, 33_500_000}, {2, 300_000}, {3, 300_000}, {7, 300_000}, {8, 300_000}, {9, 300_000}, {31, 300_000},
		{33, 300_000}, {129, 300_000}, {257, 300_000}, {258, 300_000}, {259, 300_000}, {32768, 300_000},
	} {
		in := make([]byte, c.size)
		for i := range min(c.period, c.size) {
			in[i] = byte(i*i>>3 ^ i)
		}
		for n := c.period; n < c.size; n *= 2 {
			copy(in[n:], in[:n])
		}
		z, _ := NewCompressor(CompressorConfig{Pool: pool}).Append(nil, in)
		out, err := inflate(NewDecompressor(MaxBits, true, pool), z, len(in))
		if err != nil || !bytes.Equal(out, in) {
			t.Fatalf("period %d: %d bytes of %d, %v", c.period, len(out), len(in), err)
		}
	}
}

// TestSpareBytes: behind what is returned only bytes within the capacity and the limit may change, before it none.
func TestSpareBytes(t *testing.T) {
	pool := new(Pool)
	in := jsonMessage(rand.New(rand.NewPCG(17, 18)), 1500)
	z, _ := NewCompressor(CompressorConfig{Pool: pool}).Append(nil, in)
	const mark = 0xA5
	for over := range 600 {
		limit := len(in) + over
		buf := bytes.Repeat([]byte{mark}, len(in)+1200)
		d := NewDecompressor(MaxBits, false, pool)
		out, err := d.Append(buf[:10], z, limit)
		if err == nil {
			out, err = d.Finish(out, limit)
		}
		if err != nil || !bytes.Equal(out[10:], in) || &out[0] != &buf[0] {
			t.Fatalf("limit %d: %d bytes, %v", limit, len(out), err)
		}
		if n := bytes.Count(buf[:10], []byte{mark}); n != 10 {
			t.Fatalf("limit %d: bytes before the message were written", limit)
		}
		if rest := buf[10+limit:]; bytes.Count(rest, []byte{mark}) != len(rest) {
			t.Fatalf("limit %d: bytes beyond it were written", limit)
		}
	}
	for room := range 600 {
		buf := bytes.Repeat([]byte{mark}, len(in)+1200)
		end := len(in) + room
		d := NewDecompressor(MaxBits, false, pool)
		out, err := d.Append(buf[:0:end], z, 1<<20)
		if err == nil {
			out, err = d.Finish(out, 1<<20)
		}
		if err != nil || !bytes.Equal(out, in) || &out[0] != &buf[0] {
			t.Fatalf("%d bytes of room: %v, or another buffer was made", end, err)
		}
		if rest := buf[end:]; bytes.Count(rest, []byte{mark}) != len(rest) {
			t.Fatalf("%d bytes of room: bytes behind them were written", end)
		}
	}
}

// TestSymbols holds the symbols of all lengths and distances against their bases and extra bits.
func TestSymbols(t *testing.T) {
	for length := minMatch; length <= maxMatch; length++ {
		s, extra, n := lengthCode(uint8(length - minMatch))
		base, wide := lengthBase(s - 257)
		if s < 257 || s >= litCodes || base+int(extra) != length || uint(wide) != n || extra>>n != 0 {
			t.Errorf("length %d: symbol %d of base %d and %d bits, with %d in %d bits", length, s, base, wide, extra, n)
		}
	}
	for dist := 1; dist <= 1<<MaxBits; dist++ {
		s, extra, n := distCode(uint32(dist - 1))
		base, wide := distBase(s)
		if s >= distCodes || base+int(extra) != dist || uint(wide) != n || extra>>n != 0 {
			t.Fatalf("distance %d: symbol %d of base %d and %d bits, with %d in %d bits", dist, s, base, wide, extra, n)
		}
	}
}

// TestGrow has the room for what is inflated come from elsewhere, never more of it than the limit allows, and given up
// when there is a larger one.
func TestGrow(t *testing.T) {
	plain := new(Pool)
	payload, message := everyBlock(plain)
	var given [][]byte
	lent := 0
	pool := &Pool{Grow: func(old []byte, need, most int) []byte {
		if need > most || need <= cap(old) || need > len(message) || most > len(message) {
			t.Errorf("asked for %d to %d bytes, having %d, for a message of %d", need, most, cap(old), len(message))
		}
		lent++
		grown := append(make([]byte, 0, need), old...)
		given = append(given, old)
		// Whoever takes it back uses it at once.
		for i := range old {
			old[i] = 0xee
		}
		return grown
	}}
	for _, step := range []int{1, 7, len(payload)} {
		d, lent0 := NewDecompressor(10, true, pool), lent
		var out []byte
		var err error
		for rest := payload; len(rest) > 0 && err == nil; rest = rest[min(step, len(rest)):] {
			out, err = d.Append(out, rest[:min(step, len(rest))], len(message))
		}
		if err == nil {
			out, err = d.Finish(out, len(message))
		}
		if err != nil || !bytes.Equal(out, message) {
			t.Fatalf("in steps of %d: %d bytes of %d, %v", step, len(out), len(message), err)
		}
		if lent == lent0 {
			t.Errorf("in steps of %d: no room was asked for", step)
		}
	}
	for _, b := range given {
		if len(bytes.Trim(b, "\xee")) > 0 {
			t.Fatal("a slice was written to after it was given back")
		}
	}
}
