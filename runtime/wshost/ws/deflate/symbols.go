package deflate

import "encoding/binary"

// symbols reads literals and matches. A symbol is used up only when it is there with all that belongs to it, at most
// 48 bits; what is there of one that is not stays in acc.
func (f *inflater) symbols(t *tables, o *output, in *[]byte) (more bool, err error) {
	acc, n, p := f.acc, f.n, *in
loop:
	for {
		if len(p) >= 8 && o.roomy() {
			f.acc, f.n = acc, n
			more, err = f.fast(t, o, &p)
			acc, n = f.acc, f.n
			if more || err != nil {
				break
			}
		}
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

// fastRoom is how much room fast must have for what it writes in one step: three literals or a match, and what it
// writes behind the match because it copies words.
const fastRoom = maxMatch + 16

// fast does what symbols does while there are 8 bytes of input and fastRoom bytes of room in dst, and then leaves the
// rest to it: more is false and there is no error. What it writes too much stands behind the end of dst, within the
// limit.
func (f *inflater) fast(t *tables, o *output, in *[]byte) (more bool, err error) {
	acc, n, p := f.acc, f.n, *in
	out, at, start := o.dst[:min(cap(o.dst), o.start+min(o.limit, cap(o.dst)))], len(o.dst), o.start
	var last run
loop:
	for len(p) >= 8 && at <= len(out)-fastRoom {
		// Bits above n are those that come next: to add them again changes nothing.
		acc |= binary.LittleEndian.Uint64(p) << (n & 63)
		p = p[(63-n)>>3&7:]
		n |= 56
		e := t.lit[acc&(1<<litRoot-1)]
		if e&kindMask == kindLiteral {
			out[at] = byte(e >> 16)
			at, acc, n = at+1, acc>>e.used(), n-e.used()
			if e = t.lit[acc&(1<<litRoot-1)]; e&kindMask == kindLiteral {
				out[at] = byte(e >> 16)
				at, acc, n = at+1, acc>>e.used(), n-e.used()
				if e = t.lit[acc&(1<<litRoot-1)]; e&kindMask == kindLiteral {
					out[at] = byte(e >> 16)
					at, acc, n = at+1, acc>>e.used(), n-e.used()
					continue
				}
			}
			if n < 48 {
				continue
			}
		}
		if e&kindMask == kindSub {
			acc, n = acc>>litRoot, n-litRoot
			e = t.lit[e.value()+int(acc&e.mask())]
		}
		acc, n = acc>>e.used(), n-e.used()
		switch e & kindMask {
		case kindLiteral:
			out[at] = byte(e >> 16)
			at++
			continue
		case kindEnd:
			more = true
			break loop
		case kindInvalid:
			err = ErrCorrupt
			break loop
		}
		length := e.value() + int(acc&e.mask())
		acc, n = acc>>e.extra(), n-e.extra()
		if e = t.dist[acc&(1<<distRoot-1)]; e&kindMask == kindSub {
			acc, n = acc>>distRoot, n-distRoot
			e = t.dist[e.value()+int(acc&e.mask())]
		}
		acc, n = acc>>e.used(), n-e.used()
		if e&kindMask == kindInvalid {
			err = ErrCorrupt
			break
		}
		dist := e.value() + int(acc&e.mask())
		acc, n = acc>>e.extra(), n-e.extra()
		from := at - dist
		switch {
		case from < start || dist > o.reach:
			o.dst = out[:at]
			if err = o.copyMatch(dist, length); err != nil {
				break loop
			}
		case dist >= length && length > 32:
			copy(out[at:at+length], out[from:])
		case dist >= 8 && length <= 32:
			for k := 0; k < length; k += 8 {
				binary.LittleEndian.PutUint64(out[at+k:], binary.LittleEndian.Uint64(out[from+k:]))
			}
		default:
			last.match(out, at, dist, length)
		}
		at += length
	}
	f.acc, f.n, *in, o.dst = acc&(1<<n-1), n, p, out[:at]
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
