package conformance

import (
	"fmt"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// squeeze sends a compressed message.
type squeeze struct {
	op     frame.Opcode
	body   body
	frames int // 0 and 1 for one
}

func (q squeeze) do(s *session) error {
	p := q.body.bytes()
	s.pace.owe(len(p))
	return sendStream(s, q.op, s.deflater.compress(p), max(q.frames, 1))
}

func (q squeeze) String() string {
	how := ""
	if q.frames > 1 {
		how = fmt.Sprintf(" in %d frames", q.frames)
	}
	return fmt.Sprintf("send a compressed %s message%s: %s", opName(q.op), how, q.body.about)
}

// crafted sends a stream made symbol by symbol.
type crafted struct {
	op     frame.Opcode
	about  string
	stream func(*agreed) []byte
	holds  body // what it inflates to; the window remembers it
	frames int
}

func (q crafted) do(s *session) error {
	p := q.holds.bytes()
	s.pace.owe(len(p))
	s.deflater.remember(p)
	return sendStream(s, q.op, q.stream(s.agreed), max(q.frames, 1))
}

func (q crafted) String() string {
	return fmt.Sprintf("send a compressed %s message: %s", opName(q.op), q.about)
}

// sendStream sends a stream in n frames; RSV1 stands on the first alone (RFC 7692, section 6.1).
func sendStream(s *session, op frame.Opcode, p []byte, n int) error {
	for i := range n {
		part := p[i*len(p)/n : (i+1)*len(p)/n]
		f := fr{op: op, rsv: frame.RSV1, more: i < n-1, body: body{"part of a stream", func() []byte { return part }}}
		if i > 0 {
			f.op, f.rsv = frame.Continuation, 0
		}
		if err := (send{frames: []fr{f}}).do(s); err != nil {
			return err
		}
	}
	return nil
}

// needTakeover ends a case when the terms do not allow the judge to look back at earlier messages as far as it wants.
type needTakeover struct{}

func (needTakeover) do(s *session) error {
	if s.deflater.takeover && s.deflater.window == 1<<15 {
		return nil
	}
	s.note(event{kind: evSkip})
	s.conn.Close()
	return errStop
}

func (needTakeover) String() string {
	return "go on only if a window of 32 KiB may be kept from message to message"
}

// skipped is the mark that needTakeover leaves.
func skipped() want { return is(evSkip) }
