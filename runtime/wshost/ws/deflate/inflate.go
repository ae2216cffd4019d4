package deflate

import "encoding/binary"

// phase is what an inflater expects next.
type phase uint8

const (
	atHeader  phase = 0 // of a block; to atSizes, atStored or atSymbols
	atStored  phase = 1 // the length of a block without compression; to inStored or atHeader
	inStored  phase = 2 // its bytes; to atHeader
	atSizes   phase = 3 // the sizes of the alphabets of a dynamic block; to atOrder
	atOrder   phase = 4 // the lengths of the code lengths' own code; to atLens
	atLens    phase = 5 // the code lengths; to atSymbols
	atSymbols phase = 6 // literals and matches; to atHeader
)

// inflater understands DEFLATE and can stop after any byte of input. What it knows then is all in these fields.
type inflater struct {
	acc uint64 // bits read and not used up, the lowest first; those above n are 0
	n   uint   // how many there are

	phase phase
	final bool // the block in work, or the last one at a header, had BFINAL set
	fixed bool // the codes are the fixed ones
	left  int  // bytes of a stored block to come

	nlit, ndist, norder int
	have                int // code lengths read
	order               [orderCodes]uint8
	lens                [288 + 32]uint8 // of both alphabets, one behind the other
}

// output is where an inflater writes, and what it may refer to.
type output struct {
	dst   []byte // ends with the message so far
	start int    // of the message in dst
	limit int    // bytes that the message may have
	past  []byte // what was before the message
	reach int    // the greatest distance
}

// room returns how many bytes may still be written.
func (o *output) room() int { return o.limit - (len(o.dst) - o.start) }

// grow makes room in dst for n bytes. Doubling stops at the limit: no buffer is made that a message cannot fill.
func (o *output) grow(n int) {
	need := len(o.dst) + n
	if need <= cap(o.dst) {
		return
	}
	size := max(2*cap(o.dst), 512)
	if size-o.start > o.limit { // and not the sum, which overflows when there is no limit
		size = o.start + o.limit
	}
	grown := make([]byte, len(o.dst), max(size, need))
	copy(grown, o.dst)
	o.dst = grown
}

// copyMatch repeats length bytes that stand dist before the end.
func (o *output) copyMatch(dist, length int) error {
	if length > o.room() {
		return ErrTooLong
	}
	said := len(o.dst) - o.start
	if dist > o.reach || dist > said+len(o.past) {
		return ErrCorrupt
	}
	o.grow(length)
	if dist > said {
		from := len(o.past) - (dist - said)
		n := min(length, dist-said)
		o.dst = append(o.dst, o.past[from:from+n]...)
		length -= n
	}
	from := len(o.dst) - dist
	// Where the match overlaps itself, each round doubles what can be copied at once.
	for length > 0 {
		n := min(length, len(o.dst)-from)
		o.dst = append(o.dst, o.dst[from:from+n]...)
		length -= n
	}
	return nil
}

// need moves input into acc until it holds at least n bits, n <= 56, and reports whether it does.
func (f *inflater) need(in *[]byte, n uint) bool {
	for f.n < n {
		if len(*in) == 0 {
			return false
		}
		f.acc |= uint64((*in)[0]) << f.n
		f.n += 8
		*in = (*in)[1:]
	}
	return true
}

// take uses up n bits that are there.
func (f *inflater) take(n uint) int {
	v := f.acc & (1<<n - 1)
	f.acc >>= n
	f.n -= n
	return int(v)
}

// run reads all of in and writes what it means. It is the same whether it gets its input at once or byte by byte.
func (f *inflater) run(o *output, in []byte, pool *Pool) (err error) {
	var t *tables
	for more := true; more && err == nil; {
		switch f.phase {
		case atHeader:
			more, err = f.header(&in)
		case atStored:
			more, err = f.stored(&in)
		case inStored:
			more, err = f.copyStored(o, &in)
		default:
			if t == nil {
				t = pool.table()
				if f.phase == atSymbols {
					f.buildCodes(t)
				}
			}
			more, err = f.compressed(t, o, &in)
		}
	}
	if t != nil {
		pool.tables.Put(t)
	}
	return err
}

func (f *inflater) header(in *[]byte) (more bool, err error) {
	if !f.need(in, 3) {
		return false, nil
	}
	f.final = f.take(1) == 1
	switch f.take(2) {
	case 0:
		f.take(f.n % 8)
		f.phase = atStored
	case 1:
		fixedLens(f.lens[:288], f.lens[288:])
		f.fixed, f.nlit, f.ndist, f.have = true, 288, 32, 0
		f.phase = atLens
	case 2:
		f.fixed, f.phase = false, atSizes
	default:
		return false, ErrCorrupt
	}
	return true, nil
}

// endBlock goes on to the next header. A final block is followed by nothing but the rest of its byte, and then, in a
// message, by another block (RFC 7692, section 7.2.3.4).
func (f *inflater) endBlock() {
	f.phase = atHeader
	if f.final {
		f.take(f.n % 8)
	}
}

func (f *inflater) stored(in *[]byte) (more bool, err error) {
	if !f.need(in, 32) {
		return false, nil
	}
	n, not := f.take(16), f.take(16)
	if n != not^0xffff {
		return false, ErrCorrupt
	}
	f.left, f.phase = n, inStored
	return true, nil
}

func (f *inflater) copyStored(o *output, in *[]byte) (more bool, err error) {
	for f.left > 0 {
		if o.room() == 0 && (f.n > 0 || len(*in) > 0) {
			return false, ErrTooLong
		}
		if f.n > 0 {
			o.grow(1)
			o.dst = append(o.dst, byte(f.take(8)))
			f.left--
			continue
		}
		n := min(f.left, len(*in), o.room())
		if n == 0 {
			return false, nil
		}
		o.grow(n)
		o.dst = append(o.dst, (*in)[:n]...)
		*in = (*in)[n:]
		f.left -= n
	}
	f.endBlock()
	return true, nil
}

