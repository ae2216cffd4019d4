package deflate

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
)

// inputs are messages of every kind that the encoder treats differently.
func inputs() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 40_000)
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	var skewed bytes.Buffer // Fibonacci frequencies: a Huffman tree deeper than any code may be
	for i, a, b := 0, 1, 1; i < 20; i, a, b = i+1, b, a+b {
		for range a {
			skewed.WriteByte(byte(i * 7))
		}
	}
	shuffled := skewed.Bytes()
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	m := map[string][]byte{
		"nothing": {}, "one byte": {7}, "three bytes": []byte("abc"), "hello": []byte("Hello"),
		"run": bytes.Repeat([]byte{'x'}, 40_000), "noise": noise, "a block": noise[:blockSize],
		"a block and a byte": noise[:blockSize+1], "skewed": shuffled,
		"json": jsonMessage(r, 1000), "long json": jsonMessage(r, 40_000),
	}
	var mixed []byte
	for _, k := range []string{"json", "run", "noise", "long json", "skewed"} {
		mixed = append(mixed, m[k][:min(len(m[k]), 12_000)]...)
	}
	m["mixed"] = mixed
	return m
}

// jsonMessage returns at least n bytes of what servers say.
func jsonMessage(r *rand.Rand, n int) []byte {
	names := []string{"alpha", "bravo", "charlie", "delta", "echo", "foxtrot"}
	b := fmt.Appendf(nil, `{"type":"update","seq":%d,"items":[`, r.IntN(1e9))
	for len(b) < n {
		b = fmt.Appendf(b, `{"id":%d,"name":"%s","price":%.2f,"qty":%d,"ok":%v},`,
			r.IntN(1e6), names[r.IntN(6)], r.Float64()*1000, r.IntN(100), r.IntN(2) == 0)
	}
	return append(b[:len(b)-1], "]}"...)
}

// stdInflate inflates with the standard library, which knows what came before.
func stdInflate(payload, past []byte) ([]byte, error) {
	r := flate.NewReaderDict(bytes.NewReader(append(bytes.Clone(payload), "\x00\x00\xff\xff\x01\x00\x00\xff\xff"...)), past)
	return io.ReadAll(r)
}

func TestCompressorAgainstTheStandardLibrary(t *testing.T) {
	pool := new(Pool)
	for name, in := range inputs() {
		for _, bits := range []int{8, 9, 12, 15} {
			for _, level := range []Level{Fast, Balanced} {
				for _, takeover := range []bool{false, true} {
					c := NewCompressor(CompressorConfig{Bits: bits, Takeover: takeover, Level: level, MinSize: -1, Pool: pool})
					d := NewDecompressor(bits, takeover, pool)
					var past []byte
					for round := range 2 {
						where := fmt.Sprintf("%s, %d bits, level %d, takeover %v, message %d", name, bits, level, takeover, round)
						z, ok := c.Append([]byte("before"), in)
						if !ok || !bytes.HasPrefix(z, []byte("before")) {
							t.Fatalf("%s: was not appended", where)
						}
						z = z[len("before"):]
						out, err := stdInflate(z, past)
						if err != nil || !bytes.Equal(out, in) {
							t.Fatalf("%s: compress/flate reads %d bytes of %d, %v", where, len(out), len(in), err)
						}
						own, err := inflate(d, z, len(in))
						if err != nil || !bytes.Equal(own, in) {
							t.Fatalf("%s: read back as %d bytes of %d, %v", where, len(own), len(in), err)
						}
						if len(z) > len(in)+5*(len(in)/blockSize+1)+1 {
							t.Errorf("%s: %d bytes became %d", where, len(in), len(z))
						}
						if takeover {
							past = append(past, in...)
							past = past[max(len(past)-1<<bits, 0):]
							if !bytes.Equal(c.Window(), past) || !bytes.Equal(d.Window(), past) {
								t.Fatalf("%s: the windows differ from what was said", where)
							}
						}
					}
				}
			}
		}
	}
}

// inflate gives a whole message to d.
func inflate(d *Decompressor, payload []byte, limit int) ([]byte, error) {
	out, err := d.Append(nil, payload, limit)
	if err != nil {
		return out, err
	}
	return d.Finish(out, limit)
}

