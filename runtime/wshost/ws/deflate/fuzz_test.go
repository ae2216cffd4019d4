package deflate

import (
	"bytes"
	"errors"
	"testing"
)

// pieces inflates payload in pieces, whose lengths cuts gives, and moves to a new decompressor between them.
func pieces(t *testing.T, d *Decompressor, bits int, payload, cuts []byte, limit int) (*Decompressor, []byte, error) {
	var out []byte
	var err error
	for i := 0; len(payload) > 0 && err == nil; i++ {
		n := 1
		if len(cuts) > 0 {
			n = min(int(cuts[i%len(cuts)]), len(payload))
		}
		out, err = d.Append(out, payload[:n], limit)
		if n == 0 && i > 2*len(payload) {
			n = 1 // cuts of nothing but zeros
			if err == nil {
				out, err = d.Append(out, payload[:n], limit)
			}
		}
		payload = payload[n:]
		if err == nil {
			next := NewDecompressor(bits, true, d.pool)
			if e := next.Restore(d.Window(), d.AppendState(nil)); e != nil {
				t.Fatalf("the state with %d bytes to come is refused: %v", len(payload), e)
			}
			d = next
		}
	}
	if err == nil {
		out, err = d.Finish(out, limit)
	}
	return d, out, err
}

// FuzzDecompress: any bytes give the same result however they are cut and whoever goes on, never more than the limit,
// and what the standard library can read, too.
func FuzzDecompress(f *testing.F) {
	pool := new(Pool)
	for _, in := range inputs() {
		if len(in) < 5000 {
			for _, level := range []Level{Fast, Balanced} {
				z, _ := NewCompressor(CompressorConfig{Bits: 10, Level: level, MinSize: -1, Pool: pool}).Append(nil, in)
				f.Add(z, []byte{3, 1, 0, 7}, uint16(len(in)), uint8(2))
				f.Add(z, []byte{}, uint16(len(in)/2), uint8(7))
			}
		}
	}
	for _, s := range []string{"", "\x00", "\xf2\x00\x11\x00\x00", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00", string(codeWithoutEnd())} {
		f.Add([]byte(s), []byte{1}, uint16(10), uint8(0))
	}
	past := bytes.Repeat([]byte("what was said before, "), 400)
	f.Fuzz(func(t *testing.T, payload, cuts []byte, most uint16, b uint8) {
		bits, limit := MinBits+int(b%8), int(most)
		whole, parts := NewDecompressor(bits, true, pool), NewDecompressor(bits, true, pool)
		window := past[max(len(past)-1<<bits, 0):]
		for _, d := range []*Decompressor{whole, parts} {
			if err := d.Restore(window, nil); err != nil {
				t.Fatal(err)
			}
		}
		one, errOne := inflate(whole, payload, limit)
		parts, many, errMany := pieces(t, parts, bits, payload, cuts, limit)
		if !errors.Is(errMany, errOne) || !errors.Is(errOne, errMany) {
			t.Fatalf("at once: %v, in pieces: %v", errOne, errMany)
		}
		if len(one) > limit || len(many) > limit {
			t.Fatalf("%d and %d bytes were written, the limit is %d", len(one), len(many), limit)
		}
		if !bytes.Equal(one, many) {
			t.Fatalf("at once %d bytes, in pieces %d", len(one), len(many))
		}
		if errOne == nil && !bytes.Equal(whole.Window(), parts.Window()) {
			t.Fatal("the windows differ")
		}
		std, errStd := stdInflate(payload, window)
		switch {
		case errOne == nil:
			// What follows a final block the standard library does not read.
			if !bytes.HasPrefix(one, std) || errStd == nil && len(std) < len(one) && !hasFinal(payload, window, limit) {
				t.Fatalf("compress/flate reads %q (%v), we %q", std, errStd, one)
			}
		case errors.Is(errOne, ErrTooLong):
			if errStd == nil && len(std) <= limit && !hasFinal(payload, window, limit) {
				t.Fatalf("compress/flate reads %d bytes, the limit is %d", len(std), limit)
			}
		}
	})
}

// hasFinal reports whether payload has a block with BFINAL, read byte by byte.
func hasFinal(payload, window []byte, limit int) bool {
	d := NewDecompressor(MaxBits, true, new(Pool))
	_ = d.Restore(window, nil)
	var out []byte
	for i := range payload {
		var err error
		if out, err = d.Append(out, payload[i:i+1], limit); err != nil {
			return d.final
		}
		if d.final {
			return true
		}
	}
	_, _ = d.Append(out, tail[:], limit)
	return d.final
}

// FuzzRoundTrip: what one side compresses the other gets, with any window, and so does the standard library; what is
// not sent compressed leaves no trace.
func FuzzRoundTrip(f *testing.F) {
	for _, in := range inputs() {
		if len(in) < 5000 {
			f.Add(in, uint16(len(in)/2), uint8(0), true)
			f.Add(in, uint16(7), uint8(7), false)
		}
	}
	pool := new(Pool)
	f.Fuzz(func(t *testing.T, in []byte, step uint16, b uint8, takeover bool) {
		bits := MinBits + int(b%8)
		cfg := CompressorConfig{Bits: bits, Takeover: takeover, Level: 1 + Level(b>>7), MinSize: 3, Pool: pool}
		c, d := NewCompressor(cfg), NewDecompressor(bits, takeover, pool)
		var past []byte
		for i := 0; len(in) > 0 && i < 100; i++ {
			m := in[:min(len(in), 1+int(step))]
			in = in[len(m):]
			z, ok := c.Append(nil, m)
			if ok != (len(m) >= 3) {
				t.Fatalf("%d bytes, compressed: %v", len(m), ok)
			}
			if !ok {
				continue
			}
			if out, err := inflate(d, z, len(m)); err != nil || !bytes.Equal(out, m) {
				t.Fatalf("message %d of %d bytes comes back as %d, %v", i, len(m), len(out), err)
			}
			if out, err := stdInflate(z, past); err != nil || !bytes.Equal(out, m) {
				t.Fatalf("message %d of %d bytes is %d for compress/flate, %v", i, len(m), len(out), err)
			}
			if takeover {
				past = append(past, m...)
				past = past[max(len(past)-1<<bits, 0):]
			}
			if i%3 == 2 {
				next := NewCompressor(cfg)
				if err := next.Restore(c.Window()); err != nil {
					t.Fatal(err)
				}
				c = next
			}
		}
	})
}

// FuzzRestore: any state is refused or can be gone on with.
func FuzzRestore(f *testing.F) {
	pool := new(Pool)
	z, _ := NewCompressor(CompressorConfig{Pool: pool}).Append(nil, inputs()["json"])
	for _, n := range []int{1, 5, 20, 60, 100, 200} {
		d := NewDecompressor(MaxBits, true, pool)
		if _, err := d.Append(nil, z[:n], 1<<20); err != nil {
			f.Fatal(err)
		}
		f.Add(d.AppendState(nil), z[n:])
	}
	f.Fuzz(func(t *testing.T, state, payload []byte) {
		d := NewDecompressor(MaxBits, true, pool)
		if d.Restore(nil, state) != nil || d.said > 1<<20 {
			return
		}
		if again := d.AppendState(nil); len(state) > 0 && len(again) != len(state) {
			t.Fatalf("%x is written down as %x", state, again)
		}
		limit := d.said + 10_000
		out, err := d.Append(make([]byte, d.said), payload, limit)
		if err == nil {
			out, _ = d.Finish(out, limit)
		}
		if len(out) > limit {
			t.Fatalf("%d bytes were written, the limit is %d", len(out), limit)
		}
	})
}
