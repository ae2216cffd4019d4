package ws

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/deflate"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/handshake"
)

// Compression switches permessage-deflate (RFC 7692) on and says what this side wants of it. The zero value wants the
// most: windows of 32 KiB in both directions, kept from one message to the next, about 115 KiB for each connection
// that uses them; see deflate.Params.Memory. It must not be changed while in use.
type Compression struct {
	// Level is how hard to try; default deflate.Balanced.
	Level deflate.Level
	// MinSize is the length in bytes below which messages are sent as they are; default 64, negative: none.
	MinSize int
	// SendBits and ReceiveBits bound the windows to compress with and to let the peer compress with: 2^bits bytes, from 8
	// to 15; default 15.
	SendBits, ReceiveBits int
	// SendNoTakeover and ReceiveNoTakeover have each message of that direction compressed by itself: less compression, no
	// memory between messages.
	SendNoTakeover, ReceiveNoTakeover bool
	// Budget bounds the windows of all connections that share it; nil means there is no bound. When it is spent, new
	// connections do without context takeover.
	Budget *deflate.Budget
}

// check reports what is impossible in c.
func (c *Compression) check() error {
	for _, bits := range []int{c.SendBits, c.ReceiveBits} {
		if bits != 0 && (bits < deflate.MinBits || bits > deflate.MaxBits) {
			return fmt.Errorf("window bits of compression are %d and not 8 to 15", bits)
		}
	}
	return nil
}

// policy is what c wants under limits l: a message that may be dropped must not be one that later ones refer to.
func (c *Compression) policy(l *Limits) deflate.Policy {
	return deflate.Policy{
		SendBits: c.SendBits, ReceiveBits: c.ReceiveBits,
		SendFresh: c.SendNoTakeover || l.SlowConsumer == DropOldest, ReceiveFresh: c.ReceiveNoTakeover, Budget: c.Budget,
	}
}

// answer accepts the client's offer when c allows it and puts the answer into resp.
func (c *Compression) answer(resp *handshake.Response, l *Limits) *deflate.Agreement {
	if c == nil {
		return nil
	}
	a, answer, ok := deflate.Accept(resp.Offered, c.policy(l))
	if !ok {
		return nil
	}
	resp.Extensions = []handshake.Extension{answer}
	return &a
}

// release gives back what was agreed on when no connection comes of it.
func release(a *deflate.Agreement) {
	if a != nil {
		a.Lease.Release()
	}
}

// compress puts what c says about the compressor into s; c may be nil.
func (s *settings) compress(c *Compression) {
	if c != nil {
		s.squeeze, s.budget = deflate.CompressorConfig{Level: c.Level, MinSize: c.MinSize}, c.Budget
	}
}

// codec is permessage-deflate of one connection.
type codec struct {
	params  deflate.Params
	send    *deflate.Compressor
	receive *deflate.Decompressor
	lease   *deflate.Lease
	memory  int64 // bytes that the windows may hold
}

// newCodec makes what the agreement says; nil for none.
func newCodec(set *settings, role frame.Role, a *deflate.Agreement) *codec {
	if a == nil {
		return nil
	}
	out, in := a.Params.Server(), a.Params.Client()
	if role == frame.Client {
		out, in = in, out
	}
	if set.limits.SlowConsumer == DropOldest {
		out.Takeover = false // whatever was agreed on: doing without is always right
	}
	cfg := set.squeeze
	cfg.Bits, cfg.Takeover, cfg.Pool = out.Bits, out.Takeover, &set.memory.deflate
	return &codec{
		params: a.Params, lease: a.Lease, memory: a.Params.Memory(role == frame.Server),
		send:    deflate.NewCompressor(cfg),
		receive: deflate.NewDecompressor(in.Bits, in.Takeover, &set.memory.deflate),
	}
}

// release gives the memory of the windows back to its budget.
func (c *codec) release() {
	if c != nil {
		c.lease.Release()
	}
}

// compressionState is all that a codec knows between two messages.
type compressionState struct {
	Params  deflate.Params `json:"params"`
	Send    []byte         `json:"send,omitempty"`    // what our next message may refer to
	Receive []byte         `json:"receive,omitempty"` // what the peer's next message may refer to
}

func (c *codec) state() *compressionState {
	if c == nil {
		return nil
	}
	return &compressionState{Params: c.params, Send: clone(c.send.Window()), Receive: clone(c.receive.Window())}
}

// restoreCodec makes a codec that goes on where s was written; inflate is where it stands in a message.
func restoreCodec(set *settings, role frame.Role, s *compressionState, inflate []byte) (*codec, error) {
	if s == nil {
		if len(inflate) > 0 {
			return nil, fmt.Errorf("%w: it inflates without permessage-deflate", ErrSnapshot)
		}
		return nil, nil
	}
	if !s.Params.Sound() {
		return nil, fmt.Errorf("%w: its window bits are impossible", ErrSnapshot)
	}
	c := newCodec(set, role, &deflate.Agreement{Params: s.Params})
	if set.limits.SlowConsumer != DropOldest {
		if err := c.send.Restore(s.Send); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
	}
	if err := c.receive.Restore(s.Receive, inflate); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSnapshot, err)
	}
	c.lease = set.budget.Charge(c.memory)
	return c, nil
}
