package websocket

import (
	"context"

	"github.com/rolemgr/rolemgr/runtime/wshost/module"
	"github.com/rolemgr/rolemgr/runtime/wshost/ws"
)

// session is one connection of an endpoint, as the host's registry sees it. Shutdown is that of the engine.
type session struct{ *ws.Conn }

var _ module.Conn = session{}

// echo sends every message back with the opcode it came with until the connection ends, and says why it did.
func (s session) echo(ctx context.Context) error {
	for {
		op, payload, err := s.Read(ctx)
		if err != nil {
			return err
		}
		if err := s.Write(ctx, op, payload); err != nil {
			return err
		}
	}
}

// Counts returns what has passed so far.
func (s session) Counts() module.ConnCounts { return module.ConnCounts(s.Conn.Counts()) }

// record leaves what passed in the request's outcome, for the access log.
func (s session) record(q *module.Request) {
	c := s.Counts()
	q.Outcome.BytesRecv, q.Outcome.BytesSent = c.BytesIn, c.BytesOut
}
