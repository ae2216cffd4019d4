package server

import (
	"bufio"
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"
)

// gobwasFlush is how many bytes of replies are gathered at most.
const gobwasFlush = 64 << 10

// gobwas serves with gobwas/ws as its authors mean it to be used for speed: the handshake on the bare connection,
// the codec's header functions, and a loop of its own, which gathers the replies to all frames that one read brought.
func gobwas(l net.Listener, m Mode) error {
	g := &gobwasServer{mode: m}
	g.flates.New = func() any { return newGobwasFlate() }
	g.sinks.New = func() any { return new(sink) }
	for {
		nc, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		go g.open(nc)
	}
}

// gobwasServer is what the connections of the server share.
type gobwasServer struct {
	mode    Mode
	members room[net.Conn]
	flates  sync.Pool // *gobwasFlate
	sinks   sync.Pool // *sink
}

// end closes a connection and reports what ended it, unless it is that the other side has left.
func (g *gobwasServer) end(nc net.Conn, err error) {
	_ = nc.Close()
	if !errors.Is(err, io.EOF) && !gone(err) {
		note("gobwas", err)
	}
}

// gone reports whether an error only says that the other side has left.
func gone(err error) bool {
	var op *net.OpError
	return errors.As(err, &op)
}

// open performs the handshake and hands the connection on to a goroutine with a stack of the smallest size.
func (g *gobwasServer) open(nc net.Conn) {
	path := ""
	up := ws.Upgrader{OnRequest: func(uri []byte) error {
		path = string(uri)
		return nil
	}}
	if g.mode != Plain {
		e := wsflate.Extension{Parameters: wsflate.Parameters{ServerNoContextTakeover: true, ClientNoContextTakeover: true}}
		up.Negotiate = e.Negotiate
	}
	if _, err := up.Upgrade(nc); err != nil {
		g.end(nc, err)
		return
	}
	c := &gobwasLoop{server: g, conn: nc, br: bufio.NewReaderSize(nc, 4096)}
	if path == broadcastPath {
		g.members.join(nc)
		go func() {
			defer g.members.leave(nc)
			g.end(nc, c.broadcast())
		}()
		return
	}
	go func() { g.end(nc, c.echo()) }()
}

// gobwasLoop is the read loop of one connection.
type gobwasLoop struct {
	server *gobwasServer
	conn   net.Conn
	br     *bufio.Reader
	out    *sink // replies that are being gathered; nil while there are none, so that idle connections hold no memory
	head   [ws.MaxHeaderSize]byte
}

// sink is memory that gathers what is written to it.
type sink []byte

// Write appends.
func (s *sink) Write(p []byte) (int, error) {
	*s = append(*s, p...)
	return len(p), nil
}

// header reads the next frame's header; io.EOF follows a Close frame that was answered.
func (c *gobwasLoop) header() (ws.Header, error) {
	for {
		h, err := ws.ReadHeaderBuffer(c.br, c.head[:])
		if err != nil {
			return h, err
		}
		if !h.OpCode.IsControl() {
			return h, nil
		}
		p, err := c.payload(h)
		if err != nil {
			return h, err
		}
		if h.OpCode == ws.OpClose {
			if err := c.reply(ws.Header{Fin: true, OpCode: ws.OpClose, Length: h.Length}, p); err != nil {
				return h, err
			}
			return h, errors.Join(c.flush(), io.EOF)
		}
	}
}

// payload reads and unmasks a payload into new memory.
func (c *gobwasLoop) payload(h ws.Header) ([]byte, error) {
	p := make([]byte, h.Length)
	if _, err := io.ReadFull(c.br, p); err != nil {
		return nil, err
	}
	ws.Cipher(p, h.Mask, 0)
	return p, nil
}

// reply gathers a frame.
func (c *gobwasLoop) reply(h ws.Header, p []byte) error {
	if c.out == nil {
		c.out = c.server.sinks.Get().(*sink)
	}
	if err := ws.WriteHeaderBuffer(c.out, h, c.head[:]); err != nil {
		return err
	}
	_, err := c.out.Write(p)
	return err
}

