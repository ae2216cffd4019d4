package ws

import "github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"

// sender turns messages into bytes. It does no I/O. A message is one frame; extensions will have their say here.
type sender struct {
	role frame.Role
	// key makes the masking keys of a client; each must be unpredictable (RFC 6455, section 5.3).
	key func() ([4]byte, error)
}

// header appends the header of a frame of length bytes and returns the key that its payload must be masked with.
func (s *sender) header(dst []byte, op frame.Opcode, length int) ([]byte, frame.Header, error) {
	h := frame.Header{FIN: true, Opcode: op, Length: uint64(length), Masked: s.role == frame.Client}
	if h.Masked {
		var err error
		if h.Key, err = s.key(); err != nil {
			return dst, h, err
		}
	}
	return frame.AppendHeader(dst, h), h, nil
}

// append appends a whole frame to dst. p is not changed.
func (s *sender) append(dst []byte, op frame.Opcode, p []byte) ([]byte, error) {
	dst, h, err := s.header(dst, op, len(p))
	if err != nil {
		return dst, err
	}
	dst = append(dst, p...)
	if h.Masked {
		frame.Mask(h.Key, 0, dst[len(dst)-len(p):])
	}
	return dst, nil
}
