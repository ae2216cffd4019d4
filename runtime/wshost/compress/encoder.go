package compress

import (
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// maxLevel is the highest level that any coding has; a higher one means the same.
const maxLevel = 22

// encoder is what the codings have in common.
type encoder interface {
	io.WriteCloser
	Flush() error
	Reset(io.Writer)
}

// Encoder compresses what is written to it. Close ends the stream and gives the encoder back to its pool: it must not be
// used afterwards. One that is not closed, because the answer broke off, is left to the garbage collector.
type Encoder struct {
	encoder
	to   *target
	pool *sync.Pool
}

// target stands between an encoder and where it writes to, so that one that waits in its pool holds on to no answer.
type target struct{ io.Writer }

// Close ends the stream.
func (e *Encoder) Close() error {
	err := e.encoder.Close()
	if e.pool != nil {
		e.to.Writer = nil
		e.pool.Put(e)
	}
	return err
}

// window is how far a pooled encoder looks back, as a power of two. A server has as many of them as answers at a time:
// 256 KiB, not the 4 or 8 MiB that libraries take, and far below what zstd may ask of a client (8 MiB, RFC 8878,
// section 3.1.1.1.2).
const window = 18

// Pools hold encoders that are not in use, for each coding and level. The zero value is ready; methods may be called
// concurrently.
type Pools struct {
	gzip, deflate [gzip.BestCompression + 1]sync.Pool
	brotli        [brotli.BestCompression + 1]sync.Pool
	zstd          [int(zstd.SpeedBestCompression) + 1]sync.Pool
}

// Get returns an encoder that writes to w.
func (p *Pools) Get(c Coding, level int, w io.Writer) (*Encoder, error) {
	var pool *sync.Pool
	switch c {
	case Gzip:
		pool = &p.gzip[gzipLevel(level)]
	case Deflate:
		pool = &p.deflate[gzipLevel(level)]
	case Brotli:
		pool = &p.brotli[brotliLevel(level)]
	case Zstd:
		pool = &p.zstd[zstdLevel(level)]
	default:
		return nil, fmt.Errorf("there is no encoder for %q", c)
	}
	if e, ok := pool.Get().(*Encoder); ok {
		e.to.Writer = w
		e.Reset(e.to)
		return e, nil
	}
	to := &target{w}
	e, err := newEncoder(c, level, window, to)
	if err != nil {
		return nil, err
	}
	return &Encoder{e, to, pool}, nil
}

// fileWindow is that of an encoder for a file, 4 MiB at most: only a few work at a time.
const fileWindow = 22

// New returns an encoder of its own for content of that size.
func New(c Coding, level int, size int64, w io.Writer) (*Encoder, error) {
	bits := 10
	for bits < fileWindow && int64(1)<<bits < size {
		bits++
	}
	e, err := newEncoder(c, level, bits, w)
	if err != nil {
		return nil, err
	}
	return &Encoder{encoder: e}, nil
}

func newEncoder(c Coding, level, bits int, w io.Writer) (encoder, error) {
	switch c {
	case Gzip:
		return gzip.NewWriterLevel(w, gzipLevel(level))
	case Deflate:
		return zlib.NewWriterLevel(w, gzipLevel(level))
	case Brotli:
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: brotliLevel(level), LGWin: bits}), nil
	case Zstd:
		return zstd.NewWriter(w, zstd.WithEncoderLevel(zstdLevel(level)), zstd.WithWindowSize(1<<bits),
			zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithZeroFrames(true))
	}
	return nil, fmt.Errorf("there is no encoder for %q", c)
}

// gzipLevel maps the levels of IIS, 0 to 10, to those of zlib: on IIS 0 is the fastest, here it would be no compression.
func gzipLevel(level int) int { return min(max(level, gzip.BestSpeed), gzip.BestCompression) }

func brotliLevel(level int) int { return min(max(level, brotli.BestSpeed), brotli.BestCompression) }

func zstdLevel(level int) zstd.EncoderLevel { return zstd.EncoderLevelFromZstd(max(level, 1)) }
