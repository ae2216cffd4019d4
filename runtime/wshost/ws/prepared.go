package ws

import (
	"sync"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Prepared is a message that is encoded once and sent to many. It does not change and may be used concurrently.
type Prepared struct {
	op      frame.Opcode
	payload []byte
	plain   []byte // the whole frame of a server

	mu    sync.Mutex
	small []variant // compressed, by what the receivers agreed on
}

// variant is a compressed frame. Nothing in it refers to what was sent before, so it is right for every receiver whose
// window is at least as large, with context takeover or without.
type variant struct {
	cfg   deflate.CompressorConfig
	frame []byte // nil when it is not worth compressing
}

// Prepare encodes a message. p is copied. Text must be valid UTF-8, or ErrText is returned.
func Prepare(op frame.Opcode, p []byte) (*Prepared, error) {
	if err := checkMessage(op, p); err != nil {
		return nil, err
	}
	b := appendPlain(make([]byte, 0, frame.MaxHeader+len(p)), 0x80|byte(op), len(p))
	head := len(b)
	b = append(b, p...)
	return &Prepared{op: op, payload: b[head:], plain: b}, nil
}

// compressed returns the frame for a compressor like c, nil when the message goes as it is.
func (m *Prepared) compressed(set *settings, bits int) []byte {
	cfg := set.squeeze
	cfg.Bits, cfg.Takeover, cfg.Pool = bits, false, &set.memory.deflate
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range m.small {
		if m.small[i].cfg == cfg {
			return m.small[i].frame
		}
	}
	v := variant{cfg: cfg}
	tx := sender{role: frame.Server, deflate: deflate.NewCompressor(cfg)}
	if b, ok, err := tx.squeeze(nil, m.op, m.payload); ok && err == nil && len(b) < len(m.plain) {
		v.frame = b
	}
	m.small = append(m.small, v)
	return v.frame
}

// WritePrepared is Write for a message that goes to many: it is neither encoded nor copied again, and compressed once
// for all who agreed on the same. A client, which must mask, sends a copy.
func (s *Socket) WritePrepared(m *Prepared) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.sharedLocked(m); err != nil {
		return err
	}
	s.pushLocked()
	return nil
}

// sharedLocked queues m, and does not write it yet.
func (s *Socket) sharedLocked(m *Prepared) error {
	if err := s.writableLocked(); err != nil {
		return err
	}
	if s.fullLocked() && s.loop != nil && !s.watched {
		s.flushLocked() // much is published within one turn
	}
	if s.fullLocked() {
		if err := s.makeRoomLocked(); err != nil {
			return err
		}
	}
	drop := s.rx.set.limits.SlowConsumer == DropOldest
	if s.rx.role == frame.Client {
		s.messagesOut++
		tx := s.sender()
		return s.frameLocked(&tx, m.op, m.payload, drop)
	}
	b := m.plain
	if c := s.codec; c != nil {
		if small := m.compressed(s.rx.set, c.params.Server().Bits); small != nil {
			// The receiver's window has more in it now than our compressor knows of; it must not refer to what lies before.
			c.send.Forget()
			b = small
		}
	}
	if s.q == nil {
		s.q = s.rx.set.memory.queue()
	}
	s.messagesOut++
	if len(b) < shareFrom && !drop {
		s.q.keep(append(s.q.tail(s.rx.set.memory, len(b), false), b...), len(b))
	} else {
		s.q.share(b, drop)
	}
	return nil
}

// shareFrom is the length of a frame in bytes from which it is shared rather than copied: below, a copy is cheaper than
// a slice more in the vector.
const shareFrom = 1 << 10
