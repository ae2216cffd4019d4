package load

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rolemgr/rolemgr/bench/sock"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
)

// inflated is the number of connections whose replies are inflated and compared; those of the others are counted.
const inflated = 2

// tail is what RFC 7692, section 7.2.1, takes from the end of a message, and a final empty block behind it, which
// makes a decompressor stop.
const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// newDeflateStream makes a stream of compressed text messages. With takeover each message is compressed with those
// before it as context, in a window of 2^bits bytes; at the beginning of the sequence the context is not used, so the
// sequence can be repeated.
func newDeflateStream(docs [][]byte, takeover bool, bits int) (*Stream, error) {
	s := &Stream{count: len(docs)}
	pack, err := packer(takeover, bits)
	if err != nil {
		return nil, err
	}
	var frames [][]byte
	for i, doc := range docs {
		payload, err := pack(doc)
		if err != nil {
			return nil, fmt.Errorf("compressing: %w", err)
		}
		frames = append(frames, appendClient(nil, rsv1Bit|opText, [4]byte{byte(i), 7, 77, 177}, payload))
	}
	s.lay(frames, 1)
	return s, nil
}

// packer returns a function that compresses one message after the other: with compress/flate, which is nobody's here,
// or, as that has no smaller window, with the engine's own compressor.
func packer(takeover bool, bits int) (func(doc []byte) ([]byte, error), error) {
	if bits < deflate.MaxBits {
		c := deflate.NewCompressor(deflate.CompressorConfig{Bits: bits, Takeover: takeover, MinSize: -1, Pool: new(deflate.Pool)})
		return func(doc []byte) ([]byte, error) {
			payload, ok := c.Append(nil, doc)
			if !ok {
				return nil, errors.New("the compressor leaves a message alone")
			}
			return payload, nil
		}, nil
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, 6)
	if err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return func(doc []byte) ([]byte, error) {
		packed.Reset()
		if !takeover {
			w.Reset(&packed)
		}
		if _, err := w.Write(doc); err != nil {
			return nil, err
		}
		if err := w.Flush(); err != nil {
			return nil, err
		}
		return bytes.TrimSuffix(packed.Bytes(), []byte(tail[:4])), nil
	}, nil
}

// inflater inflates the messages of one connection and compares them with the documents sent.
type inflater struct {
	docs    [][]byte
	due     int
	context []byte // the last bytes of plain text that the server may refer to
	keep    int    // how many these are; 0 without takeover
	reader  io.ReadCloser
}

// check inflates a message and compares it with the one that is due.
func (f *inflater) check(payload []byte) error {
	src := io.MultiReader(bytes.NewReader(payload), strings.NewReader(tail))
	if f.reader == nil {
		f.reader = flate.NewReaderDict(src, f.context)
	} else if err := f.reader.(flate.Resetter).Reset(src, f.context); err != nil {
		return fmt.Errorf("inflating: %w", err)
	}
	plain, err := io.ReadAll(f.reader)
	if err != nil {
		return fmt.Errorf("inflating message %d: %w", f.due, err)
	}
	if want := f.docs[f.due]; !bytes.Equal(plain, want) {
		return fmt.Errorf("wrong echo: message %d inflates to %d bytes that are not the %d bytes sent", f.due, len(plain), len(want))
	}
	f.due = (f.due + 1) % len(f.docs)
	if f.keep > 0 {
		f.context = append(f.context, plain...)
		f.context = slices.Delete(f.context, 0, max(len(f.context)-f.keep, 0))
	}
	return nil
}

// scanner finds the frames in what a server sends on one connection.
type scanner struct {
	head  []byte // a header that is not whole
	rest  int    // bytes of payload still to come
	body  []byte // payload so far, when check is set
	check *inflater
	bytes uint64 // payload of all frames
}

// errFrame means a frame that cannot be an echo.
var errFrame = errors.New("a frame that is no echo: want one final text frame for each message, unmasked, RSV1 set")

// take scans arrived bytes and returns how many frames they complete.
func (s *scanner) take(got []byte) (int, error) {
	whole := 0
	for len(got) > 0 {
		if s.rest == 0 {
			s.head = append(s.head, got[0])
			got = got[1:]
			size, ok, err := headerSize(s.head)
			if err != nil {
				return whole, err
			}
			if !ok {
				continue
			}
			s.head, s.rest = s.head[:0], size
			s.bytes += uint64(size)
		}
		n := min(s.rest, len(got))
		if s.check != nil {
			s.body = append(s.body, got[:n]...)
		}
		got, s.rest = got[n:], s.rest-n
		if s.rest > 0 {
			break
		}
		whole++
		if s.check != nil {
			if err := s.check.check(s.body); err != nil {
				return whole, err
			}
			s.body = s.body[:0]
		}
	}
	return whole, nil
}

