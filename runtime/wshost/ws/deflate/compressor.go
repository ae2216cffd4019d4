package deflate

// Level is how hard a compressor tries.
type Level int

// Levels of compression. The zero value of Level means Balanced.
const (
	Fast     Level = 1 // takes the first match it finds
	Balanced Level = 2 // looks one byte further before it takes a match
)

// DefaultMinSize is the length below which messages are not worth compressing, in bytes.
const DefaultMinSize = 64

// CompressorConfig says what a compressor shall be.
type CompressorConfig struct {
	Bits     int   // of the window, MinBits..MaxBits; 0 means MaxBits
	Takeover bool  // whether a message may refer to those before it (RFC 7692, section 7.1.1)
	Level    Level // default Balanced
	MinSize  int   // messages shorter than this are left alone, in bytes; default DefaultMinSize; negative: none
	Pool     *Pool // must not be nil
}

// Compressor compresses the messages of one direction of one connection (RFC 7692, section 7.2.1). Without context
// takeover it holds nothing but its configuration; with it, CompressorMemory bytes from the first message on. It is
// not safe for concurrent use.
type Compressor struct {
	cfg    CompressorConfig
	past   history
	base   uint16 // place of past.buf[0], see index
	places []places
}

// NewCompressor returns a compressor. A number of window bits out of range is a mistake of the program and panics.
func NewCompressor(cfg CompressorConfig) *Compressor {
	cfg.Bits = checkBits(cfg.Bits)
	switch {
	case cfg.MinSize == 0:
		cfg.MinSize = DefaultMinSize
	case cfg.MinSize < 0:
		cfg.MinSize = 0
	}
	return &Compressor{cfg: cfg, past: history{size: 1 << cfg.Bits}}
}

func checkBits(bits int) int {
	if bits == 0 {
		return MaxBits
	}
	if bits < MinBits || bits > MaxBits {
		panic("deflate: window bits out of range")
	}
	return bits
}

// CompressorMemory returns how many bytes a compressor holds between messages, at most.
func CompressorMemory(bits int, takeover bool) int64 {
	if !takeover {
		return 0
	}
	size := 1 << bits
	return int64(size + slack(size) + placesSize<<(indexBits(bits)-1))
}

// Held returns how many bytes c holds now beside the object itself, CompressorMemory at most.
func (c *Compressor) Held() int { return cap(c.past.buf) + placesSize*len(c.places) }

// Append appends message, compressed, to dst: the payload to be sent with RSV1 set. ok is false when the message is
// to be sent as it is, without RSV1; the decision depends on its length alone and falls before the compressor has
// seen a byte, so nothing that the peer never gets enters the window. It allocates nothing beyond dst once the
// window has grown, and may overwrite bytes behind the end of what it returns, within its capacity.
func (c *Compressor) Append(dst, message []byte) (out []byte, ok bool) {
	if len(message) < c.cfg.MinSize {
		return dst, false
	}
	e := c.cfg.Pool.encoder()
	e.bits = bitWriter{dst: dst}
	s := search{reach: 1 << c.cfg.Bits, lazy: c.cfg.Level != Fast, seqs: e.seqs[:0]}
	if c.cfg.Takeover {
		c.wake()
		s.reset(c.places)
	} else {
		s.reset(e.fresh(min(len(message), blockSize)))
	}
	for from := 0; from < len(message); {
		to := min(from+blockSize, len(message))
		s.seqs, s.pending = s.seqs[:0], 0
		if c.cfg.Takeover {
			c.advance(&s, message[from:to])
		} else {
			s.run(message[:to], from, 0)
		}
		e.block(message[from:to], s.seqs)
		from = to
	}
	// An empty block without compression ends the message; its last four bytes, 00 00 ff ff, are not sent.
	e.bits.write(0, 3)
	e.bits.align()
	out = e.bits.dst
	e.bits.dst = nil
	c.cfg.Pool.encoders.Put(e)
	return out, true
}

// wake makes room for the index when the first message comes.
func (c *Compressor) wake() {
	if c.places == nil {
		c.places = make([]places, 1<<(indexBits(c.cfg.Bits)-1))
	}
}

// advance appends p to the past, as much at a time as there is room for, and searches it there.
func (c *Compressor) advance(s *search, p []byte) {
	for len(p) > 0 {
		n, moved := c.past.room(len(p))
		c.base += uint16(moved)
		start := len(c.past.buf)
		c.past.buf = append(c.past.buf, p[:n]...)
		s.run(c.past.buf, start, c.base)
		p = p[n:]
	}
}

// Forget has later messages refer to nothing that was said before: for when the peer was told more than went through
// this compressor.
func (c *Compressor) Forget() {
	if len(c.past.buf) > 0 {
		c.past.buf, c.base = c.past.buf[:0], 0
		clear(c.places)
	}
}

// Window returns the bytes that the next message may refer to: with the configuration they are all there is to be
// written down between two messages. The slice is only lent. It is empty without context takeover.
func (c *Compressor) Window() []byte { return c.past.window() }

// Restore makes a compressor that has just been made go on where Window was written: messages are correct for the
// peer that has this window, though not byte for byte those that the first compressor would have made. It fails with
// ErrState when the window is longer than the configuration allows.
func (c *Compressor) Restore(window []byte) error {
	if len(window) > c.past.size || len(window) > 0 && !c.cfg.Takeover {
		return ErrState
	}
	c.past.buf, c.base = c.past.buf[:0], 0
	if len(window) > 0 {
		c.past.add(window)
		c.places = nil
		c.wake()
		var x index
		x.reset(c.places)
		x.insertAll(c.past.buf, 0, len(c.past.buf), c.base)
	}
	return nil
}

// fresh returns an empty index for a message of n bytes.
func (e *encoder) fresh(n int) []places {
	bits := MinBits
	for bits < mostIndex && 1<<(bits-1) < n {
		bits++
	}
	p := e.places[:1<<(bits-1)]
	clear(p)
	return p
}
