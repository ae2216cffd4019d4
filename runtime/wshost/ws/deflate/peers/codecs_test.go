package peers

import (
	"bytes"
	"compress/flate"
	"errors"
	"io"

	klauspost "github.com/klauspost/compress/flate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
)

// limit is how long a message may be; every codec checks it.
const limit = 16 << 20

// codec is both directions of one connection. What it returns is valid until its next call.
type codec interface {
	compress(message []byte) []byte
	inflate(payload []byte) ([]byte, error)
}

// kind makes codecs; with takeover, a message may refer to those before it.
type kind struct {
	name string
	make func(takeover bool) codec
}

// codecs are the contenders. klauspost is the way lxzan/gws 1.8.9 goes: a pooled writer and reader of level 1 that get
// the window as a dictionary for each message. std is the way gorilla and coder go: compress/flate, level 1, where
// coder keeps a writer for each connection with takeover.
var codecs = []kind{
	{"klauspost", func(takeover bool) codec { return newDictionary(takeover) }},
	{"std", func(takeover bool) codec { return newStd(takeover) }},
	{"fast", func(takeover bool) codec { return newOurs(takeover, deflate.Fast) }},
	{"balanced", func(takeover bool) codec { return newOurs(takeover, deflate.Balanced) }},
}

type ours struct {
	c      *deflate.Compressor
	d      *deflate.Decompressor
	z, out []byte
}

func newOurs(takeover bool, level deflate.Level) *ours {
	pool := new(deflate.Pool)
	return &ours{
		c: deflate.NewCompressor(deflate.CompressorConfig{Takeover: takeover, Level: level, MinSize: -1, Pool: pool}),
		d: deflate.NewDecompressor(deflate.MaxBits, takeover, pool),
	}
}

func (o *ours) compress(message []byte) []byte {
	o.z, _ = o.c.Append(o.z[:0], message)
	return o.z
}

func (o *ours) inflate(payload []byte) (_ []byte, err error) {
	if o.out, err = o.d.Append(o.out[:0], payload, limit); err == nil {
		o.out, err = o.d.Finish(o.out, limit)
	}
	return o.out, err
}

// whole is what a reader of DEFLATE needs behind a message to see its end.
var whole = []byte("\x00\x00\xff\xff\x01\x00\x00\xff\xff")

var sync = whole[:4]

// window is the end of what was said.
type window struct{ buf []byte }

func (w *window) add(p []byte) {
	const size = 32 << 10
	if over := len(w.buf) + len(p) - size; over > 0 {
		w.buf = w.buf[:copy(w.buf, w.buf[min(over, len(w.buf)):])]
	}
	w.buf = append(w.buf, p[max(len(p)-size, 0):]...)
}

// reader is how every engine that uses a flate package reads a message.
type reader struct {
	takeover bool
	flate    io.Reader
	src, out bytes.Buffer
	chunk    []byte
	past     window
}

func (r *reader) inflate(payload []byte) ([]byte, error) {
	r.src.Reset()
	r.src.Write(payload)
	r.src.Write(whole)
	if err := r.flate.(flate.Resetter).Reset(&r.src, r.past.buf); err != nil {
		return nil, err
	}
	r.out.Reset()
	n, err := io.CopyBuffer(struct{ io.Writer }{&r.out}, io.LimitReader(r.flate, limit+1), r.chunk)
	if err != nil {
		return nil, err
	}
	if n > limit {
		return nil, errors.New("too long")
	}
	if r.takeover {
		r.past.add(r.out.Bytes())
	}
	return r.out.Bytes(), nil
}

type dictionary struct {
	reader
	w    *klauspost.Writer
	dst  bytes.Buffer
	said window
}

func newDictionary(takeover bool) *dictionary {
	w, _ := klauspost.NewWriter(nil, klauspost.BestSpeed)
	return &dictionary{w: w, reader: reader{takeover: takeover, flate: klauspost.NewReader(nil), chunk: make([]byte, 32<<10)}}
}

func (d *dictionary) compress(message []byte) []byte {
	d.dst.Reset()
	d.w.ResetDict(&d.dst, d.said.buf)
	_, _ = d.w.Write(message)
	_ = d.w.Flush()
	if d.takeover {
		d.said.add(message)
	}
	return bytes.TrimSuffix(d.dst.Bytes(), sync)
}

type std struct {
	reader
	w   *flate.Writer
	dst bytes.Buffer
}

func newStd(takeover bool) *std {
	s := &std{reader: reader{takeover: takeover, flate: flate.NewReader(nil), chunk: make([]byte, 32<<10)}}
	s.w, _ = flate.NewWriter(&s.dst, flate.BestSpeed)
	return s
}

func (s *std) compress(message []byte) []byte {
	s.dst.Reset()
	if !s.takeover {
		s.w.Reset(&s.dst)
	}
	_, _ = s.w.Write(message)
	_ = s.w.Flush()
	return bytes.TrimSuffix(s.dst.Bytes(), sync)
}
