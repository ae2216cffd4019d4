package conformance

import "bytes"

// bitWriter writes DEFLATE (RFC 1951) symbol by symbol, so that a case can say exactly which blocks and distances are
// in a stream. compress/flate cannot: its window is always 32 KiB.
type bitWriter struct {
	b   []byte
	acc uint64
	n   uint
}

// bits appends the n lowest bits of v, the lowest first.
func (w *bitWriter) bits(v uint32, n uint) {
	w.acc |= uint64(v) << w.n
	for w.n += n; w.n >= 8; w.n -= 8 {
		w.b = append(w.b, byte(w.acc))
		w.acc >>= 8
	}
}

// huffman appends a code of n bits, the highest first (RFC 1951, section 3.1.1).
func (w *bitWriter) huffman(code uint32, n uint) {
	var r uint32
	for i := uint(0); i < n; i++ {
		r = r<<1 | code>>i&1
	}
	w.bits(r, n)
}

// align fills the last byte with zeros.
func (w *bitWriter) align() {
	if w.n > 0 {
		w.bits(0, 8-w.n)
	}
}

// stored appends a block without compression.
func (w *bitWriter) stored(p []byte, final bool) {
	w.block(0, final)
	w.align()
	n := uint32(len(p))
	w.bits(n, 16)
	w.bits(^n&0xffff, 16)
	w.b = append(w.b, p...)
}

// block begins a block of a type: 0 stored, 1 fixed, 2 dynamic, 3 is an error.
func (w *bitWriter) block(kind uint32, final bool) {
	var f uint32
	if final {
		f = 1
	}
	w.bits(f|kind<<1, 3)
}

// symbol appends a literal or length symbol in the fixed code (RFC 1951, section 3.2.6).
func (w *bitWriter) symbol(s uint32) {
	switch {
	case s < 144:
		w.huffman(0x30+s, 8)
	case s < 256:
		w.huffman(0x190+s-144, 9)
	case s < 280:
		w.huffman(s-256, 7)
	default:
		w.huffman(0xc0+s-280, 8)
	}
}

// end ends a block in the fixed code.
func (w *bitWriter) end() { w.symbol(256) }

// match appends "length bytes from distance back": length 3 to 258, distance 1 to 32768.
func (w *bitWriter) match(length, distance int) {
	i := lengthIndex(length)
	base, extra := lengthCode(i)
	w.symbol(uint32(257 + i))
	w.bits(uint32(length-base), extra)
	for i := 29; i >= 0; i-- {
		if base, extra := distanceCode(i); distance >= base {
			w.huffman(uint32(i), 5)
			w.bits(uint32(distance-base), extra)
			return
		}
	}
}

func lengthIndex(length int) int {
	for i := 28; ; i-- {
		if base, _ := lengthCode(i); length >= base {
			return i
		}
	}
}

// lengthCode returns the smallest length of symbol 257+i and its number of extra bits (RFC 1951, section 3.2.5).
func lengthCode(i int) (base int, extra uint) {
	switch {
	case i < 8:
		return 3 + i, 0
	case i == 28:
		return 258, 0
	}
	extra = uint(i/4 - 1)
	return 3 + (4+i%4)<<extra, extra
}

// distanceCode returns the smallest distance of symbol i and its number of extra bits.
func distanceCode(i int) (base int, extra uint) {
	if i < 4 {
		return 1 + i, 0
	}
	extra = uint(i/2 - 1)
	return 1 + (2+i%2)<<extra, extra
}

// message ends a stream as RFC 7692, section 7.2.1 asks: an empty stored block, of which the last four bytes are not
// sent.
func (w *bitWriter) message() []byte {
	w.stored(nil, false)
	return w.b[:len(w.b)-4]
}

// deflater compresses messages with a window of its own choice.
type deflater struct {
	window   int // bytes that may be looked back
	takeover bool
	history  []byte
}

// compress returns the message as it is sent. Greedy matching is enough: what counts is that the window is kept to.
func (d *deflater) compress(p []byte) []byte {
	start := len(d.history)
	all := append(bytes.Clone(d.history), p...)
	var last [1 << 15]int32 // where three bytes with that hash stood, plus one
	slot := func(i int) *int32 {
		h := (uint32(all[i]) | uint32(all[i+1])<<8 | uint32(all[i+2])<<16) * 0x9e3779b1
		return &last[h>>17]
	}
	note := func(from, to int) {
		for i := from; i < min(to, len(all)-2); i++ {
			*slot(i) = int32(i + 1)
		}
	}
	note(0, start)
	w := &bitWriter{}
	w.block(1, false)
	for i := start; i < len(all); {
		n, from := 0, 0
		if i+3 <= len(all) {
			from = int(*slot(i)) - 1
			for from >= 0 && i-from <= d.window && n < 258 && i+n < len(all) && all[from+n] == all[i+n] {
				n++
			}
		}
		if n >= 3 {
			w.match(n, i-from)
		} else {
			n = 1
			w.symbol(uint32(all[i]))
		}
		note(i, i+n)
		i += n
	}
	w.end()
	d.remember(p)
	return w.message()
}

// remember takes p into the window, when there is one that outlives messages.
func (d *deflater) remember(p []byte) {
	if !d.takeover {
		return
	}
	d.history = append(d.history, p...)
	if n := len(d.history) - d.window; n > 0 {
		d.history = bytes.Clone(d.history[n:])
	}
}
