package deflate

import "encoding/binary"

// stateVersion changes when the meaning of a byte of the state does.
const stateVersion = 1

// stateHead is the length of the part of the state that every message in work has.
const stateHead = 30

// AppendState appends what the decompressor knows of a message in work, at most 400 bytes; the bytes inflated so far
// are the caller's to keep. Between two messages it appends nothing.
func (d *Decompressor) AppendState(dst []byte) []byte {
	if !d.fed {
		return dst
	}
	flags := byte(0)
	if d.final {
		flags |= 1
	}
	if d.fixed {
		flags |= 2
	}
	dst = append(dst, stateVersion, byte(d.phase), flags, byte(d.n))
	dst = binary.LittleEndian.AppendUint64(dst, d.acc)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(d.said))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(d.left))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(d.nlit))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(d.ndist))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(d.norder))
	dst = binary.LittleEndian.AppendUint16(dst, uint16(d.have))
	switch {
	case d.phase == atOrder || d.phase == atLens && !d.fixed:
		dst = append(dst, d.order[:]...)
		if d.phase == atLens {
			dst = append(dst, d.lens[:d.have]...)
		}
	case d.phase == atSymbols && !d.fixed:
		dst = append(dst, d.lens[:d.nlit+d.ndist]...)
	}
	return dst
}

// Restore makes a decompressor that has just been made go on where Window and AppendState were written: state is empty
// between two messages. Both are copied. It fails with ErrState for what no decompressor of this configuration can
// have written.
func (d *Decompressor) Restore(window, state []byte) error {
	if len(window) > d.past.size || len(window) > 0 && !d.takeover {
		return ErrState
	}
	if len(state) > 0 {
		if err := d.restore(state); err != nil {
			return err
		}
	}
	d.past.buf = d.past.buf[:0]
	d.past.add(window)
	return nil
}

func (d *Decompressor) restore(s []byte) error {
	if len(s) < stateHead || s[0] != stateVersion {
		return ErrState
	}
	number := func(i int) int { return int(binary.LittleEndian.Uint16(s[i:])) }
	said := binary.LittleEndian.Uint64(s[12:])
	f := inflater{
		phase: phase(s[1]), final: s[2]&1 != 0, fixed: s[2]&2 != 0, n: uint(s[3]),
		acc: binary.LittleEndian.Uint64(s[4:]), left: number(20),
		nlit: number(22), ndist: number(24), norder: number(26), have: number(28),
	}
	if s[2] > 3 || f.phase > atSymbols || f.n > 63 || f.acc>>f.n != 0 || said > 1<<62 {
		return ErrState
	}
	if f.phase == inStored && f.n%8 != 0 || f.phase == atStored && f.n%8 != 0 {
		return ErrState
	}
	if !f.restoreCodes(s[stateHead:], d.pool) {
		return ErrState
	}
	d.inflater, d.fed, d.said = f, true, int(said)
	return nil
}

// restoreCodes reads the code lengths and reports whether they are possible.
func (f *inflater) restoreCodes(s []byte, pool *Pool) bool {
	if f.fixed && f.phase >= atSizes {
		return f.phase == atSymbols && len(s) == 0
	}
	if f.phase < atOrder {
		return len(s) == 0
	}
	if f.nlit < 257 || f.nlit > litCodes || f.ndist < 1 || f.ndist > distCodes || f.norder < 4 || f.norder > orderCodes {
		return false
	}
	if f.phase != atSymbols {
		if len(s) < orderCodes {
			return false
		}
		s = s[copy(f.order[:], s):]
		for _, n := range f.order {
			if n > maxOrder {
				return false
			}
		}
		if f.phase == atOrder {
			return f.have <= f.norder && len(s) == 0
		}
	}
	want := f.nlit + f.ndist
	if f.phase == atLens {
		if f.have > want {
			return false
		}
		want = f.have
	}
	if len(s) != want {
		return false
	}
	for i, n := range s {
		if n > maxCodeLen {
			return false
		}
		f.lens[i] = n
	}
	if f.phase == atLens {
		return true
	}
	t := pool.table()
	defer pool.tables.Put(t)
	return f.lens[endOfBlock] > 0 && f.buildCodes(t)
}
