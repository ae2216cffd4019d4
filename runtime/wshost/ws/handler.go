package ws

import (
	"errors"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Handler receives what happens on sockets; one may serve many. The callbacks of one socket never overlap, those of
// several do. They run where the socket is read: a callback that waits for something makes the other sockets of its
// loop wait too. Blocking makes a handler that may wait. A panic ends the socket with 1011.
type Handler interface {
	// Opened is called once, before anything else, when the socket may be written.
	Opened(s *Socket)
	// Message is called with each complete message. The payload is only lent: it changes when Message returns. Replies
	// that are written meanwhile leave together once everything that was read is used up.
	Message(s *Socket, op frame.Opcode, payload []byte)
	// Closed is the last callback: the line is closed. err is a *CloseError after a closing handshake, a
	// *ProtocolError when the peer broke the protocol or a limit, ErrCut, ErrDetached, or why the line failed.
	Closed(s *Socket, err error)
}

// Driver is a way of waiting for sockets. Both drivers treat the same bytes alike.
type Driver uint8

// The drivers.
const (
	// Automatic is the poller for plain TCP on Linux, where an idle socket costs neither goroutine nor buffer, and
	// Goroutine for everything else.
	Automatic Driver = 0
	// Goroutine reads each socket in a goroutine of its own: any net.Conn, TLS, HTTP/2 streams, every system.
	Goroutine Driver = 1
)

// SlowConsumer is what happens when a peer takes less than is written to it and Limits.QueueSize is reached.
type SlowConsumer string

// The policies.
const (
	// Block lets Write fail with ErrQueueFull and WriteWait wait, and stops reading from the peer meanwhile. A hub never
	// waits: it treats Block as CloseSlow.
	Block SlowConsumer = "block"
	// DropOldest drops the oldest messages that are not under way. The newest is always kept: when what is under way
	// fills the queue, it waits behind that. Such sockets compress without context takeover, for what was compressed
	// with it cannot be dropped.
	DropOldest SlowConsumer = "drop-oldest"
	// CloseSlow closes with 1013.
	CloseSlow SlowConsumer = "close"
)

// ErrQueueFull is returned by writes to a peer that does not take what was written before. Nothing was sent; the
// socket stays open.
var ErrQueueFull = errors.New("websocket send queue is full")
