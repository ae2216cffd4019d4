// Package ws is a WebSocket engine: RFC 6455 for servers and clients, as one state machine without I/O with drivers
// around it.
//
// It is not an HTTP server: Upgrader works on any net/http server whose ResponseWriter can be hijacked.
package ws

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rolemgr/rolemgr/runtime/wshost/ws/frame"
)

// Conn is a WebSocket connection. One Read and any number of Writes may be in progress at once; Close, Shutdown and
// Counts may be called at any time from anywhere. Pings are answered and the closing handshake is completed inside
// Read, so a connection must be read even by those who only write.
//
// A Conn owns no goroutine. It must be closed, or read until Read fails, or its line stays open.
type Conn struct {
	line        net.Conn
	subprotocol string
	limits      *Limits // resolved
	set         *settings
	codec       *codec  // nil without permessage-deflate
	client      *client // in Admission; nil for none

	reading   chan struct{} // a lock that can be waited for with a context; it guards what follows
	rx        *receiver
	buf       []byte // buf[r:w] is not parsed yet
	r, w      int
	lean      int // reads in a row that left most of buf empty
	readWatch watch
	armed     time.Time // the read deadline of line
	heard     time.Time // when bytes arrived last; kept only while something can become due
	asked     time.Time // when the idle ping that is not answered yet was sent
	looked    time.Time // when the line was read last while something could become due
	soonest   time.Time // before it nothing is overdue, see grace

	writing    chan struct{} // like reading
	tx         sender
	out        []byte
	writeWatch watch

	mu       sync.Mutex // guards what follows; held for moments, never while writing
	closer   closer
	verdict  error // why the connection is about to end: the peer's close frame, or its breach of the protocol
	err      error // why the connection has ended, once done is closed
	ended    bool
	cutter   *time.Timer
	pong     []byte // payload of the newest ping that is not answered yet; nil for none
	pingID   uint64 // of the last ping sent
	pings    map[uint64]*ping
	lastPong Pong

	leaving                                    atomic.Bool   // Detach has been called
	done                                       chan struct{} // closed when the connection has ended
	bytesIn, bytesOut, messagesIn, messagesOut atomic.Int64
}

// Counts is how much has passed over a connection since its opening handshake: bytes with all framing, and whole
// messages.
type Counts struct {
	BytesIn     int64 `json:"bytes_in"`
	BytesOut    int64 `json:"bytes_out"`
	MessagesIn  int64 `json:"messages_in"`
	MessagesOut int64 `json:"messages_out"`
}

const (
	readBuffer    = 4 << 10   // bytes of buffer a quiet connection reads into
	maxReadBuffer = 64 << 10  // what the buffer grows to while reads fill it
	outBuffer     = 4 << 10   // bytes of a frame that are copied behind its header rather than written after it
	keepOut       = 64 << 10  // a greater write buffer is given back after use
	writePiece    = 256 << 10 // bytes that the peer must take within WriteTimeout
)

func newConn(line net.Conn, role frame.Role, set *settings, subprotocol string, codec *codec, unread []byte) *Conn {
	c := &Conn{
		line: line, subprotocol: subprotocol, set: set, limits: &set.limits, codec: codec,
		reading: make(chan struct{}, 1), writing: make(chan struct{}, 1), done: make(chan struct{}),
		rx: newReceiver(role, set), tx: sender{role: role}, closer: closer{state: Open},
		buf: make([]byte, max(readBuffer, len(unread))),
	}
	if role == frame.Client {
		c.tx.key = new(keys).next
	}
	if codec != nil {
		c.rx.inflate, c.rx.charged, c.tx.deflate = codec.receive, codec.memory, codec.send
	}
	c.readWatch.wake = func() { _ = c.line.SetReadDeadline(past()) }
	c.writeWatch.wake = func() { _ = c.line.SetWriteDeadline(past()) }
	c.w = copy(c.buf, unread)
	c.bytesIn.Store(int64(len(unread)))
	if set.limits.PingInterval > 0 {
		c.heard = time.Now()
	}
	return c
}

// Subprotocol returns the subprotocol chosen in the opening handshake, "" for none.
func (c *Conn) Subprotocol() string { return c.subprotocol }

// RemoteAddr returns the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.line.RemoteAddr() }

// State returns where the connection stands. It may be called concurrently.
func (c *Conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closer.state
}

// Counts returns what has passed so far. It may be called concurrently.
func (c *Conn) Counts() Counts {
	return Counts{c.bytesIn.Load(), c.bytesOut.Load(), c.messagesIn.Load(), c.messagesOut.Load()}
}

// Done returns a channel that is closed when the connection has ended and its line is closed, or was detached.
func (c *Conn) Done() <-chan struct{} { return c.done }

// finish ends the connection, unless it has ended already, and returns why it has: the verdict, or else err.
func (c *Conn) finish(err error) error {
	c.mu.Lock()
	if c.ended {
		c.mu.Unlock()
		<-c.done
		return c.err
	}
	if c.verdict != nil {
		err = c.verdict // whatever ended the line came after it
	}
	c.ended, c.err = true, err
	c.closer.take(cut)
	if c.cutter != nil {
		c.cutter.Stop()
	}
	c.mu.Unlock()
	c.readWatch.stop()
	c.writeWatch.stop()
	c.closeLine(errors.As(err, new(*CloseError)))
	c.codec.release()
	c.client.leave()
	close(c.done)
	return err
}

// closeLine closes the line. The error is of no use: how the connection ended is known already. TLS would take up to
// 5 s to take leave of a peer that does not listen; it does so only of one that has closed properly.
func (c *Conn) closeLine(properly bool) {
	if secure, ok := c.line.(layer); ok && !properly {
		_ = secure.NetConn().Close()
		return
	}
	_ = c.line.Close()
}

// over returns why the connection has ended, or nil.
func (c *Conn) over() error {
	select {
	case <-c.done:
		return c.err
	default:
		return nil
	}
}
