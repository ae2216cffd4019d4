package deflate

// output is where an inflater writes, and what it may refer to.
type output struct {
	dst   []byte // ends with the message so far
	start int    // of the message in dst
	limit int    // bytes that the message may have
	past  []byte // what was before the message
	reach int    // the greatest distance
	pool  *Pool  // where dst gets more room
}

// room returns how many bytes may still be written.
func (o *output) room() int { return o.limit - (len(o.dst) - o.start) }

// roomy reports whether dst has room for a step of fast, and the limit allows it.
func (o *output) roomy() bool { return cap(o.dst)-len(o.dst) >= fastRoom && o.room() >= fastRoom }

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
	o.dst = o.pool.grow(o.dst, need, size)
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
	at := len(o.dst)
	o.dst = o.dst[:at+length]
	repeat(o.dst[:at+length], at-dist, at)
	return nil
}

// repeat fills out from at on with what stands between from and at, over and over: each round doubles what can be
// copied at once.
func repeat(out []byte, from, at int) {
	for at < len(out) {
		at += copy(out[at:], out[from:at])
	}
}

// run is a row of matches of one distance, each right behind the other and longer than the distance.
type run struct{ start, end, dist int }

// match writes such a match at out[at:]. What a row has written repeats itself as well as what stands before it, and
// is longer: but for the first matches of a row, one copy does.
func (r *run) match(out []byte, at, dist, length int) {
	if dist != r.dist || at != r.end {
		r.start, r.dist = at-dist, dist
	}
	r.end = at + length
	repeat(out[:r.end], at-min(at-r.start, 2*maxMatch)/dist*dist, at)
}