// flush sends what was gathered.
func (c *gobwasLoop) flush() error {
	_, err := c.conn.Write(*c.out)
	*c.out = (*c.out)[:0]
	c.server.sinks.Put(c.out)
	c.out = nil
	return err
}

// echo sends back each message. A payload is read to where its reply is to be, and unmasked there.
func (c *gobwasLoop) echo() error {
	for {
		h, err := c.header()
		if err != nil {
			return err
		}
		if c.server.mode != Plain {
			err = c.echoDeflated(h)
		} else {
			err = c.echoPlain(h)
		}
		if err != nil {
			return err
		}
		if c.br.Buffered() == 0 || len(*c.out) >= gobwasFlush {
			if err := c.flush(); err != nil {
				return err
			}
		}
	}
}

// echoPlain gathers the reply to a message that is not compressed.
func (c *gobwasLoop) echoPlain(h ws.Header) error {
	if err := c.reply(ws.Header{Fin: true, OpCode: h.OpCode, Length: h.Length}, nil); err != nil {
		return err
	}
	begin := len(*c.out)
	*c.out = slices.Grow(*c.out, int(h.Length))[:begin+int(h.Length)]
	p := (*c.out)[begin:]
	if _, err := io.ReadFull(c.br, p); err != nil {
		return err
	}
	ws.Cipher(p, h.Mask, 0)
	return nil
}

// echoDeflated gathers the reply to a compressed message.
func (c *gobwasLoop) echoDeflated(h ws.Header) error {
	p, err := c.payload(h)
	if err != nil {
		return err
	}
	f := c.server.flates.Get().(*gobwasFlate)
	defer c.server.flates.Put(f)
	packed, err := f.turn(p)
	if err != nil {
		return err
	}
	h, err = wsflate.SetBit(ws.Header{Fin: true, OpCode: h.OpCode, Length: int64(len(packed))})
	if err != nil {
		return err
	}
	return c.reply(h, packed)
}

// broadcast sends each message to all members as one frame made once.
func (c *gobwasLoop) broadcast() error {
	for {
		h, err := c.header()
		if err != nil {
			return err
		}
		p, err := c.payload(h)
		if err != nil {
			return err
		}
		frame, err := ws.CompileFrame(ws.NewFrame(h.OpCode, true, p))
		if err != nil {
			return err
		}
		c.server.members.each(func(nc net.Conn) { _, _ = nc.Write(frame) })
	}
}

// gobwasFlate is a compressor and a decompressor at compress/flate's fastest level, as the other Go peers use it.
type gobwasFlate struct {
	r     *wsflate.Reader
	w     *wsflate.Writer
	src   bytes.Reader
	plain bytes.Buffer
	out   bytes.Buffer
}

// newGobwasFlate makes both.
func newGobwasFlate() *gobwasFlate {
	f := new(gobwasFlate)
	f.r = wsflate.NewReader(&f.src, func(r io.Reader) wsflate.Decompressor { return flate.NewReader(r) })
	f.w = wsflate.NewWriter(&f.out, func(w io.Writer) wsflate.Compressor {
		c, _ := flate.NewWriter(w, flate.BestSpeed) // the level is a valid one
		return c
	})
	return f
}

// turn inflates a message and compresses it again; the result is valid until the next call.
func (f *gobwasFlate) turn(p []byte) ([]byte, error) {
	f.src.Reset(p)
	f.r.Reset(&f.src)
	f.plain.Reset()
	if _, err := f.plain.ReadFrom(f.r); err != nil {
		return nil, fmt.Errorf("inflating: %w", err)
	}
	f.out.Reset()
	f.w.Reset(&f.out)
	if _, err := f.w.Write(f.plain.Bytes()); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := f.w.Flush(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return f.out.Bytes(), nil
}