func (f *inflater) compressed(t *tables, o *output, in *[]byte) (more bool, err error) {
	switch f.phase {
	case atSizes:
		if !f.need(in, 14) {
			return false, nil
		}
		f.nlit, f.ndist, f.norder, f.have = 257+f.take(5), 1+f.take(5), 4+f.take(4), 0
		if f.nlit > litCodes || f.ndist > distCodes {
			return false, ErrCorrupt
		}
		f.order, f.phase = [orderCodes]uint8{}, atOrder
	case atOrder:
		for ; f.have < f.norder; f.have++ {
			if !f.need(in, 3) {
				return false, nil
			}
			f.order[codeOrder[f.have]] = uint8(f.take(3))
		}
		f.have, f.phase = 0, atLens
	case atLens:
		if !f.fixed {
			if more, err := f.readLens(t, in); !more {
				return false, err
			}
		}
		if f.lens[endOfBlock] == 0 || !f.buildCodes(t) {
			return false, ErrCorrupt
		}
		f.phase = atSymbols
	case atSymbols:
		return f.symbols(t, o, in)
	}
	return true, nil
}

// buildCodes makes the tables of the block from its code lengths.
func (f *inflater) buildCodes(t *tables) bool {
	return t.build(t.lit[:], litRoot, f.lens[:f.nlit], litEntry) &&
		t.build(t.dist[:], distRoot, f.lens[f.nlit:f.nlit+f.ndist], distEntry)
}

// readLens reads the code lengths of both alphabets, which are one list (RFC 1951, section 3.2.7).
func (f *inflater) readLens(t *tables, in *[]byte) (more bool, err error) {
	if !t.build(t.order[:], orderRoot, f.order[:], orderEntry) {
		return false, ErrCorrupt
	}
	for total := f.nlit + f.ndist; f.have < total; {
		f.need(in, 14)
		e := t.order[f.acc&(1<<orderRoot-1)]
		symbol, n := e.value(), e.used()
		wide, repeat := uint(0), 1
		switch symbol {
		case 16:
			wide, repeat = 2, 3
		case 17:
			wide, repeat = 3, 3
		case 18:
			wide, repeat = 7, 11
		}
		switch {
		case f.n < n+wide:
			return false, nil
		case e&kindMask == kindInvalid, symbol == 16 && f.have == 0:
			return false, ErrCorrupt
		}
		f.take(n)
		repeat += f.take(wide)
		if repeat > total-f.have {
			return false, ErrCorrupt
		}
		v := uint8(symbol)
		if symbol == 16 {
			v = f.lens[f.have-1]
		} else if symbol > 16 {
			v = 0
		}
		for ; repeat > 0; repeat-- {
			f.lens[f.have] = v
			f.have++
		}
	}
	return true, nil
}

// symbols reads literals and matches. A symbol is used up only when it is there with all that belongs to it, at most
// 48 bits; what is there of one that is not stays in acc.
func (f *inflater) symbols(t *tables, o *output, in *[]byte) (more bool, err error) {
	acc, n, p := f.acc, f.n, *in
loop:
	for {
		if n < 48 {
			acc, n, p = refill(acc, n, p)
		}
		a := acc
		e := t.lit[a&(1<<litRoot-1)]
		used := e.used()
		if e&kindMask == kindSub {
			e = t.lit[e.value()+int(a>>litRoot&(1<<e.extra()-1))]
			used += e.used()
		}
		if n < used {
			break
		}
		switch e & kindMask {
		case kindLiteral:
			if len(o.dst) == cap(o.dst) || o.room() == 0 {
				if o.room() == 0 {
					err = ErrTooLong
					break loop
				}
				o.grow(1)
			}
			o.dst = append(o.dst, byte(e.value()))
			acc, n = a>>used, n-used
			continue
		case kindEnd:
			acc, n, more = a>>used, n-used, true
			break loop
		case kindInvalid:
			err = ErrCorrupt
			break loop
		}
		a >>= used
		length := e.value() + int(a&(1<<e.extra()-1))
		a >>= e.extra()
		used += e.extra()
		e = t.dist[a&(1<<distRoot-1)]
		step := e.used()
		if e&kindMask == kindSub {
			e = t.dist[e.value()+int(a>>distRoot&(1<<e.extra()-1))]
			step += e.used()
		}
		if n < used+step+e.extra() {
			break
		}
		if e&kindMask == kindInvalid {
			err = ErrCorrupt
			break
		}
		a >>= step
		dist := e.value() + int(a&(1<<e.extra()-1))
		if err = o.copyMatch(dist, length); err != nil {
			break
		}
		used += step + e.extra()
		acc, n = acc>>used, n-used
	}
	f.acc, f.n, *in = acc, n, p
	if more {
		f.endBlock()
	}
	return more, err
}

// refill moves input into acc until it holds 56 bits or more, or there is no input left.
func refill(acc uint64, n uint, p []byte) (uint64, uint, []byte) {
	if len(p) >= 8 {
		acc |= binary.LittleEndian.Uint64(p) << n
		p = p[(63-n)>>3:]
		n |= 56
		return acc & (1<<n - 1), n, p
	}
	for n < 56 && len(p) > 0 {
		acc |= uint64(p[0]) << n
		n += 8
		p = p[1:]
	}
	return acc, n, p
}

// atBoundary reports whether the input so far ends where a block may begin.
func (f *inflater) atBoundary() bool { return f.phase == atHeader && f.n == 0 }