func TestDecompressorAgainstTheStandardLibrary(t *testing.T) {
	pool := new(Pool)
	for name, in := range inputs() {
		for _, level := range []int{flate.HuffmanOnly, flate.NoCompression, flate.BestSpeed, 2, 6, flate.BestCompression} {
			var z bytes.Buffer
			w, err := flate.NewWriter(&z, level)
			if err != nil {
				t.Fatal(err)
			}
			d := NewDecompressor(MaxBits, true, pool)
			for round := range 2 {
				z.Reset()
				_, _ = w.Write(in)
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
				out, err := inflate(d, bytes.TrimSuffix(z.Bytes(), tail[:]), len(in))
				if err != nil || !bytes.Equal(out, in) {
					t.Fatalf("%s, level %d, message %d: %d bytes of %d, %v", name, level, round, len(out), len(in), err)
				}
			}
		}
	}
}

func TestExamplesOfTheRFC(t *testing.T) {
	d := NewDecompressor(MaxBits, true, new(Pool))
	for _, c := range []struct{ section, payload string }{
		{"7.2.3.1", "\xf2\x48\xcd\xc9\xc9\x07\x00"},
		{"7.2.3.2, the second message", "\xf2\x00\x11\x00\x00"},
		{"7.2.3.3", "\x00\x05\x00\xfa\xffHello\x00"},
		{"7.2.3.4", "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"},
		{"7.2.3.5", "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"},
		{"7.2.3.4, without the empty block", "\xf3\x48\xcd\xc9\xc9\x07\x00"},
		{"7.2.3.3, without the empty block", "\x00\x05\x00\xfa\xffHello"},
		{"7.2.1, without the last step", "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"},
	} {
		out, err := inflate(d, []byte(c.payload), 5)
		if err != nil || string(out) != "Hello" {
			t.Errorf("RFC 7692, section %s: %q, %v", c.section, out, err)
		}
	}
	for _, payload := range []string{"\x00", "", "\x02\x00"} {
		if out, err := inflate(d, []byte(payload), 0); err != nil || len(out) != 0 {
			t.Errorf("RFC 7692, section 7.2.3.6: %x: %q, %v", payload, out, err)
		}
	}
	c := NewCompressor(CompressorConfig{Takeover: true, MinSize: -1, Pool: new(Pool)})
	if z, _ := c.Append(nil, []byte("Hello")); string(z) != "\xf2\x48\xcd\xc9\xc9\x07\x00" {
		t.Errorf("RFC 7692, section 7.2.3.1: Hello becomes %x", z)
	}
	// Ours is one match, where the example is a literal and a match: it must be no longer.
	if z, _ := c.Append(nil, []byte("Hello")); len(z) > 5 {
		t.Errorf("RFC 7692, section 7.2.3.2: Hello becomes %x", z)
	}
	if z, _ := c.Append(nil, nil); string(z) != "\x00" {
		t.Errorf("RFC 7692, section 7.2.3.6: nothing becomes %x", z)
	}
}

// codeWithoutEnd is a dynamic block in which the bytes 0 and 1 have codes, and nothing else.
func codeWithoutEnd() []byte {
	var w bitWriter
	w.write(2<<1, 3)
	w.write(14<<10, 14)
	for _, s := range codeOrder[:18] {
		w.write(map[uint8]uint32{1: 1, 18: 1}[s], 3)
	}
	w.write(0, 2) // 1, 1
	w.write(1|127<<1, 8)
	w.write(1|107<<1, 8) // 256 zeros
	w.align()
	return w.dst
}

func TestCorruptMessages(t *testing.T) {
	for name, payload := range map[string]string{
		"a reserved kind of block":          "\x06\x00",
		"a false complement of a length":    "\x00\x05\x00\xfa\xfeHello\x00",
		"a distance before the beginning":   "\xf2\x00\x11\x00\x00",
		"an end within a block":             "\xf2\x48\xcd",
		"bytes behind the end":              "\xf2\x48\xcd\xc9\xc9\x07\x00rubbish",
		"bytes behind the final block":      "\xf3\x48\xcd\xc9\xc9\x07\x00\x07",
		"an end within a stored block":      "\x00\x05\x00\xfa\xffHell",
		"half an empty block":               "\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00",
		"a code without an end of block":    string(codeWithoutEnd()),
		"an oversubscribed code of lengths": "\x04\x00\xff\xff\xff\xff\x00",
	} {
		d := NewDecompressor(MaxBits, true, new(Pool))
		if out, err := inflate(d, []byte(payload), 1000); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
}
