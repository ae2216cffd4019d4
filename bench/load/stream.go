package load

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Stream is an endless sequence of messages, made once and repeated: the masked frames a client sends and the bytes
// the server must send for them. It is never written to after it was made, so all connections share one.
type Stream struct {
	count int    // messages before the sequence repeats
	out   []byte // client frames, and the first ones once more, so that a batch never wraps
	outAt []int  // where frame i begins in out
	in    []byte // the expected bytes, each message as long as any other
	inLen int
}

// NewStream makes a stream of binary messages of size bytes each, no two neighbours alike, for batches of up to depth
// messages. A raw server sends back what it gets, so raw expects the client's frames unchanged.
func NewStream(size, depth int, raw bool) *Stream {
	// 256 KiB and less stay in the processor's cache; 2 messages are the fewest that show a swap.
	s := &Stream{count: min(max(256<<10/size, 2), 256)}
	rng := rand.New(rand.NewPCG(1, uint64(size)))
	payload := make([]byte, size)
	var frames [][]byte
	for i := range s.count {
		fill(rng, payload)
		binary.BigEndian.PutUint16(payload, uint16(i))
		frame := appendClient(nil, opBinary, key(rng), payload)
		frames = append(frames, frame)
		if !raw {
			frame = appendServer(nil, opBinary, payload)
		}
		s.in = append(s.in, frame...)
	}
	s.inLen = len(s.in) / s.count
	s.lay(frames, depth)
	return s
}

// lay puts the client frames in a row.
func (s *Stream) lay(frames [][]byte, depth int) {
	for i := range len(frames) + depth {
		s.outAt = append(s.outAt, len(s.out))
		s.out = append(s.out, frames[i%len(frames)]...)
	}
	s.outAt = append(s.outAt, len(s.out))
}

// frames returns n client frames beginning with number first, and the number of the frame after them.
func (s *Stream) frames(first, n int) (out []byte, next int) {
	next = first + n
	return s.out[s.outAt[first]:s.outAt[next]], next % s.count
}

// check compares got with what is expected at position at of the expected bytes and returns the position after it.
func (s *Stream) check(at int, got []byte) (int, error) {
	for len(got) > 0 {
		n := min(len(got), len(s.in)-at)
		if !bytes.Equal(got[:n], s.in[at:at+n]) {
			return at, s.explain(at, got[:n])
		}
		at += n
		if at == len(s.in) {
			at = 0
		}
		got = got[n:]
	}
	return at, nil
}

// explain says what is wrong with got, which differs from what is expected at position at.
func (s *Stream) explain(at int, got []byte) error {
	i := 0
	for got[i] == s.in[at+i] {
		i++
	}
	bad := at + i
	due, offset := bad/s.inLen, bad%s.inLen
	begin := i - offset // where the message with the first wrong byte begins in got
	if begin >= 0 && begin+s.inLen <= len(got) {
		whole := got[begin : begin+s.inLen]
		for k := range s.count {
			if k != due && bytes.Equal(whole, s.in[k*s.inLen:(k+1)*s.inLen]) {
				return fmt.Errorf("wrong echo: message %d came where message %d was due (lost, repeated or out of order)", k, due)
			}
		}
	}
	return fmt.Errorf("wrong echo: message %d, byte %d of %d of its frame is 0x%02x, want 0x%02x", due, offset, s.inLen, got[i], s.in[bad])
}

// fill fills p with random bytes.
func fill(rng *rand.Rand, p []byte) {
	for i := range p {
		p[i] = byte(rng.Uint32())
	}
}

// key returns a random masking key. It need not be secret: there is no intermediary to deceive.
func key(rng *rand.Rand) [4]byte {
	var k [4]byte
	binary.LittleEndian.PutUint32(k[:], rng.Uint32())
	return k
}
