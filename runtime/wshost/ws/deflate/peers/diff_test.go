package peers

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
)

// conversation is what a seed says: messages of any size from nothing to several blocks, and of any kind.
func conversation(seed uint64, n int) [][]byte {
	r := rand.New(rand.NewPCG(seed, 3))
	var m [][]byte
	for range n {
		size := 1 + r.IntN(1<<(1+r.IntN(17)))
		var p []byte
		switch r.IntN(5) {
		case 0:
			p = make([]byte, size) // a run
		case 1:
			for range size { // noise
				p = append(p, byte(r.Uint32()))
			}
		case 2:
			for range size { // few symbols, no order
				p = append(p, "abcd"[r.IntN(4)])
			}
		case 3:
			for len(p) < size { // short periods
				p = append(p, bytes.Repeat([]byte(words[r.IntN(len(words))]), 1+r.IntN(20))...)
			}
		default:
			p = message(r, max(size, 256))
		}
		m = append(m, p)
	}
	return m
}

// TestEveryPair has each compressor read by each other codec, with and without takeover.
func TestEveryPair(t *testing.T) {
	talk := conversation(1, 60)
	for _, takeover := range []bool{false, true} {
		for _, from := range codecs {
			for _, to := range codecs[:3] {
				c, d := from.make(takeover), to.make(takeover)
				for i, m := range talk {
					out, err := d.inflate(c.compress(m))
					if err != nil || !bytes.Equal(out, m) {
						t.Fatalf("takeover %v, %s to %s, message %d of %d bytes comes back as %d: %v",
							takeover, from.name, to.name, i, len(m), len(out), err)
					}
				}
			}
		}
	}
}

// TestLevelsOfPeers inflates what klauspost's compressors make at every level, among them some that no other has, in
// two pieces and in the hands of a second decompressor for the second.
func TestLevelsOfPeers(t *testing.T) {
	pool := new(deflate.Pool)
	for level := flate.HuffmanOnly; level <= flate.BestCompression; level++ {
		r := rand.New(rand.NewPCG(uint64(level+10), 4))
		var z bytes.Buffer
		w, err := flate.NewWriter(&z, level)
		if err != nil {
			t.Fatal(err)
		}
		d := deflate.NewDecompressor(deflate.MaxBits, true, pool)
		for i, m := range conversation(2, 30) {
			z.Reset()
			_, _ = w.Write(m)
			_ = w.Flush()
			p := bytes.TrimSuffix(z.Bytes(), sync)
			cut := r.IntN(len(p) + 1)
			out, err := d.Append(nil, p[:cut], len(m))
			if err == nil {
				next := deflate.NewDecompressor(deflate.MaxBits, true, pool)
				if err = next.Restore(d.Window(), d.AppendState(nil)); err == nil {
					d = next
					out, err = d.Append(out, p[cut:], len(m))
				}
			}
			if err == nil {
				out, err = d.Finish(out, len(m))
			}
			if err != nil || !bytes.Equal(out, m) {
				t.Fatalf("level %d, message %d cut at %d: %d bytes of %d, %v", level, i, cut, len(out), len(m), err)
			}
		}
	}
}

// TestRepliesAreNoLonger holds the sizes that BenchmarkCompress reports against gws.
func TestRepliesAreNoLonger(t *testing.T) {
	in := messages(batch, 1024)
	for _, takeover := range []bool{false, true} {
		sizes := map[string]int{"gws": newGWS(t, takeover).echo(firstRound(takeover, in))}
		for _, k := range codecs {
			c := k.make(takeover)
			for _, m := range in {
				sizes[k.name] += len(c.compress(m))
			}
		}
		t.Logf("takeover %v, bytes of %d messages of 1024: %v", takeover, batch, sizes)
		for _, ours := range []string{"fast", "balanced"} {
			if sizes[ours] > sizes["gws"] {
				t.Errorf("takeover %v, %s: %d bytes, gws %d", takeover, ours, sizes[ours], sizes["gws"])
			}
		}
		if sizes["klauspost"] != sizes["gws"] {
			t.Errorf("takeover %v: the way that gws goes gives %d bytes, gws itself %d", takeover, sizes["klauspost"], sizes["gws"])
		}
	}
}

// FuzzInflate: what klauspost's reader takes for a message we read the same, and what we take for one it does.
func FuzzInflate(f *testing.F) {
	for i, m := range conversation(3, 12) {
		c := codecs[i%len(codecs)].make(false)
		if z := c.compress(m); len(z) < 2000 {
			f.Add(bytes.Clone(z))
		}
	}
	f.Add([]byte("\xf3\x48\xcd\xc9\xc9\x07\x00"))
	pool := new(deflate.Pool)
	r := flate.NewReader(nil)
	const limit = 1 << 20
	read := func(payload, end []byte) (out []byte, left int, err error) {
		src := bytes.NewReader(append(bytes.Clone(payload), end...))
		_ = r.(flate.Resetter).Reset(src, nil)
		out, err = io.ReadAll(io.LimitReader(r, limit+1))
		return out, src.Len(), err
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		d := deflate.NewDecompressor(deflate.MaxBits, false, pool)
		own, err := d.Append(nil, payload, limit)
		fed := len(own) // of the message itself, without the tail
		if err == nil {
			own, err = d.Finish(own, limit)
		}
		other, left, otherErr := read(payload, whole)
		if otherErr != nil {
			// A message may lack the empty block whose end the tail is.
			other, left, otherErr = read(payload, whole[len(sync):])
		}
		// Their reader ends with the first block that has BFINAL, a message goes on behind it.
		switch whole := left == 0 && len(other) <= limit; {
		case err == nil && otherErr != nil:
			t.Fatalf("klauspost finds %v, we %s", otherErr, short(own))
		case err == nil && (!bytes.HasPrefix(own, other) || whole && len(own) != len(other)):
			t.Fatalf("klauspost reads %s, we %s", short(other), short(own))
		case err != nil && len(other) <= limit && !bytes.HasPrefix(other, own[:fed]) && left == 0:
			t.Fatalf("we read %s up to %v, klauspost %s", short(own[:fed]), err, short(other))
		}
	})
}

func short(p []byte) string { return fmt.Sprintf("%d bytes, %.40q", len(p), p) }

// FuzzCompress: whatever was said before, klauspost's reader reads what we compress.
func FuzzCompress(f *testing.F) {
	f.Add([]byte(`{"id":1,"name":"a"}{"id":2,"name":"b"}`), []byte(`{"id":3,"name":"a"}`), uint8(7), true)
	f.Add(make([]byte, 300), []byte{1}, uint8(128), false)
	pool := new(deflate.Pool)
	d := newDictionary(true)
	f.Fuzz(func(t *testing.T, first, second []byte, b uint8, takeover bool) {
		c := deflate.NewCompressor(deflate.CompressorConfig{
			Bits: deflate.MinBits + int(b%8), Level: 1 + deflate.Level(b>>7), Takeover: takeover, MinSize: -1, Pool: pool,
		})
		d.takeover, d.past.buf = takeover, d.past.buf[:0]
		for _, m := range [][]byte{first, second, first} {
			z, _ := c.Append(nil, m)
			if out, err := d.inflate(z); err != nil || !bytes.Equal(out, m) {
				t.Fatalf("klauspost reads %s of %s, %v", short(out), short(m), err)
			}
		}
	})
}
