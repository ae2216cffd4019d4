package websocket

import (
	"context"
	"sync/atomic"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// session is one connection of an endpoint, as the host's registry sees it.
type session struct {
	conn                                       *ws.Conn
	bytesIn, bytesOut, messagesIn, messagesOut atomic.Int64
}

var _ module.Conn = (*session)(nil)

// echo sends every message back with the opcode it came with until the connection ends, and says why it did.
func (s *session) echo(ctx context.Context) error {
	for {
		op, payload, err := s.conn.Read(ctx)
		if err != nil {
			return err
		}
		s.messagesIn.Add(1)
		s.bytesIn.Add(int64(len(payload)))
		if err := s.conn.Write(ctx, op, payload); err != nil {
			return err
		}
		s.messagesOut.Add(1)
		s.bytesOut.Add(int64(len(payload)))
	}
}

// Shutdown starts the closing handshake and returns at once.
func (s *session) Shutdown(code uint16, reason string) {
	go func() { _ = s.conn.Close(frame.CloseCode(code), reason) }() // the read in progress ends the session
}

// Counts returns what has passed so far, in bytes of payload.
func (s *session) Counts() module.ConnCounts {
	return module.ConnCounts{
		BytesIn: s.bytesIn.Load(), BytesOut: s.bytesOut.Load(),
		MessagesIn: s.messagesIn.Load(), MessagesOut: s.messagesOut.Load(),
	}
}

// record leaves what passed in the request's outcome, for the access log.
func (s *session) record(q *module.Request) {
	q.Outcome.BytesRecv, q.Outcome.BytesSent = s.bytesIn.Load(), s.bytesOut.Load()
}
