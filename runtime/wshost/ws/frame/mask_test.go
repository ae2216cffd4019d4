package frame

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Masking must be what RFC 6455, section 5.3, writes, byte by byte, at every length, offset and alignment.
func TestMaskIsThatOfTheRFC(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	for range 4000 {
		n, at, pos := rng.IntN(3000), rng.IntN(64), uint64(rng.IntN(9))
		b := make([]byte, at+n+64)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		want := bytes.Clone(b)
		for i := range n {
			want[at+i] ^= key[(pos+uint64(i))%4]
		}
		Mask(key, pos, b[at:at+n])
		if !bytes.Equal(b, want) {
			t.Fatalf("%d bytes at %d of offset %d", n, at, pos)
		}
	}
}

func BenchmarkMask(b *testing.B) {
	for _, n := range []int{16, 128, 1024, 16 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dB", n), func(b *testing.B) {
			p := make([]byte, n)
			b.SetBytes(int64(n))
			for b.Loop() {
				Mask([4]byte{1, 2, 3, 4}, 0, p)
			}
		})
	}
}
