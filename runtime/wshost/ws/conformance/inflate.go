package conformance

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
)

// inflater reads the compressed messages of a peer: the standard library says what they hold, and a walk through the
// symbols says how far they look back.
type inflater struct {
	window   int // that the peer has agreed to
	takeover bool
	history  []byte
}

// message returns what a compressed message holds (RFC 7692, section 7.2.2).
func (f *inflater) message(p []byte) ([]byte, error) {
	tail := append(bytes.Clone(p), 0, 0, 0xff, 0xff)
	out, far, final, err := walk(tail, f.history)
	if err != nil {
		return nil, err
	}
	if far > f.window {
		return nil, fmt.Errorf("it looks back %d bytes; %d were agreed", far, f.window)
	}
	// The second opinion. It wants a final block, and an empty one is what may stand behind the tail.
	again, err := io.ReadAll(flate.NewReaderDict(bytes.NewReader(append(tail, 1, 0, 0, 0xff, 0xff)), f.history))
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(out, again) || !final && len(out) != len(again) { // it stops at a final block, the walk does not
		return nil, errors.New("it can be read in two ways")
	}
	if f.takeover {
		f.history = append(f.history, out...)
		if n := len(f.history) - 32768; n > 0 {
			f.history = bytes.Clone(f.history[n:])
		}
	}
	return out, nil
}

var (
	errDeflateEnd  = errors.New("the stream ends inside a block")
	errDeflateData = errors.New("the stream is not DEFLATE")
)

// bitReader reads DEFLATE.
type bitReader struct {
	b    []byte
	pos  uint // in bits
	fail bool // the end was passed
}

func (r *bitReader) bit() int {
	if r.pos>>3 >= uint(len(r.b)) {
		r.fail = true
		return 0
	}
	v := r.b[r.pos>>3] >> (r.pos & 7) & 1
	r.pos++
	return int(v)
}

func (r *bitReader) bits(n uint) int {
	v := 0
	for i := uint(0); i < n; i++ {
		v |= r.bit() << i
	}
	return v
}

// code is a Huffman code by the lengths of its words (RFC 1951, section 3.2.2).
type code struct {
	count  [16]int
	symbol []int
}

func newCode(lengths []int) code {
	var c code
	for n := 1; n < 16; n++ {
		for s, l := range lengths {
			if l == n {
				c.count[n]++
				c.symbol = append(c.symbol, s)
			}
		}
	}
	return c
}

// read returns the next symbol, -1 when there is none.
func (c *code) read(r *bitReader) int {
	word, first, index := 0, 0, 0
	for n := 1; n < 16; n++ {
		word |= r.bit()
		if i := word - first; i < c.count[n] {
			return c.symbol[index+i]
		}
		index += c.count[n]
		first = (first + c.count[n]) << 1
		word <<= 1
	}
	return -1
}

// walk inflates a stream of whole blocks that follows history. It returns how far it looked back at most, and whether
// a block was marked as the final one. What follows such a block begins at the next byte (RFC 7692, section 7.2.3.4).
func walk(p, history []byte) (out []byte, far int, final bool, err error) {
	r := &bitReader{b: p}
	all := bytes.Clone(history)
	for r.pos < uint(len(p))*8 {
		last := r.bit() == 1
		switch r.bits(2) {
		case 0:
			all, err = r.storedBlock(all)
		case 1:
			lengths := fixedLengths()
			lit, dist := newCode(lengths[:288]), newCode(lengths[288:])
			all, far, err = r.block(all, far, &lit, &dist)
		case 2:
			var lit, dist code
			if lit, dist, err = r.dynamic(); err == nil {
				all, far, err = r.block(all, far, &lit, &dist)
			}
		default:
			err = errDeflateData
		}
		switch {
		case err != nil:
			return nil, 0, false, err
		case r.fail:
			return nil, 0, false, errDeflateEnd
		case len(all)-len(history) > maxMessage:
			return nil, 0, false, errors.New("it is larger than anything that was sent")
		case last:
			final, r.pos = true, (r.pos+7)&^7
		}
	}
	return all[len(history):], far, final, nil
}

func (r *bitReader) storedBlock(all []byte) ([]byte, error) {
	r.pos = (r.pos + 7) &^ 7
	n, check := r.bits(16), r.bits(16)
	at := int(r.pos >> 3)
	if r.fail || at+n > len(r.b) {
		return all, errDeflateEnd
	}
	if n != check^0xffff {
		return all, errDeflateData
	}
	r.pos += uint(n) * 8
	return append(all, r.b[at:at+n]...), nil
}

// block reads the symbols of a compressed block.
func (r *bitReader) block(all []byte, far int, lit, dist *code) ([]byte, int, error) {
	for !r.fail && len(all) <= maxMessage {
		s := lit.read(r)
		switch {
		case s == 256:
			return all, far, nil
		case s < 0 || s > 285:
			return all, far, errDeflateData
		case s < 256:
			all = append(all, byte(s))
			continue
		}
		base, extra := lengthCode(s - 257)
		length := base + r.bits(extra)
		d := dist.read(r)
		if d < 0 || d > 29 {
			return all, far, errDeflateData
		}
		base, extra = distanceCode(d)
		back := base + r.bits(extra)
		if back > len(all) {
			return all, far, fmt.Errorf("it looks back %d bytes, beyond what it may know", back)
		}
		far = max(far, back)
		for ; length > 0; length-- {
			all = append(all, all[len(all)-back])
		}
	}
	return all, far, errDeflateEnd
}

// dynamic reads the codes of a block that brings its own (RFC 1951, section 3.2.7).
func (r *bitReader) dynamic() (lit, dist code, err error) {
	nlit, ndist, nlen := r.bits(5)+257, r.bits(5)+1, r.bits(4)+4
	var order = [19]int{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
	var short [19]int
	for _, i := range order[:nlen] {
		short[i] = r.bits(3)
	}
	meta := newCode(short[:])
	lengths := make([]int, 0, 320)
	for len(lengths) < nlit+ndist {
		s, n, v := meta.read(r), 1, 0
		switch {
		case s < 0 || r.fail:
			return lit, dist, errDeflateData
		case s < 16:
			v = s
		case s == 16 && len(lengths) == 0:
			return lit, dist, errDeflateData
		case s == 16:
			n, v = 3+r.bits(2), lengths[len(lengths)-1]
		case s == 17:
			n = 3 + r.bits(3)
		default:
			n = 11 + r.bits(7)
		}
		for ; n > 0; n-- {
			lengths = append(lengths, v)
		}
	}
	if len(lengths) != nlit+ndist {
		return lit, dist, errDeflateData
	}
	return newCode(lengths[:nlit]), newCode(lengths[nlit:]), nil
}

// fixedLengths are the words of the fixed codes: 288 for literals and lengths, 30 for distances.
func fixedLengths() []int {
	l := make([]int, 318)
	for i := range l {
		switch {
		case i < 144:
			l[i] = 8
		case i < 256:
			l[i] = 9
		case i < 280:
			l[i] = 7
		case i < 288:
			l[i] = 8
		default:
			l[i] = 5
		}
	}
	return l
}