// headerSize returns the payload length that a header announces; ok is false while the header is not whole.
func headerSize(h []byte) (size int, ok bool, err error) {
	if h[0] != finBit|rsv1Bit|opText {
		return 0, false, fmt.Errorf("%w, got 0x%02x", errFrame, h[0])
	}
	if len(h) < 2 {
		return 0, false, nil
	}
	switch {
	case h[1] == 0 || h[1] >= 127:
		return 0, false, fmt.Errorf("%w of up to 64 KiB, got length byte 0x%02x", errFrame, h[1])
	case h[1] < 126:
		return int(h[1]), true, nil
	case len(h) < 4:
		return 0, false, nil
	}
	size = int(binary.BigEndian.Uint16(h[2:]))
	if size < 126 {
		return 0, false, fmt.Errorf("%w: length %d in the longer form", errFrame, size)
	}
	return size, true, nil
}

// deflate runs a scenario with permessage-deflate.
func (r *run) deflate(p *sock.Poll) error {
	docs := documents(256, r.scenario.Size)
	bits := cmp.Or(r.scenario.Bits, deflate.MaxBits)
	s, err := newDeflateStream(docs, r.scenario.Takeover, bits)
	if err != nil {
		return err
	}
	before, beforeGC, err := r.memory()
	if err != nil {
		return err
	}
	fds, err := r.openAll(p, "/echo", r.scenario.Conns)
	defer closeAll(fds)
	if err != nil {
		return err
	}
	if err := checkAgreement(r.res.Extension, r.scenario.Takeover, bits); err != nil {
		return err
	}
	pipes := make([]pipe, len(fds))
	scanners := make([]scanner, len(fds))
	for i, fd := range fds {
		pipes[i].fd = fd
		if i < inflated {
			scanners[i].check = &inflater{docs: docs}
			if r.scenario.Takeover {
				scanners[i].check.keep = 1 << bits
			}
		}
	}
	e := &engine{run: r, p: p, buf: make([]byte, 64<<10)}
	e.pipes = func(i int) *pipe { return &pipes[i] }
	e.take = func(i int, got []byte) (int, error) { return scanners[i].take(got) }
	e.after = func(i, n int, now time.Duration) error {
		if err := pipes[i].arrived(&r.hist, n, now); err != nil {
			return err
		}
		return e.again(&pipes[i], s, n, now)
	}
	if err := e.start(len(pipes), s); err != nil {
		return err
	}
	return r.sum(scanners, e.done, before, beforeGC)
}

// sum puts reply length and memory a connection into the result.
func (r *run) sum(scanners []scanner, done uint64, before, beforeGC int64) error {
	var replies uint64
	for i := range scanners {
		replies += scanners[i].bytes
	}
	r.res.ReplyBytes = float64(replies) / float64(done)
	n := float64(len(scanners))
	r.res.ConnBytes = float64(r.res.RSS-before) / n
	_, after, err := r.memory()
	if after > 0 {
		r.res.ConnGC = float64(after-beforeGC) / n
	}
	return err
}

// checkAgreement holds the server's answer to what the scenario is about.
func checkAgreement(extension string, takeover bool, bits int) error {
	params := strings.Split(extension, ";")
	if name := strings.TrimSpace(params[0]); name != "" && name != "permessage-deflate" || name == "" && bits == deflate.MaxBits {
		return fmt.Errorf("the server answers the offer of permessage-deflate with %q", extension)
	}
	has := func(name string) bool {
		return slices.ContainsFunc(params[1:], func(p string) bool { return strings.TrimSpace(p) == name })
	}
	switch {
	case takeover && (has("server_no_context_takeover") || has("client_no_context_takeover")):
		return fmt.Errorf("%w: takeover is declined by %q", ErrDeclined, extension)
	case bits < deflate.MaxBits && !has(fmt.Sprintf("server_max_window_bits=%d", bits)):
		return fmt.Errorf("%w: a window of %d bits is declined by %q", ErrDeclined, bits, extension)
	case !takeover && !has("server_no_context_takeover"):
		return fmt.Errorf("the server was offered server_no_context_takeover and answers %q (RFC 7692, section 7.1.1.1)", extension)
	}
	return nil
}
