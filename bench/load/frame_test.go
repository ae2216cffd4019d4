package load

import (
	"bytes"
	"encoding/binary"
	"testing"
)

func TestClientFrameIsThatOfTheRFC(t *testing.T) {
	got := appendClient(nil, opText, [4]byte{0x37, 0xfa, 0x21, 0x3d}, []byte("Hello"))
	want := []byte{0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58} // RFC 6455, section 5.7
	if !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
}

func TestFrameLengthsOnBothSidesOfEachForm(t *testing.T) {
	for _, c := range []struct{ size, header int }{{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}} {
		p := make([]byte, c.size)
		server := appendServer(nil, opBinary, p)
		client := appendClient(nil, opBinary, [4]byte{1, 2, 3, 4}, p)
		if len(server) != c.header+c.size || len(client) != c.header+4+c.size {
			t.Errorf("%d bytes: frames of %d and %d bytes, want headers of %d and %d", c.size, len(server), len(client), c.header, c.header+4)
		}
		if client[1]&maskBit == 0 || server[1]&maskBit != 0 {
			t.Errorf("%d bytes: the client's frame must be masked and the server's not", c.size)
		}
		if c.header == 10 && binary.BigEndian.Uint64(server[2:]) != uint64(c.size) {
			t.Errorf("%d bytes: length % x", c.size, server[2:10])
		}
	}
}

// unmasked returns the payload of a client frame with a header of n bytes before the masking key.
func unmasked(frame []byte, n int) []byte {
	p := bytes.Clone(frame[n+4:])
	for i := range p {
		p[i] ^= frame[n+i&3]
	}
	return p
}

func TestStreamExpectsWhatItSends(t *testing.T) {
	s := NewStream(128, 16, false)
	for i := range s.count + 16 {
		frame := s.out[s.outAt[i]:s.outAt[i+1]]
		k := i % s.count
		want := s.in[k*s.inLen : (k+1)*s.inLen]
		if !bytes.Equal(appendServer(nil, opBinary, unmasked(frame, 4)), want) {
			t.Fatalf("frame %d is not answered by expected bytes %d", i, k)
		}
	}
}

func TestRawStreamExpectsItsOwnFrames(t *testing.T) {
	s := NewStream(1<<20, 1, true)
	out, next := s.frames(0, 1)
	if at, err := s.check(0, out); err != nil || at != s.inLen {
		t.Errorf("position %d and %v after one frame", at, err)
	}
	if next != 1 || s.count != 2 {
		t.Errorf("the next of %d frames is %d", s.count, next)
	}
}

func TestStreamMessagesDiffer(t *testing.T) {
	s := NewStream(16<<10, 1, false)
	seen := map[string]int{}
	for k := range s.count {
		m := string(s.in[k*s.inLen : (k+1)*s.inLen])
		if other, ok := seen[m]; ok {
			t.Fatalf("messages %d and %d are alike", other, k)
		}
		seen[m] = k
	}
}

func TestHeaderSize(t *testing.T) {
	for _, c := range []struct {
		head string
		size int
		ok   bool
		bad  bool
	}{
		{"\xc1", 0, false, false},
		{"\xc1\x01", 1, true, false},
		{"\xc1\x7d", 125, true, false},
		{"\xc1\x7e\x00", 0, false, false},
		{"\xc1\x7e\x00\x7e", 126, true, false},
		{"\xc1\x7e\x00\x7d", 0, false, true}, // not the shortest form
		{"\xc1\x7f", 0, false, true},
		{"\xc1\x00", 0, false, true}, // no compressed message is empty
		{"\xc1\x85", 0, false, true}, // masked
		{"\x81", 0, false, true},     // not compressed
		{"\xc2", 0, false, true},     // binary
		{"\x41", 0, false, true},     // a fragment
	} {
		size, ok, err := headerSize([]byte(c.head))
		if size != c.size || ok != c.ok || (err != nil) != c.bad {
			t.Errorf("% x: %d, %v, %v", c.head, size, ok, err)
		}
	}
}
