package ws

import (
	"encoding/binary"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// sender turns messages into bytes. It does no I/O. A message is one frame.
type sender struct {
	role frame.Role
	// key makes the masking keys of a client; each must be unpredictable (RFC 6455, section 5.3).
	key     func() ([4]byte, error)
	deflate *deflate.Compressor // nil without permessage-deflate
}

// header appends the header of a frame of length bytes and returns the key that its payload must be masked with.
func (s *sender) header(dst []byte, op frame.Opcode, length int) ([]byte, frame.Header, error) {
	if s.role == frame.Server {
		return appendPlain(dst, 0x80|byte(op), length), frame.Header{}, nil
	}
	h := frame.Header{FIN: true, Opcode: op, Length: uint64(length), Masked: true}
	var err error
	if h.Key, err = s.key(); err != nil {
		return dst, h, err
	}
	return frame.AppendHeader(dst, h), h, nil
}

// appendPlain appends an unmasked header whose first byte is given.
func appendPlain(dst []byte, first byte, length int) []byte {
	switch {
	case length < 126:
		return append(dst, first, byte(length))
	case length <= 0xFFFF:
		return append(dst, first, 126, byte(length>>8), byte(length))
	}
	return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(length))
}

// compresses reports whether messages of this kind and length are to be compressed.
func (s *sender) compresses(op frame.Opcode) bool { return s.deflate != nil && op.Data() }

// append appends a whole frame to dst. p is not changed.
func (s *sender) append(dst []byte, op frame.Opcode, p []byte) ([]byte, error) {
	if s.compresses(op) {
		if out, ok, err := s.squeeze(dst, op, p); ok || err != nil {
			return out, err
		}
	}
	if s.role == frame.Server {
		return append(appendPlain(dst, 0x80|byte(op), len(p)), p...), nil
	}
	return s.masked(dst, op, p)
}

// masked appends a frame of a client.
//
//go:noinline
func (s *sender) masked(dst []byte, op frame.Opcode, p []byte) ([]byte, error) {
	dst, h, err := s.header(dst, op, len(p))
	if err != nil {
		return dst, err
	}
	dst = append(dst, p...)
	frame.Mask(h.Key, 0, dst[len(dst)-len(p):])
	return dst, nil
}

// squeeze appends a whole frame with its payload compressed; ok is false, and dst unchanged, when p is to be sent as it
// is. The length of the header is guessed and mended afterwards: a compressed payload is seldom of another class.
func (s *sender) squeeze(dst []byte, op frame.Opcode, p []byte) (out []byte, ok bool, err error) {
	h := frame.Header{FIN: true, RSV: frame.RSV1, Opcode: op, Length: uint64(len(p)), Masked: s.role == frame.Client}
	if h.Masked {
		if h.Key, err = s.key(); err != nil {
			return dst, false, err
		}
	}
	start := len(dst)
	guess := frame.AppendHeader(dst, h)
	guessed := len(guess) - start
	out, ok = s.deflate.Append(guess, p)
	if !ok {
		return dst, false, nil
	}
	h.Length = uint64(len(out) - start - guessed)
	var head [frame.MaxHeader]byte
	b := frame.AppendHeader(head[:0], h)
	if d := len(b) - guessed; d != 0 {
		out = append(out, b[:max(d, 0)]...) // room for a longer header; what is appended is overwritten
		copy(out[start+len(b):], out[start+guessed:len(out)-max(d, 0)])
		out = out[:start+len(b)+int(h.Length)]
	}
	copy(out[start:], b)
	if h.Masked {
		frame.Mask(h.Key, 0, out[start+len(b):])
	}
	return out, true, nil
}
