package deflate

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
	lens                [litCodes + distCodes]uint8 // of both alphabets, one behind the other
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
			if f.fixed {
				more, err = f.symbols(pool.fixedTable(), o, &in)
				continue
			}
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
		f.fixed, f.phase = true, atSymbols
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
		if more, err := f.readLens(t, in); !more {
			return false, err
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
	return t.build(t.lit[:], litRoot, f.lens[:f.nlit], litEntries[:]) &&
		t.build(t.dist[:], distRoot, f.lens[f.nlit:f.nlit+f.ndist], distEntries[:])
}

// readLens reads the code lengths of both alphabets, which are one list (RFC 1951, section 3.2.7).
func (f *inflater) readLens(t *tables, in *[]byte) (more bool, err error) {
	if !t.build(t.order[:], orderRoot, f.order[:], orderEntries[:]) {
		return false, ErrCorrupt
	}
	acc, n, p := f.acc, f.n, *in
	defer func() { f.acc, f.n, *in = acc, n, p }()
	for total := f.nlit + f.ndist; f.have < total; {
		if n < orderRoot+7 {
			acc, n, p = refill(acc, n, p)
		}
		e := t.order[acc&(1<<orderRoot-1)]
		symbol, used := e.value(), e.used()
		if symbol < 16 && n >= used && e&kindMask == kindLiteral {
			acc, n = acc>>used, n-used
			f.lens[f.have] = uint8(symbol)
			f.have++
			continue
		}
		wide, repeat := uint(2), 3
		switch symbol {
		case 17:
			wide = 3
		case 18:
			wide, repeat = 7, 11
		}
		switch {
		case e&kindMask == kindInvalid:
			if n < used {
				return false, nil
			}
			return false, ErrCorrupt
		case n < used+wide:
			return false, nil
		case symbol == 16 && f.have == 0:
			return false, ErrCorrupt
		}
		repeat += int(acc >> used & (1<<wide - 1))
		acc, n = acc>>(used+wide), n-used-wide
		if repeat > total-f.have {
			return false, ErrCorrupt
		}
		v := uint8(0)
		if symbol == 16 {
			v = f.lens[f.have-1]
		}
		for end := f.have + repeat; f.have < end; f.have++ {
			f.lens[f.have] = v
		}
	}
	return true, nil
}

// atBoundary reports whether the input so far ends where a block may begin.
func (f *inflater) atBoundary() bool { return f.phase == atHeader && f.n == 0 }
