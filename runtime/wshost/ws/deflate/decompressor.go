package deflate

// Decompressor inflates the messages of one direction of one connection (RFC 7692, section 7.2.2). Between messages it
// holds DecompressorMemory bytes at most; in the middle of one nothing more, for it keeps no compressed bytes: what
// arrives is inflated at once, so a message that inflates too far is known after the first byte too many. It is not
// safe for concurrent use, and after an error it must not be used again.
type Decompressor struct {
	pool     *Pool
	takeover bool
	past     history

	inflater
	fed  bool // some bytes of the message in work were read
	said int  // bytes of it written
}

// tail is what RFC 7692, section 7.2.2, adds to every message.
var tail = [4]byte{0x00, 0x00, 0xff, 0xff}

// NewDecompressor returns a decompressor with a window of 2^bits bytes; 0 means MaxBits. With takeover a message may
// refer to those before it. Bits out of range are a mistake of the program and panic.
func NewDecompressor(bits int, takeover bool, pool *Pool) *Decompressor {
	return &Decompressor{pool: pool, takeover: takeover, past: history{size: 1 << checkBits(bits)}}
}

// inflaterMemory is what a Decompressor has beside its window, rounded up.
const inflaterMemory = 512

// DecompressorMemory returns how many bytes a decompressor holds, at most. The window grows with what the peer says.
func DecompressorMemory(bits int, takeover bool) int64 {
	if !takeover {
		return inflaterMemory
	}
	size := 1 << bits
	return int64(inflaterMemory + size + slack(size))
}

// Held returns how many bytes d holds now, DecompressorMemory at most.
func (d *Decompressor) Held() int { return inflaterMemory + cap(d.past.buf) }

// Append inflates payload, a piece of a message of any size, and appends the result to dst. dst must end with what
// was appended for the same message before. limit is how many bytes the whole message may have; more are never
// written, nor is dst made larger than for so many. Bytes behind the end of what it returns may be overwritten, within
// the capacity and the limit. Errors are ErrCorrupt and ErrTooLong; what was inflated up to
// there is returned with them.
func (d *Decompressor) Append(dst, payload []byte, limit int) ([]byte, error) {
	if len(payload) == 0 {
		return dst, nil
	}
	d.fed = true
	return d.feed(dst, payload, limit)
}

// Finish ends a message, whose pieces were all given to Append; dst and limit are as there. A message is whole when
// its last block is, whether or not the sender ended it with the empty block of RFC 7692, section 7.2.1, or forgot to
// remove the end of that: senders that use BFINAL do the former, and zlib, which makes nothing of a flush that follows
// a flush, has some of them send no bytes at all for an empty message. Anything else behind the last block is
// ErrCorrupt, as is a message that ends within a block.
func (d *Decompressor) Finish(dst []byte, limit int) ([]byte, error) {
	if !d.atBoundary() {
		var err error
		if dst, err = d.feed(dst, tail[:], limit); err != nil {
			return dst, err
		}
		if !d.atBoundary() {
			return dst, ErrCorrupt
		}
	}
	if d.takeover {
		d.past.add(dst[len(dst)-d.said:])
	}
	d.fed, d.said = false, 0
	return dst, nil
}

func (d *Decompressor) feed(dst, payload []byte, limit int) ([]byte, error) {
	if len(dst) < d.said {
		panic("deflate: dst lacks the beginning of the message")
	}
	o := output{
		dst: dst, start: len(dst) - d.said, limit: limit,
		past: d.past.window(), reach: d.past.size, pool: d.pool,
	}
	if o.room() < 0 {
		return dst, ErrTooLong
	}
	err := d.run(&o, payload, d.pool)
	d.said = len(o.dst) - o.start
	return o.dst, err
}

// Inflated returns how many bytes of the message in work Append has brought.
func (d *Decompressor) Inflated() int { return d.said }

// Window returns the bytes that the next message may refer to. The slice is only lent. It is empty without context
// takeover.
func (d *Decompressor) Window() []byte { return d.past.window() }
